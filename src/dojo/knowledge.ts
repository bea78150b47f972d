/** What the dojo knows about a line. */
import { largestMagnitude } from '../core/numbers.js';
import { Evaluator, type Expression } from './expression.js';
import type { ValuesAndGradients } from './learnerFile.js';

export interface LineKnowledge {
  /** The line as a formula. */
  formula: string;
  /** The line as a tree, from which its mistakes are derived. */
  expression: Expression;
  /** Set where the line is written in other forms, too, whose branches have other constant factors. */
  hasOtherForms?: true;
  /** Set where the right result is 0 with the true gradients above. */
  zeroEndToEnd?: true;
}

/** The largest sum of magnitudes behind an entry of the result. The result itself cannot be the scale of an error, because it may be 0. */
export function scaleOf({ expression }: LineKnowledge, at: ValuesAndGradients): number {
  const scales = SCALES.get(at) ?? new Map<Expression, number>();
  SCALES.set(at, scales);
  const scale = scales.get(expression) ?? largestMagnitude(new Evaluator(at).magnitude(expression).data);
  scales.set(expression, scale);
  return scale;
}

/** The scales that are known. Inputs are not changed. */
const SCALES = new WeakMap<ValuesAndGradients, Map<Expression, number>>();
