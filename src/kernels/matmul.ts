// matmul: out [M,N] = init + a·b with a [M,K], b [K,N]. matmulTransposed: out [M,N] = aᵀ·b with a [K,M], b [K,N]. Row strides (as, bs,
// outs) are in bytes.
//
// Tiles of 2 rows by 1 to 4 vectors stay in registers over all of K: 8 sums, 4 vectors of b and 2 entries of a fit into 15 registers. (Two
// k per iteration spill: 34 instead of 52 GFLOP/s.) The last tile of a row or column overlaps the one before it, so that every size of at
// least one vector works. Every entry is summed in ascending k, whatever its tile.
//
// An iteration of 16 multiplications and additions is limited by decoding the other instructions (Zen 4: 6 per cycle), so there are few:
// the loop ends on a pointer, and one stride of a is always 4. (A counter and two variable strides cost 6 %.)

/** init is a row of N floats that is added to every row, or 0. */
export function matmul(
  out: usize, outs: usize, init: usize, a: usize, as: usize, b: usize, bs: usize, M: usize, N: usize, K: usize,
): void {
  if (N < 4) return matmulNarrow(out, outs, init, a, as, 4, b, bs, M, N, K);
  let j: usize = 0;
  for (; j + 16 <= N; j += 16) columns(4, out, outs, init, a, as, b, bs, M, j, K);
  if (j == N) return;
  const vectors = (N - j + 3) >> 2;
  if ((vectors << 2) <= N) return columns(vectors, out, outs, init, a, as, b, bs, M, N - (vectors << 2), K);
  // N is below 16 and not a multiple of 4
  columns(vectors - 1, out, outs, init, a, as, b, bs, M, 0, K);
  columns(1, out, outs, init, a, as, b, bs, M, N - 4, K);
}

export function matmulTransposed(out: usize, outs: usize, a: usize, as: usize, b: usize, bs: usize, M: usize, N: usize, K: usize): void {
  if (N < 4 || M < 2) return matmulNarrow(out, outs, 0, a, 4, as, b, bs, M, N, K);
  let j: usize = 0;
  for (; j + 16 <= N; j += 16) columnsTransposed(4, out, outs, a, as, b, bs, M, j, K);
  if (j == N) return;
  const vectors = (N - j + 3) >> 2;
  if ((vectors << 2) <= N) return columnsTransposed(vectors, out, outs, a, as, b, bs, M, N - (vectors << 2), K);
  columnsTransposed(vectors - 1, out, outs, a, as, b, bs, M, 0, K);
  columnsTransposed(1, out, outs, a, as, b, bs, M, N - 4, K);
}

/** All rows of the columns starting at j. */
function columns(
  vectors: usize, out: usize, outs: usize, init: usize, a: usize, as: usize, b: usize, bs: usize, M: usize, j: usize, K: usize,
): void {
  const offset = j << 2;
  const start = init ? init + offset : 0;
  // A single row is computed as two rows at the same address.
  const two: usize = M == 1 ? 0 : 1;
  for (let i: usize = 0; i < M; i += 2) {
    const row = i + 1 < M || M == 1 ? i : i - 1;
    const o = out + row * outs + offset;
    const x = a + row * as;
    if (vectors == 4) tile(4, false, o, two * outs, start, x, two * as, b + offset, bs, K);
    else if (vectors == 3) tile(3, false, o, two * outs, start, x, two * as, b + offset, bs, K);
    else if (vectors == 2) tile(2, false, o, two * outs, start, x, two * as, b + offset, bs, K);
    else tile(1, false, o, two * outs, start, x, two * as, b + offset, bs, K);
  }
}

function columnsTransposed(
  vectors: usize, out: usize, outs: usize, a: usize, as: usize, b: usize, bs: usize, M: usize, j: usize, K: usize,
): void {
  const offset = j << 2;
  for (let i: usize = 0; i < M; i += 2) {
    const row = min(i, M - 2);
    const o = out + row * outs + offset;
    const x = a + (row << 2);
    if (vectors == 4) tile(4, true, o, outs, 0, x, as, b + offset, bs, K);
    else if (vectors == 3) tile(3, true, o, outs, 0, x, as, b + offset, bs, K);
    else if (vectors == 2) tile(2, true, o, outs, 0, x, as, b + offset, bs, K);
    else tile(1, true, o, outs, 0, x, as, b + offset, bs, K);
  }
}

/** vectors and transposed are constants where this is inlined, so branches they rule out are not compiled. */
// @ts-ignore: decorator
@inline
function tile(
  vectors: usize, transposed: bool, out: usize, outs: usize, init: usize, a: usize, as: usize, b: usize, bs: usize, K: usize,
): void {
  let c00 = init ? v128.load(init) : f32x4.splat(0);
  let c01 = init && vectors > 1 ? v128.load(init, 16) : f32x4.splat(0);
  let c02 = init && vectors > 2 ? v128.load(init, 32) : f32x4.splat(0);
  let c03 = init && vectors > 3 ? v128.load(init, 48) : f32x4.splat(0);
  let c10 = c00;
  let c11 = c01;
  let c12 = c02;
  let c13 = c03;
  const step: usize = transposed ? as : 4;
  let y = a + as;
  for (const end = a + K * step; a != end; a += step) {
    const x0 = v128.load32_splat(a);
    const x1 = transposed ? v128.load32_splat(a, 4) : v128.load32_splat(y);
    const b0 = v128.load(b);
    c00 = f32x4.add(c00, f32x4.mul(x0, b0));
    c10 = f32x4.add(c10, f32x4.mul(x1, b0));
    if (vectors > 1) {
      const b1 = v128.load(b, 16);
      c01 = f32x4.add(c01, f32x4.mul(x0, b1));
      c11 = f32x4.add(c11, f32x4.mul(x1, b1));
    }
    if (vectors > 2) {
      const b2 = v128.load(b, 32);
      c02 = f32x4.add(c02, f32x4.mul(x0, b2));
      c12 = f32x4.add(c12, f32x4.mul(x1, b2));
    }
    if (vectors > 3) {
      const b3 = v128.load(b, 48);
      c03 = f32x4.add(c03, f32x4.mul(x0, b3));
      c13 = f32x4.add(c13, f32x4.mul(x1, b3));
    }
    if (!transposed) y += 4;
    b += bs;
  }
  storeTileRow(vectors, out, c00, c01, c02, c03);
  storeTileRow(vectors, out + outs, c10, c11, c12, c13);
}

// @ts-ignore: decorator
@inline
function storeTileRow(vectors: usize, out: usize, c0: v128, c1: v128, c2: v128, c3: v128): void {
  v128.store(out, c0);
  if (vectors > 1) v128.store(out, c1, 16);
  if (vectors > 2) v128.store(out, c2, 32);
  if (vectors > 3) v128.store(out, c3, 48);
}

/** A plain loop for matrices too narrow for a vector; the address of a[i,k] is a + i·as + k·ak. */
function matmulNarrow(
  out: usize, outs: usize, init: usize, a: usize, as: usize, ak: usize, b: usize, bs: usize, M: usize, N: usize, K: usize,
): void {
  for (let i: usize = 0; i < M; i++) {
    for (let j: usize = 0; j < N; j++) {
      let sum: f32 = init ? load<f32>(init + (j << 2)) : 0;
      for (let k: usize = 0; k < K; k++) sum += load<f32>(a + i * as + k * ak) * load<f32>(b + k * bs + (j << 2));
      store<f32>(out + i * outs + (j << 2), sum);
    }
  }
}
