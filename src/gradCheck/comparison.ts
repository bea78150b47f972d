/** A gradient against differences, entry by entry: which entries, the right value of each, and how far a right gradient may be off. */

import { indexOfLargest } from '../core/numbers.js';
import { randomStream, shuffled } from '../core/random.js';
import { type Derivative, derivative, type Sample, type Steps } from './derivative.js';

/** Shares of what is summed that a right gradient may be off, besides the error of the differences. */
export interface Shares {
  /** Of what is summed to the entry. */
  share: number;
  /** Of what is summed to the entry for which it is most. */
  floor: number;
}

/** The derivative with respect to one entry: of the sum of the outputs, weighted with their gradients. */
export interface Measured {
  right: number;
  /** Magnitude of the terms of that sum. */
  summed: number;
  /** How far `right` may be off. */
  error: number;
  /** Whether two steps agreed. */
  agreed: boolean;
}

/** The same with the derivative of each output. */
export interface MeasuredColumn extends Measured {
  slope: Float64Array;
}

/** Measured errors of a derivative that pass. */
export const ERRORS = 10;

/**
 * Measures the derivative with respect to an entry that holds x.
 * @param dout the gradients of the outputs
 * @returns undefined if the outputs are not finite on both sides, however small the step
 */
export function* measureEntry(x: number, steps: Steps, dout: ArrayLike<number>): Generator<number, MeasuredColumn | undefined, Sample> {
  const found = yield* derivative(stepsAt(x, steps), dout.length);
  if (!found) return undefined;
  const { slope, agreed } = found;
  const right = sumOf(slope, (one, o) => one * dout[o]);
  const summed = sumOf(slope, (one, o) => Math.abs(one * dout[o]));
  return { right, summed, error: weightedError(found, dout), agreed, slope };
}

/** Larger entries need larger steps: x + h is rounded. Times a power of two, so that a step which is one stays one. */
export function stepsAt<S extends Steps>(x: number, steps: S): S {
  const scale = 2 ** Math.max(0, Math.floor(Math.log2(Math.abs(x) || 1)));
  return { ...steps, first: steps.first * scale, last: steps.last * scale };
}

/** How far the weighted sum of the slopes may be off. */
export function weightedError({ error }: Derivative, dout: ArrayLike<number>): number {
  return sumOf(error, (x, o) => x * Math.abs(dout[o]));
}

/**
 * The largest difference that passes, for each entry.
 * @param least for any entry
 */
export function limitsOf(measured: readonly Measured[], { share, floor }: Shares, least = 0): Float64Array {
  const typical = typicalError(measured);
  const always = Math.max(floor * largestSum(measured), least);
  return Float64Array.from(measured, ({ error, summed }) => ERRORS * Math.max(error, typical) + share * summed + always);
}

/** What is summed to the entry for which it is most. */
export function largestSum(measured: readonly Measured[]): number {
  return measured.reduce((most, { summed }) => Math.max(most, summed), 0);
}

/** The root mean square of the errors where two steps agreed: one entry may agree by chance. */
function typicalError(measured: readonly Measured[]): number {
  const agreed = measured.filter((one) => one.agreed);
  if (agreed.length === 0) return 0;
  return Math.sqrt(agreed.reduce((sum, { error }) => sum + error * error, 0) / agreed.length);
}

export function sumOf(values: Float64Array, term: (x: number, i: number) => number): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += term(values[i], i);
  return sum;
}

/**
 * Positions to compare, ascending: all of them, or a random sample without repetition. It has the largest entry of the gradient, because a sample
 * of a sparse gradient may be all zeros; NaN counts as infinite.
 */
export function sampleEntries(yours: ArrayLike<number>, count: number, seed: string): Int32Array {
  const size = yours.length;
  if (size <= count) return Int32Array.from({ length: size }, (_, i) => i);
  const random = randomStream('grad-check', seed);
  const chosen = new Set<number>([indexOfLargest(yours)]);
  const drawn =
    size < 4 * count
      ? shuffled(
          Array.from({ length: size }, (_, i) => i),
          random,
        )
      : [];
  for (let i = 0; chosen.size < count; i++) chosen.add(drawn[i] ?? Math.floor(random() * size));
  return Int32Array.from(chosen).sort();
}
