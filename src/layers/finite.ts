import { allFinite } from '../core/numbers.js';
import type { FloatArray } from '../core/tensor.js';

/** Whether all entries of x [n,N] are finite. */
export function areFinite(x: FloatArray, n: number, N: number): boolean {
  return allFinite(x.subarray(0, n * N));
}
