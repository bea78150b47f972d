/** Findings about a learner's line, as ids with data. The sentences for them are in sentences.ts. */
import type { Shape } from '../core/tensor.js';
import type { ValueName } from '../lesson/values.js';

/** A branch of a line: the value that uses the tensor, or a term of a closed form. */
export type BranchName = ValueName | 'softmax' | 'one-hot' | 'direct' | 'mean' | 'variance';

/** Factors that people leave out or write once too often; n batch, V row length, H hidden units. */
export const COEFFICIENTS = [
  ...(['-1', '0', '2', '1/2', '-2', '4', '-1/2', 'n', '-n', '1/n', '-1/n', '1/n²'] as const),
  ...(['(n-1)/n', 'n/(n-1)', '-n/(n-1)', '-(n-1)/n', '((n-1)/n)²', 'n-1', '1/(n-1)', '(n-1)/(n+1)', 'n/(n+1)'] as const),
  ...(['1/V', '-1/V', 'V', '1/H'] as const),
] as const;
export type Coefficient = (typeof COEFFICIENTS)[number];

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
  | 'sigmoid'
  | 'batch-norm-skipped';

export type Place = 'target' | 'row-maximum' | 'everywhere';
export type Dimension = 'batch' | 'row';

interface Shapes {
  found: Shape;
  expected: Shape;
}

/** A mistake in the values of a line. `branch` is set where the line has several. */
export type ValueMistake = { branch?: BranchName } & (
  | { id: 'factor-missing'; factor: string; role?: Role }
  | { id: 'factor-extra'; factor: string; role?: Role }
  | { id: 'factor-squared'; factor: string }
  | { id: 'exchanged'; found: string; expected: string; confusion?: Confusion }
  | { id: 'wrong-power'; found: string; expected: string }
  /** Divided where a product belongs, or multiplied where a quotient belongs. */
  | { id: 'divided' | 'multiplied'; by: string }
  | { id: 'epsilon-missing' | 'epsilon-outside' }
  /** The values of a gradient are at the wrong entries of the row. */
  | { id: 'misplaced'; found: Place; expected: Place }
  /** A view in the transposed shape, where a transpose belongs. */
  | { id: 'viewed'; value: ValueName }
  | { id: 'contexts-reversed' }
  /** The rows of a repeated character are not added. */
  | { id: 'rows-not-added'; instead: 'last' | 'first' | 'mean' }
  | { id: 'softmax-over-batch' | 'softmax-not-normalised' }
  | { id: 'branch-missing'; branch: BranchName }
  | { id: 'branches-multiplied' | 'zero' }
  /** The whole line, or a branch of it, is off by a factor. */
  | { id: 'scaled'; by: Coefficient }
);

/** A mistake in the shape of a line's result. */
export type ShapeMistake = Shapes &
  (
    | { id: 'reshaped'; keepdim?: 'missing' | 'extra' }
    | { id: 'transposed' }
    | { id: 'not-summed' | 'not-broadcast'; over: Dimension }
    | { id: 'summed-over-other' | 'summed-over-all'; over: Dimension }
  );

/** A mistake that the dojo can name. */
export type Mistake = ValueMistake | ShapeMistake | { id: 'hidden-by-true-gradients' };

/** The sizes of a batch on which a line is tried. */
export interface BatchSizes {
  n: number;
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
  | { id: 'invalid-tensor'; thrown: Thrown };

/** A fault that is not a named mistake: the line returned no tensor, or only the difference is known. */
export type Fault =
  | RunFault
  | { id: 'not-finite'; entry: string; index: readonly number[] }
  | { id: 'other-batch'; sizes: BatchSizes; fault: Fault }
  | { id: 'sizes-as-numbers'; sizes: readonly { number: number; size: string; instead: string }[] }
  /** The sizes of a batch on which the line is wrong. */
  | { id: 'lesson-batch-only'; sizes: BatchSizes }
  | { id: 'true-gradients-only' }
  | ({ id: 'wrong-shape'; indicesKeptDimension?: true } & Shapes)
  /** The process in which the line ran did not finish its work. */
  | { id: 'timeout' | 'out-of-time'; seconds: number }
  | { id: 'memory'; gigabytes: number }
  | { id: 'process-ended'; by: string }
  | { id: 'process-cannot-start'; reason: string }
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
