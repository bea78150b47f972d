import { matmul, matmulTransposed } from './matmul';
import { PANEL, panelBytes, ROW } from './panels';
import { endOf, firstOf, ownPart, reportSums, rowsTogether, threads, waitForSums, waitForWholeSums } from './parts';
import { sumRows } from './rows';
import { transpose } from './transpose';

// out, dout [n,O]   x, dx [n,I]   W [I,O]   b [O]   workspace: with p threads, (I+16·p)·O floats
//
// A block's matrices are in panels; embeddings and logits, with their gradients, in rows.

/**
 * See layers/linear.ts. The threads share the columns of W, so that each reads a part of W and computes the columns that it normalises next. If there
 * are few, they share those of x, and add to the same sums in turn: see parts.ts. Then each thread returns when its share of the rows is whole.
 * @param turn the number of the sums
 */
export function linearForward(
  out: usize, x: usize, W: usize, b: usize, n: usize, I: usize, O: usize, from: usize, to: usize,
  outInPanels: bool, xInPanels: bool, turn: i32,
): void {
  const row = O << 2;
  const outs = rowStride(outInPanels, O);
  const outp = panelStride(outInPanels, n);
  const xs = rowStride(xInPanels, I);
  const xp = panelStride(xInPanels, n);
  const rows = to - from;
  out += from * outs;
  x += from * xs;
  if (outInPanels || O >= COLUMNS * threads()) {
    const j = firstOf(O, PANEL);
    const at = j << 2;
    matmul(out + j / PANEL * outp, outs, outp, b + at, 0, x, xs, xp, W + at, row, rows, endOf(O, PANEL) - j, I);
    reportSums(turn, 0);
    return;
  }
  const i = firstOf(I, PANEL);
  const own = endOf(I, PANEL) - i;
  x += i / PANEL * xp;
  const together = rowsTogether(rows);
  let groups = 0;
  for (let r: usize = 0; r < rows; r += together) {
    const sums = out + r * outs;
    waitForSums(turn, ++groups);
    matmul(sums, outs, outp, i ? sums : b, i ? outs : 0, x + r * xs, xs, xp, W + i * row, row, min(together, rows - r), O, own);
    reportSums(turn, groups);
  }
  waitForWholeSums(turn, ((endOf(rows, 2) + together - 1) / together) as i32);
}

/**
 * See layers/linear.ts. dx = dout Wᵀ needs rows of Wᵀ, so W is transposed first: 0.7 us of this function's 13 us at H 200. The threads share the
 * inputs: each computes columns of dx and rows of dW, from its own columns of Wᵀ.
 */
export function linearBackward(
  dx: usize, dW: usize, db: usize, dout: usize, x: usize, W: usize, workspace: usize, n: usize, I: usize, O: usize,
  doutInPanels: bool, xInPanels: bool,
): void {
  const row = O << 2;
  const douts = rowStride(doutInPanels, O);
  const doutp = panelStride(doutInPanels, n);
  const xs = rowStride(xInPanels, I);
  const xp = panelStride(xInPanels, n);
  const i = firstOf(I, PANEL);
  const own = endOf(I, PANEL) - i;
  const at = i / PANEL * xp;
  const transposed = workspace + (i + PANEL * ownPart()) * row;
  const stride = (own << 2) + PADDING;
  transpose(transposed, stride, W + i * row, row, own, O);
  matmul(dx + at, xs, xp, 0, 0, dout, douts, doutp, transposed, stride, n, own, O);
  matmulTransposed(dW + i * row, row, x + at, xs, xp, dout, douts, doutp, own, O, n);
  sumColumns(db, dout, douts, doutp, n, O);
}

/** Bytes from a row of a matrix to the next. */
// @ts-ignore: decorator
@inline
function rowStride(inPanels: bool, columns: usize): usize {
  return inPanels ? ROW : columns << 2;
}

/** Bytes from 16 columns of a matrix to the next 16. */
// @ts-ignore: decorator
@inline
function panelStride(inPanels: bool, n: usize): usize {
  return inPanels ? panelBytes(n) : ROW;
}

/** Columns per thread from which the threads share columns of an output in rows: with two threads, SUMMED_IN_TURN of backend/backend.ts. */
const COLUMNS: usize = 32;
/** Bytes of padding after each row of Wᵀ: without it, rows of 4 KiB would evict each other from the cache. */
const PADDING: usize = 64;

/** sums [N] of the columns of a [n,N], for this thread's share of the columns. */
function sumColumns(sums: usize, a: usize, as: usize, ap: usize, n: usize, N: usize): void {
  const unit: usize = ap == ROW ? 4 : PANEL;
  const end = endOf(N, unit);
  for (let j = firstOf(N, unit); j < end; ) {
    const next = min(end, (j + PANEL) & ~(PANEL - 1));
    sumRows(sums + (j << 2), a + j / PANEL * ap + ((j % PANEL) << 2), as, n, next - j);
    j = next;
  }
}
