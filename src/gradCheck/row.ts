import { difference, indexAt, indexOfLargest, largestMagnitude } from '../core/numbers.js';
import { type FloatArray, type Shape, sameShape, showShape, type Tensor } from '../core/tensor.js';
import type { Part } from './options.js';

/** What a gradient was held against. */
export type Witness = 'local differences' | 'end-to-end differences' | 'atomic chain' | 'float64 reference';

/** The verdict on one tensor. */
export interface CheckRow {
  part: Part;
  witness: Witness;
  /** Batch size. */
  n: number;
  /** The units of each block of the network. */
  hidden: readonly number[];
  /** The tensor's key: dC. */
  name: string;
  ok: boolean;
  shape: Shape;
  /** Entries compared. */
  entries: number;
  maxAbsDiff: number;
  /** max|a-b| / max(|a|,|b|), over the tensor: correct gradients of tiny entries differ entry by entry. */
  maxRelDiff: number;
  /** Index of the largest difference. */
  at: number[];
  /** What is compared with the limit: maxRelDiff, or the larger side of a structural zero. */
  error: number;
  limit: number;
  /** The gradient is zero whatever the numbers: both sides must be (almost) 0, a relative difference says nothing. */
  structuralZero: boolean;
  /** Largest distance in float32 numbers, where float32 is compared; of a structural zero it would say nothing. */
  maxUlps?: number;
  /** Why there are no figures: a wrong shape, or an error thrown. */
  problem?: string;
}

export type RowHead = Pick<CheckRow, 'part' | 'witness' | 'n' | 'hidden' | 'name'>;

/** Where differences end to end see a gradient that is exactly zero: a block's b before batch norm, logit_maxes before the softmax. */
export function isStructuralZero(name: string): boolean {
  return name === 'db1' || name === 'dlogit_maxes' || /^dblocks\.\d+\.b$/.test(name);
}
const ZERO_LIMIT = 1e-9;

/**
 * Judges a gradient by its numerical twin at the given entries.
 * @param manual a function, so that an error thrown by a gradient's line becomes the row's problem
 * @param numerical for each entry the derivative by differences (or another derivation of it)
 */
export function judge(
  head: RowHead,
  expected: Shape,
  manual: () => Tensor,
  entries: readonly number[],
  numerical: (entry: number) => number,
  tolerance: number,
  structuralZero = false,
): CheckRow {
  const failed = (problem: string): CheckRow => ({
    ...head,
    ok: false,
    shape: expected,
    entries: 0,
    maxAbsDiff: Number.NaN,
    maxRelDiff: Number.NaN,
    at: [],
    error: Number.NaN,
    limit: tolerance,
    structuralZero,
    problem,
  });
  let gradient: Tensor;
  try {
    gradient = manual();
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error));
  }
  if (!sameShape(gradient.shape, expected)) return failed(`shape ${showShape(gradient.shape)}, expected ${showShape(expected)}`);
  const chosen = withLargest(entries, gradient.data);
  const compared = chosen.map((entry) => gradient.data[entry]);
  const { maxAbs, at, largest: largestCompared } = difference(compared, chosen.map(numerical));
  // Of the whole tensor: the entries compared may all be tiny. NaN in any other entry counts, too.
  const largest = Math.max(largestCompared, largestMagnitude(gradient.data));
  const maxRelDiff = largest === 0 ? 0 : maxAbs / largest;
  const error = structuralZero ? largest : maxRelDiff;
  const limit = structuralZero ? ZERO_LIMIT : tolerance;
  return {
    ...head,
    ok: error <= limit,
    shape: expected,
    entries: entries.length,
    maxAbsDiff: maxAbs,
    maxRelDiff,
    at: indexAt(chosen[at], expected),
    error,
    limit,
    structuralZero,
  };
}

/** The entries, the last of them exchanged for the gradient's largest: of a sparse gradient a sample may be all zeros. */
function withLargest(entries: readonly number[], data: FloatArray): readonly number[] {
  const largest = indexOfLargest(data);
  return entries.includes(largest) ? entries : [...entries.slice(0, -1), largest];
}
