/**
 * What a gradient may be where forward has a kink: any value between the one-sided slopes, for each output by itself. Where several numbers are at a
 * kink together (a layer of ReLU behind zero weights, equal numbers that are sorted), a right gradient may be that of any point nearby.
 */

import { normal, randomStream } from '../../core/random.js';
import { ERRORS, stepsAt, sumOf, weightedError } from '../comparison.js';
import { measureAsync, oneSided } from '../derivative.js';
import type { Point } from './calls.js';
import { judgedInputs } from './gradients.js';
import { alongEntry, type Claim, type Measurement, measureEntries, stepsOf } from './measurement.js';
import type { KinkSide } from './report.js';
import { magnitudeOf } from './rounding.js';

/** Points nearby at which the gradient is measured, and how far away they are. */
const NEARBY = 16;
const DISTANCE = 2 ** -12;
/** Smooth parts of the gradient change by this share over that distance. */
const SMOOTH = 2e-3;
/** Entries that are compared with points nearby; where all of these are right, the others count as right. */
const MOST_NEARBY = 8;

/** An entry whose gradient is not that of the central difference. */
export interface Doubtful {
  entry: number;
  limit: number;
}

/** Decides about entries where yours is not the central difference: what it takes there, or why it is wrong, in their order. */
export async function settleKinks(claim: Claim, doubtful: readonly Doubtful[]): Promise<(KinkSide | 'no kink' | 'undecided')[]> {
  const settled: (KinkSide | 'no kink' | 'undecided' | 'outside')[] = [];
  for (const one of doubtful) settled.push(await settleAlone(claim, one));
  const outside = doubtful.filter((_, i) => settled[i] === 'outside');
  const tried = outside.slice(0, MOST_NEARBY);
  const near = tried.length > 0 ? await rangesNearby(claim, tried) : [];
  const isNear = tried.map(({ entry, limit }, i) => {
    const [low, high] = near[i];
    const margin = limit + SMOOTH * Math.max(Math.abs(low), Math.abs(high));
    return claim.yours[entry] >= low - margin && claim.yours[entry] <= high + margin;
  });
  const others = isNear.every(Boolean);
  let at = 0;
  return settled.map((side) => {
    if (side !== 'outside') return side;
    return (isNear[at++] ?? others) ? 'nearby' : 'no kink';
  });
}

/** One entry by itself. */
async function settleAlone(claim: Claim, { entry, limit }: Doubtful): Promise<KinkSide | 'no kink' | 'undecided' | 'outside'> {
  const { outputs, dout, yours } = claim;
  const f = alongEntry(claim, entry);
  const steps = stepsAt(claim.input.data[entry], stepsOf(claim));
  const [left, right] = [await measureAsync(oneSided(-1, steps, outputs), f), await measureAsync(oneSided(1, steps, outputs), f)];
  if (!left || !right) return 'undecided';
  const margin = limit + ERRORS * (weightedError(left, dout) + weightedError(right, dout));
  const bound = (pick: (...slopes: number[]) => number) => sumOf(left.slope, (x, o) => pick(x * dout[o], right.slope[o] * dout[o]));
  const [low, high] = [bound(Math.min), bound(Math.max)];
  const found = yours[entry];
  if (high - low <= margin || !Number.isFinite(found)) return 'no kink';
  if (found < low - margin || found > high + margin) return 'outside';
  const total = (slopes: Float64Array) => sumOf(slopes, (x, o) => x * dout[o]);
  if (Math.abs(found - total(left.slope)) <= margin) return 'left';
  return Math.abs(found - total(right.slope)) <= margin ? 'right' : 'between';
}

/** The least and the most of the right gradient at points nearby, for each entry. */
async function rangesNearby(claim: Claim, doubtful: readonly Doubtful[]): Promise<[low: number, high: number][]> {
  const ranges = doubtful.map((): [number, number] => [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
  for (let i = 0; i < NEARBY; i++) {
    const moved = await movedClaim(claim, i);
    for (const [k, { entry }] of doubtful.entries()) {
      const { right } = await measureEntries(moved, Int32Array.of(entry));
      if (right.length === 1) ranges[k] = [Math.min(ranges[k][0], right[0]), Math.max(ranges[k][1], right[0])];
    }
  }
  return ranges;
}

async function movedClaim({ calls, point, input, dout, precision }: Claim, i: number): Promise<Measurement> {
  const random = randomStream('grad-check', `${point.key.seed} nearby ${input.name} ${i}`);
  const judged = new Set(judgedInputs(calls.layer, point).map(({ name }) => name));
  const inputs = point.inputs.map((one) => {
    return judged.has(one.name) ? { ...one, data: one.data.map((x) => x + DISTANCE * Math.max(1, Math.abs(x)) * normal(random)) } : one;
  });
  const moved: Point = { ...point, inputs };
  const { data: outputs } = await calls.forward(moved);
  const magnitude = await magnitudeOf(calls, moved, outputs, precision);
  const own = inputs.find(({ name }) => name === input.name) ?? input;
  return { calls, point: moved, input: own, dout, outputs, magnitude, precision };
}
