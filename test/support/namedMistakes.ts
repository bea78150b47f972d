/** Small layers, each with the mistake that its key names: the sentences in docs/any-layer.md are theirs. */

import type { Draw } from '../../src/gradCheck/anyLayer/layer.js';
import { defineLayer, fromActivation, type Layer, type MistakeId } from '../../src/gradcheck.js';

type Vector = Float64Array;

const sum = (values: Vector) => values.reduce((total, value) => total + value, 0);

/** An entry-by-entry function of 8 numbers x, with dx from dout, x and y. */
function entrywise(f: (x: number) => number, dx: (dout: number, x: number, y: number) => number): Layer {
  return defineLayer({
    inputs: (_, draw) => ({ x: draw.normal(8).data }),
    forward: ({ x }) => x.map(f),
    backward: (dout, { x }, { outputs }) => ({ x: dout.map((d, k) => dx(d, x[k], outputs[k])) }),
  });
}

/** y = gain · x + bias in each of n rows, with a wrong gradient in the place of a right one. */
function affine(wrong: (dout: Vector, inputs: { x: Vector; gain: Vector }, d: number) => object): Layer {
  return defineLayer({
    sizes: { n: [2, 3, 4], d: [3, 5] },
    inputs: ({ n, d }, draw) => ({ x: draw.normal(n, d).data, gain: draw.near(1, d).data, bias: draw.normal(d).data }),
    forward: ({ x, gain, bias }, { sizes: { d } }) => x.map((value, k) => gain[k % d] * value + bias[k % d]),
    backward: (dout, inputs, { sizes: { d } }) => {
      const { x, gain } = inputs;
      const dgain = new Float64Array(d);
      const dbias = new Float64Array(d);
      for (const [k, value] of dout.entries()) {
        dgain[k % d] += value * x[k];
        dbias[k % d] += value;
      }
      return { x: dout.map((value, k) => gain[k % d] * value), gain: dgain, bias: dbias, ...wrong(dout, inputs, d) };
    },
  });
}

/** Softmax of one row, with dx from dout and the probabilities. */
function softmax(dx: (dout: Vector, y: Vector) => Vector): Layer {
  return defineLayer({
    sizes: { d: [3, 4, 5] },
    inputs: ({ d }, draw) => ({ x: draw.normal(d).data }),
    forward: ({ x }) => {
      const counts = x.map((value) => Math.exp(value - Math.max(...x)));
      return counts.map((count) => count / sum(counts));
    },
    backward: (dout, _, { outputs }) => ({ x: dx(dout, outputs) }),
  });
}

/** y[k] = w · x[k], along an axis with the given letter. */
function shared(letter: string, dw: (dout: Vector, x: Vector) => number): Layer {
  return defineLayer({
    sizes: { [letter]: [3, 4, 5] },
    inputs: (sizes: Record<string, number>, draw: Draw) => ({ x: draw.normal(sizes[letter]).data, w: draw.normal() }),
    forward: ({ x, w }) => x.map((value) => Math.sin(w * value)),
    backward: (dout, { x, w }) => {
      const inner = dout.map((value, k) => value * Math.cos(w * x[k]));
      return { x: inner.map((value) => value * w), w: dw(inner, x) };
    },
  });
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

export const NAMED_MISTAKES: Readonly<Record<MistakeId, Layer>> = {
  'constant-factor': defineLayer({
    sizes: { d: [2, 3, 5] },
    inputs: ({ d }, draw) => ({ x: draw.normal(d).data }),
    forward: ({ x }) => sum(x.map((value) => value * value)) / x.length,
    backward: (dout, { x }) => ({ x: x.map((value) => 2 * value * dout) }),
  }),
  'zero-everywhere': affine((_, __, d) => ({ bias: new Float64Array(d) })),
  'input-unused': defineLayer({
    sizes: { n: [2, 3], d: [4, 5] },
    inputs: ({ n, d }, draw) => ({ x: draw.normal(n, d).data, bias: draw.normal(d).data }),
    forward: ({ x }) => x.map((value) => value * value),
    backward: (dout, { x, bias }) => ({
      x: dout.map((value, k) => 2 * value * x[k]),
      bias: bias.map((_, j) => sum(dout.filter((__, k) => k % bias.length === j))),
    }),
  }),
  'dout-added': entrywise(Math.tanh, (dout, _, y) => dout * (1 - y * y) + dout),
  'dout-passed-on': affine((dout) => ({ x: dout })),
  'dout-unused': entrywise(Math.tanh, (_, __, y) => 1 - y * y),
  'dout-missing': entrywise(
    (x) => x + Math.sin(x),
    (dout, x) => dout * Math.cos(x),
  ),
  'dout-changed': entrywise(Math.exp, (dout, _, y) => Math.max(-1, Math.min(1, dout)) * y),
  'jacobian-for-transpose': defineLayer({
    sizes: { d: [2, 3, 4] },
    inputs: ({ d }, draw) => ({ x: draw.normal(d, 1), w: draw.normal(d, d) }),
    forward: ({ x, w }) => w.matmul(x),
    backward: (dout, { x, w }) => ({ x: w.matmul(dout), w: dout.matmul(x.T) }),
  }),
  'derivative-at-output': fromActivation((x) => Math.log1p(Math.exp(x)), sigmoid, { of: 'output' }),
  'derivative-at-input': fromActivation(Math.tanh, (x) => 1 - x * x, { of: 'input' }),
  'extra-factor': entrywise(
    (x) => x / (1 + Math.abs(x)),
    (dout, x) => (dout * x) / (1 + Math.abs(x)) ** 2,
  ),
  'missing-factor': entrywise(
    (x) => Math.exp(-x * x),
    (dout, _, y) => dout * -2 * y,
  ),
  'other-value': defineLayer({
    inputs: (_, draw) => ({ a: draw.normal(4).data, b: draw.normal(4).data, p: draw.near(0.3, 4).data }),
    forward: ({ a, b, p }) => a.map((value, k) => p[k] * value + (1 - p[k]) * b[k]),
    backward: (dout, { a, b, p }) => ({
      a: dout.map((d, k) => (1 - p[k]) * d),
      b: dout.map((d, k) => (1 - p[k]) * d),
      p: dout.map((d, k) => d * (a[k] - b[k])),
    }),
  }),
  'cross-terms': softmax((dout, y) => dout.map((d, k) => d * y[k] * (1 - y[k]))),
  'diagonal-wrong': softmax((dout, y) => y.map((p) => -p * sum(dout.map((d, k) => d * y[k])))),
  'first-step-only': shared('steps', (inner, x) => inner[0] * x[0]),
  'last-step-only': shared('steps', (inner, x) => inner[x.length - 1] * x[x.length - 1]),
  'first-example-only': shared('n', (inner, x) => inner[0] * x[0]),
  'border-only': defineLayer({
    sizes: { length: [5, 6, 7] },
    inputs: ({ length }, draw) => ({ x: draw.normal(length).data }),
    forward: ({ x }) => x.map((value, k) => 2 * value + (x[k - 1] ?? 0) ** 2 + (x[k + 1] ?? 0)),
    backward: (dout, { x }) => ({
      x: x.map((value, k) => (k % (x.length - 1) === 0 ? 0 : 2 * dout[k] + 2 * value * dout[k + 1] + dout[k - 1])),
    }),
  }),
  'repeated-rows': defineLayer({
    sizes: { words: [4, 5], width: [2, 3] },
    inputs: ({ words, width }, draw) => ({ table: draw.normal(words, width), ids: draw.index(6, words) }),
    forward: ({ table, ids }, { sizes: { width } }) =>
      Float64Array.from({ length: 6 * width }, (_, k) => table.data[ids[Math.floor(k / width)] * width + (k % width)]),
    backward: (dout, { table, ids }, { sizes: { width } }) => {
      const dtable = new Float64Array(table.size);
      for (const [k, id] of ids.entries()) dtable.set(dout.subarray(k * width, (k + 1) * width), id * width);
      return { table: dtable };
    },
  }),
  misplaced: defineLayer({
    sizes: { n: [2], i: [3, 4], o: [5] },
    inputs: ({ n, i, o }, draw) => ({ x: draw.normal(n, i), w: draw.normal(i, o) }),
    forward: ({ x, w }) => x.matmul(w),
    backward: (dout, { x, w }) => ({ x: dout.matmul(w.T), w: dout.T.matmul(x).data }),
  }),
  'sum-missing': affine((dout) => ({ bias: dout })),
  'right-only-at-gain-1': defineLayer({
    sizes: { d: [3, 4, 5] },
    inputs: ({ d }, draw) => ({ x: draw.normal(d).data, gain: draw.near(1) }),
    forward: ({ x, gain }) => x.map((value) => (gain * value) / Math.hypot(...x)),
    backward: (dout, { x, gain }) => {
      const length = Math.hypot(...x);
      const inner = sum(dout.map((d, k) => d * x[k]));
      return { x: dout.map((d, k) => (gain * d) / length - (x[k] * inner) / length ** 3), gain: inner / length };
    },
  }),
  missing: affine(() => ({ bias: undefined })),
  'unknown-name': affine((_, { gain }) => ({ gain: undefined, dgain: gain })),
  'wrong-shape': affine(() => ({ gain: [1, 2] })),
  'not-a-gradient': affine(() => ({ gain: '1, 2, 3' })),
  'not-finite': entrywise(Math.abs, (dout, x, y) => (dout * x) / y),
};
