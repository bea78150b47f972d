import { describe, expect, it } from 'vitest';
import { nameOf, plain } from '../../../support/plainLayers.js';

/** sin(x) for x [n, h, w], whose gradient is off by some factors, one per entry. */
function offAt(factor: (row: number, column: number, sizes: Record<string, number>, example: number) => number) {
  return plain({
    sizes: { n: [1, 2, 3], h: [4, 5], w: [3, 6] },
    shapes: { x: ({ n, h, w }) => [n, h, w] },
    forward: ({ x }) => x.map(Math.sin),
    backward: (dout, { x }, sizes) => {
      const { h, w } = sizes;
      return {
        x: x.map((value, i) => dout[i] * Math.cos(value) * factor(Math.floor(i / w) % h, i % w, sizes, Math.floor(i / (h * w)))),
      };
    },
  });
}

const wrong = (row: number, column: number) => 1.3 + 0.2 * row + 0.11 * column;

describe('where yours is right', () => {
  it.each<[string, string | null, Parameters<typeof offAt>[0]]>([
    ['the interior', 'border-only', (i, j, { h, w }) => (i === 0 || j === 0 || i === h - 1 || j === w - 1 ? wrong(i, j) : 1)],
    ['all but the first row, which is no border', null, (i, j) => (i === 0 ? wrong(i, j) : 1)],
    ['all but the last column of each example', 'border-only', (i, j, { w }) => (j === w - 1 ? wrong(i, j) : 1)],
    ['the first example', 'first-example-only', (i, j, _, example) => (example === 0 ? 1 : wrong(i, j))],
    ['nowhere', null, wrong],
    ['every other entry', null, (i, j) => ((i + j) % 2 === 0 ? 1 : wrong(i, j))],
    ['the upper left half', null, (i, j) => (i + j < 3 ? 1 : wrong(i, j))],
  ])('%s: %s', async (_, id, factor) => {
    expect((await nameOf(offAt(factor)))?.id ?? null).toBe(id);
  });
});
