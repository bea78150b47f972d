import { defineLayer } from '../../../../src/gradcheck.js';
import type { Expectation } from './expectation.js';

const EPSILON = 1e-5;

type Floats = Float32Array | Float64Array;

interface Normalised {
  /** x̂, the input without mean and scale */
  xhat: Float64Array;
  /** 1 / σ of each row */
  inv: Float64Array;
}

/** Rows of `width` values, each brought to mean 0 and variance 1. */
function normaliseRows(x: Floats, width: number): Normalised {
  const rows = x.length / width;
  const xhat = new Float64Array(x.length);
  const inv = new Float64Array(rows);
  for (let r = 0; r < rows; r++) {
    const row = x.subarray(r * width, (r + 1) * width);
    let mean = 0;
    for (const v of row) mean += v / width;
    let variance = 0;
    for (const v of row) variance += (v - mean) ** 2 / width;
    inv[r] = 1 / Math.sqrt(variance + EPSILON);
    for (let j = 0; j < width; j++) xhat[r * width + j] = (row[j] - mean) * inv[r];
  }
  return { xhat, inv };
}

/** inv · (g - mean(g) - x̂ · mean(g · x̂)), row by row. */
function rowsBackward(g: Floats, { xhat, inv }: Normalised, width: number): Float64Array {
  const dx = new Float64Array(g.length);
  for (let r = 0; r < inv.length; r++) {
    let sum = 0;
    let dot = 0;
    for (let j = r * width; j < (r + 1) * width; j++) {
      sum += g[j];
      dot += g[j] * xhat[j];
    }
    for (let j = r * width; j < (r + 1) * width; j++) dx[j] = inv[r] * (g[j] - sum / width - (xhat[j] * dot) / width);
  }
  return dx;
}

/** The sums over rows of dout · x̂ and of dout. */
function gainAndBias(dout: Floats, xhat: Floats, width: number) {
  const gain = new Float64Array(width);
  const bias = new Float64Array(width);
  for (let i = 0; i < dout.length; i++) {
    gain[i % width] += dout[i] * xhat[i];
    bias[i % width] += dout[i];
  }
  return { gain, bias };
}

export const layerNorm = defineLayer({
  sizes: { n: [1, 2, 3], d: [3, 5] },
  inputs: ({ n, d }, draw) => ({ x: draw.normal(n, d).data, gain: draw.near(1, d).data, bias: draw.normal(d).data }),
  forward: ({ x, gain, bias }, context) => {
    const rows = normaliseRows(x, gain.length);
    context.saved.rows = rows;
    return rows.xhat.map((v, i) => v * gain[i % gain.length] + bias[i % gain.length]);
  },
  backward: (dout, { gain }, context) => {
    const d = gain.length;
    const rows = context.saved.rows as Normalised;
    const dxhat = dout.map((g, i) => g * gain[i % d]);
    return { x: rowsBackward(dxhat, rows, d), ...gainAndBias(dout, rows.xhat, d) };
  },
  batch: { letter: 'n', inputs: ['x'] },
});

export const layerNormGainOutside = defineLayer({
  sizes: { n: [1, 2, 3], d: [3, 5] },
  inputs: ({ n, d }, draw) => ({ x: draw.normal(n, d).data, gain: draw.near(1, d).data, bias: draw.normal(d).data }),
  forward: ({ x, gain, bias }, context) => {
    const rows = normaliseRows(x, gain.length);
    context.saved.rows = rows;
    return rows.xhat.map((v, i) => v * gain[i % gain.length] + bias[i % gain.length]);
  },
  backward: (dout, { gain }, context) => {
    const d = gain.length;
    const rows = context.saved.rows as Normalised;
    const dx = rowsBackward(dout, rows, d).map((v, i) => v * gain[i % d]);
    return { x: dx, ...gainAndBias(dout, rows.xhat, d) };
  },
});

/** The share of the mean is left out of the gradient. */
export const layerNormMeanTermMissing = defineLayer({
  sizes: { n: [1, 2], d: [3, 5] },
  inputs: ({ n, d }, draw) => ({ x: draw.normal(n, d).data, gain: draw.near(1, d).data }),
  forward: ({ x, gain }, context) => {
    const rows = normaliseRows(x, gain.length);
    context.saved.rows = rows;
    return rows.xhat.map((v, i) => v * gain[i % gain.length]);
  },
  backward: (dout, { gain }, context) => {
    const d = gain.length;
    const { xhat, inv } = context.saved.rows as Normalised;
    const dx = new Float64Array(dout.length);
    for (let r = 0; r < inv.length; r++) {
      let dot = 0;
      for (let j = 0; j < d; j++) dot += dout[r * d + j] * gain[j] * xhat[r * d + j];
      for (let j = 0; j < d; j++) dx[r * d + j] = inv[r] * (dout[r * d + j] * gain[j] - (xhat[r * d + j] * dot) / d);
    }
    return { x: dx, gain: gainAndBias(dout, xhat, d).gain };
  },
});

/** The gradient of the gain multiplies by the input, before normalisation. */
export const layerNormGainFromRawInput = defineLayer({
  sizes: { n: [1, 3], d: [4] },
  inputs: ({ n, d }, draw) => ({ x: draw.normal(n, d).data, gain: draw.near(1, d).data }),
  forward: ({ x, gain }, context) => {
    const rows = normaliseRows(x, gain.length);
    context.saved.rows = rows;
    return rows.xhat.map((v, i) => v * gain[i % gain.length]);
  },
  backward: (dout, { x, gain }, context) => {
    const d = gain.length;
    const dx = rowsBackward(
      dout.map((g, i) => g * gain[i % d]),
      context.saved.rows as Normalised,
      d,
    );
    return { x: dx, gain: gainAndBias(dout, x, d).gain };
  },
});

interface BatchNormSaved {
  xhat: number[][];
  inv: number[];
}

/** Columns with the statistics of the batch, or with the running ones. */
function batchNormForward(x: number[][], statistics: { mean: number[]; variance: number[] }): BatchNormSaved {
  const inv = statistics.variance.map((v) => 1 / Math.sqrt(v + EPSILON));
  return { xhat: x.map((row) => row.map((v, c) => (v - statistics.mean[c]) * inv[c])), inv };
}

function columnStatistics(x: number[][], divisor: number): { mean: number[]; variance: number[] } {
  const mean = x[0].map((_, c) => x.reduce((sum, row) => sum + row[c], 0) / x.length);
  const variance = mean.map((m, c) => x.reduce((sum, row) => sum + (row[c] - m) ** 2, 0) / divisor);
  return { mean, variance };
}

function columnSums(a: number[][], b?: number[][]): number[] {
  return a[0].map((_, c) => a.reduce((sum, row, i) => sum + row[c] * (b ? b[i][c] : 1), 0));
}

/** The gradient through the statistics of the batch. */
function batchNormTrainingBackward(dout: number[][], gain: number[], { xhat, inv }: BatchNormSaved): number[][] {
  const n = dout.length;
  const sum = columnSums(dout);
  const dot = columnSums(dout, xhat);
  return dout.map((row, i) => row.map((g, c) => (gain[c] * inv[c] * (n * g - sum[c] - xhat[i][c] * dot[c])) / n));
}

export const batchNorm = defineLayer({
  sizes: { n: [1, 2, 4], channels: [2, 3] },
  inputs: ({ n, channels }, draw) => ({
    x: draw.normal(n, channels).toArray() as number[][],
    gain: draw.near(1, channels).toArray() as number[],
    bias: draw.normal(channels).toArray() as number[],
    runningMean: draw.normal(channels).toArray() as number[],
    runningVariance: draw.positive(channels).toArray() as number[],
  }),
  forward: ({ x, gain, bias, runningMean, runningVariance }, context) => {
    const statistics = context.train ? columnStatistics(x, x.length) : { mean: runningMean, variance: runningVariance };
    const saved = batchNormForward(x, statistics);
    context.saved.batchNorm = saved;
    return saved.xhat.map((row) => row.map((v, c) => v * gain[c] + bias[c]));
  },
  backward: (dout, { gain }, context) => {
    const saved = context.saved.batchNorm as BatchNormSaved;
    const dx = context.train
      ? batchNormTrainingBackward(dout, gain, saved)
      : dout.map((row) => row.map((g, c) => g * gain[c] * saved.inv[c]));
    return { x: dx, gain: columnSums(dout, saved.xhat), bias: columnSums(dout) };
  },
  train: [true, false],
  constant: ['runningMean', 'runningVariance'],
});

/** In evaluation the statistics are constants; the backward pass does not know. */
export const batchNormEvaluationAsTraining = defineLayer({
  sizes: { n: [2, 4], channels: [3] },
  inputs: ({ n, channels }, draw) => ({
    x: draw.normal(n, channels).toArray() as number[][],
    gain: draw.near(1, channels).toArray() as number[],
    runningMean: draw.normal(channels).toArray() as number[],
    runningVariance: draw.positive(channels).toArray() as number[],
  }),
  forward: ({ x, gain, runningMean, runningVariance }, context) => {
    const statistics = context.train ? columnStatistics(x, x.length) : { mean: runningMean, variance: runningVariance };
    const saved = batchNormForward(x, statistics);
    context.saved.batchNorm = saved;
    return saved.xhat.map((row) => row.map((v, c) => v * gain[c]));
  },
  backward: (dout, { gain }, context) => {
    const saved = context.saved.batchNorm as BatchNormSaved;
    return { x: batchNormTrainingBackward(dout, gain, saved), gain: columnSums(dout, saved.xhat) };
  },
  train: [true, false],
  constant: ['runningMean', 'runningVariance'],
});

/** Forward divides the variance by n - 1, the gradient is that of a variance divided by n. */
export const batchNormUnbiasedForwardOnly = defineLayer({
  sizes: { n: [2, 3, 5], channels: [2, 4] },
  inputs: ({ n, channels }, draw) => ({
    x: draw.normal(n, channels).toArray() as number[][],
    gain: draw.near(1, channels).toArray() as number[],
  }),
  forward: ({ x, gain }, context) => {
    const saved = batchNormForward(x, columnStatistics(x, x.length - 1));
    context.saved.batchNorm = saved;
    return saved.xhat.map((row) => row.map((v, c) => v * gain[c]));
  },
  backward: (dout, { gain }, context) => {
    const saved = context.saved.batchNorm as BatchNormSaved;
    return { x: batchNormTrainingBackward(dout, gain, saved), gain: columnSums(dout, saved.xhat) };
  },
});

/** Groups of channels of x[n][channels][length]; gain and bias belong to channels. */
export const groupNorm = defineLayer({
  sizes: { n: [1, 2], groups: [1, 2], length: [3] },
  inputs: ({ n, groups, length }, draw) => ({
    x: Float32Array.from(draw.normal(n, 2 * groups, length).data),
    gain: Float32Array.from(draw.near(1, 2 * groups).data),
    bias: Float32Array.from(draw.normal(2 * groups).data),
  }),
  forward: ({ x, gain, bias }, context) => {
    const { length } = context.sizes;
    const rows = normaliseRows(x, 2 * length);
    context.saved.rows = rows;
    return Float32Array.from(rows.xhat, (v, i) => {
      const channel = Math.floor(i / length) % gain.length;
      return v * gain[channel] + bias[channel];
    });
  },
  backward: (dout, { gain, bias }, context) => {
    const { length } = context.sizes;
    const rows = context.saved.rows as Normalised;
    const dgain = new Float32Array(gain.length);
    const dbias = new Float32Array(bias.length);
    const dxhat = new Float32Array(dout.length);
    for (let i = 0; i < dout.length; i++) {
      const channel = Math.floor(i / length) % gain.length;
      dgain[channel] += dout[i] * rows.xhat[i];
      dbias[channel] += dout[i];
      dxhat[i] = dout[i] * gain[channel];
    }
    return { x: rowsBackward(dxhat, rows, 2 * length), gain: dgain, bias: dbias };
  },
});

/** The sums for the gain start anew with each example. */
export const groupNormGainOfLastExample = defineLayer({
  sizes: { n: [1, 3], channels: [2], length: [4] },
  inputs: ({ n, channels, length }, draw) => ({
    x: draw.normal(n, channels, length).data,
    gain: draw.near(1, channels).data,
  }),
  forward: ({ x, gain }, context) => {
    const { length } = context.sizes;
    const rows = normaliseRows(x, gain.length * length);
    context.saved.rows = rows;
    return rows.xhat.map((v, i) => v * gain[Math.floor(i / length) % gain.length]);
  },
  backward: (dout, { gain }, context) => {
    const { n, length } = context.sizes;
    const rows = context.saved.rows as Normalised;
    const dxhat = dout.map((g, i) => g * gain[Math.floor(i / length) % gain.length]);
    const dgain = new Float64Array(gain.length);
    for (let b = 0; b < n; b++) {
      for (let c = 0; c < gain.length; c++) {
        let sum = 0;
        const start = (b * gain.length + c) * length;
        for (let t = start; t < start + length; t++) sum += dout[t] * rows.xhat[t];
        dgain[c] = sum;
      }
    }
    return { x: rowsBackward(dxhat, rows, gain.length * length), gain: dgain };
  },
});

/** Means over one channel of one example; backward divides by the values of all channels. */
export const instanceNormCountOfAllChannels = defineLayer({
  sizes: { channels: [1, 2, 3], length: [4] },
  inputs: ({ channels, length }, draw) => ({ x: draw.normal(channels, length).data }),
  forward: ({ x }, context) => {
    const rows = normaliseRows(x, context.sizes.length);
    context.saved.rows = rows;
    return rows.xhat.slice();
  },
  backward: (dout, { x }, context) => {
    const { length } = context.sizes;
    const { xhat, inv } = context.saved.rows as Normalised;
    const count = x.length;
    const dx = new Float64Array(count);
    for (let c = 0; c < inv.length; c++) {
      let sum = 0;
      let dot = 0;
      for (let t = c * length; t < (c + 1) * length; t++) {
        sum += dout[t];
        dot += dout[t] * xhat[t];
      }
      for (let t = c * length; t < (c + 1) * length; t++) dx[t] = inv[c] * (dout[t] - (sum + xhat[t] * dot) / count);
    }
    return { x: dx };
  },
});

type Shaped = { data: Float64Array; shape: number[] };

/** 1 / √(mean of squares + ε) of each row. */
function inverseRms(x: Shaped): number[] {
  const [n, d] = x.shape;
  return Array.from({ length: n }, (_, r) => {
    const squares = x.data.subarray(r * d, (r + 1) * d).reduce((sum, v) => sum + v * v, 0);
    return 1 / Math.sqrt(squares / d + EPSILON);
  });
}

function rmsNormForward(x: Shaped, gain: Float64Array): Shaped {
  const inv = inverseRms(x);
  const d = x.shape[1];
  return { data: x.data.map((v, i) => v * inv[Math.floor(i / d)] * gain[i % d]), shape: [...x.shape] };
}

/** `count` is what the projection on x is divided by. */
function rmsNormBackward(dout: Shaped, x: Shaped, gain: Float64Array, count: number) {
  const [n, d] = x.shape;
  const inv = inverseRms(x);
  const dx = new Float64Array(n * d);
  const dgain = new Float64Array(d);
  for (let r = 0; r < n; r++) {
    let dot = 0;
    for (let j = 0; j < d; j++) {
      dot += dout.data[r * d + j] * gain[j] * x.data[r * d + j];
      dgain[j] += dout.data[r * d + j] * x.data[r * d + j] * inv[r];
    }
    for (let j = 0; j < d; j++) {
      dx[r * d + j] = inv[r] * (dout.data[r * d + j] * gain[j] - (x.data[r * d + j] * inv[r] ** 2 * dot) / count);
    }
  }
  return { x: { data: dx, shape: [n, d] }, gain: dgain };
}

export const rmsNorm = defineLayer({
  sizes: { n: [1, 2], d: [1, 4] },
  inputs: ({ n, d }, draw) => ({ x: { data: draw.normal(n, d).data, shape: [n, d] }, gain: draw.near(1, d).data }),
  forward: ({ x, gain }) => rmsNormForward(x, gain),
  backward: (dout, { x, gain }) => rmsNormBackward(dout, x, gain, gain.length),
  batch: { letter: 'n', inputs: ['x'] },
});

/** Right where a row has one value. */
export const rmsNormCountForgotten = defineLayer({
  sizes: { n: [2, 3], d: [1, 4] },
  inputs: ({ n, d }, draw) => ({ x: { data: draw.normal(n, d).data, shape: [n, d] }, gain: draw.near(1, d).data }),
  forward: ({ x, gain }) => rmsNormForward(x, gain),
  backward: (dout, { x, gain }) => rmsNormBackward(dout, x, gain, 1),
});

/** The gain is left out of the gradient of x. */
export const rmsNormGainForgotten = defineLayer({
  sizes: { n: [1, 2], d: [3, 4] },
  inputs: ({ n, d }, draw) => ({ x: { data: draw.normal(n, d).data, shape: [n, d] }, gain: draw.near(1, d).data }),
  forward: ({ x, gain }) => rmsNormForward(x, gain),
  backward: (dout, { x, gain }) => ({
    x: rmsNormBackward(
      dout,
      x,
      gain.map(() => 1),
      gain.length,
    ).x,
    gain: rmsNormBackward(dout, x, gain, gain.length).gain,
  }),
});

const norm = (row: number[]) => Math.sqrt(row.reduce((sum, v) => sum + v * v, 0));

/** w = gain · v / |v|, row by row. */
export const weightNorm = defineLayer({
  sizes: { rows: [1, 3], d: [2, 4] },
  inputs: ({ rows, d }, draw) => ({
    v: draw.normal(rows, d).toArray() as number[][],
    gain: draw.near(1, rows).toArray() as number[],
  }),
  forward: ({ v, gain }) => v.map((row, r) => row.map((value) => (gain[r] * value) / norm(row))),
  backward: (dout, { v, gain }) => {
    const dots = v.map((row, r) => row.reduce((sum, value, j) => sum + value * dout[r][j], 0));
    return {
      v: v.map((row, r) => row.map((value, j) => (gain[r] / norm(row)) * (dout[r][j] - (value * dots[r]) / norm(row) ** 2))),
      gain: v.map((row, r) => dots[r] / norm(row)),
    };
  },
});

/** The gradient inside the projection has lost the gain. */
export const weightNormGainInOneTermOnly = defineLayer({
  sizes: { rows: [1, 3], d: [2, 4] },
  inputs: ({ rows, d }, draw) => ({
    v: draw.normal(rows, d).toArray() as number[][],
    gain: draw.near(1, rows).toArray() as number[],
  }),
  forward: ({ v, gain }) => v.map((row, r) => row.map((value) => (gain[r] * value) / norm(row))),
  backward: (dout, { v, gain }) => {
    const dv = v.map((row, r) => {
      const length = norm(row);
      const dot = row.reduce((sum, value, j) => sum + value * dout[r][j], 0);
      return row.map((value, j) => (gain[r] * dout[r][j]) / length - (value * dot) / length ** 3);
    });
    return { v: dv, gain: v.map((row, r) => row.reduce((sum, value, j) => sum + (value * dout[r][j]) / norm(row), 0)) };
  },
});

const softNorm = (row: number[]) => Math.sqrt(row.reduce((sum, v) => sum + v * v, EPSILON));

export const l2Normalise = defineLayer({
  sizes: { n: [1, 2, 3], d: [2, 4] },
  inputs: ({ n, d }, draw) => ({ x: draw.normal(n, d).toArray() as number[][] }),
  forward: ({ x }) => x.map((row) => row.map((v) => v / softNorm(row))),
  backward: (dout, { x }) => {
    const dx = x.map((row, r) => {
      const length = softNorm(row);
      const dot = row.reduce((sum, v, j) => sum + v * dout[r][j], 0);
      return row.map((v, j) => dout[r][j] / length - (v * dot) / length ** 3);
    });
    return { x: dx };
  },
  batch: { letter: 'n', inputs: ['x'] },
});

/** The length is kept in one variable; backward finds that of the last row in it. */
export const l2NormaliseStaleLength = defineLayer({
  sizes: { n: [1, 2, 3], d: [4] },
  inputs: ({ n, d }, draw) => ({ x: draw.normal(n, d).toArray() as number[][] }),
  forward: ({ x }, context) =>
    x.map((row) => {
      const length = softNorm(row);
      context.saved.length = length;
      return row.map((v) => v / length);
    }),
  backward: (dout, { x }, context) => {
    const length = context.saved.length as number;
    const dx = x.map((row, r) => {
      const dot = row.reduce((sum, v, j) => sum + v * dout[r][j], 0);
      return row.map((v, j) => dout[r][j] / length - (v * dot) / length ** 3);
    });
    return { x: dx };
  },
});

const ALPHA = 0.3;
const BETA = 0.75;

/** 2 + α · the squares of this channel and its two neighbours. */
function responseScale(x: number[], channel: number): number {
  let sum = 2;
  for (let c = Math.max(0, channel - 1); c <= Math.min(x.length - 1, channel + 1); c++) sum += ALPHA * x[c] ** 2;
  return sum;
}

export const localResponseNorm = defineLayer({
  sizes: { depth: [1, 2, 5] },
  inputs: ({ depth }, draw) => ({ x: draw.normal(depth).toArray() as number[] }),
  forward: ({ x }) => x.map((v, c) => v * responseScale(x, c) ** -BETA),
  backward: (dout, { x }) => {
    const scales = x.map((_, c) => responseScale(x, c));
    const dx = x.map((_, c) => dout[c] * scales[c] ** -BETA);
    for (let c = 0; c < x.length; c++) {
      const shared = -2 * ALPHA * BETA * dout[c] * x[c] * scales[c] ** (-BETA - 1);
      for (let k = Math.max(0, c - 1); k <= Math.min(x.length - 1, c + 1); k++) dx[k] += shared * x[k];
    }
    return { x: dx };
  },
});

/** Right at depth 1: the neighbours that share a sum get nothing of it. */
export const localResponseNormDepthOneOnly = defineLayer({
  sizes: { depth: [1, 2, 5] },
  inputs: ({ depth }, draw) => ({ x: draw.normal(depth).toArray() as number[] }),
  forward: ({ x }) => x.map((v, c) => v * responseScale(x, c) ** -BETA),
  backward: (dout, { x }) => {
    const dx = x.map((v, c) => {
      const scale = responseScale(x, c);
      return dout[c] * (scale ** -BETA - 2 * ALPHA * BETA * v * v * scale ** (-BETA - 1));
    });
    return { x: dx };
  },
});

export const EXPECTED: Record<string, Expectation> = {
  layerNorm: 'right',
  layerNormGainOutside: {
    input: 'x',
    ids: ['jacobian-for-transpose', 'right-only-at-gain-1'],
    why: 'the gain stands outside the sums',
  },
  layerNormMeanTermMissing: { input: 'x', ids: [], why: 'the mean of the gradient is not taken away' },
  layerNormGainFromRawInput: { input: 'gain', ids: [], why: 'x stands where x̂ belongs' },
  batchNorm: 'right',
  batchNormEvaluationAsTraining: { input: 'x', ids: [], why: 'evaluation has constant statistics, the gradient those of the batch' },
  batchNormUnbiasedForwardOnly: { input: 'x', ids: [], why: 'the variance is divided by n - 1, its gradient by n' },
  groupNorm: 'right',
  groupNormGainOfLastExample: { input: 'gain', ids: ['sum-missing'], why: 'each example overwrites the sum of the one before' },
  instanceNormCountOfAllChannels: { input: 'x', ids: [], why: 'the means are divided by channels · length' },
  rmsNorm: 'right',
  rmsNormCountForgotten: { input: 'x', ids: [], why: 'the projection is not divided by d' },
  rmsNormGainForgotten: { input: 'x', ids: ['missing-factor', 'right-only-at-gain-1'], why: 'dout is not multiplied by the gain' },
  weightNorm: 'right',
  weightNormGainInOneTermOnly: { input: 'v', ids: ['right-only-at-gain-1'], why: 'the gain is missing in the second term' },
  l2Normalise: 'right',
  l2NormaliseStaleLength: { input: 'x', ids: ['last-step-only'], why: 'all rows take the length of the last one' },
  localResponseNorm: 'right',
  localResponseNormDepthOneOnly: { input: 'x', ids: ['cross-terms'], why: 'the terms between neighbours are missing' },
};
