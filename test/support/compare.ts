import type { Tensor } from '../../src/core/tensor.js';

/** The largest |a-b| relative to the largest |b|. NaN anywhere gives NaN, which exceeds every limit; two tensors of zeros give 0. */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const largest = largestOf(b);
  const difference = largestOf(Array.from(a, (x, i) => x - b[i]));
  return difference === 0 ? 0 : difference / largest;
}

/** The largest magnitude; NaN if any entry is NaN. */
export function largestOf(values: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]));
  return largest;
}

/** A tensor as plain values, for comparison in one line. */
export function plain({ shape, data }: Pick<Tensor, 'shape' | 'data'>): { shape: readonly number[]; values: number[] } {
  return { shape, values: Array.from(data) };
}

/** The sum of the products of corresponding entries. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
