/** What the dojo knows about a line. */
import { absolute, largestMagnitude } from '../core/numbers.js';
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
  const evaluator = new Evaluator(at);
  const [inner, total] = expression.op === 'sum' ? [expression.of, expression.over] : [expression, undefined];
  const magnitudes = evaluator
    .terms(inner)
    .map(absolute)
    .reduce((a, b) => a.add(b));
  return largestMagnitude((total === undefined ? magnitudes : magnitudes.sum(total === 'batch' ? 0 : 1)).data);
}
