import { describe, expect, it } from 'vitest';
import { BACKENDS, floatsOf } from '../support/backends.js';

// x [2,3], W [3,2], b [2]
describe.each(BACKENDS)('linear on $name', ({ create }) => {
  const backend = create();
  const x = floatsOf(backend, [1, 2, 3, 4, 5, 6]);
  const W = floatsOf(backend, [1, 0, 0, 1, 2, -2]);

  it('computes out = x W + b', () => {
    const out = backend.floats(4);
    backend.linearForward(out, x, W, floatsOf(backend, [10, 20]), 2, 3, 2);
    expect([...out]).toEqual([17, 16, 26, 13]);
  });

  it('computes dx = dout Wᵀ, dW = xᵀ dout, and db = sum of dout over the batch', () => {
    const [dx, dW, db] = [6, 6, 2].map((size) => backend.floats(size));
    backend.linearBackward(dx, dW, db, floatsOf(backend, [1, 2, 3, 4]), x, W, 2, 3, 2);
    expect([...dx]).toEqual([1, 2, -2, 3, 4, -2]);
    expect([...dW]).toEqual([13, 18, 17, 24, 21, 30]);
    expect([...db]).toEqual([4, 6]);
  });
});
