import { difference, indexAt, indexOfLargest, largestMagnitude } from '../core/numbers.js';
import { type FloatArray, type Shape, sameShape, showShape, type Tensor } from '../core/tensor.js';
import type { Part } from './options.js';

/** The reference that a gradient was compared with. */
export type Witness = 'local differences' | 'end-to-end differences' | 'atomic chain' | 'float64 reference';

/** The verdict on one gradient. */
export interface CheckRow {
  part: Part;
  witness: Witness;
  /** Batch size. */
  n: number;
  /** Hidden units of each block of the network. */
  hidden: readonly number[];
  /** Name of the gradient: dC. */
  name: string;
  ok: boolean;
  shape: Shape;
  /** Number of entries compared. */
  entries: number;
  /** max|a-b| over the compared entries. */
  maxAbsDiff: number;
  /** max|a-b| / max(|a|,|b|), each maximum over the tensor: in single tiny entries, even correct gradients differ. */
  maxRelDiff: number;
  /** Index of the largest difference. */
  at: number[];
  /** The figure the limit applies to: maxRelDiff, or for a structural zero the largest magnitude on either side. */
  error: number;
  limit: number;
  /** Whether the gradient is zero for any parameters: both sides must be 0 except for rounding, and a relative difference means nothing. */
  structuralZero: boolean;
  /** Largest distance in float32 ULPs. Set only where float32 is compared, and not for a structural zero, where it means nothing. */
  maxUlps?: number;
  /** Set for a wrong shape or a thrown error; all figures are NaN then. */
  problem?: string;
}

/** The part of a row that says what was checked. */
export type RowHead = Pick<CheckRow, 'part' | 'witness' | 'n' | 'hidden' | 'name'>;

/**
 * Whether the gradient of the loss is zero for any parameters: that of each block's b, because batch norm subtracts the mean, and that of
 * logit_maxes, because softmax does not change when a row is shifted.
 */
export function isStructuralZero(name: string): boolean {
  return name === 'db1' || name === 'dlogit_maxes' || /^dblocks\.\d+\.b$/.test(name);
}
const ZERO_LIMIT = 1e-9;

/** A hand-written gradient, with its reference and its limit. */
export interface Claim {
  head: RowHead;
  /** Shape that the gradient must have. */
  shape: Shape;
  /** Computes the gradient. A function, so that an error it throws becomes the row's problem. */
  manual: () => Tensor;
  /** Positions of the entries to compare. */
  entries: readonly number[];
  /** The derivative at an entry, by finite differences or by another derivation. */
  numerical: (entry: number) => number;
  /** Largest relative difference that passes. */
  tolerance: number;
  structuralZero?: boolean;
}

/** Compares a gradient with its reference. */
export function judge(claim: Claim): CheckRow {
  let gradient: Tensor;
  try {
    gradient = claim.manual();
  } catch (error) {
    return failedRow(claim, error instanceof Error ? error.message : String(error));
  }
  if (sameShape(gradient.shape, claim.shape)) return comparedRow(claim, gradient);
  return failedRow(claim, `shape ${showShape(gradient.shape)}, expected ${showShape(claim.shape)}`);
}

/** A row without figures. */
function failedRow({ head, shape, tolerance, structuralZero = false }: Claim, problem: string): CheckRow {
  const { NaN: none } = Number;
  const figures = { entries: 0, maxAbsDiff: none, maxRelDiff: none, at: [], error: none };
  return { ...head, ok: false, shape, ...figures, limit: tolerance, structuralZero, problem };
}

function comparedRow({ head, shape, entries, numerical, tolerance, structuralZero = false }: Claim, { data }: Tensor): CheckRow {
  const chosen = withLargest(entries, data);
  const compared = chosen.map((entry) => data[entry]);
  const { maxAbs, at, largest: largestCompared } = difference(compared, chosen.map(numerical));
  // The scale is the whole tensor's, because the compared entries may all be tiny. This also catches NaN in any other entry.
  const largest = Math.max(largestCompared, largestMagnitude(data));
  const maxRelDiff = largest === 0 ? 0 : maxAbs / largest;
  const error = structuralZero ? largest : maxRelDiff;
  const limit = structuralZero ? ZERO_LIMIT : tolerance;
  return {
    ...head,
    ok: error <= limit,
    shape,
    entries: entries.length,
    maxAbsDiff: maxAbs,
    maxRelDiff,
    at: indexAt(chosen[at], shape),
    error,
    limit,
    structuralZero,
  };
}

/** The entries, with the last one replaced by the gradient's largest: a sample of a sparse gradient may be all zeros. */
function withLargest(entries: readonly number[], data: FloatArray): readonly number[] {
  const largest = indexOfLargest(data);
  return entries.includes(largest) ? entries : [...entries.slice(0, -1), largest];
}
