/** The map of the character embedding: C in the plane in which its rows differ most. */

/** Characters in a plane. */
export interface EmbeddingMap {
  /** Of each row of C, its coordinates along the first and the second principal axis, around the mean of all rows. */
  points: [x: number, y: number][];
  /** The share of the variance along each of the two axes, 0 to 1. */
  explained: [number, number];
}

/**
 * The principal component analysis of C [V,E] in float64: rows less their mean, on the two eigenvectors of their covariance with the largest
 * eigenvalues. An eigenvector and its negative are equally right; the one is taken whose entry of largest magnitude is positive (of several,
 * the first). With E = 1, or where all rows are equal, what is missing is 0.
 * @param C row-major
 */
export function embeddingMap(C: ArrayLike<number>, V: number, E: number): EmbeddingMap {
  const rows = centredRows(C, V, E);
  const { values, vectors } = eigen(covariance(rows, E));
  const order = values.map((_, k) => k).sort((a, b) => values[b] - values[a] || a - b);
  const total = values.reduce((sum, value) => sum + Math.max(0, value), 0);
  const axes = order.slice(0, 2).map((k) => withFixedSign(vectors.map((row) => row[k])));
  const along = (row: readonly number[], k: number) => axes[k]?.reduce((sum, entry, e) => sum + entry * row[e], 0) ?? 0;
  const share = (k: number) => (total > 0 && k < order.length ? Math.max(0, values[order[k]]) / total : 0);
  return { points: rows.map((row) => [along(row, 0), along(row, 1)]), explained: [share(0), share(1)] };
}

function centredRows(C: ArrayLike<number>, V: number, E: number): number[][] {
  const rows = Array.from({ length: V }, (_, v) => Array.from({ length: E }, (_, e) => C[v * E + e]));
  for (let e = 0; e < E; e++) {
    const mean = rows.reduce((sum, row) => sum + row[e], 0) / V;
    for (const row of rows) row[e] -= mean;
  }
  return rows;
}

/** [E,E], up to a common factor. */
function covariance(rows: readonly (readonly number[])[], E: number): number[][] {
  const products = (i: number, j: number) => rows.reduce((sum, row) => sum + row[i] * row[j], 0);
  return Array.from({ length: E }, (_, i) => Array.from({ length: E }, (_, j) => products(i, j)));
}

function withFixedSign(vector: readonly number[]): number[] {
  const largest = vector.reduce((best, entry) => (Math.abs(entry) > Math.abs(best) ? entry : best), 0);
  return vector.map((entry) => (largest < 0 ? -entry : entry));
}

const SWEEPS = 64;

/**
 * Eigenvalues and eigenvectors (as columns) of a symmetric matrix, which is overwritten, by the cyclic Jacobi method: rotations that each make
 * one off-diagonal pair 0, until nothing is left that float64 would notice (Golub and Van Loan, Matrix Computations, 8.5).
 */
function eigen(A: number[][]): { values: number[]; vectors: number[][] } {
  const n = A.length;
  const vectors = Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => (i === j ? 1 : 0)));
  for (let sweep = 0; sweep < SWEEPS && rotateAll(A, vectors); sweep++);
  return { values: A.map((row, i) => row[i]), vectors };
}

/** @returns whether there was something to rotate */
function rotateAll(A: number[][], vectors: number[][]): boolean {
  let rotated = false;
  for (let p = 0; p < A.length; p++) {
    for (let q = p + 1; q < A.length; q++) {
      if (Math.abs(A[p][q]) <= Number.EPSILON * Math.sqrt(Math.abs(A[p][p] * A[q][q]))) continue;
      rotate(A, vectors, p, q);
      rotated = true;
    }
  }
  return rotated;
}

/** A becomes JᵀAJ, with J a rotation in the plane of p and q that makes A[p][q] 0. */
function rotate(A: number[][], vectors: number[][], p: number, q: number): void {
  const slope = (A[q][q] - A[p][p]) / (2 * A[p][q]);
  const t = (slope < 0 ? -1 : 1) / (Math.abs(slope) + Math.sqrt(1 + slope * slope));
  const c = 1 / Math.sqrt(1 + t * t);
  const s = t * c;
  for (const row of [...A, ...vectors]) [row[p], row[q]] = [c * row[p] - s * row[q], s * row[p] + c * row[q]];
  const [P, Q] = [A[p], A[q]];
  for (let k = 0; k < P.length; k++) [P[k], Q[k]] = [c * P[k] - s * Q[k], s * P[k] + c * Q[k]];
}
