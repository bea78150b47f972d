import { describe, expect, it } from 'vitest';
import { defineLayer } from '../../../../src/gradcheck.js';
import { nameOf, plain, sigmoid, sum } from '../../../support/plainLayers.js';

/** y = tanh(x w), whose derivative is written in terms of the output. */
function dense(slope: (y: number) => number) {
  return plain({
    sizes: { n: [1, 3], d: [2, 4] },
    shapes: { x: ({ n, d }) => [n, d], w: ({ d }) => [d, 3] },
    forward: ({ x, w }, { n, d }) =>
      Float64Array.from({ length: 3 * n }, (_, o) =>
        Math.tanh(sum(Array.from({ length: d }, (__, k) => x[Math.floor(o / 3) * d + k] * w[3 * k + (o % 3)]))),
      ),
    backward: (dout, { x, w }, { n, d }, { outputs }) => {
      const g = dout.map((value, o) => value * slope(outputs[o]));
      return {
        x: x.map((_, i) => sum([0, 1, 2].map((j) => g[Math.floor(i / d) * 3 + j] * w[3 * (i % d) + j]))),
        w: w.map((_, i) => sum(Array.from({ length: n }, (__, r) => g[3 * r + (i % 3)] * x[r * d + Math.floor(i / 3)]))),
      };
    },
  });
}

describe('a factor of dout, inside the sums', () => {
  it.each<[string, string | null, (y: number) => number]>([
    ['no slope', 'missing-factor', () => 1],
    ['the slope twice', 'extra-factor', (y) => (1 - y * y) ** 2],
    ['a factor y', 'extra-factor', (y) => y * (1 - y * y)],
    ['1 - y', 'missing-factor', (y) => 1 - y],
    ['the slope at the output', 'derivative-at-output', (y) => 1 - Math.tanh(y) ** 2],
    ['the formula of the output, with the input', 'derivative-at-input', (y) => 1 - Math.atanh(y) ** 2],
    ['another slope', null, (y) => 1 - y ** 4],
  ])('%s: %s', async (_, id, slope) => {
    const layer = dense(slope);
    expect([(await nameOf(layer, 'x'))?.id ?? null, (await nameOf(layer, 'w'))?.id ?? null]).toEqual([id, id]);
  });
});

describe('a gate', () => {
  it('whose derivative is missing', async () => {
    const layer = plain({
      shapes: { a: ({ n, d }) => [n, d], b: ({ n, d }) => [n, d] },
      forward: ({ a, b }) => a.map((value, i) => value * sigmoid(b[i])),
      backward: (dout, { a, b }) => ({
        a: dout.map((value, i) => value * sigmoid(b[i])),
        b: dout.map((value, i) => value * a[i] * sigmoid(b[i])),
      }),
    });
    expect(await nameOf(layer, 'b')).toMatchObject({ id: 'missing-factor', factor: '(1 - sigmoid(b))' });
  });
});

describe('an input that is 0 at every draw', () => {
  it('is no missing factor', async () => {
    const layer = defineLayer({
      sizes: { d: [3, 4] },
      inputs: ({ d }, draw) => ({ x: draw.normal(d), start: new Float64Array(d) }),
      forward: ({ x, start }) => x.data.map((value, i) => Math.sin(value) + start[i]),
      backward: (dout, { x }) => ({ x: x.data.map((value, i) => dout[i] * (Math.cos(value) + 0.1 * Math.cos(5 * value))), start: dout }),
    });
    expect(await nameOf(layer)).toBeNull();
  });
});
