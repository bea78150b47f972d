/** The ways to compute a gradient: its atomic line, and the closed form of Exercise 2 or 3. */
import { exercise1 } from '../../lesson/exercise1.js';
import { exercise2 } from '../../lesson/exercise2.js';
import { exercise3 } from '../../lesson/exercise3.js';
import type { GradientName } from '../../lesson/values.js';
import { ATOMIC_LINES } from '../atomicLines.js';
import { CLOSED_LINES } from '../closedLines.js';
import { isGradient, namesIn } from '../edits/trees.js';
import type { LineKnowledge } from '../knowledge.js';
import type { Line } from '../learnerFile.js';

/** One way to compute a gradient. */
export interface LineWay {
  knowledge: LineKnowledge;
  solution: Line;
  /** The gradients that it reads. */
  reads: readonly GradientName[];
}

const way = (knowledge: LineKnowledge, solution: Line): LineWay => ({
  knowledge,
  solution,
  reads: namesIn(knowledge.expression).filter(isGradient),
});

const CLOSED: Partial<Record<GradientName, LineWay>> = {
  dlogits: way(CLOSED_LINES.dlogits, exercise2.dlogits),
  dhprebn: way(CLOSED_LINES.dhprebn, exercise3.dhprebn),
};

/** The atomic line first. */
export function linesOf(name: GradientName): LineWay[] {
  const closed = CLOSED[name];
  const atomic = way(ATOMIC_LINES[name], exercise1[name]);
  return closed === undefined ? [atomic] : [atomic, closed];
}
