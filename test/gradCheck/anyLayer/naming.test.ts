import { describe, expect, it } from 'vitest';
import { defineLayer, type Layer } from '../../../src/gradcheck.js';
import { activation, nameOf, plain, rowsOf, type Sizes, sigmoid, sum } from '../../support/plainLayers.js';

describe('constant factors', () => {
  /** The sum of squares over n·d, and a factor of its gradient. */
  const meanSquare = (factor: (sizes: Sizes) => number) =>
    plain({
      sizes: { n: [2, 4], d: [3, 5] },
      shapes: { x: ({ n, d }) => [n, d] },
      forward: ({ x }) => Float64Array.of(sum(x.map((value) => value * value)) / x.length),
      backward: (dout, { x }, sizes) => ({ x: x.map((value) => (dout[0] * factor(sizes) * 2 * value) / x.length) }),
    });
  it.each<[string, (sizes: Sizes) => number]>([
    ['-1', () => -1],
    ['2', () => 2],
    ['1/2', () => 0.5],
    ['1/3', () => 1 / 3],
    ['0.9', () => 0.9],
    ['n', ({ n }) => n],
    ['1/n', ({ n }) => 1 / n],
    ['√d', ({ d }) => Math.sqrt(d)],
    ['1/√d', ({ d }) => 1 / Math.sqrt(d)],
    ['n/(n-1)', ({ n }) => n / (n - 1)],
    ['(n-1)/n', ({ n }) => (n - 1) / n],
    ['n·d', ({ n, d }) => n * d],
    ['1/(n·d)', ({ n, d }) => 1 / (n * d)],
    ['n/d', ({ n, d }) => n / d],
    ['-1/n', ({ n }) => -1 / n],
    ['2/n', ({ n }) => 2 / n],
  ])('says %s', async (text, factor) => {
    const written = text === '0.9' ? '9/10' : text;
    expect(await nameOf(meanSquare(factor))).toMatchObject({
      id: 'constant-factor',
      factor: written,
      text: `yours is ${written} times the right gradient`,
    });
  });

  it('says nothing of a factor that differs from draw to draw', async () => {
    const layer = activation(Math.sin, (x) => Math.cos(x) * (1 + 0.1 * Math.sin(7 * x + 1)));
    expect(await nameOf(layer)).toBeNull();
  });
});

describe('a factor that is an input', () => {
  /** Number(scale)·sin(x) for some power of the scale that is forgotten or there twice. */
  const scaled = (power: number, constant: number) =>
    defineLayer({
      sizes: { d: [3, 4] },
      inputs: ({ d }, draw) => ({ x: draw.normal(d), scale: draw.positive(), p: constant }),
      forward: ({ x, scale, p }) => x.data.map((value) => (scale * Math.sin(value)) / (1 - p)),
      backward: (dout, { x, scale, p }) => ({
        x: x.data.map((value, i) => (dout[i] * scale ** power * Math.cos(value)) / (power === 1 ? 1 : 1 - p)),
        scale: x.data.reduce((sum, value, i) => sum + (dout[i] * Math.sin(value)) / (1 - p), 0),
      }),
      constant: ['p'],
    });
  it.each<[string, string, number, number]>([
    ['missing-factor', 'scale', 0, 0],
    ['extra-factor', 'scale', 2, 0],
    ['constant-factor', '(1-p)', 1, 0.3],
  ])('%s: %s', async (id, factor, power, constant) => {
    expect(await nameOf(scaled(power, constant))).toMatchObject({ id, factor });
  });
});

describe('dout', () => {
  it.each<[string, Layer]>([
    ['zero-everywhere', activation(Math.sin, () => 0)],
    ['dout-passed-on', activation(Math.sin, () => 1)],
    ['dout-added', activation(Math.sin, (x) => Math.cos(x) + 1)],
    ['dout-missing', activation((x) => x + Math.sin(x), Math.cos)],
    ['dout-unused', activation(Math.sin, (x, _, dout) => Math.cos(x) / dout)],
    ['dout-changed', activation(Math.sin, (x, _, dout) => (Math.cos(x) * Math.abs(dout)) / dout)],
  ])('%s', async (id, layer) => {
    expect(await nameOf(layer)).toMatchObject({ id });
  });

  it('passed on by a large layer, of which a sample of entries is compared', async () => {
    const layer = plain({
      sizes: { d: [2000] },
      shapes: { x: ({ d }) => [d] },
      forward: ({ x }) => x.map(Math.sin),
      backward: (dout) => ({ x: dout }),
    });
    expect(await nameOf(layer)).toMatchObject({ id: 'dout-passed-on' });
  });

  it('passed on at zeros only has no name', async () => {
    const layer = activation(Math.sin, (x, _, dout) => (x === 0 ? 2 + Math.abs(dout) : Math.cos(x)));
    expect(await nameOf(layer)).toBeNull();
  });

  it('added with a factor is said with it', async () => {
    expect(await nameOf(activation(Math.sin, (x) => Math.cos(x) + 0.37))).toMatchObject({ id: 'dout-added', factor: '0.37' });
  });

  it('passed on twice is said with its factor', async () => {
    expect(await nameOf(activation(Math.sin, () => 2))).toMatchObject({ id: 'dout-passed-on', factor: '2' });
  });
});

describe('activations', () => {
  it.each<[string, string | null, Layer]>([
    ['tanh at the output', 'derivative-at-output', activation(Math.tanh, (_, y) => 1 - Math.tanh(y) ** 2)],
    ['tanh, formula of the output at the input', 'derivative-at-input', activation(Math.tanh, (x) => 1 - x * x)],
    ['sigmoid, formula of the output at the input', 'derivative-at-input', activation(sigmoid, (x) => x * (1 - x))],
    ['tanh without its square', 'missing-factor', activation(Math.tanh, (_, y) => 1 - y)],
    ['sigmoid with a factor too many', 'extra-factor', activation(sigmoid, (_, y) => y * y * (1 - y))],
    ['tanh, slope applied twice', 'extra-factor', activation(Math.tanh, (_, y) => (1 - y * y) ** 2)],
    [
      'softplus, slope of tanh',
      null,
      activation(
        (x) => Math.log(1 + Math.exp(x)),
        (x) => 1 - Math.tanh(x) ** 2,
      ),
    ],
    [
      'swish without its second term',
      null,
      activation(
        (x) => x * sigmoid(x),
        (x) => sigmoid(x),
      ),
    ],
    [
      'leaky ReLU with the wrong slope below 0',
      null,
      activation(
        (x) => (x > 0 ? x : 0.1 * x),
        (x) => (x > 0 ? 1 : 0.01),
      ),
    ],
    ['sine with a sign', 'constant-factor', activation(Math.sin, (x) => -Math.cos(x))],
    [
      'square root of 1 + x², not over the output',
      'extra-factor',
      activation(
        (x) => Math.sqrt(1 + x * x),
        (x) => x,
      ),
    ],
  ])('%s: %s', async (_, id, layer) => {
    expect((await nameOf(layer))?.id ?? null).toBe(id);
  });
});

describe('softmax over rows', () => {
  type Slope = (p: Float64Array, dout: Float64Array, j: number) => number;
  const softmax = (slope: Slope) => {
    const forward = (x: Float64Array, d: number) =>
      Float64Array.from(
        rowsOf(x, d).flatMap((row) => {
          const counts = row.map(Math.exp);
          return Array.from(counts, (count) => count / sum(counts));
        }),
      );
    return plain({
      shapes: { x: ({ n, d }) => [n, d] },
      forward: ({ x }, { d }) => forward(x, d),
      backward: (dout, { x }, { d }) => {
        const y = rowsOf(forward(x, d), d);
        const douts = rowsOf(dout, d);
        return { x: Float64Array.from(y.flatMap((p, i) => Array.from(p, (_, j) => slope(p, douts[i], j)))) };
      },
    });
  };
  const dot = (a: Float64Array, b: Float64Array) => sum(a.map((value, i) => value * b[i]));
  it.each<[string, string | null, Slope]>([
    ['right on the diagonal only', 'cross-terms', (p, dout, j) => dout[j] * p[j] * (1 - p[j])],
    ['the diagonal is p(1 + p)', 'diagonal-wrong', (p, dout, j) => p[j] * (dout[j] - dot(p, dout)) + 2 * dout[j] * p[j] * p[j]],
    ['the factor p is missing', 'missing-factor', (p, dout, j) => dout[j] - dot(p, dout)],
    ['the sign of the sum', null, (p, dout, j) => p[j] * (dout[j] + dot(p, dout))],
    ['the sum is missing', null, (p, dout, j) => p[j] * dout[j]],
  ])('%s: %s', async (_, id, slope) => {
    expect((await nameOf(softmax(slope)))?.id ?? null).toBe(id);
  });
});

describe('a dense layer', () => {
  type Parts = { dout: Float64Array; x: Float64Array; w: Float64Array; n: number; d: number; h: number };
  const dense = (wrong: Partial<Record<'x' | 'w' | 'b', (parts: Parts) => Float64Array>>, sizes = { n: [1, 2, 3], d: [3, 4], h: [2, 5] }) =>
    plain({
      sizes,
      shapes: { x: ({ n, d }) => [n, d], w: ({ d, h = d }) => [d, h], b: ({ d, h = d }) => [h] },
      forward: ({ x, w, b }, { n, d, h = d }) =>
        Float64Array.from(
          { length: n * h },
          (_, o) => b[o % h] + sum(Array.from({ length: d }, (__, k) => x[Math.floor(o / h) * d + k] * w[k * h + (o % h)])),
        ),
      backward: (dout, { x, w }, { n, d, h = d }) => {
        const parts = { dout, x, w, n, d, h };
        const right = {
          x: x.map((_, i) => sum(Array.from({ length: h }, (__, j) => dout[Math.floor(i / d) * h + j] * w[(i % d) * h + j]))),
          w: w.map((_, i) => sum(Array.from({ length: n }, (__, r) => dout[r * h + (i % h)] * x[r * d + Math.floor(i / h)]))),
          b: Float64Array.from({ length: h }, (_, j) => sum(Array.from({ length: n }, (__, r) => dout[r * h + j]))),
        };
        return { ...right, ...Object.fromEntries(Object.entries(wrong).map(([name, f]) => [name, f(parts)])) };
      },
    });
  const square = { n: [1, 2, 3], d: [3, 4] };

  it('multiplies by the weights where their transpose belongs', async () => {
    const layer = dense(
      {
        x: ({ dout, w, n, d }) =>
          Float64Array.from({ length: n * d }, (_, i) =>
            sum(Array.from({ length: d }, (__, j) => dout[Math.floor(i / d) * d + j] * w[j * d + (i % d)])),
          ),
      },
      square as never,
    );
    expect(await nameOf(layer)).toMatchObject({ id: 'jacobian-for-transpose' });
  });

  it('sums nothing for the bias: the first or the last row', async () => {
    const first = dense({ b: ({ dout, h }) => dout.slice(0, h) });
    const last = dense({ b: ({ dout, h }) => dout.slice(-h) });
    expect(await nameOf(first, 'b')).toMatchObject({ id: 'sum-missing', axis: 'n' });
    expect(await nameOf(last, 'b')).toMatchObject({ id: 'sum-missing', axis: 'n' });
  });

  it('returns dout for the bias', async () => {
    expect(await nameOf(dense({ b: ({ dout }) => dout.slice() }), 'b')).toMatchObject({ id: 'sum-missing', axis: 'n' });
  });

  it('takes the mean where the sum belongs', async () => {
    const layer = dense({
      b: ({ dout, n, h }) => Float64Array.from({ length: h }, (_, j) => sum(Array.from({ length: n }, (__, r) => dout[r * h + j])) / n),
    });
    expect(await nameOf(layer, 'b')).toMatchObject({ id: 'constant-factor', factor: '1/n' });
  });

  it('forgets x in the gradient of the weights', async () => {
    const layer = dense({ w: ({ dout, w, n, h }) => w.map((_, i) => sum(Array.from({ length: n }, (__, r) => dout[r * h + (i % h)]))) });
    expect(await nameOf(layer, 'w')).toMatchObject({ id: 'missing-factor' });
  });

  it('uses the first example only for the weights', async () => {
    const layer = dense({ w: ({ dout, x, w, h }) => w.map((_, i) => dout[i % h] * x[Math.floor(i / h)]) });
    expect(await nameOf(layer, 'w')).toMatchObject({ id: 'first-example-only', axis: 'n' });
  });

  it('writes the gradient of the weights transposed', async () => {
    const layer = dense({
      w: ({ dout, x, w, n, d, h }) =>
        w.map((_, i) => sum(Array.from({ length: n }, (__, r) => dout[r * h + Math.floor(i / d)] * x[r * d + (i % d)]))),
    });
    expect(await nameOf(layer, 'w')).toMatchObject({ id: 'misplaced' });
  });
});

describe('a row divided by its length, with a gain', () => {
  /** y = gain·x/|x|; dx = (g - x̂(x̂·g))/|x| with g = gain·dout inside, or the gain outside. */
  const layer = plain({
    shapes: { x: ({ n, d }) => [n, d], gain: ({ d }) => [d] },
    gains: ['gain'],
    forward: ({ x, gain }, { d }) => {
      const lengths = rowsOf(x, d).map((row) => Math.sqrt(sum(row.map((value) => value * value)) + 1e-6));
      return x.map((value, i) => (gain[i % d] * value) / lengths[Math.floor(i / d)]);
    },
    backward: (dout, { x, gain }, { d }) => {
      const rows = rowsOf(x, d);
      const lengths = rows.map((row) => Math.sqrt(sum(row.map((value) => value * value)) + 1e-6));
      const dots = rowsOf(dout, d).map((row, i) => sum(row.map((value, j) => (value * rows[i][j]) / lengths[i])));
      const at = (i: number) => Math.floor(i / d);
      return {
        x: x.map((value, i) => (gain[i % d] * (dout[i] - (value / lengths[at(i)]) * dots[at(i)])) / lengths[at(i)]),
        gain: gain.map((_, j) => sum(rows.map((row, i) => (dout[i * d + j] * row[j]) / lengths[i]))),
      };
    },
  });

  it('names the gain that is multiplied outside the sums', async () => {
    const mistake = await nameOf(layer);
    expect(mistake).toMatchObject({ id: 'jacobian-for-transpose', input: 'gain' });
    expect(mistake?.text).toMatch(/^gain is multiplied outside the sums/);
  });
});

describe('a layer in training and in evaluation', () => {
  it('gets the name of a mistake that is in training only', async () => {
    const layer = defineLayer({
      sizes: { d: [5, 6] },
      inputs: ({ d }, draw) => ({ x: draw.normal(d) }),
      forward: ({ x }, { train, random }) => x.data.map((value) => (train ? value * (0.5 + random()) : value)),
      backward: (dout) => ({ x: dout }),
      train: [true, false],
    });
    expect(await nameOf(layer)).toMatchObject({ id: 'dout-passed-on', text: 'in training, you pass dout on unchanged' });
  });
});
