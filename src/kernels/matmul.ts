// out [M,N] = init + a·b, where a(i,k) stands at a + i·as + k·ak and b(k,j) at b + k·bs + 4j. Strides are in bytes.
//
// Tiles of 2 rows by 1 to 4 vectors stay in registers over all of K: 8 sums, 4 vectors of b and 2 entries of a are what
// 15 registers hold. (Taking two k a turn spills: 34 GFLOP/s in place of 52.) The last tile of a row or column overlaps the
// one before it, so that any size of at least one vector works. Each entry is summed in ascending k, whatever the tile.

/** Rows of out are outs bytes apart; init is a row of N that is added to every row, or 0. */
export function matmul(
  out: usize, outs: usize, init: usize, a: usize, as: usize, ak: usize, b: usize, bs: usize, M: usize, N: usize, K: usize,
): void {
  if (N < 4) return matmulNarrow(out, outs, init, a, as, ak, b, bs, M, N, K);
  let j: usize = 0;
  for (; j + 16 <= N; j += 16) columns(4, out, outs, init, a, as, ak, b, bs, M, j, K);
  if (j == N) return;
  const vectors = (N - j + 3) >> 2;
  if ((vectors << 2) <= N) return columns(vectors, out, outs, init, a, as, ak, b, bs, M, N - (vectors << 2), K);
  // N is below 16 and no multiple of 4
  columns(vectors - 1, out, outs, init, a, as, ak, b, bs, M, 0, K);
  columns(1, out, outs, init, a, as, ak, b, bs, M, N - 4, K);
}

/** All rows of the columns from j on. */
function columns(
  vectors: usize, out: usize, outs: usize, init: usize, a: usize, as: usize, ak: usize, b: usize, bs: usize, M: usize, j: usize, K: usize,
): void {
  const offset = j << 2;
  const sums = init ? init + offset : 0;
  // A single row is computed as two that lie at the same place.
  const two: usize = M == 1 ? 0 : 1;
  for (let i: usize = 0; i < M; i += 2) {
    const row = i + 1 < M || M == 1 ? i : i - 1;
    const o = out + row * outs + offset;
    const x = a + row * as;
    if (vectors == 4) tile4(o, two * outs, sums, x, two * as, ak, b + offset, bs, K);
    else if (vectors == 3) tile3(o, two * outs, sums, x, two * as, ak, b + offset, bs, K);
    else if (vectors == 2) tile2(o, two * outs, sums, x, two * as, ak, b + offset, bs, K);
    else tile1(o, two * outs, sums, x, two * as, ak, b + offset, bs, K);
  }
}

function tile4(out: usize, outs: usize, init: usize, a: usize, as: usize, ak: usize, b: usize, bs: usize, K: usize): void {
  let c00 = init ? v128.load(init) : f32x4.splat(0);
  let c01 = init ? v128.load(init, 16) : f32x4.splat(0);
  let c02 = init ? v128.load(init, 32) : f32x4.splat(0);
  let c03 = init ? v128.load(init, 48) : f32x4.splat(0);
  let c10 = c00;
  let c11 = c01;
  let c12 = c02;
  let c13 = c03;
  let y = a + as;
  for (let k: usize = 0; k < K; k++) {
    const x0 = v128.load32_splat(a);
    const x1 = v128.load32_splat(y);
    const b0 = v128.load(b);
    c00 = f32x4.add(c00, f32x4.mul(x0, b0));
    c10 = f32x4.add(c10, f32x4.mul(x1, b0));
    const b1 = v128.load(b, 16);
    c01 = f32x4.add(c01, f32x4.mul(x0, b1));
    c11 = f32x4.add(c11, f32x4.mul(x1, b1));
    const b2 = v128.load(b, 32);
    c02 = f32x4.add(c02, f32x4.mul(x0, b2));
    c12 = f32x4.add(c12, f32x4.mul(x1, b2));
    const b3 = v128.load(b, 48);
    c03 = f32x4.add(c03, f32x4.mul(x0, b3));
    c13 = f32x4.add(c13, f32x4.mul(x1, b3));
    a += ak;
    y += ak;
    b += bs;
  }
  v128.store(out, c00);
  v128.store(out, c01, 16);
  v128.store(out, c02, 32);
  v128.store(out, c03, 48);
  v128.store(out + outs, c10);
  v128.store(out + outs, c11, 16);
  v128.store(out + outs, c12, 32);
  v128.store(out + outs, c13, 48);
}

function tile3(out: usize, outs: usize, init: usize, a: usize, as: usize, ak: usize, b: usize, bs: usize, K: usize): void {
  let c00 = init ? v128.load(init) : f32x4.splat(0);
  let c01 = init ? v128.load(init, 16) : f32x4.splat(0);
  let c02 = init ? v128.load(init, 32) : f32x4.splat(0);
  let c10 = c00;
  let c11 = c01;
  let c12 = c02;
  let y = a + as;
  for (let k: usize = 0; k < K; k++) {
    const x0 = v128.load32_splat(a);
    const x1 = v128.load32_splat(y);
    const b0 = v128.load(b);
    c00 = f32x4.add(c00, f32x4.mul(x0, b0));
    c10 = f32x4.add(c10, f32x4.mul(x1, b0));
    const b1 = v128.load(b, 16);
    c01 = f32x4.add(c01, f32x4.mul(x0, b1));
    c11 = f32x4.add(c11, f32x4.mul(x1, b1));
    const b2 = v128.load(b, 32);
    c02 = f32x4.add(c02, f32x4.mul(x0, b2));
    c12 = f32x4.add(c12, f32x4.mul(x1, b2));
    a += ak;
    y += ak;
    b += bs;
  }
  v128.store(out, c00);
  v128.store(out, c01, 16);
  v128.store(out, c02, 32);
  v128.store(out + outs, c10);
  v128.store(out + outs, c11, 16);
  v128.store(out + outs, c12, 32);
}

function tile2(out: usize, outs: usize, init: usize, a: usize, as: usize, ak: usize, b: usize, bs: usize, K: usize): void {
  let c00 = init ? v128.load(init) : f32x4.splat(0);
  let c01 = init ? v128.load(init, 16) : f32x4.splat(0);
  let c10 = c00;
  let c11 = c01;
  let y = a + as;
  for (let k: usize = 0; k < K; k++) {
    const x0 = v128.load32_splat(a);
    const x1 = v128.load32_splat(y);
    const b0 = v128.load(b);
    c00 = f32x4.add(c00, f32x4.mul(x0, b0));
    c10 = f32x4.add(c10, f32x4.mul(x1, b0));
    const b1 = v128.load(b, 16);
    c01 = f32x4.add(c01, f32x4.mul(x0, b1));
    c11 = f32x4.add(c11, f32x4.mul(x1, b1));
    a += ak;
    y += ak;
    b += bs;
  }
  v128.store(out, c00);
  v128.store(out, c01, 16);
  v128.store(out + outs, c10);
  v128.store(out + outs, c11, 16);
}

function tile1(out: usize, outs: usize, init: usize, a: usize, as: usize, ak: usize, b: usize, bs: usize, K: usize): void {
  let c00 = init ? v128.load(init) : f32x4.splat(0);
  let c10 = c00;
  let y = a + as;
  for (let k: usize = 0; k < K; k++) {
    const x0 = v128.load32_splat(a);
    const x1 = v128.load32_splat(y);
    const b0 = v128.load(b);
    c00 = f32x4.add(c00, f32x4.mul(x0, b0));
    c10 = f32x4.add(c10, f32x4.mul(x1, b0));
    a += ak;
    y += ak;
    b += bs;
  }
  v128.store(out, c00);
  v128.store(out + outs, c10);
}

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
