/** Numbers in arrays: how far apart two arrays are and at which entry, extents, and even choices. */

import { type FloatArray, type Shape, Tensor } from './tensor.js';

/** The largest difference between two arrays. */
export interface LargestDifference {
  /** Largest |a - b|. */
  maxAbs: number;
  /** Position of that entry; the first if several are equal. */
  at: number;
  /** Largest magnitude on either side. */
  largest: number;
}

/** Compares two arrays of the same length entry by entry. NaN in either makes maxAbs and largest NaN, which no limit accepts. */
export function difference(a: ArrayLike<number>, b: ArrayLike<number>): LargestDifference {
  let maxAbs = 0;
  let at = 0;
  for (let i = 0; i < a.length; i++) {
    const distance = Math.abs(a[i] - b[i]);
    if (distance > maxAbs || (Number.isNaN(distance) && !Number.isNaN(maxAbs))) {
      maxAbs = distance;
      at = i;
    }
  }
  return { maxAbs, at, largest: Math.max(largestMagnitude(a), largestMagnitude(b)) };
}

/** max |x|: 0 for an empty array, NaN if any entry is NaN. */
export function largestMagnitude(values: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]));
  return largest;
}

/** The smallest and the largest value; Infinity and -Infinity for none. Math.min(...values) overflows the stack at 120,000 values. */
export function extentOf(values: Iterable<number>): [least: number, most: number] {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return [least, most];
}

/** Position of the entry with the largest magnitude; the first if several are equal. NaN counts as infinite. */
export function indexOfLargest(values: ArrayLike<number>): number {
  const size = (x: number) => (Number.isNaN(x) ? Number.POSITIVE_INFINITY : Math.abs(x));
  let at = 0;
  for (let i = 1; i < values.length; i++) if (size(values[i]) > size(values[at])) at = i;
  return at;
}

/** |x| of every entry, in a new tensor of the same shape and data type. */
export function absolute({ data, shape }: Tensor): Tensor {
  return new Tensor(data.map(Math.abs), shape);
}

/** Whether no entry is NaN or infinite. One pass without a branch: 0·x is 0 for finite x, otherwise NaN. */
export function allFinite(values: FloatArray): boolean {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += 0 * values[i];
  return sum === 0;
}

/** Whether every value is a number of float32; NaN is none. */
export function allFloat32(values: FloatArray): boolean {
  return values.every((x) => Math.fround(x) === x);
}

/** The index of an entry, one number per dimension, from its row-major position: 5 in shape [2, 3] is [1, 2]. */
export function indexAt(position: number, shape: Shape): number[] {
  const index: number[] = [];
  for (const size of [...shape].reverse()) {
    index.unshift(position % size);
    position = Math.floor(position / size);
  }
  return index;
}

/**
 * The largest distance between two arrays in ULPs, units in the last place: 1 means neighbouring numbers of the arrays' precision.
 * Both arrays have the same type; NaN has no meaningful distance.
 */
export function maxUlps(a: FloatArray, b: FloatArray): number {
  const rankA = ranks(a);
  const rankB = ranks(b);
  let most = 0n;
  for (let i = 0; i < rankA.length; i++) {
    const distance = rankA[i] > rankB[i] ? rankA[i] - rankB[i] : rankB[i] - rankA[i];
    if (distance > most) most = distance;
  }
  return Number(most);
}

/** Floats as integers in the same order: neighbours differ by 1, and 0 and -0 are equal. */
function ranks(values: FloatArray): bigint[] {
  const bits =
    values instanceof Float64Array
      ? Array.from(new BigInt64Array(values.slice().buffer))
      : Array.from(new Int32Array(values.slice().buffer), BigInt);
  const lowest = values instanceof Float64Array ? -(2n ** 63n) : -(2n ** 31n);
  return bits.map((pattern) => (pattern < 0n ? lowest - pattern : pattern));
}

/** At most this many of the items, evenly spread, with the first and the last one. */
export function evenly<T>(items: readonly T[], most: number): T[] {
  if (items.length <= most) return [...items];
  return Array.from({ length: most }, (_, i) => items[Math.round((i * (items.length - 1)) / (most - 1))]);
}
