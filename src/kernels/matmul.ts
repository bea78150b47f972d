import { storeLanes } from './math';
import { PANEL, ROW } from './panels';

// matmul: out [M,N] = init + a·b with a [M,K], b [K,N]. matmulTransposed: out [M,N] = aᵀ·b with a [K,M], b [K,N].
//
// Two numbers of bytes tell how a matrix is stored: from a row to the next (as, bs, outs), and from 16 columns to the next 16 (ap, bp, outp):
// 64 in rows, more in panels, of which each has several rows.
//
// Tiles of 2 rows by 1 to 4 vectors stay in registers over a block of K: 8 sums, 4 vectors of b and 2 entries of a fit into 15 registers. The last
// vector of a row may reach beyond it, and is cut when stored. Every entry is summed in ascending k, whatever its tile.
//
// The 16 multiplications and additions of a k are limited by decoding the other instructions (Zen 4: 6 per cycle), so there are few: the loop ends
// on a pointer (a counter and two variable strides cost 6 %), and a turn has four k, because V8 checks the stack in each turn (one k per turn costs
// 5 %). Between two k there is a branch: without it, V8 loads the entries of both at first, which do not fit (34 instead of 52 GFLOP/s).

/** The k that are summed at a time. Their rows of b and their panels of a stay in the cache. */
const BLOCK: usize = 16 * PANEL;

/**
 * b is in rows.
 * @param init what the sums begin with: rows that are inits bytes apart, or with inits = 0 one row for all; 0 for nothing
 */
export function matmul(
  out: usize, outs: usize, outp: usize, init: usize, inits: usize, a: usize, as: usize, ap: usize, b: usize, bs: usize,
  M: usize, N: usize, K: usize,
): void {
  for (let k: usize = 0; k < K; k += BLOCK) {
    const block = min(K - k, BLOCK);
    let o = out;
    for (let j: usize = 0; j < N; j += PANEL) {
      const at = j << 2;
      // The first block begins with init, the others add to out.
      const start = k > 0 ? o : init ? init + at : 0;
      columns(min(N - j, PANEL), o, outs, start, k > 0 ? outs : init ? inits : 0, a, as, ap, b + at, bs, M, block);
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
      if (width == 16) tile(IN_ROWS, 4, 4, isPair, out, outs, init, inits, a, two, ap, b, bs, K);
      else if (width > 12) tile(IN_ROWS, 4, lanes, isPair, out, outs, init, inits, a, two, ap, b, bs, K);
      else if (width > 8) tile(IN_ROWS, 3, lanes, isPair, out, outs, init, inits, a, two, ap, b, bs, K);
      else if (width > 4) tile(IN_ROWS, 2, lanes, isPair, out, outs, init, inits, a, two, ap, b, bs, K);
      else tile(IN_ROWS, 1, lanes, isPair, out, outs, init, inits, a, two, ap, b, bs, K);
    } else if (width == 16) tile(IN_PANELS, 4, 4, isPair, out, outs, init, inits, a, 0, ap, b, bs, K);
    else if (width > 12) tile(IN_PANELS, 4, lanes, isPair, out, outs, init, inits, a, 0, ap, b, bs, K);
    else if (width > 8) tile(IN_PANELS, 3, lanes, isPair, out, outs, init, inits, a, 0, ap, b, bs, K);
    else if (width > 4) tile(IN_PANELS, 2, lanes, isPair, out, outs, init, inits, a, 0, ap, b, bs, K);
    else tile(IN_PANELS, 1, lanes, isPair, out, outs, init, inits, a, 0, ap, b, bs, K);
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
    if (width == 16) tile(TRANSPOSED, 4, 4, isPair, out, outs, 0, 0, x, as, ap, b, bs, K);
    else if (width > 12) tile(TRANSPOSED, 4, lanes, isPair, out, outs, 0, 0, x, as, ap, b, bs, K);
    else if (width > 8) tile(TRANSPOSED, 3, lanes, isPair, out, outs, 0, 0, x, as, ap, b, bs, K);
    else if (width > 4) tile(TRANSPOSED, 2, lanes, isPair, out, outs, 0, 0, x, as, ap, b, bs, K);
    else tile(TRANSPOSED, 1, lanes, isPair, out, outs, 0, 0, x, as, ap, b, bs, K);
    out += outs << 1;
  }
}

const IN_ROWS: usize = 0;
const IN_PANELS: usize = 1;
const TRANSPOSED: usize = 2;

/**
 * Two rows of up to four vectors, the last with lanes entries. kind and vectors are constants where this is inlined, so branches that they
 * rule out are not compiled. as is the number of bytes to the second row of a; if it is transposed, to the next k.
 */
// @ts-ignore: decorator
@inline
function tile(
  kind: usize, vectors: usize, lanes: usize, isPair: bool, out: usize, outs: usize, init: usize, inits: usize, a: usize, as: usize,
  ap: usize, b: usize, bs: usize, K: usize,
): void {
  let c00 = f32x4.splat(0);
  let c01 = c00, c02 = c00, c03 = c00, c10 = c00, c11 = c00, c12 = c00, c13 = c00;
  if (init) {
    const second = init + (isPair ? inits : 0);
    c00 = v128.load(init), c10 = v128.load(second);
    if (vectors > 1) c01 = v128.load(init, 16), c11 = v128.load(second, 16);
    if (vectors > 2) c02 = v128.load(init, 32), c12 = v128.load(second, 32);
    if (vectors > 3) c03 = v128.load(init, 48), c13 = v128.load(second, 48);
  }
  let x0: v128, x1: v128, b0: v128, b1: v128, b2: v128, b3: v128;
  let y = kind == IN_ROWS ? a + as : 0;
  const step = kind == TRANSPOSED ? as : 4;
  for (let left = K; ; ) {
    const once = kind == IN_PANELS ? min(left, PANEL) : left;
    const end = a + once * step;
    while (true) {
      x0 = v128.load32_splat(a);
      x1 = other(kind, a, y);
      b0 = v128.load(b);
      c00 = madd(c00, x0, b0), c10 = madd(c10, x1, b0);
      if (vectors > 1) b1 = v128.load(b, 16), c01 = madd(c01, x0, b1), c11 = madd(c11, x1, b1);
      if (vectors > 2) b2 = v128.load(b, 32), c02 = madd(c02, x0, b2), c12 = madd(c12, x1, b2);
      if (vectors > 3) b3 = v128.load(b, 48), c03 = madd(c03, x0, b3), c13 = madd(c13, x1, b3);
      if (kind == IN_ROWS) y += 4;
      a += step, b += bs;
      if (a == end) break;
      x0 = v128.load32_splat(a);
      x1 = other(kind, a, y);
      b0 = v128.load(b);
      c00 = madd(c00, x0, b0), c10 = madd(c10, x1, b0);
      if (vectors > 1) b1 = v128.load(b, 16), c01 = madd(c01, x0, b1), c11 = madd(c11, x1, b1);
      if (vectors > 2) b2 = v128.load(b, 32), c02 = madd(c02, x0, b2), c12 = madd(c12, x1, b2);
      if (vectors > 3) b3 = v128.load(b, 48), c03 = madd(c03, x0, b3), c13 = madd(c13, x1, b3);
      if (kind == IN_ROWS) y += 4;
      a += step, b += bs;
      if (a == end) break;
      x0 = v128.load32_splat(a);
      x1 = other(kind, a, y);
      b0 = v128.load(b);
      c00 = madd(c00, x0, b0), c10 = madd(c10, x1, b0);
      if (vectors > 1) b1 = v128.load(b, 16), c01 = madd(c01, x0, b1), c11 = madd(c11, x1, b1);
      if (vectors > 2) b2 = v128.load(b, 32), c02 = madd(c02, x0, b2), c12 = madd(c12, x1, b2);
      if (vectors > 3) b3 = v128.load(b, 48), c03 = madd(c03, x0, b3), c13 = madd(c13, x1, b3);
      if (kind == IN_ROWS) y += 4;
      a += step, b += bs;
      if (a == end) break;
      x0 = v128.load32_splat(a);
      x1 = other(kind, a, y);
      b0 = v128.load(b);
      c00 = madd(c00, x0, b0), c10 = madd(c10, x1, b0);
      if (vectors > 1) b1 = v128.load(b, 16), c01 = madd(c01, x0, b1), c11 = madd(c11, x1, b1);
      if (vectors > 2) b2 = v128.load(b, 32), c02 = madd(c02, x0, b2), c12 = madd(c12, x1, b2);
      if (vectors > 3) b3 = v128.load(b, 48), c03 = madd(c03, x0, b3), c13 = madd(c13, x1, b3);
      if (kind == IN_ROWS) y += 4;
      a += step, b += bs;
      if (a == end) break;
    }
    left -= once;
    if (kind != IN_PANELS || left == 0) break;
    a += ap - ROW;
  }
  storeTileRow(vectors, lanes, out, c00, c01, c02, c03);
  if (isPair) storeTileRow(vectors, lanes, out + outs, c10, c11, c12, c13);
}

/** c + x·b */
// @ts-ignore: decorator
@inline
function madd(c: v128, x: v128, b: v128): v128 {
  return f32x4.add(c, f32x4.mul(x, b));
}

/** The entry of a below, or if a is transposed beside, that at the address. */
// @ts-ignore: decorator
@inline
function other(kind: usize, a: usize, y: usize): v128 {
  return kind == IN_ROWS ? v128.load32_splat(y) : kind == IN_PANELS ? v128.load32_splat(a, 64) : v128.load32_splat(a, 4);
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
