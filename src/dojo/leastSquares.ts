/** Fits a sum of tensors to another one. */
import type { Tensor } from '../core/tensor.js';

type Entries = Pick<Tensor, 'data'>;

/** The coefficients of the tensors whose sum is nearest to the target; undefined if the tensors depend on each other. */
export function leastSquares(basis: readonly Entries[], target: Entries): number[] | undefined {
  const size = basis.length;
  const rows = basis.map((a) => [...basis.map((b) => dot(a.data, b.data)), dot(a.data, target.data)]);
  for (let k = 0; k < size; k++) {
    const pivot = rows[k][k];
    if (!(Math.abs(pivot) > 1e-12 * squares(basis[k].data))) return undefined;
    for (let i = 0; i < size; i++) {
      if (i === k) continue;
      const factor = rows[i][k] / pivot;
      for (let j = k; j <= size; j++) rows[i][j] -= factor * rows[k][j];
    }
  }
  return rows.map((row, k) => row[size] / row[k]);
}

/** The sum of the tensors, each times its coefficient, as a list of entries. */
export function combination(basis: readonly Entries[], coefficients: readonly number[]): Float64Array {
  const out = new Float64Array(basis[0].data.length);
  for (const [k, { data }] of basis.entries()) {
    for (let i = 0; i < out.length; i++) out[i] += coefficients[k] * data[i];
  }
  return out;
}

/** Whether the squared differences of the combination from the target sum up to at most a limit. It ends at the first entry beyond it. */
export function isWithin(limit: number, basis: readonly Entries[], coefficients: readonly number[], target: Entries): boolean {
  let sum = 0;
  for (let i = 0; i < target.data.length && !(sum > limit); i++) {
    let entry = 0;
    for (let k = 0; k < basis.length; k++) entry += coefficients[k] * basis[k].data[i];
    sum += (entry - target.data[i]) ** 2;
  }
  return sum <= limit;
}

/** The sum of squared differences. */
export function residual(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

export function squares(a: ArrayLike<number>): number {
  return dot(a, a);
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
