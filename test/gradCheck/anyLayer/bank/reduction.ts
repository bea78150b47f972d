import { defineLayer } from '../../../../src/gradcheck.js';
import type { Expectation } from './expectation.js';

type Matrix = number[][];

const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);

/** The mean over the rows, one per column. */
export const columnMean = defineLayer({
  sizes: { n: [1, 3], d: [2, 4] },
  inputs: ({ n, d }, draw) => ({ x: draw.normal(n, d).toArray() as Matrix }),
  forward: ({ x }) => x[0].map((_, j) => sum(x.map((row) => row[j])) / x.length),
  backward: (dout, { x }) => ({ x: x.map((row) => row.map((_, j) => dout[j] / x.length)) }),
});

/** Divides by the values of the whole matrix, not by the rows. */
export const columnMeanWrongCount = defineLayer({
  sizes: { n: [1, 3], d: [2, 4] },
  inputs: ({ n, d }, draw) => ({ x: draw.normal(n, d).toArray() as Matrix }),
  forward: ({ x }) => x[0].map((_, j) => sum(x.map((row) => row[j])) / x.length),
  backward: (dout, { x }) => ({ x: x.map((row) => row.map((_, j) => dout[j] / (x.length * row.length))) }),
});

/** Divides by the number of columns, which is right for a square matrix. */
export const columnMeanCountOfOtherAxis = defineLayer({
  sizes: { n: [2, 3], d: [4, 5] },
  inputs: ({ n, d }, draw) => ({ x: draw.normal(n, d) }),
  forward: ({ x }) => {
    const [n, d] = x.shape;
    const y = new Float32Array(d);
    for (let i = 0; i < n * d; i++) y[i % d] += x.data[i] / n;
    return y;
  },
  backward: (dout, { x }) => {
    const d = x.shape[1];
    return { x: Float64Array.from(x.data, (_, i) => dout[i % d] / d) };
  },
});

function variance(x: Float64Array, divisor: number): number {
  const mean = x.reduce((a, b) => a + b, 0) / x.length;
  return x.reduce((total, v) => total + (v - mean) ** 2, 0) / divisor;
}

/** The path through the mean needs no term: the deviations sum to zero. */
export const sampleVariance = defineLayer({
  sizes: { n: [2, 5] },
  inputs: ({ n }, draw) => ({ x: draw.normal(n).data }),
  forward: ({ x }) => variance(x, x.length - 1),
  backward: (dout, { x }) => {
    const mean = x.reduce((a, b) => a + b, 0) / x.length;
    return { x: x.map((v) => (2 * dout * (v - mean)) / (x.length - 1)) };
  },
});

export const sampleVarianceDividedByN = defineLayer({
  sizes: { n: [2, 3, 5] },
  inputs: ({ n }, draw) => ({ x: draw.normal(n).data }),
  forward: ({ x }) => variance(x, x.length - 1),
  backward: (dout, { x }) => {
    const mean = x.reduce((a, b) => a + b, 0) / x.length;
    return { x: x.map((v) => (2 * dout * (v - mean)) / x.length) };
  },
});

/** The mean is not taken away from x. */
export const varianceAroundZero = defineLayer({
  sizes: { n: [2, 4] },
  inputs: ({ n }, draw) => ({ x: draw.normal(n).data }),
  forward: ({ x }) => variance(x, x.length),
  backward: (dout, { x }) => ({ x: x.map((v) => (2 * dout * v) / x.length) }),
});

function rowLogSumExp(row: Float64Array): number {
  const top = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  return top + Math.log(row.reduce((total, v) => total + Math.exp(v - top), 0));
}

/** Takes the Tensor that was drawn, and gives a flat array. */
export const logSumExp = defineLayer({
  sizes: { n: [1, 2], d: [1, 4] },
  inputs: ({ n, d }, draw) => ({ x: draw.normal(n, d) }),
  forward: ({ x }) => {
    const [n, d] = x.shape;
    return Float64Array.from({ length: n }, (_, r) => rowLogSumExp(x.data.subarray(r * d, (r + 1) * d)));
  },
  backward: (dout, { x }, context) => {
    const y = context.outputs as Float64Array;
    const d = x.shape[1];
    return { x: x.data.map((v, i) => dout[Math.floor(i / d)] * Math.exp(v - y[Math.floor(i / d)])) };
  },
  batch: { letter: 'n', inputs: ['x'] },
});

/** Σ exp(x - top) is not divided by. */
export const logSumExpNotNormalised = defineLayer({
  sizes: { d: [2, 4] },
  inputs: ({ d }, draw) => ({ x: draw.normal(d).data }),
  forward: ({ x }) => rowLogSumExp(x),
  backward: (dout, { x }) => {
    const top = Math.max(...x);
    return { x: x.map((v) => dout * Math.exp(v - top)) };
  },
});

/** The softmax is returned whatever comes from above. */
export const logSumExpUpstreamIgnored = defineLayer({
  sizes: { d: [2, 5] },
  inputs: ({ d }, draw) => ({ x: draw.normal(d).data }),
  forward: ({ x }) => rowLogSumExp(x),
  backward: (_dout, { x }, context) => ({ x: x.map((v) => Math.exp(v - (context.outputs as number))) }),
});

const norm = (row: number[]) => Math.sqrt(sum(row.map((v) => v * v)));

/** The slope at a row of zeros is taken as zero. */
export const rowNorm = defineLayer({
  sizes: { n: [1, 3], d: [2, 4] },
  inputs: ({ n, d }, draw) => ({ x: draw.normal(n, d).toArray() as Matrix }),
  forward: ({ x }) => x.map(norm),
  backward: (dout, { x }) => ({
    x: x.map((row, r) => {
      const length = norm(row);
      return row.map((v) => (length > 0 ? (dout[r] * v) / length : 0));
    }),
  }),
});

/** The gradient of half the square of the norm. */
export const rowNormDivisionForgotten = defineLayer({
  sizes: { n: [1, 3], d: [2, 4] },
  inputs: ({ n, d }, draw) => ({ x: draw.normal(n, d).toArray() as Matrix }),
  forward: ({ x }) => x.map(norm),
  backward: (dout, { x }) => ({ x: x.map((row, r) => row.map((v) => dout[r] * v)) }),
});

/** The largest value of each row, and where it was found. */
export const rowMax = defineLayer({
  sizes: { n: [1, 3], d: [2, 5] },
  inputs: ({ n, d }, draw) => ({ x: draw.normal(n, d).toArray() as Matrix }),
  forward: async ({ x }) => {
    const places = Int32Array.from(x, (row) => row.indexOf(Math.max(...row)));
    return { values: x.map((row, r) => row[places[r]]), places };
  },
  backward: async (dout, { x }, context) => {
    const { places } = context.outputs as { places: Int32Array };
    return { x: x.map((row, r) => row.map((_, j) => (j === places[r] ? dout.values[r] : 0))) };
  },
});

/** max - min: the minimum gets the sign of the maximum. */
export const rangeMinimumSign = defineLayer({
  sizes: { d: [2, 5] },
  inputs: ({ d }, draw) => ({ x: draw.normal(d).toArray() as number[] }),
  forward: ({ x }) => Math.max(...x) - Math.min(...x),
  backward: (dout, { x }) => {
    const dx = x.map(() => 0);
    dx[x.indexOf(Math.max(...x))] += dout;
    dx[x.indexOf(Math.min(...x))] += dout;
    return { x: dx };
  },
});

/** The product of the others, without a division. */
export const product = defineLayer({
  sizes: { d: [1, 2, 4] },
  inputs: ({ d }, draw) => ({ x: draw.normal(d).toArray() as number[] }),
  forward: ({ x }) => x.reduce((a, b) => a * b, 1),
  backward: (dout, { x }) => ({ x: x.map((_, i) => x.reduce((p, v, j) => (j === i ? p : p * v), dout)) }),
});

/** The product of all stands for the product of the others. */
export const productOfAll = defineLayer({
  sizes: { d: [2, 4] },
  inputs: ({ d }, draw) => ({ x: draw.normal(d).toArray() as number[] }),
  forward: ({ x }) => x.reduce((a, b) => a * b, 1),
  backward: (dout, { x }) => {
    const all = x.reduce((a, b) => a * b, 1);
    return { x: x.map(() => dout * all) };
  },
});

/** x · scale, with one number for all. */
export const scaleByNumber = defineLayer({
  sizes: { n: [1, 4] },
  inputs: ({ n }, draw) => ({ x: draw.normal(n).toArray() as number[], scale: draw.normal() }),
  forward: ({ x, scale }) => x.map((v) => v * scale),
  backward: (dout, { x, scale }) => ({ x: dout.map((g) => g * scale), scale: sum(dout.map((g, i) => g * x[i])) }),
});

/** aᵢ + bⱼ for all pairs; b takes the gradient of the first row only. */
export const pairSumOfFirstRow = defineLayer({
  sizes: { n: [2, 3], m: [4] },
  inputs: ({ n, m }, draw) => ({ a: draw.normal(n).toArray() as number[], b: draw.normal(m).toArray() as number[] }),
  forward: ({ a, b }) => a.map((u) => b.map((v) => u + v)),
  backward: (dout) => ({ a: dout.map(sum), b: dout[0].slice() }),
});

export const EXPECTED: Record<string, Expectation> = {
  columnMean: 'right',
  columnMeanWrongCount: { input: 'x', ids: ['constant-factor'], why: 'divided by n · d instead of n' },
  columnMeanCountOfOtherAxis: { input: 'x', ids: ['constant-factor'], why: 'divided by d instead of n' },
  sampleVariance: 'right',
  sampleVarianceDividedByN: { input: 'x', ids: ['constant-factor'], why: 'divided by n instead of n - 1' },
  varianceAroundZero: { input: 'x', ids: [], why: 'x stands where x - mean belongs' },
  logSumExp: 'right',
  logSumExpNotNormalised: { input: 'x', ids: [], why: 'the exponentials are not divided by their sum' },
  logSumExpUpstreamIgnored: { input: 'x', ids: ['dout-unused'], why: 'the softmax is not multiplied by dout' },
  rowNorm: 'right',
  rowNormDivisionForgotten: { input: 'x', ids: ['extra-factor'], why: 'the norm y is not divided by' },
  rowMax: 'right',
  rangeMinimumSign: { input: 'x', ids: [], why: 'the minimum has the sign of the maximum' },
  product: 'right',
  productOfAll: { input: 'x', ids: ['extra-factor'], why: 'the own x is multiplied in' },
  scaleByNumber: 'right',
  pairSumOfFirstRow: { input: 'b', ids: ['sum-missing'], why: 'the rows of dout are not summed' },
};
