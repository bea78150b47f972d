import { describe, expect, it } from 'vitest';
import { defineLayer, type Layer } from '../../../../src/gradcheck.js';
import { nameOf } from '../../../support/plainLayers.js';

/** y = x W, with the matrix as the layer's own container; `at` is the place in it that backward reads for W[i, j]. */
function product(isFlat: boolean, at: (i: number, j: number, rows: number, columns: number) => number): Layer {
  return defineLayer({
    sizes: { n: [1, 3], i: [4, 5], j: [2, 6] },
    inputs: ({ n, i, j }, draw) => ({ x: draw.normal(n, i).data, W: isFlat ? draw.normal(i * j).data : draw.normal(i, j) }),
    forward: ({ x, W }, { sizes: { n, i, j } }) => {
      const w = 'data' in W ? W.data : W;
      return Float64Array.from({ length: n * j }, (_, k) => {
        let total = 0;
        for (let row = 0; row < i; row++) total += x[Math.floor(k / j) * i + row] * w[row * j + (k % j)];
        return total;
      });
    },
    backward: (dout, { x, W }, { sizes: { i, j } }) => {
      const w = 'data' in W ? W.data : W;
      const dx = x.map((_, k) => {
        let total = 0;
        for (let column = 0; column < j; column++) total += dout[Math.floor(k / i) * j + column] * w[at(k % i, column, i, j)];
        return total;
      });
      const dW = w.map((_, k) => {
        let total = 0;
        for (let row = 0; row < x.length / i; row++) total += x[row * i + Math.floor(k / j)] * dout[row * j + (k % j)];
        return total;
      });
      return { x: dx, W: dW };
    },
  });
}

describe.each([
  ['with a shape', false],
  ['as a flat array', true],
])('a matrix %s', (_, isFlat) => {
  it('that is read in the order of its transpose is named so', async () => {
    expect(await nameOf(product(isFlat, (i, j, rows) => j * rows + i))).toMatchObject({
      id: 'other-value',
      text: 'you have W transposed where W belongs: yours is the right gradient for that',
    });
  });

  it('of which the next entry is read is not taken for a gain of 1', async () => {
    const next = product(isFlat, (i, j, rows, columns) => (i * columns + j + 1) % (rows * columns));
    expect((await nameOf(next))?.id).not.toBe('right-only-at-gain-1');
  });
});
