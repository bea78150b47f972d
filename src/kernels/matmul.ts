import { storeLanes } from './math';
import { PANEL, ROW } from './panels';

// matmul: out [M,N] = init + a·b with a [M,K], b [K,N]. matmulTransposed: out [M,N] = aᵀ·b with a [K,M], b [K,N].
//
// Two numbers of bytes tell how a matrix is stored: from a row to the next (as, bs, outs), and from 16 columns to the next 16 (ap, bp, outp):
// 64 in rows, more in panels, of which each has several rows.
//
// Tiles of 2 rows by 1 to 4 vectors stay in registers over a block of K: 8 sums, 4 vectors of b and 2 entries of a fit into 15 registers. (Two
// k per iteration spill: 34 instead of 52 GFLOP/s.) The last vector of a row may reach beyond it, and is cut when stored. Every entry is summed
// in ascending k, whatever its tile.
//
// An iteration of 16 multiplications and additions is limited by decoding the other instructions (Zen 4: 6 per cycle), so there are few:
// the loop ends on a pointer, and one stride of a is always 4. (A counter and two variable strides cost 6 %.)

/** The k that are summed at a time. Their rows of b and their panels of a stay in the cache. */
const BLOCK: usize = 16 * PANEL;

/**
 * b is in rows.
 * @param init a row of N floats that is added to every row, or 0
 */
export function matmul(
  out: usize, outs: usize, outp: usize, init: usize, a: usize, as: usize, ap: usize, b: usize, bs: usize, M: usize, N: usize, K: usize,
): void {
  for (let k: usize = 0; k < K; k += BLOCK) {
    const block = min(K - k, BLOCK);
    let o = out;
    for (let j: usize = 0; j < N; j += PANEL) {
      const at = j << 2;
      // The first block begins with init, the others add to out.
      const start = k > 0 ? o : init ? init + at : 0;
      columns(min(N - j, PANEL), o, outs, start, k > 0 ? outs : 0, a, as, ap, b + at, bs, M, block);
      o += outp;
    }
    a += BLOCK / PANEL * ap;
    b += BLOCK * bs;
  }
}

/** out is in rows. */
export function matmulTransposed(
  out: usize, outs: usize, a: usize, as: usize, ap: usize, b: usize, bs: usize, bp: usize, M: usize, N: usize, K: usize,
): void {
  for (let j: usize = 0; j < N; j += PANEL) {
    columnsTransposed(min(N - j, PANEL), out + (j << 2), outs, a, as, ap, b, bs, M, K);
    b += bp;
  }
}

/** All rows of up to 16 columns. The sums of a row start at those in init, whose rows are inits bytes apart, or at 0. */
function columns(
  width: usize, out: usize, outs: usize, init: usize, inits: usize, a: usize, as: usize, ap: usize, b: usize, bs: usize, M: usize, K: usize,
): void {
  const lanes = ((width - 1) & 3) + 1;
  for (let i: usize = 0; i < M; i += 2) {
    const isPair = i + 1 < M;
    if (ap == ROW) {
      const two: usize = isPair ? as : 0;
      if (width == 16) tile(4, 4, false, isPair, out, outs, init, inits, a, two, ap, b, bs, K);
      else if (width > 12) tile(4, lanes, false, isPair, out, outs, init, inits, a, two, ap, b, bs, K);
      else if (width > 8) tile(3, lanes, false, isPair, out, outs, init, inits, a, two, ap, b, bs, K);
      else if (width > 4) tile(2, lanes, false, isPair, out, outs, init, inits, a, two, ap, b, bs, K);
      else tile(1, lanes, false, isPair, out, outs, init, inits, a, two, ap, b, bs, K);
    } else if (width == 16) tile(4, 4, true, isPair, out, outs, init, inits, a, 0, ap, b, bs, K);
    else if (width > 12) tile(4, lanes, true, isPair, out, outs, init, inits, a, 0, ap, b, bs, K);
    else if (width > 8) tile(3, lanes, true, isPair, out, outs, init, inits, a, 0, ap, b, bs, K);
    else if (width > 4) tile(2, lanes, true, isPair, out, outs, init, inits, a, 0, ap, b, bs, K);
    else tile(1, lanes, true, isPair, out, outs, init, inits, a, 0, ap, b, bs, K);
    out += outs << 1;
    init += inits << 1;
    a += as << 1;
  }
}

function columnsTransposed(
  width: usize, out: usize, outs: usize, a: usize, as: usize, ap: usize, b: usize, bs: usize, M: usize, K: usize,
): void {
  const lanes = ((width - 1) & 3) + 1;
  for (let i: usize = 0; i < M; i += 2) {
    const x = a + i / PANEL * ap + ((i % PANEL) << 2);
    const isPair = i + 1 < M;
    if (width == 16) tileTransposed(4, 4, isPair, out, outs, x, as, b, bs, K);
    else if (width > 12) tileTransposed(4, lanes, isPair, out, outs, x, as, b, bs, K);
    else if (width > 8) tileTransposed(3, lanes, isPair, out, outs, x, as, b, bs, K);
    else if (width > 4) tileTransposed(2, lanes, isPair, out, outs, x, as, b, bs, K);
    else tileTransposed(1, lanes, isPair, out, outs, x, as, b, bs, K);
    out += outs << 1;
  }
}

/**
 * vectors and inPanels are constants where this is inlined, so branches that they rule out are not compiled. The last vector has lanes entries.
 * The second row of a is as bytes after the first; in panels, 64.
 */
// @ts-ignore: decorator
@inline
function tile(
  vectors: usize, lanes: usize, inPanels: bool, isPair: bool, out: usize, outs: usize, init: usize, inits: usize, a: usize, as: usize,
  ap: usize, b: usize, bs: usize, K: usize,
): void {
  const second = init + (isPair ? inits : 0);
  let c00 = init ? v128.load(init) : f32x4.splat(0);
  let c01 = init && vectors > 1 ? v128.load(init, 16) : f32x4.splat(0);
  let c02 = init && vectors > 2 ? v128.load(init, 32) : f32x4.splat(0);
  let c03 = init && vectors > 3 ? v128.load(init, 48) : f32x4.splat(0);
  let c10 = init ? v128.load(second) : f32x4.splat(0);
  let c11 = init && vectors > 1 ? v128.load(second, 16) : f32x4.splat(0);
  let c12 = init && vectors > 2 ? v128.load(second, 32) : f32x4.splat(0);
  let c13 = init && vectors > 3 ? v128.load(second, 48) : f32x4.splat(0);
  let y = a + as;
  for (let left = K; left > 0; ) {
    const once = inPanels ? min(left, PANEL) : left;
    for (const end = a + (once << 2); a != end; a += 4) {
      const x0 = v128.load32_splat(a);
      const x1 = inPanels ? v128.load32_splat(a, 64) : v128.load32_splat(y);
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
      if (!inPanels) y += 4;
      b += bs;
    }
    if (!inPanels) break;
    left -= once;
    a += ap - ROW;
  }
  storeTileRow(vectors, lanes, out, c00, c01, c02, c03);
  if (isPair) storeTileRow(vectors, lanes, out + outs, c10, c11, c12, c13);
}

/** The sums of two columns of a, side by side, or of one. */
// @ts-ignore: decorator
@inline
function tileTransposed(
  vectors: usize, lanes: usize, isPair: bool, out: usize, outs: usize, a: usize, as: usize, b: usize, bs: usize, K: usize,
): void {
  let c00 = f32x4.splat(0);
  let c01 = c00;
  let c02 = c00;
  let c03 = c00;
  let c10 = c00;
  let c11 = c00;
  let c12 = c00;
  let c13 = c00;
  for (const end = a + K * as; a != end; a += as) {
    const x0 = v128.load32_splat(a);
    const x1 = v128.load32_splat(a, 4);
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
    b += bs;
  }
  storeTileRow(vectors, lanes, out, c00, c01, c02, c03);
  if (isPair) storeTileRow(vectors, lanes, out + outs, c10, c11, c12, c13);
}

// @ts-ignore: decorator
@inline
function storeTileRow(vectors: usize, lanes: usize, out: usize, c0: v128, c1: v128, c2: v128, c3: v128): void {
  if (vectors > 1) v128.store(out, c0);
  if (vectors > 2) v128.store(out, c1, 16);
  if (vectors > 3) v128.store(out, c2, 32);
  if (vectors == 1) storeLanes(out, c0, lanes);
  else if (vectors == 2) storeLanes(out + 16, c1, lanes);
  else if (vectors == 3) storeLanes(out + 32, c2, lanes);
  else storeLanes(out + 48, c3, lanes);
}
