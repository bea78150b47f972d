/** Findings about a learner's line, as ids with data. The sentences for them are in sentences.ts. */
import type { Shape } from '../core/tensor.js';
import type { ValueName } from '../lesson/values.js';
import type { Arrangement, Scattering } from './arrangements.js';
import type { FunctionName } from './functions.js';

/** A branch of a line: the value that uses the tensor, or a term of a closed form. */
export type BranchName = ValueName | 'softmax' | 'one-hot' | 'direct' | 'mean' | 'variance';

/** A constant factor as text: -1, 1/n, n/(n-1). */
export type Coefficient = string;

/** The part that a factor plays in a product. */
export type Role = 'gradient-above' | 'gain' | 'log-derivative' | 'exp-derivative' | 'tanh-derivative' | 'power-derivative';

/** The reason why people confuse one expression with another. */
export type Confusion =
  | 'derivative-at-output'
  | 'derivative-at-input'
  | 'function-for-derivative'
  | 'input-for-output'
  | 'exp-twice'
  | 'tanh-twice'
  | 'derived-twice'
  | 'sigmoid'
  | 'batch-norm-skipped'
  | 'power-rule'
  | 'row-offset';

/** The entries of a row of V: `column-maximum` is the largest of a column, `after-target` the target's right neighbour, `next-entry` the same but at the end of a row the first of the next. */
export type Place =
  | 'target'
  | 'row-maximum'
  | 'everywhere'
  | 'not-target'
  | 'not-row-maximum'
  | 'column-maximum'
  | 'after-target'
  | 'before-target'
  | 'next-entry'
  | 'previous-entry'
  | 'first-column'
  | 'context'
  /** `last-character` is the last of the context; `target-columns` are the columns of all targets in every row, `target-rows` the rows numbered like them. */
  | 'last-character'
  | 'target-columns'
  | 'target-rows'
  /** The index in Yb in every entry of its row. */
  | 'index'
  /** A flat index with another row length: 1, or n; the row counted from the end. */
  | 'row-length-1'
  | 'row-length-1-added'
  | 'row-length-n'
  | 'rows-reversed';
export type Dimension = 'batch' | 'row';
/** The dimension of a sum, by its meaning where it has one. */
export type Axis = Dimension | 'positions' | 'dimension 0' | 'dimension 1';

/** What belongs in place of another expression: the operations of the line, without its factors. */
export interface Belonging {
  operation: 'product' | 'sum' | 'sum-of-products' | 'matrix-product' | 'branches' | 'view' | 'rows';
  over?: Dimension;
  above?: string;
}

export type Kept = 'first' | 'last' | 'not-first' | 'not-last';

interface Shapes {
  found: Shape;
  expected: Shape;
}

/** A mistake in the values of a line. `branch` is set where the line has several, `at` where a branch has a sum; expressions are formulas. */
export type ValueMistake = { branch?: BranchName; at?: 'inside-sum' | 'before-sum' } & (
  | { id: 'factor-missing'; factor: string; role?: Role }
  /** `shared` is set for a factor of another branch. */
  | { id: 'factor-extra'; factor: string; role?: Role; shared?: true }
  | { id: 'division-extra'; by: string }
  | { id: 'factor-squared'; factor: string }
  | { id: 'exchanged'; found: string; expected: string; confusion?: Confusion }
  /** `same` is another way to write the wrong power. */
  | { id: 'wrong-power'; base: string; found: string; expected: string; same?: string }
  /** Divided where a product belongs, or multiplied where a quotient belongs. */
  | { id: 'divided' | 'multiplied'; by: string }
  | { id: 'factors-added' | 'factors-subtracted'; a: string; b: string }
  | { id: 'parentheses'; found: string; expected: string }
  /** A factor of all branches that multiplies only some of them. */
  | { id: 'common-factor'; factor: string; on: readonly BranchName[] }
  | { id: 'epsilon-missing' | 'epsilon-outside' }
  | { id: 'epsilon-other'; found: string }
  /** The values of a gradient are at the wrong entries of the row. */
  | { id: 'misplaced'; found: Place; expected: Place }
  /** All other entries are 0. */
  | { id: 'only-at'; place: Place }
  /** A view in the transposed shape, where a transpose belongs. */
  | { id: 'viewed'; value: string }
  | { id: 'viewed-before-sum'; value: string; over: Dimension }
  /** The entries of demb in another order. */
  | { id: 'rearranged'; how: Arrangement }
  /** The rows of dC put together in another way. */
  | ({ id: 'scattered' } & Partial<Omit<Scattering, 'order'>>)
  | { id: 'softmax-missing' }
  | { id: 'softmax-other'; found: FunctionName }
  | { id: 'branch-missing'; branch: BranchName }
  | { id: 'branches-multiplied'; these?: readonly BranchName[]; subtract?: true }
  /** Only some examples of the batch or entries of the row are used; `sums` is set for every sum of the line. */
  | { id: 'kept'; over: Axis; kept: Kept; sums?: true }
  | { id: 'maximum'; over: Dimension }
  /** The offset of the row is missing in the index. */
  | { id: 'row-offset-missing' }
  /** `endToEnd` is set where 0 is right with the true gradients. */
  | { id: 'zero'; endToEnd?: true }
  /** `above` is set where a gradient above belongs. */
  | { id: 'constant'; value: Coefficient; above?: string }
  /** Every entry is the same expression, times `by`; `over` is the sum that belongs. */
  | { id: 'entries-alike'; of: string; by: Coefficient; over?: Dimension }
  /** Every row of dC is the same. */
  | { id: 'rows-alike' }
  /** The whole line, or a branch of it, is off by a factor. `expected` is its constant factor; `mean` is set where a sum is divided by its length. */
  | { id: 'scaled'; by: Coefficient; expected?: Coefficient; mean?: Dimension }
  /** `of` is set for a sum inside of the line. */
  | ({ id: 'not-summed'; over: Dimension; of?: string } & Partial<Shapes>)
  | ({ id: 'summed-over'; instead: Axis | 'all'; over: Axis; of?: string } & Partial<Shapes>)
  /** `besides` is set where the line has another sum. */
  | ({ id: 'sum-extra'; over: Axis | 'all'; of?: string; mean?: true; besides?: true } & Partial<Shapes>)
  /** `inner` is the dimension that a matrix product sums over. */
  | { id: 'sums-multiplied'; a: string; b: string; over: Dimension | 'inner' }
  /** Only one factor is summed. */
  | { id: 'sum-partial'; of: string; outside: string; over: Dimension }
  /** `by` is its constant factor. */
  | { id: 'term-extra'; term: string; by: Coefficient }
  /** The result is another expression. */
  | { id: 'other-expression'; found: string; is?: 'value' | 'gradient-above' | 'other-line' | 'closed-form'; belongs?: Belonging }
  /** The result does not depend on the gradient above, or differs from run to run. */
  | { id: 'independent'; of: string }
  | { id: 'random' }
  /** A function of the right result. */
  | { id: 'result-applied'; found: FunctionName }
  /** The sums of one column after the other are not set back to 0. */
  | { id: 'sums-run-on' }
);

/** A mistake in the shape of a line's result. */
export type ShapeMistake = Shapes &
  (
    | { id: 'reshaped'; keepdim?: 'missing' | 'extra' }
    | { id: 'transposed' | 'other-shape' }
    /** `indexed` is set where the line has no view. */
    | { id: 'result-viewed'; indexed?: true }
    | { id: 'not-broadcast' | 'repeated'; over: Dimension }
  );

/** A mistake that the dojo can name. `either` holds explanations that fit equally well. */
export type Mistake =
  | ValueMistake
  | ShapeMistake
  | { id: 'hidden-by-true-gradients' }
  | { id: 'either'; of: readonly (readonly (ValueMistake | ShapeMistake)[])[] };

/** The sizes of a batch on which a line is tried. */
export interface BatchSizes {
  n: number;
  T: number;
  E: number;
  H: number;
  V: number;
}

/** An error that a learner's code threw. For a thrown value that is not an error, only `text` is set. */
export interface Thrown {
  /** Name and message, in one line. */
  text: string;
  /** The line of the learner's file. */
  line?: number;
  /** The text of that line, where the file cannot be parsed. */
  source?: string;
  /** The right way to write it. */
  advice?: string;
}

/** A fault that shows where a line runs: it returned no tensor. */
export type RunFault =
  | { id: 'todo' }
  | { id: 'line-missing'; stray?: string }
  | { id: 'not-a-function'; found: string }
  | { id: 'threw'; thrown: Thrown }
  | { id: 'input-changed'; value: string }
  | { id: 'returns-nothing' | 'returns-promise' }
  | { id: 'returns-other'; found: string }
  | { id: 'invalid-tensor'; thrown: Thrown }
  /** Nothing came back from where the line ran. */
  | { id: 'no-answer' };

/** A fault that is not a named mistake: the line returned no tensor, or only the difference is known. */
export type Fault =
  | RunFault
  | { id: 'not-finite'; entry: string; index: readonly number[] }
  | { id: 'other-batch'; sizes: BatchSizes; fault: Fault }
  | { id: 'sizes-as-numbers'; sizes: readonly { number: number; size: string; instead: string }[] }
  /** The sizes of a batch on which the line is wrong. */
  | { id: 'lesson-batch-only'; sizes: BatchSizes }
  /** `ignores` is set where the gradients above make no difference. */
  | { id: 'true-gradients-only'; ignores?: true }
  | ({ id: 'wrong-shape'; indicesKeptDimension?: true } & Shapes)
  /** The process in which the line ran did not finish its work. */
  | { id: 'timeout' | 'out-of-time'; seconds: number }
  | { id: 'memory'; gigabytes: number }
  | { id: 'process-ended'; by: string }
  | { id: 'never-settles' | 'breaks-channel' };

/** A reason why a file has no lines to run, or runs no more. */
export type LoadFault =
  | { id: 'file-threw'; thrown: Thrown }
  | { id: 'no-default-export'; exercise: number }
  | { id: 'wrong-default-export'; found: string; exercise: number }
  | { id: 'calls-exit'; call: string };

/** The reason why a file cannot be checked at all. */
export type FileFault = Fault | LoadFault;

export type Finding = Mistake | Fault;

/** Whether two lists hold the same mistakes with the same data, in the same order. */
export function sameFindings(a: readonly Finding[], b: readonly Finding[]): boolean {
  return a.length === b.length && a.every((finding, i) => keyOf(finding) === keyOf(b[i]));
}

/** Equal for equal data, whatever the order of its keys. */
function keyOf(finding: Finding): string {
  return JSON.stringify(Object.entries(finding).sort(([a], [b]) => (a < b ? -1 : 1)));
}
