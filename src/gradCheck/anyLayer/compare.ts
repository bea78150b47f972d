/** The gradient of one input at one point against differences: entry by entry, or along random directions. */

import { type RandomStream, randomStream } from '../../core/random.js';
import {
  ERRORS,
  largestSum,
  limitsOf,
  type MeasuredColumn,
  measureEntry,
  type Shares,
  stepsAt,
  sumOf,
  weightedError,
} from '../comparison.js';
import { derivative, measureAsync, type OneSidedSteps, oneSided, type Sample } from '../derivative.js';
import { isRight } from '../verdict.js';
import type { Calls, InputValue, Point } from './calls.js';
import type { Precision } from './report.js';
import { EPSILON } from './rounding.js';

/** Where derivatives are measured: an input at a point. */
export interface Measurement {
  calls: Calls;
  point: Point;
  input: InputValue;
  /** The gradients of the outputs, and the outputs. */
  dout: Float64Array;
  outputs: Float64Array;
  /** What the outputs round like: see {@link magnitudeOf}. */
  magnitude: Float64Array;
  /** The largest sum seen for this input at generic draws: see {@link Comparison.summed}. */
  scale?: number;
  precision: Precision;
}

/** What is compared: the layer's gradient of an input, all entries. */
export interface Claim extends Measurement {
  yours: Float64Array;
}

/** A side of a kink whose slope a gradient took. */
export type KinkSide = 'left' | 'right' | 'between';

/** Entries compared one by one. */
export interface Comparison {
  /** Positions, ascending. Entries where no derivative could be measured are left out, and counted. */
  entries: Int32Array;
  complete: boolean;
  right: Float64Array;
  limit: Float64Array;
  /** The largest sum over outputs of |slope·dout|. */
  summed: number;
  /** d output[o] / d input[entries[k]] at o·entries.length + k. */
  jacobian?: Float64Array;
  undecided: number;
  kinks: KinkSide[];
}

type Rules = Omit<OneSidedSteps, 'magnitude'> & Shares;

/**
 * Steps and limits. In float64, a gradient may be off by 4e-6 of what is summed: approximations of erf and rounded constants in right code reach
 * 1e-6; the smallest mistakes seen, a forgotten epsilon of 1e-5, are above 1e-5 at some draw.
 */
const RULES: Record<Precision, Rules> = {
  float64: { first: 2 ** -10, last: 2 ** -26, epsilon: EPSILON.float64, settled: 1e-4, share: 4e-6, floor: 1e-6 },
  float32: { first: 2 ** -5, last: 2 ** -9, epsilon: EPSILON.float32, settled: 5e-2, share: 2e-4, floor: 1e-5 },
};
/** Saturated code rounds to 0 or to 1: a gradient below this share of what it is elsewhere may be 0, and the reverse. */
const SATURATED = 2 ** -40;
/** Entries of a Jacobian that are kept for naming. */
const MOST_KEPT = 250_000;

/** The right gradient at entries. */
interface MeasuredEntries {
  /** Positions, ascending; without those where f is not finite on both sides. */
  entries: Int32Array;
  right: Float64Array;
  limit: Float64Array;
  /** The derivatives of all outputs with respect to each entry. */
  slopes: readonly Float64Array[];
  /** The largest sum over outputs of |slope·dout|. */
  summed: number;
}

/** Measures the right gradient at the given entries. */
export async function measureEntries(at: Measurement, entries: Int32Array): Promise<MeasuredEntries> {
  const { input, dout, precision, scale = 0 } = at;
  const columns: MeasuredColumn[] = [];
  const measured: number[] = [];
  for (const entry of entries) {
    const column = await measureAsync(measureEntry(input.data[entry], stepsOf(at), dout), alongEntry(at, entry));
    if (!column) continue;
    columns.push(column);
    measured.push(entry);
  }
  return {
    entries: Int32Array.from(measured),
    right: Float64Array.from(columns, ({ right }) => right),
    limit: limitsOf(columns, RULES[precision], SATURATED * scale),
    slopes: columns.map(({ slope }) => slope),
    summed: largestSum(columns),
  };
}

/** Compares the given entries one by one. */
export async function compareEntries(claim: Claim, entries: Int32Array): Promise<Comparison> {
  const { outputs, input, yours } = claim;
  const measured = await measureEntries(claim, entries);
  const { right, limit, slopes } = measured;
  const kinks: KinkSide[] = [];
  const dropped = new Set<number>();
  for (const [k, entry] of measured.entries.entries()) {
    if (isRight(yours[entry], right[k], limit[k])) continue;
    const settled = await settleKink(claim, entry, limit[k]);
    if (settled === 'undecided') dropped.add(k);
    else if (settled !== 'no kink') {
      kinks.push(settled);
      right[k] = yours[entry];
    }
  }
  const chosen = [...measured.entries.keys()].filter((k) => !dropped.has(k));
  const keep = outputs.length * chosen.length <= MOST_KEPT;
  return {
    entries: Int32Array.from(chosen, (k) => measured.entries[k]),
    complete: chosen.length === input.data.length,
    right: Float64Array.from(chosen, (k) => right[k]),
    limit: Float64Array.from(chosen, (k) => limit[k]),
    summed: measured.summed,
    ...(keep && { jacobian: transposed(chosen.map((k) => slopes[k])) }),
    undecided: entries.length - chosen.length,
    kinks,
  };
}

function stepsOf({ magnitude, precision }: Measurement) {
  return { ...RULES[precision], magnitude };
}

/** The outputs, with one entry shifted. */
function alongEntry({ calls, point, input, outputs }: Measurement, entry: number): (shift: number) => Promise<Sample> {
  const x = input.data[entry];
  return async (shift) => {
    const moved = input.data.slice();
    moved[entry] = x + shift;
    const stored = storedEntry(input, moved, entry);
    const { data } = await calls.forward(point, new Map([[input.name, moved]]));
    return { t: stored - x, values: sameLength(data, outputs) };
  };
}

/** The entry as its container stores it. */
function storedEntry({ form }: InputValue, moved: Float64Array, entry: number): number {
  const tag = (form?.memory[0] as { [Symbol.toStringTag]?: string } | undefined)?.[Symbol.toStringTag];
  return tag === 'Float32Array' ? Math.fround(moved[entry]) : moved[entry];
}

/** Outputs of another length cannot be compared: not finite, so that the step is not used. */
function sameLength(values: Float64Array, outputs: Float64Array): Float64Array {
  return values.length === outputs.length ? values : outputs.map(() => Number.NaN);
}

/**
 * Where forward has a kink, any value between the one-sided slopes passes, for each output by itself: of two windows that share a maximum, each
 * may pass its gradient to another entry.
 */
async function settleKink(claim: Claim, entry: number, limit: number): Promise<KinkSide | 'no kink' | 'undecided'> {
  const { outputs, dout, yours } = claim;
  const f = alongEntry(claim, entry);
  const steps = stepsAt(claim.input.data[entry], stepsOf(claim));
  const [left, right] = [await measureAsync(oneSided(-1, steps, outputs), f), await measureAsync(oneSided(1, steps, outputs), f)];
  if (!left || !right) return 'undecided';
  const margin = limit + ERRORS * (weightedError(left, dout) + weightedError(right, dout));
  const bound = (pick: (...slopes: number[]) => number) => sumOf(left.slope, (x, o) => pick(x * dout[o], right.slope[o] * dout[o]));
  const [low, high] = [bound(Math.min), bound(Math.max)];
  if (high - low <= margin) return 'no kink';
  const found = yours[entry];
  if (!(found >= low - margin && found <= high + margin)) return 'no kink';
  const total = (slopes: Float64Array) => sumOf(slopes, (x, o) => x * dout[o]);
  if (Math.abs(found - total(left.slope)) <= margin) return 'left';
  return Math.abs(found - total(right.slope)) <= margin ? 'right' : 'between';
}

function transposed(columns: readonly Float64Array[]): Float64Array {
  const width = columns.length;
  const height = columns[0]?.length ?? 0;
  const out = new Float64Array(width * height);
  columns.forEach((column, k) => {
    for (let o = 0; o < height; o++) out[o * width + k] = column[o];
  });
  return out;
}

/**
 * Compares the gradient along random directions: a wrong entry among 100,000 shows. Where it differs, the direction is halved again and again,
 * about 100 forward passes, until a few entries are left.
 * @returns positions that hold a wrong entry; none if the gradient is right
 */
export async function findWrongEntries(claim: Claim, directions: number): Promise<Int32Array> {
  const { input, point } = claim;
  const random = randomStream('grad-check', `${point.key.seed} direction ${input.name}`);
  for (let i = 0; i < directions; i++) {
    const direction = randomDirection(input.data.length, random);
    if (await fits(claim, direction, 0, input.data.length)) continue;
    return bisect(claim, direction);
  }
  return new Int32Array();
}

/** Entries of ±1 and ±1/2: a shift by a power of two does not round them. */
function randomDirection(size: number, random: RandomStream): Float64Array {
  return Float64Array.from({ length: size }, () => (random() < 0.5 ? 1 : 0.5) * (random() < 0.5 ? 1 : -1));
}

/** Entries that are compared one by one at the end of a bisection. */
const FEW = 4;

async function bisect(claim: Claim, direction: Float64Array): Promise<Int32Array> {
  let [from, to] = [0, direction.length];
  while (to - from > FEW) {
    const middle = (from + to) >> 1;
    if (await fits(claim, direction, from, middle)) from = middle;
    else to = middle;
  }
  return Int32Array.from({ length: to - from }, (_, i) => from + i);
}

/** Whether the gradient fits the derivative along the direction's entries from..to-1. */
async function fits(claim: Claim, direction: Float64Array, from: number, to: number): Promise<boolean> {
  const { calls, point, input, yours, dout, outputs, precision } = claim;
  const { share, floor: _, ...steps } = RULES[precision];
  const magnitude = Float64Array.of(Math.sqrt(sumOf(claim.magnitude, (x, o) => (x * dout[o]) ** 2)));
  const f = async (t: number): Promise<Sample> => {
    const moved = input.data.slice();
    for (let i = from; i < to; i++) moved[i] += t * direction[i];
    const { data } = await calls.forward(point, new Map([[input.name, moved]]));
    return { t, values: [sumOf(sameLength(data, outputs), (x, o) => x * dout[o])] };
  };
  const found = await measureAsync(derivative({ ...steps, magnitude }, 1), f);
  let sum = 0;
  let squares = 0;
  for (let i = from; i < to; i++) {
    const term = yours[i] * direction[i];
    sum += term;
    squares += term * term;
  }
  if (!found) return Number.isFinite(sum);
  return Math.abs(sum - found.slope[0]) <= ERRORS * found.error[0] + share * Math.sqrt(squares);
}
