import { matmul } from './matmul';
import { sumRows } from './rows';
import { transpose } from './transpose';

// out [n,O]   x [n,I]   W [I,O]   b [O]   transposed: room for I·O floats

/** See layers/linear.ts. */
export function linearForward(out: usize, x: usize, W: usize, b: usize, n: usize, I: usize, O: usize): void {
  matmul(out, O << 2, b, x, I << 2, 4, W, O << 2, n, O, I);
}

/** See layers/linear.ts. dx = dout Wᵀ wants rows of Wᵀ: W is transposed first, 12 us in place of 23 by dot products. */
export function linearBackward(
  dx: usize,
  dW: usize,
  db: usize,
  dout: usize,
  x: usize,
  W: usize,
  transposed: usize,
  n: usize,
  I: usize,
  O: usize,
): void {
  transpose(transposed, W, I, O);
  matmul(dx, I << 2, 0, dout, O << 2, 4, transposed, I << 2, n, I, O);
  matmul(dW, O << 2, 0, x, 4, I << 2, dout, O << 2, I, O, n);
  sumRows(db, dout, n, O);
}
