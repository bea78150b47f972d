import type { FloatArray } from '../core/tensor.js';

/** Whether all entries of x [n,N] are finite. */
export function areFinite(x: FloatArray, n: number, N: number): boolean {
  // 0 times a number is 0, times NaN or infinity NaN
  let sum = 0;
  for (let i = 0; i < n * N; i++) sum += 0 * x[i];
  return sum === 0;
}
