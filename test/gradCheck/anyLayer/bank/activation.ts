import { defineLayer, fromActivation } from '../../../../src/gradcheck.js';
import type { Expectation } from './expectation.js';

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
/** log(1 + eˣ) without overflow. */
const logOnePlusExp = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

export const sigmoidFromOutput = fromActivation(sigmoid, (y) => y * (1 - y), { of: 'output' });

export const tanhFromOutput = fromActivation(Math.tanh, (y) => 1 - y * y, { of: 'output' });

export const leakyRelu = fromActivation(
  (x) => (x > 0 ? x : 0.01 * x),
  (x) => (x > 0 ? 1 : 0.01),
  { of: 'input' },
);

/** ELU with alpha = 1.6; for x < 0 the slope is alpha eˣ = y + alpha. */
export const eluFromOutput = fromActivation(
  (x) => (x >= 0 ? x : 1.6 * Math.expm1(x)),
  (y) => (y >= 0 ? 1 : y + 1.6),
  { of: 'output' },
);

const SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI);

function gelu(x: number): number {
  return 0.5 * x * (1 + Math.tanh(SQRT_2_OVER_PI * (x + 0.044715 * x ** 3)));
}

function geluSlope(x: number, cubic: number): number {
  const t = Math.tanh(SQRT_2_OVER_PI * (x + 0.044715 * x ** 3));
  return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * SQRT_2_OVER_PI * (1 + cubic * x * x);
}

export const geluTanh = fromActivation(gelu, (x) => geluSlope(x, 3 * 0.044715), { of: 'input' });

export const geluMistypedConstant = fromActivation(gelu, (x) => geluSlope(x, 0.0134145), { of: 'input' });

function mishSlope(x: number): number {
  const t = Math.tanh(logOnePlusExp(x));
  return t + x * (1 - t * t) * sigmoid(x);
}

export const mish = fromActivation((x) => x * Math.tanh(logOnePlusExp(x)), mishSlope, { of: 'input' });

/** x · relu6(x + 3) / 6, with kinks at -3 and 3. */
export const hardSwish = fromActivation(
  (x) => (x * Math.min(Math.max(x + 3, 0), 6)) / 6,
  (x) => {
    if (x <= -3) return 0;
    return x >= 3 ? 1 : (2 * x + 3) / 6;
  },
  { of: 'input' },
);

export const softsignFactorTooMany = fromActivation(
  (x) => x / (1 + Math.abs(x)),
  (x) => x / (1 + Math.abs(x)) ** 2,
  { of: 'input' },
);

export const softplusSlopeOfOutput = fromActivation(logOnePlusExp, sigmoid, { of: 'output' });

export const sigmoidSlopeOfOutput = fromActivation(sigmoid, (v) => sigmoid(v) * (1 - sigmoid(v)), { of: 'output' });

export const gaussianFactorMissing = fromActivation(
  (x) => Math.exp(-x * x),
  (x) => -2 * Math.exp(-x * x),
  { of: 'input' },
);

export const sigmoidFactorMissing = fromActivation(sigmoid, (y) => 1 - y, { of: 'output' });

export const exponentialSquared = fromActivation(Math.exp, (y) => y * y, { of: 'output' });

export const cosineSign = fromActivation(Math.cos, (x) => Math.sin(x), { of: 'input' });

export const arctanRootInsteadOfSquare = fromActivation(Math.atan, (x) => 1 / Math.sqrt(1 + x * x), { of: 'input' });

export const swishProductRuleHalf = fromActivation(
  (x) => x * sigmoid(x),
  (x) => x * sigmoid(x) * (1 - sigmoid(x)),
  { of: 'input' },
);

/** The scale of SELU is on both sides of the forward pass. */
export const seluScaleMissingBelowZero = fromActivation(
  (x) => 1.0507 * (x > 0 ? x : 1.67326 * Math.expm1(x)),
  (x) => (x > 0 ? 1.0507 : 1.67326 * Math.exp(x)),
  { of: 'input' },
);

/** One slope per channel, for rows of channels. */
export const prelu = defineLayer({
  sizes: { n: [1, 4], channels: [2, 3] },
  inputs: ({ n, channels }, draw) => ({
    x: draw.normal(n, channels).toArray() as number[][],
    slope: draw.near(0.25, channels).toArray() as number[],
  }),
  forward: ({ x, slope }) => x.map((row) => row.map((v, c) => (v > 0 ? v : slope[c] * v))),
  backward: (dout, { x, slope }) => {
    const dslope = slope.map(() => 0);
    const dx = x.map((row, i) =>
      row.map((v, c) => {
        if (v > 0) return dout[i][c];
        dslope[c] += dout[i][c] * v;
        return dout[i][c] * slope[c];
      }),
    );
    return { x: dx, slope: dslope };
  },
  batch: { letter: 'n', inputs: ['x'] },
});

/** The mask is applied to dout in place, and dout is handed back. */
export const reluInPlace = defineLayer({
  sizes: { count: [1, 6] },
  inputs: ({ count }, draw) => ({ x: Float32Array.from(draw.normal(count).data) }),
  forward: ({ x }) => x.map((v) => Math.max(v, 0)),
  backward: (dout, _inputs, context) => {
    const y = context.outputs as Float32Array;
    for (let i = 0; i < y.length; i++) if (y[i] === 0) dout[i] = 0;
    return { x: dout };
  },
  mayChange: ['dout'],
});

/** The mask is taken from the sign of dout. */
export const reluMaskFromGradient = defineLayer({
  sizes: { count: [2, 6] },
  inputs: ({ count }, draw) => ({ x: Float32Array.from(draw.normal(count).data) }),
  forward: ({ x }) => x.map((v) => Math.max(v, 0)),
  backward: (dout) => ({ x: dout.map((g) => (g > 0 ? g : 0)) }),
});

export const EXPECTED: Record<string, Expectation> = {
  sigmoidFromOutput: 'right',
  tanhFromOutput: 'right',
  leakyRelu: 'right',
  eluFromOutput: 'right',
  geluTanh: 'right',
  geluMistypedConstant: { input: 'x', ids: [], why: '0.0134145 stands for 0.134145 in the cubic term' },
  mish: 'right',
  hardSwish: 'right',
  softsignFactorTooMany: { input: 'x', ids: ['extra-factor'], why: 'the slope 1 / (1 + |x|)² is multiplied by x' },
  softplusSlopeOfOutput: { input: 'x', ids: ['derivative-at-output'], why: 'sigmoid is taken at y, not at x' },
  sigmoidSlopeOfOutput: { input: 'x', ids: ['derivative-at-output'], why: 'the sigmoid is applied a second time, to y' },
  gaussianFactorMissing: { input: 'x', ids: ['missing-factor'], why: 'the inner derivative -2x has lost its x' },
  sigmoidFactorMissing: { input: 'x', ids: ['missing-factor'], why: 'y (1 - y) has lost its y' },
  exponentialSquared: { input: 'x', ids: ['extra-factor'], why: 'y is multiplied in twice' },
  cosineSign: { input: 'x', ids: ['constant-factor'], why: 'the minus of -sin x is missing' },
  arctanRootInsteadOfSquare: { input: 'x', ids: [], why: '1 / √(1 + x²) stands for 1 / (1 + x²)' },
  swishProductRuleHalf: { input: 'x', ids: [], why: 'the term sigmoid(x) of the product rule is missing' },
  seluScaleMissingBelowZero: { input: 'x', ids: [], why: 'below zero the scale 1.0507 is missing' },
  prelu: 'right',
  reluInPlace: 'right',
  reluMaskFromGradient: { input: 'x', ids: [], why: 'the mask looks at dout, not at x' },
};
