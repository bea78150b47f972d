// out [M,N] = init + a·b, where a(i,k) stands at a + i·as + k·ak and b(k,j) at b + k·bs + j. Strides in bytes.
// Tiles of 2 rows by 1 to 4 vectors stay in registers over all of K; the last tile of a row or column overlaps
// the one before it, so that any M and N of at least one vector work. Each entry is summed in ascending k.

/** out rows are outs bytes apart; init is a row of N added to every row, or 0. */
export function matmul(out: usize, outs: usize, init: usize, a: usize, as: usize, ak: usize, b: usize, bs: usize, M: usize, N: usize, K: usize): void {
  if (N < 4) return matmulNarrow(out, outs, init, a, as, ak, b, bs, M, N, K);
  const lastVector: usize = (N - 4) << 2;
  for (let j: usize = 0; j < N; j += 16) {
    const j0: usize = j << 2;
    const left = N - j;
    const vectors: usize = left >= 16 ? 4 : (left + 3) >> 2;
    const jLast: usize = min(j0 + ((vectors - 1) << 4), lastVector);
    for (let i: usize = 0; i < M; i += 2) {
      const i0 = i + 1 < M || M == 1 ? i : i - 1;
      const two: usize = M == 1 ? 0 : 1;
      const o = out + i0 * outs;
      const x = a + i0 * as;
      if (vectors == 4) tile4(o, two * outs, init, x, two * as, ak, b, bs, j0, jLast, K);
      else if (vectors == 3) tile3(o, two * outs, init, x, two * as, ak, b, bs, j0, jLast, K);
      else if (vectors == 2) tile2(o, two * outs, init, x, two * as, ak, b, bs, j0, jLast, K);
      else tile1(o, two * outs, init, x, two * as, ak, b, bs, jLast, K);
    }
  }
}

function tile4(out: usize, outs: usize, init: usize, a: usize, as: usize, ak: usize, b: usize, bs: usize, j: usize, jLast: usize, K: usize): void {
  let c00 = init ? v128.load(init + j) : f32x4.splat(0);
  let c01 = init ? v128.load(init + j, 16) : f32x4.splat(0);
  let c02 = init ? v128.load(init + j, 32) : f32x4.splat(0);
  let c03 = init ? v128.load(init + jLast) : f32x4.splat(0);
  let c10 = c00;
  let c11 = c01;
  let c12 = c02;
  let c13 = c03;
  let p = b + j;
  let q = b + jLast;
  let x = a;
  let y = a + as;
  for (let k: usize = 0; k < K; k++) {
    const x0 = v128.load32_splat(x);
    const x1 = v128.load32_splat(y);
    const b0 = v128.load(p);
    c00 = f32x4.add(c00, f32x4.mul(x0, b0));
    c10 = f32x4.add(c10, f32x4.mul(x1, b0));
    const b1 = v128.load(p, 16);
    c01 = f32x4.add(c01, f32x4.mul(x0, b1));
    c11 = f32x4.add(c11, f32x4.mul(x1, b1));
    const b2 = v128.load(p, 32);
    c02 = f32x4.add(c02, f32x4.mul(x0, b2));
    c12 = f32x4.add(c12, f32x4.mul(x1, b2));
    const b3 = v128.load(q);
    c03 = f32x4.add(c03, f32x4.mul(x0, b3));
    c13 = f32x4.add(c13, f32x4.mul(x1, b3));
    x += ak;
    y += ak;
    p += bs;
    q += bs;
  }
  v128.store(out + j, c00);
  v128.store(out + j, c01, 16);
  v128.store(out + j, c02, 32);
  v128.store(out + jLast, c03);
  out += outs;
  v128.store(out + j, c10);
  v128.store(out + j, c11, 16);
  v128.store(out + j, c12, 32);
  v128.store(out + jLast, c13);
}

function tile3(out: usize, outs: usize, init: usize, a: usize, as: usize, ak: usize, b: usize, bs: usize, j: usize, jLast: usize, K: usize): void {
  let c00 = init ? v128.load(init + j) : f32x4.splat(0);
  let c01 = init ? v128.load(init + j, 16) : f32x4.splat(0);
  let c02 = init ? v128.load(init + jLast) : f32x4.splat(0);
  let c10 = c00;
  let c11 = c01;
  let c12 = c02;
  let p = b + j;
  let q = b + jLast;
  let x = a;
  let y = a + as;
  for (let k: usize = 0; k < K; k++) {
    const x0 = v128.load32_splat(x);
    const x1 = v128.load32_splat(y);
    const b0 = v128.load(p);
    c00 = f32x4.add(c00, f32x4.mul(x0, b0));
    c10 = f32x4.add(c10, f32x4.mul(x1, b0));
    const b1 = v128.load(p, 16);
    c01 = f32x4.add(c01, f32x4.mul(x0, b1));
    c11 = f32x4.add(c11, f32x4.mul(x1, b1));
    const b2 = v128.load(q);
    c02 = f32x4.add(c02, f32x4.mul(x0, b2));
    c12 = f32x4.add(c12, f32x4.mul(x1, b2));
    x += ak;
    y += ak;
    p += bs;
    q += bs;
  }
  v128.store(out + j, c00);
  v128.store(out + j, c01, 16);
  v128.store(out + jLast, c02);
  out += outs;
  v128.store(out + j, c10);
  v128.store(out + j, c11, 16);
  v128.store(out + jLast, c12);
}

function tile2(out: usize, outs: usize, init: usize, a: usize, as: usize, ak: usize, b: usize, bs: usize, j: usize, jLast: usize, K: usize): void {
  let c00 = init ? v128.load(init + j) : f32x4.splat(0);
  let c01 = init ? v128.load(init + jLast) : f32x4.splat(0);
  let c10 = c00;
  let c11 = c01;
  let p = b + j;
  let q = b + jLast;
  let x = a;
  let y = a + as;
  for (let k: usize = 0; k < K; k++) {
    const x0 = v128.load32_splat(x);
    const x1 = v128.load32_splat(y);
    const b0 = v128.load(p);
    c00 = f32x4.add(c00, f32x4.mul(x0, b0));
    c10 = f32x4.add(c10, f32x4.mul(x1, b0));
    const b1 = v128.load(q);
    c01 = f32x4.add(c01, f32x4.mul(x0, b1));
    c11 = f32x4.add(c11, f32x4.mul(x1, b1));
    x += ak;
    y += ak;
    p += bs;
    q += bs;
  }
  v128.store(out + j, c00);
  v128.store(out + jLast, c01);
  out += outs;
  v128.store(out + j, c10);
  v128.store(out + jLast, c11);
}

function tile1(out: usize, outs: usize, init: usize, a: usize, as: usize, ak: usize, b: usize, bs: usize, j: usize, K: usize): void {
  let c0 = init ? v128.load(init + j) : f32x4.splat(0);
  let c1 = c0;
  let p = b + j;
  let x = a;
  let y = a + as;
  for (let k: usize = 0; k < K; k++) {
    const b0 = v128.load(p);
    c0 = f32x4.add(c0, f32x4.mul(v128.load32_splat(x), b0));
    c1 = f32x4.add(c1, f32x4.mul(v128.load32_splat(y), b0));
    x += ak;
    y += ak;
    p += bs;
  }
  v128.store(out + j, c0);
  v128.store(out + outs + j, c1);
}

function matmulNarrow(out: usize, outs: usize, init: usize, a: usize, as: usize, ak: usize, b: usize, bs: usize, M: usize, N: usize, K: usize): void {
  for (let i: usize = 0; i < M; i++) {
    for (let j: usize = 0; j < N; j++) {
      let sum: f32 = init ? load<f32>(init + (j << 2)) : 0;
      for (let k: usize = 0; k < K; k++) {
        sum += load<f32>(a + i * as + k * ak) * load<f32>(b + k * bs + (j << 2));
      }
      store<f32>(out + i * outs + (j << 2), sum);
    }
  }
}
