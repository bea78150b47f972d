import { matmul, matmulTransposed } from './matmul';
import { endOf, firstOf, meet, ownPart, threads } from './parts';
import { copyRow, sumRows } from './rows';
import { transpose } from './transpose';

// out [n,O]   x [n,I]   W [I,O]   b [O]   workspace: with p threads, the larger of (I+16·p)·O and 16·n·p floats

/**
 * See layers/linear.ts. The threads share the columns of W, so that each reads a part of W and computes the columns that it normalises next; if
 * there are few columns, the rows of x.
 */
export function linearForward(out: usize, x: usize, W: usize, b: usize, n: usize, I: usize, O: usize): void {
  const row = O << 2;
  if (O >= COLUMNS * threads()) {
    const j = firstOf(O, BLOCK);
    const at = j << 2;
    matmul(out + at, row, b + at, x, I << 2, W + at, row, n, endOf(O, BLOCK) - j, I);
  } else {
    const i = firstOf(n, 2);
    matmul(out + i * row, row, b, x + ((i * I) << 2), I << 2, W, row, endOf(n, 2) - i, O, I);
  }
}

/**
 * See layers/linear.ts. dx = dout Wᵀ needs rows of Wᵀ, so W is transposed first: 0.7 us of this function's 13 us at H 200. The threads share the
 * inputs: each computes columns of dx and rows of dW, from its own columns of Wᵀ.
 */
export function linearBackward(
  dx: usize, dW: usize, db: usize, dout: usize, x: usize, W: usize, workspace: usize, n: usize, I: usize, O: usize,
): void {
  const row = O << 2;
  const i = firstOf(I, BLOCK);
  const own = endOf(I, BLOCK) - i;
  const at = i << 2;
  const transposed = workspace + (i + BLOCK * ownPart()) * row;
  const stride = (own << 2) + PADDING;
  transpose(transposed, stride, W + i * row, row, own, O);
  matmul(dx + at, I << 2, 0, dout, row, transposed, stride, n, own, O);
  if (n * I > LARGE || !(I & 511)) {
    // The columns are packed where others may still read their part of Wᵀ.
    meet();
    packedOuter(dW + i * row, x + at, dout, workspace + ((ownPart() * BLOCK * n) << 2), n, I, own, O);
  } else matmulTransposed(dW + i * row, row, x + at, I << 2, dout, row, own, O, n);
  const j = firstOf(O, 4);
  sumRows(db + (j << 2), dout + (j << 2), row, n, endOf(O, 4) - j);
}

/** Columns per thread from which the threads share columns in the forward pass. */
const COLUMNS: usize = 32;
/** Bytes of padding after each row of Wᵀ: without it, rows of 4 KiB would evict each other from the cache. */
const PADDING: usize = 64;
/** The columns of x are packed if x has more floats than this; always if a row is a multiple of 2 KiB, because such rows share cache lines. */
const LARGE: usize = 65_536;
/** Columns that are packed together, and that a thread gets at least: one cache line. */
const BLOCK: usize = 16;

/**
 * dW [own,O] = xᵀ dout for `own` columns of x, one block of them at a time, copied to be contiguous. Read in place, each entry would cost a cache
 * line, and rows a power of two apart would evict each other.
 */
function packedOuter(dW: usize, x: usize, dout: usize, packed: usize, n: usize, I: usize, own: usize, O: usize): void {
  for (let i: usize = 0; i < own; i += BLOCK) {
    const width = min(BLOCK, own - i);
    for (let k: usize = 0; k < n; k++) copyRow(packed + ((k * width) << 2), x + ((k * I + i) << 2), width);
    matmulTransposed(dW + ((i * O) << 2), O << 2, packed, width << 2, dout, O << 2, width, O, n);
  }
}
