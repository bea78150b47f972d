import { describe, expect, it } from 'vitest';
import { nameOf, plain, sum } from '../../../support/plainLayers.js';

/** An entry of x [n, d, k] times one of y, each times its own constant so that no two are alike. */
function product(arrange: (dx: Float64Array, dy: Float64Array, sizes: Record<string, number>) => { x: Float64Array; y: Float64Array }) {
  return plain({
    sizes: { n: [2, 3], d: [3, 4], k: [2, 5] },
    shapes: { x: ({ n, d, k }) => [n, d, k], y: ({ n, d, k }) => [n, d, k] },
    forward: ({ x, y }) => x.map((value, i) => Math.sin(value) * Math.exp(0.3 * y[i])),
    backward: (dout, { x, y }, sizes) =>
      arrange(
        x.map((value, i) => dout[i] * Math.cos(value) * Math.exp(0.3 * y[i])),
        x.map((value, i) => 0.3 * dout[i] * Math.sin(value) * Math.exp(0.3 * y[i])),
        sizes,
      ),
  });
}

describe('right numbers in other places', () => {
  const moved = (from: (i: number, sizes: Record<string, number>) => number) =>
    product((x, y, sizes) => ({ x: x.map((_, i) => x[from(i, sizes)]), y }));

  it.each<[string, (i: number, sizes: Record<string, number>) => number]>([
    ['reversed', (i, { n, d, k }) => n * d * k - 1 - i],
    ['reversed along k', (i, { k }) => i - (i % k) + k - 1 - (i % k)],
    ['shifted by one along k', (i, { k }) => i - (i % k) + ((i + 1) % k)],
    ['in the order n, k, d', (i, { d, k }) => i - (i % (d * k)) + (i % d) * k + (Math.floor(i / d) % k)],
  ])('%s', async (what, from) => {
    const mistake = await nameOf(moved(from));
    expect(mistake?.id).toBe('misplaced');
    expect(mistake?.text).toContain(what);
  });

  it('in an order that has no name', async () => {
    const mistake = await nameOf(moved((i, { n, d, k }) => (i * 2 + 1 + (i >= (n * d * k) / 2 ? -1 : 0)) % (n * d * k)));
    expect(mistake).toMatchObject({ id: 'misplaced', text: expect.stringContaining('another order') });
  });

  it('the gradients of two inputs are exchanged', async () => {
    expect(await nameOf(product((x, y) => ({ x: y, y: x })))).toMatchObject({ id: 'misplaced', input: 'y' });
  });

  it('the gradient of one input is returned for two', async () => {
    const mistake = await nameOf(
      product((x) => ({ x, y: x.slice() })),
      'y',
    );
    expect(mistake).toMatchObject({ id: 'misplaced', text: 'yours is the right gradient of x, not of y' });
  });
});

describe('values in the place of others', () => {
  /** gain·tanh(x) / (1 + gain²) over rows, with a bias. */
  const gated = (slope: (x: number, gain: number) => number) =>
    plain({
      shapes: { x: ({ n, d }) => [n, d], gain: ({ d }) => [d] },
      gains: ['gain'],
      forward: ({ x, gain }, { d }) => x.map((value, i) => Math.tanh(gain[i % d] * value)),
      backward: (dout, { x, gain }, { d }) => ({
        x: x.map((value, i) => dout[i] * slope(value, gain[i % d])),
        gain: gain.map((_, j) => sum(x.map((value, i) => (i % d === j ? dout[i] * value * (1 - Math.tanh(gain[j] * value) ** 2) : 0)))),
      }),
    });
  const square = (y: number) => 1 - y * y;

  it.each<[string, string | null, (x: number, gain: number) => number]>([
    ['without the gain', 'missing-factor', (x, gain) => square(Math.tanh(gain * x))],
    ['with the gain twice', 'extra-factor', (x, gain) => gain * gain * square(Math.tanh(gain * x))],
    ['with the gain of 1 everywhere', 'missing-factor', (x) => square(Math.tanh(x))],
    ['with -gain', 'constant-factor', (x, gain) => -gain * square(Math.tanh(gain * x))],
    ['with 1/gain', 'other-value', (x, gain) => square(Math.tanh(x / gain)) / gain],
    ['with 1 - gain', 'other-value', (x, gain) => (1 - gain) * square(Math.tanh((1 - gain) * x))],
    [
      'right only for a gain of 1',
      'right-only-at-gain-1',
      (x, gain) => gain * square(Math.tanh(x)) ** 1.5 * square(Math.tanh(gain * x)) ** -0.5,
    ],
    ['with a mistake for every gain', null, (x, gain) => gain * square(Math.tanh(gain * x)) + 0.1 * Math.sin(3 * x)],
  ])('%s', async (_, id, slope) => {
    expect((await nameOf(gated(slope)))?.id ?? null).toBe(id);
  });
});
