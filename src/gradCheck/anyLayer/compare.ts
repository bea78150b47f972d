/** The gradient of one input at one point against differences: entry by entry, or along random directions. */

import { type RandomStream, randomStream } from '../../core/random.js';
import { ERRORS, sumOf } from '../comparison.js';
import { derivative, measureAsync, type Sample } from '../derivative.js';
import { isRight } from '../verdict.js';
import { settleKinks } from './kinks.js';
import { type Claim, measureEntries, RULES, sameLength } from './measurement.js';
import type { KinkSide } from './report.js';

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

/** Entries of a Jacobian that are kept for naming. */
const MOST_KEPT = 250_000;

/** Compares the given entries one by one. */
export async function compareEntries(claim: Claim, entries: Int32Array): Promise<Comparison> {
  const { outputs, input, yours } = claim;
  const measured = await measureEntries(claim, entries);
  const { right, limit, slopes } = measured;
  const kinks: KinkSide[] = [];
  const dropped = new Set<number>();
  const doubtful = [...measured.entries.keys()].filter((k) => !isRight(yours[measured.entries[k]], right[k], limit[k]));
  const settled = await settleKinks(
    claim,
    doubtful.map((k) => ({ entry: measured.entries[k], limit: limit[k] })),
  );
  for (const [i, k] of doubtful.entries()) {
    const side = settled[i];
    if (side === 'undecided') dropped.add(k);
    else if (side !== 'no kink') {
      kinks.push(side);
      right[k] = yours[measured.entries[k]];
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
