/** Trains with a learner's lines: a worker computes the gradients, and the engine the losses. */
import type { TrainingReport } from '../../dojo/training.js';
import type { GradientName } from '../../lesson/values.js';
import { ask } from '../engine/client.js';
import { guestCode } from './checkLine.js';
import { Guest, GuestEnded, GuestSyntaxError } from './guest.js';

/** Steps between two reports. */
const REPORT_EVERY = 20;

/**
 * @param signal ends the training early: then there is no result
 * @returns the losses, or the reason why training failed
 */
export async function trainWithLines(
  top: string,
  lines: readonly (readonly [GradientName, string])[],
  signal: AbortSignal,
  onStep: (step: number) => void,
): Promise<TrainingReport | { problem: string } | undefined> {
  let guest: Guest | undefined;
  const names = lines.map(([name]) => name);
  try {
    guest = new Guest(guestCode(top, lines));
    let turn = await ask('beginTraining');
    for (let step = 1; 'at' in turn; step++) {
      if (signal.aborted) return undefined;
      const answer = await guest.request({ kind: 'pass', names, wanted: turn.wanted, at: turn.at });
      if (answer.kind === 'pass-failed') return { problem: `${answer.name}: ${await ask('faultText', answer.fault)}` };
      if (answer.kind !== 'passed' || answer.arrays.length !== turn.wanted.length) throw new GuestEnded({ id: 'breaks-channel' });
      turn = await ask('continueTraining', turn.id, answer.arrays);
      if (step % REPORT_EVERY === 0) onStep(step);
    }
    return 'report' in turn ? turn.report : turn;
  } catch (error) {
    if (error instanceof GuestEnded) return { problem: await ask('faultText', error.fault) };
    if (error instanceof GuestSyntaxError) return { problem: error.message };
    throw error;
  } finally {
    guest?.stop();
  }
}
