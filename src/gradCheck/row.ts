import { difference, indexAt } from '../core/numbers.js';
import { type Shape, sameShape, showShape, type Tensor } from '../core/tensor.js';
import { hasBatchNorm, type ModelConfig } from '../network/parameters.js';
import { limitsOf, type Measured, sampleEntries } from './comparison.js';
import type { CheckOptions, Part } from './options.js';
import { verdictOn } from './verdict.js';

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
  /** Set for a network without batch norm. */
  norm?: 'none';
  /** Name of the gradient: dC. */
  name: string;
  ok: boolean;
  shape: Shape;
  /** Number of entries compared. */
  entries: number;
  /** max|a-b| over the compared entries. */
  maxAbsDiff: number;
  /** max|a-b| / max(|a|,|b|), each maximum over the compared entries. */
  maxRelDiff: number;
  /** Index of the entry that decides: the first wrong one, or else the one with the largest error. */
  at: number[];
  /**
   * The figure the limit applies to. |a-b| as a share of what is summed to the tensor's largest entry, less where the differences themselves are off
   * by a share of that; for a structural zero, the larger magnitude of both sides; for the backend, maxRelDiff.
   */
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
export type RowHead = Pick<CheckRow, 'part' | 'witness' | 'n' | 'hidden' | 'norm' | 'name'>;

/** What a network decides of the head of its rows. */
export function networkHead(config: ModelConfig): Pick<CheckRow, 'hidden' | 'norm'> {
  return { hidden: config.hidden, ...(!hasBatchNorm(config) && { norm: 'none' }) };
}

/**
 * Whether the gradient of the loss is zero for any parameters: that of each block's b, if batch norm subtracts the mean, and that of
 * logit_maxes, because softmax does not change when a row is shifted.
 */
export function isStructuralZero(name: string, config: Pick<ModelConfig, 'norm'> = {}): boolean {
  return name === 'dlogit_maxes' || (hasBatchNorm(config) && /^d(b1|blocks\.\d+\.b)$/.test(name));
}
const ZERO_LIMIT = 1e-9;

/** A hand-written gradient, with its reference and its limit. */
export interface Claim {
  head: RowHead;
  /** Shape that the gradient must have. */
  shape: Shape;
  /** Computes the gradient. A function, so that an error it throws becomes the row's problem. */
  manual: () => Tensor;
  /** The right value of an entry, by finite differences or by another derivation. */
  measured: (entry: number) => Measured;
  options: Omit<CheckOptions, 'eps'>;
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
function failedRow({ head, shape, options, structuralZero = false }: Claim, problem: string): CheckRow {
  const { NaN: none } = Number;
  const figures = { entries: 0, maxAbsDiff: none, maxRelDiff: none, at: [], error: none };
  return { ...head, ok: false, shape, ...figures, limit: options.tolerance, structuralZero, problem };
}

function comparedRow({ head, shape, measured, options, structuralZero = false }: Claim, { data }: Tensor): CheckRow {
  const { tolerance, seed } = options;
  const count = options.entries === 'all' ? data.length : options.entries;
  const entries = sampleEntries(data, count, `${seed} ${head.part} ${head.witness} ${head.n} ${head.name}`);
  const found = Float64Array.from(entries, (entry) => data[entry]);
  const references = Array.from(entries, measured);
  const right = Float64Array.from(references, (reference) => reference.right);
  const verdict = structuralZero ? zeroVerdict(found, right) : relativeVerdict(found, right, references, tolerance);
  const { maxAbs, largest } = difference(found, right);
  const { ok, shown, error, limit } = verdict;
  return {
    ...head,
    ok,
    shape,
    entries: entries.length,
    maxAbsDiff: maxAbs,
    maxRelDiff: largest === 0 ? 0 : maxAbs / largest,
    at: indexAt(entries[shown], shape),
    error,
    limit,
    structuralZero,
  };
}

/** Differences as a share of the tensor's largest entry, after 1/tolerance of what the differences may be off themselves. */
function relativeVerdict(found: Float64Array, right: Float64Array, references: readonly Measured[], tolerance: number) {
  const limits = limitsOf(references, { share: 0, floor: tolerance });
  const { ok, shown } = verdictOn(found, right, limits);
  const distance = Math.abs(found[shown] - right[shown]);
  const scale = Math.max(limits[shown] / tolerance, Math.abs(found[shown]));
  return { ok, shown, error: distance === 0 ? 0 : distance / scale, limit: tolerance };
}

/** Both sides must be 0, except for rounding. */
function zeroVerdict(found: Float64Array, right: Float64Array) {
  const magnitudes = found.map((x, k) => Math.max(Math.abs(x), Math.abs(right[k])));
  const { ok, shown } = verdictOn(
    magnitudes,
    magnitudes.map(() => 0),
    magnitudes.map(() => ZERO_LIMIT),
  );
  return { ok, shown, error: magnitudes[shown], limit: ZERO_LIMIT };
}
