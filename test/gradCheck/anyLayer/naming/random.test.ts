import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nameOf, plain, sum } from '../../../support/plainLayers.js';

type Matrix = (i: number, j: number) => number;

/** y = M sin(x) with any matrix, and any matrix in the place of its transpose in the backward pass. */
function mixing(matrix: Matrix, backward: (matrix: Matrix) => Matrix, added: (dout: number) => number = () => 0) {
  return plain({
    sizes: { d: [3, 4] },
    shapes: { x: ({ d }) => [d] },
    forward: ({ x }) => x.map((_, i) => sum(x.map((value, j) => matrix(i, j) * Math.sin(value)))),
    backward: (dout, { x }) => ({
      x: x.map((value, j) => Math.cos(value) * sum(dout.map((g, i) => backward(matrix)(i, j) * g)) + added(dout[j])),
    }),
  });
}

/** Entries between 0.5 and 2, of either sign: none can be mistaken for another one. */
const matrices = fc.array(fc.tuple(fc.integer({ min: 500, max: 2000 }), fc.boolean()), { minLength: 16, maxLength: 16 }).map(
  (entries): Matrix =>
    (i, j) => {
      const [size, isNegative] = entries[4 * i + j];
      return ((isNegative ? -1 : 1) * (size + 13 * i + 7 * j)) / 1000;
    },
);

describe('any matrix', () => {
  const planted: [string | null, (matrix: Matrix) => Matrix, ((dout: number) => number)?][] = [
    ['constant-factor', (m) => (i, j) => 3 * m(i, j)],
    ['cross-terms', (m) => (i, j) => (i === j ? m(i, j) : 0)],
    ['diagonal-wrong', (m) => (i, j) => (i === j ? 2.3 * m(i, j) + 1 + i : m(i, j))],
    ['dout-added', (m) => m, (dout) => dout],
    [null, (m) => (i, j) => m(i, j) * (1 + 0.2 * Math.sin(5 * i + 3 * j + 1))],
    [null, (m) => (i, j) => m(i, (j * 2 + 1) % 3) + 0.1],
  ];

  it('gets the name of the mistake that is planted in it, or none', async () => {
    await fc.assert(
      fc.asyncProperty(matrices, fc.constantFrom(...planted), async (matrix, [id, backward, added]) => {
        expect((await nameOf(mixing(matrix, backward, added)))?.id ?? null).toBe(id);
      }),
      { numRuns: 15 },
    );
  });
});
