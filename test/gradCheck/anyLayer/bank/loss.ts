import { defineLayer, fromLoss } from '../../../../src/gradcheck.js';
import type { Expectation } from './expectation.js';

type Matrix = number[][];

function softmax(row: ArrayLike<number>): number[] {
  const values = Array.from(row);
  const top = Math.max(...values);
  const e = values.map((v) => Math.exp(v - top));
  const total = e.reduce((a, b) => a + b, 0);
  return e.map((v) => v / total);
}

function logSumExp(row: number[]): number {
  const top = Math.max(...row);
  return top + Math.log(row.reduce((sum, v) => sum + Math.exp(v - top), 0));
}

interface Classified {
  logits: Matrix;
  labels: Int32Array;
}

const dot = (a: number[], b: number[]) => a.reduce((sum, v, i) => sum + v * b[i], 0);

function crossEntropy(logits: Matrix, labels: Int32Array): number {
  return logits.reduce((sum, row, i) => sum + logSumExp(row) - row[labels[i]], 0) / logits.length;
}

function softmaxMinusOneHot(row: number[], label: number): number[] {
  return softmax(row).map((p, c) => p - (c === label ? 1 : 0));
}

export const crossEntropyLoss = fromLoss(
  ({ logits, labels }: Classified) => ({
    loss: crossEntropy(logits, labels),
    gradients: { logits: logits.map((row, i) => softmaxMinusOneHot(row, labels[i]).map((g) => g / logits.length)) },
  }),
  {
    sizes: { n: [1, 3], classes: [2, 4] },
    inputs: ({ n, classes }, draw) => ({ logits: draw.normal(n, classes).toArray() as Matrix, labels: draw.index(n, classes) }),
  },
);

/** The loss is a mean over the batch, its gradient a sum. */
export const crossEntropyMeanForgotten = fromLoss(
  ({ logits, labels }: Classified) => ({
    loss: crossEntropy(logits, labels),
    gradients: { logits: logits.map((row, i) => softmaxMinusOneHot(row, labels[i])) },
  }),
  {
    sizes: { n: [1, 2, 4], classes: [3] },
    inputs: ({ n, classes }, draw) => ({ logits: draw.normal(n, classes).toArray() as Matrix, labels: draw.index(n, classes) }),
  },
);

/** Label smoothing of 0.1: the gradient still subtracts the hard label. */
export const crossEntropySmoothingForwardOnly = fromLoss(
  ({ logits, label }: { logits: Float64Array; label: Int32Array }) => {
    const soft = Array.from(logits, (_, c) => 0.1 / logits.length + (c === label[0] ? 0.9 : 0));
    const row = Array.from(logits);
    return { loss: logSumExp(row) - dot(soft, row), gradients: { logits: Float64Array.from(softmaxMinusOneHot(row, label[0])) } };
  },
  {
    sizes: { classes: [2, 5] },
    inputs: ({ classes }, draw) => ({ logits: draw.normal(classes).data, label: draw.integer(classes) }),
  },
);

/** max(z, 0) - z t + log(1 + e^-|z|) */
function bceWithLogits(z: number, t: number): number {
  return Math.max(z, 0) - z * t + Math.log1p(Math.exp(-Math.abs(z)));
}

interface BinaryTargets {
  logits: Float32Array;
  targets: Int32Array;
}

const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));

export const binaryCrossEntropy = fromLoss(
  ({ logits, targets }: BinaryTargets) => {
    let loss = 0;
    const dlogits = new Float32Array(logits.length);
    for (let i = 0; i < logits.length; i++) {
      loss += bceWithLogits(logits[i], targets[i]) / logits.length;
      dlogits[i] = (sigmoid(logits[i]) - targets[i]) / logits.length;
    }
    return { loss, gradients: { logits: dlogits } };
  },
  {
    sizes: { n: [1, 4] },
    inputs: ({ n }, draw) => ({ logits: Float32Array.from(draw.normal(n).data), targets: draw.index(n, 2) }),
  },
);

/** The slope of the sigmoid is multiplied in although it cancels. */
export const binaryCrossEntropySlopeTwice = fromLoss(
  ({ logits, targets }: BinaryTargets) => {
    let loss = 0;
    const dlogits = new Float32Array(logits.length);
    for (let i = 0; i < logits.length; i++) {
      const p = sigmoid(logits[i]);
      loss += bceWithLogits(logits[i], targets[i]);
      dlogits[i] = (p - targets[i]) * p * (1 - p);
    }
    return { loss, gradients: { logits: dlogits } };
  },
  {
    sizes: { n: [1, 4] },
    inputs: ({ n }, draw) => ({ logits: Float32Array.from(draw.normal(n).data), targets: draw.index(n, 2) }),
  },
);

interface Regression {
  prediction: Float64Array;
  target: Float64Array;
}

export const meanSquaredError = fromLoss(
  ({ prediction, target }: Regression) => {
    const difference = prediction.map((v, i) => v - target[i]);
    const scale = 2 / prediction.length;
    return {
      loss: difference.reduce((sum, v) => sum + v * v, 0) / prediction.length,
      gradients: { prediction: difference.map((v) => scale * v), target: difference.map((v) => -scale * v) },
    };
  },
  {
    sizes: { n: [1, 5] },
    inputs: ({ n }, draw) => ({ prediction: draw.normal(n).data, target: draw.normal(n).data }),
  },
);

export const meanSquaredErrorTwoForgotten = fromLoss(
  ({ prediction, target }: Regression) => {
    const n = prediction.length;
    return {
      loss: prediction.reduce((sum, v, i) => sum + (v - target[i]) ** 2, 0) / n,
      gradients: {
        prediction: prediction.map((v, i) => (v - target[i]) / n),
        target: target.map((t, i) => (2 * (t - prediction[i])) / n),
      },
    };
  },
  {
    sizes: { n: [1, 5] },
    inputs: ({ n }, draw) => ({ prediction: draw.normal(n).data, target: draw.normal(n).data }),
  },
);

const DELTA = 0.7;

function huber(r: number): number {
  return Math.abs(r) <= DELTA ? 0.5 * r * r : DELTA * (Math.abs(r) - 0.5 * DELTA);
}

/** One loss per entry, as reduction: 'none' gives it. */
export const huberLoss = defineLayer({
  sizes: { n: [1, 6] },
  inputs: ({ n }, draw) => ({ prediction: draw.normal(n).data, target: draw.normal(n).data }),
  forward: ({ prediction, target }) => prediction.map((v, i) => huber(v - target[i])),
  backward: (dout, { prediction, target }) => {
    const dprediction = prediction.map((v, i) => dout[i] * Math.min(Math.max(v - target[i], -DELTA), DELTA));
    return { prediction: dprediction, target: dprediction.map((g) => -g) };
  },
  batch: { letter: 'n', inputs: ['prediction', 'target'] },
});

/** In the linear part the slope is always positive. */
export const huberSignForgotten = defineLayer({
  sizes: { n: [4, 8] },
  inputs: ({ n }, draw) => ({ prediction: draw.normal(n).data, target: draw.normal(n).data }),
  forward: ({ prediction, target }) => prediction.map((v, i) => huber(v - target[i])),
  backward: (dout, { prediction, target }) => {
    const slopes = prediction.map((v, i) => (Math.abs(v - target[i]) <= DELTA ? v - target[i] : DELTA));
    return { prediction: slopes.map((s, i) => dout[i] * s) };
  },
  constant: ['target'],
});

interface Scored {
  scores: Matrix;
  labels: Int32Array;
}

/** Σ max(0, sⱼ - s_label + 1) over the other classes; the label loses one per violated margin, or one in all. */
function multiclassHinge(scores: Matrix, labels: Int32Array, countAll: boolean) {
  let loss = 0;
  const dscores = scores.map((row) => row.map(() => 0));
  scores.forEach((row, i) => {
    let violated = 0;
    row.forEach((s, c) => {
      const margin = s - row[labels[i]] + 1;
      if (c === labels[i] || margin <= 0) return;
      loss += margin;
      dscores[i][c] = 1;
      violated++;
    });
    dscores[i][labels[i]] = -(countAll ? violated : Math.min(violated, 1));
  });
  return { loss, gradients: { scores: dscores } };
}

export const hingeLoss = fromLoss(({ scores, labels }: Scored) => multiclassHinge(scores, labels, true), {
  sizes: { n: [1, 3], classes: [2, 5] },
  inputs: ({ n, classes }, draw) => ({ scores: draw.normal(n, classes).toArray() as Matrix, labels: draw.index(n, classes) }),
});

/** The label is moved once, however many margins are violated: right for two classes. */
export const hingeLabelOnce = fromLoss(({ scores, labels }: Scored) => multiclassHinge(scores, labels, false), {
  sizes: { n: [1, 3], classes: [2, 5] },
  inputs: ({ n, classes }, draw) => ({ scores: draw.normal(n, classes).toArray() as Matrix, labels: draw.index(n, classes) }),
});

/** Σ p (log p - q) for log-probabilities q = log softmax(x). */
export const klDivergence = defineLayer({
  sizes: { n: [1, 2], classes: [3, 4] },
  inputs: ({ n, classes }, draw) => ({
    x: draw.normal(n, classes).toArray() as Matrix,
    p: draw.positive(n, classes).toArray() as Matrix,
  }),
  forward: ({ x, p }) => x.map((row, i) => p[i].reduce((sum, v, c) => sum + v * (Math.log(v) - row[c] + logSumExp(row)), 0)),
  backward: (dout, { x, p }) => {
    const dx = x.map((row, i) => {
      const mass = p[i].reduce((a, b) => a + b, 0);
      return softmax(row).map((q, c) => dout[i] * (mass * q - p[i][c]));
    });
    const dp = p.map((row, i) => row.map((v, c) => dout[i] * (Math.log(v) + 1 - x[i][c] + logSumExp(x[i]))));
    return { x: dx, p: dp };
  },
});

/** The derivative of p log p is taken as log p. */
export const klTargetProductRule = defineLayer({
  sizes: { classes: [3, 4] },
  inputs: ({ classes }, draw) => ({ logQ: draw.normal(classes).data, p: draw.positive(classes).data }),
  forward: ({ logQ, p }) => p.reduce((sum, v, c) => sum + v * (Math.log(v) - logQ[c]), 0),
  backward: (dout, { logQ, p }) => ({ logQ: p.map((v) => -dout * v), p: p.map((v, c) => dout * (Math.log(v) - logQ[c])) }),
});

/** The target is a real input, but only the logits get a gradient. */
export const softTargetGradientMissing = defineLayer({
  sizes: { classes: [2, 4] },
  inputs: ({ classes }, draw) => ({ logits: draw.normal(classes).data, target: draw.positive(classes).data }),
  forward: ({ logits, target }) => {
    const total = logSumExp(Array.from(logits));
    return { loss: logits.reduce((sum, v, c) => sum + target[c] * (total - v), 0) };
  },
  backward: (dout, { logits, target }) => {
    const mass = target.reduce((a, b) => a + b, 0);
    const p = softmax(logits);
    return { logits: target.map((t, c) => dout.loss * (mass * p[c] - t)) };
  },
});

/** Weighted negative log-likelihood, one per example. */
export const weightedNll = defineLayer({
  sizes: { n: [1, 4], classes: [3, 5] },
  inputs: ({ n, classes }, draw) => ({
    logProbs: draw.normal(n, classes).toArray() as Matrix,
    weights: draw.positive(classes).toArray() as number[],
    labels: draw.index(n, classes),
  }),
  forward: ({ logProbs, weights, labels }) => logProbs.map((row, i) => -weights[labels[i]] * row[labels[i]]),
  backward: (dout, { logProbs, weights, labels }) => {
    const dlogProbs = logProbs.map((row) => row.map(() => 0));
    const dweights = weights.map(() => 0);
    logProbs.forEach((row, i) => {
      dlogProbs[i][labels[i]] = -weights[labels[i]] * dout[i];
      dweights[labels[i]] -= row[labels[i]] * dout[i];
    });
    return { logProbs: dlogProbs, weights: dweights };
  },
});

/** Starts the gradient at 1, whatever comes from above. */
export const nllUpstreamIgnored = defineLayer({
  sizes: { n: [1, 3], classes: [4] },
  inputs: ({ n, classes }, draw) => ({ logProbs: draw.normal(n, classes).toArray() as Matrix, labels: draw.index(n, classes) }),
  forward: ({ logProbs, labels }) => logProbs.reduce((sum, row, i) => sum - row[labels[i]], 0) / logProbs.length,
  backward: (_dout, { logProbs, labels }) => ({
    logProbs: logProbs.map((row, i) => row.map((_, c) => (c === labels[i] ? -1 / logProbs.length : 0))),
  }),
});

const MARGIN = 3;

function squaredDistance(a: number[], b: number[]): number {
  return a.reduce((sum, v, i) => sum + (v - b[i]) ** 2, 0);
}

interface Triplet {
  anchor: number[];
  positive: number[];
  negative: number[];
}

function tripletForward({ anchor, positive, negative }: Triplet): number {
  return Math.max(0, squaredDistance(anchor, positive) - squaredDistance(anchor, negative) + MARGIN);
}

export const tripletLoss = defineLayer({
  sizes: { d: [1, 3] },
  inputs: ({ d }, draw): Triplet => ({
    anchor: draw.normal(d).toArray() as number[],
    positive: draw.normal(d).toArray() as number[],
    negative: draw.normal(d).toArray() as number[],
  }),
  forward: (inputs) => tripletForward(inputs),
  backward: (dout, inputs) => {
    const { anchor, positive, negative } = inputs;
    const g = tripletForward(inputs) > 0 ? 2 * dout : 0;
    return {
      anchor: anchor.map((_, i) => g * (negative[i] - positive[i])),
      positive: anchor.map((v, i) => g * (positive[i] - v)),
      negative: anchor.map((v, i) => g * (v - negative[i])),
    };
  },
});

export const tripletNegativePulled = defineLayer({
  sizes: { d: [2, 3] },
  inputs: ({ d }, draw): Triplet => ({
    anchor: draw.normal(d).toArray() as number[],
    positive: draw.normal(d).toArray() as number[],
    negative: draw.normal(d).toArray() as number[],
  }),
  forward: (inputs) => tripletForward(inputs),
  backward: (dout, inputs) => {
    const { anchor, positive, negative } = inputs;
    const g = tripletForward(inputs) > 0 ? 2 * dout : 0;
    return {
      anchor: anchor.map((_, i) => g * (negative[i] - positive[i])),
      positive: anchor.map((v, i) => g * (positive[i] - v)),
      negative: anchor.map((v, i) => g * (negative[i] - v)),
    };
  },
});

const length = (a: number[]) => Math.sqrt(dot(a, a) + 1e-8);

/** 1 - cos(a, b) for each pair of rows. */
export const cosineLoss = defineLayer({
  sizes: { n: [1, 3], d: [2, 4] },
  inputs: ({ n, d }, draw) => ({ a: draw.normal(n, d).toArray() as Matrix, b: draw.near(0.5, n, d).toArray() as Matrix }),
  forward: ({ a, b }) => a.map((row, i) => 1 - dot(row, b[i]) / (length(row) * length(b[i]))),
  backward: (dout, { a, b }) => {
    const side = (u: number[], v: number[], g: number) => {
      const cosine = dot(u, v) / (length(u) * length(v));
      return u.map((_, j) => -g * (v[j] / (length(u) * length(v)) - (cosine * u[j]) / length(u) ** 2));
    };
    return { a: a.map((row, i) => side(row, b[i], dout[i])), b: b.map((row, i) => side(row, a[i], dout[i])) };
  },
  batch: { letter: 'n', inputs: ['a', 'b'] },
});

/** The length of a is treated as a constant. */
export const cosineProjectionMissing = defineLayer({
  sizes: { d: [2, 4] },
  inputs: ({ d }, draw) => ({ a: draw.normal(d).toArray() as number[], b: draw.normal(d).toArray() as number[] }),
  forward: ({ a, b }) => dot(a, b) / (length(a) * length(b)),
  backward: (dout, { a, b }) => ({ a: b.map((v) => (dout * v) / (length(a) * length(b))) }),
  constant: ['b'],
});

export const EXPECTED: Record<string, Expectation> = {
  crossEntropyLoss: 'right',
  crossEntropyMeanForgotten: { input: 'logits', ids: ['constant-factor'], why: 'the gradient is not divided by n' },
  crossEntropySmoothingForwardOnly: { input: 'logits', ids: [], why: 'the hard label is subtracted, not the smoothed one' },
  binaryCrossEntropy: 'right',
  binaryCrossEntropySlopeTwice: { input: 'logits', ids: [], why: 'p (1 - p) is multiplied in although it cancels' },
  meanSquaredError: 'right',
  meanSquaredErrorTwoForgotten: { input: 'prediction', ids: ['constant-factor'], why: 'the 2 of the square is missing' },
  huberLoss: 'right',
  huberSignForgotten: { input: 'prediction', ids: [], why: 'in the linear part the sign of the difference is missing' },
  hingeLoss: 'right',
  hingeLabelOnce: { input: 'scores', ids: [], why: 'the label gets -1, not -1 for each violated margin' },
  klDivergence: 'right',
  klTargetProductRule: { input: 'p', ids: [], why: 'the derivative of p log p is taken as log p' },
  softTargetGradientMissing: { input: 'target', ids: ['missing'], why: 'no gradient is returned for the target' },
  weightedNll: 'right',
  nllUpstreamIgnored: { input: 'logProbs', ids: ['dout-unused'], why: 'the gradient starts at 1, not at dout' },
  tripletLoss: 'right',
  tripletNegativePulled: { input: 'negative', ids: ['constant-factor'], why: 'the sign is that of the positive example' },
  cosineLoss: 'right',
  cosineProjectionMissing: { input: 'a', ids: [], why: 'the length of a is treated as a constant' },
};
