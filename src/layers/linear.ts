import type { FloatArray } from '../core/tensor.js';

// out [n,O]   x [n,I]   W [I,O]   b [O]

/** out = x W + b. Overwrites the rows of out from `from` to before `to`; by default all of them. */
export function linearForward(
  out: FloatArray,
  x: FloatArray,
  W: FloatArray,
  b: FloatArray,
  n: number,
  I: number,
  O: number,
  from = 0,
  to = n,
): void {
  for (let i = from; i < to; i++) {
    for (let o = 0; o < O; o++) {
      let sum = b[o];
      for (let k = 0; k < I; k++) sum += x[i * I + k] * W[k * O + o];
      out[i * O + o] = sum;
    }
  }
}

/** dx, dW and db from dout. Overwrites all three. */
export function linearBackward(
  dx: FloatArray,
  dW: FloatArray,
  db: FloatArray,
  dout: FloatArray,
  x: FloatArray,
  W: FloatArray,
  n: number,
  I: number,
  O: number,
): void {
  // out[i,o] = sum over k of x[i,k]·W[k,o] + b[o]: x[i,k] is multiplied by every W[k,o], so dx = dout Wᵀ
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < I; k++) {
      let sum = 0;
      for (let o = 0; o < O; o++) sum += dout[i * O + o] * W[k * O + o];
      dx[i * I + k] = sum;
    }
  }
  // W[k,o] is multiplied by x[i,k] of every example, so dW = xᵀ dout
  for (let k = 0; k < I; k++) {
    for (let o = 0; o < O; o++) {
      let sum = 0;
      for (let i = 0; i < n; i++) sum += x[i * I + k] * dout[i * O + o];
      dW[k * O + o] = sum;
    }
  }
  // b is broadcast over the batch, so db is the sum over the batch
  for (let o = 0; o < O; o++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += dout[i * O + o];
    db[o] = sum;
  }
}
