/** What the hunt says, in the terminal and in the page. */
import { GRADIENT_NAMES } from '../lesson/exercise1.js';
import type { GradientName } from '../lesson/values.js';
import { FULL_SCORE, PROBE_COST, type Probe, WRONG_COST } from './hunt.js';
import { showWorst } from './worstEntry.js';

/** Default seeds are below this: short enough to tell a friend. */
export const HUNT_SEEDS = 10_000;

export const HUNT_TEXTS = {
  task:
    `a backward pass of ${GRADIENT_NAMES.length} lines, on a batch of 32. One line is wrong, and so is every gradient computed ` +
    `from it. You have ${FULL_SCORE} points. A probe costs ${PROBE_COST}, a wrong answer ${WRONG_COST}.`,
  found: (name: GradientName) => `Yes, it is ${name}.`,
  question: 'What is wrong with it?',
  otherLine: (name: GradientName, score: number) => `No, the line of ${name} is right. You have ${score} points left.`,
  named: 'Right.',
  otherMistake: (score: number) => `No. You have ${score} points left.`,
  answer: (line: GradientName, mistake: string) => `It was ${line}: ${mistake}.`,
  score: (score: number) => `Score: ${score} of ${FULL_SCORE}`,
};

/** The result of a probe: agrees, or how it differs. */
export function probeResult({ agrees, worst }: Probe): string {
  if (agrees) return 'agrees';
  return worst ? showWorst(worst) : 'wrong shape';
}
