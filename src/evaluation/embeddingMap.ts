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
  const { values, axes } = E <= V ? axesOf(rows, E) : axesOfMany(rows);
  const total = values.reduce((sum, value) => sum + Math.max(0, value), 0);
  const along = (row: readonly number[], k: number) => axes[k]?.reduce((sum, entry, e) => sum + entry * row[e], 0) ?? 0;
  const share = (k: number) => (total > 0 && k < values.length ? Math.max(0, values[k]) / total : 0);
  return { points: rows.map((row) => [along(row, 0), along(row, 1)]), explained: [share(0), share(1)] };
}

/** Eigenvalues, the largest first, and the two principal axes. */
interface Principal {
  values: number[];
  axes: number[][];
}

function axesOf(rows: readonly (readonly number[])[], E: number): Principal {
  const columns = Array.from({ length: E }, (_, e) => rows.map((row) => row[e]));
  const { values, vectors } = eigen(products(columns));
  return { values, axes: vectors.slice(0, 2).map(withFixedSign) };
}

/** With X the rows, XXᵀ [V,V] has the eigenvalues of XᵀX [E,E], and each eigenvector u of it gives one of that, Xᵀu: E may be large. */
function axesOfMany(rows: readonly (readonly number[])[]): Principal {
  const { values, vectors } = eigen(products(rows));
  const isSomething = (k: number) => values[k] > Number.EPSILON * rows.length * values[0];
  const axes = vectors.slice(0, 2).map((u, k) => {
    const scale = isSomething(k) ? 1 / Math.sqrt(values[k]) : 0;
    return withFixedSign(rows[0].map((_, e) => scale * rows.reduce((sum, row, v) => sum + u[v] * row[e], 0)));
  });
  return { values, axes };
}

function centredRows(C: ArrayLike<number>, V: number, E: number): number[][] {
  const rows = Array.from({ length: V }, (_, v) => Array.from({ length: E }, (_, e) => C[v * E + e]));
  for (let e = 0; e < E; e++) {
    const mean = rows.reduce((sum, row) => sum + row[e], 0) / V;
    for (const row of rows) row[e] -= mean;
  }
  return rows;
}

/** The inner products of all pairs. */
function products(vectors: readonly (readonly number[])[]): number[][] {
  return vectors.map((a) => vectors.map((b) => a.reduce((sum, x, i) => sum + x * b[i], 0)));
}

function withFixedSign(vector: readonly number[]): number[] {
  const largest = vector.reduce((best, entry) => (Math.abs(entry) > Math.abs(best) ? entry : best), 0);
  return vector.map((entry) => (largest < 0 ? -entry : entry));
}

const SWEEPS = 64;

/**
 * Eigenvalues, the largest first, and their eigenvectors of a symmetric matrix, which is overwritten, by the cyclic Jacobi method: rotations
 * that each make one off-diagonal pair 0, until nothing is left that float64 would notice beside the largest eigenvalue (Golub and Van Loan,
 * Matrix Computations, 8.5).
 */
function eigen(A: number[][]): { values: number[]; vectors: number[][] } {
  const n = A.length;
  const V = Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => (i === j ? 1 : 0)));
  // The trace is at most n times the largest eigenvalue, and a product of rows is rounded by about ε of it.
  const least = (Number.EPSILON * A.reduce((sum, row, i) => sum + Math.abs(row[i]), 0)) / n;
  for (let sweep = 0; sweep < SWEEPS && rotateAll(A, V, least); sweep++);
  const order = A.map((_, k) => k).sort((a, b) => A[b][b] - A[a][a] || a - b);
  return { values: order.map((k) => A[k][k]), vectors: order.map((k) => V.map((row) => row[k])) };
}

/** @returns whether there was something to rotate */
function rotateAll(A: number[][], vectors: number[][], least: number): boolean {
  let rotated = false;
  for (let p = 0; p < A.length; p++) {
    for (let q = p + 1; q < A.length; q++) {
      if (Math.abs(A[p][q]) <= least) continue;
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
