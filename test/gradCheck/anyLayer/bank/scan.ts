import { defineLayer } from '../../../../src/gradcheck.js';
import type { Expectation } from './expectation.js';

function cumulativeSum(x: Float64Array): Float64Array {
  let sum = 0;
  return x.map((v) => {
    sum += v;
    return sum;
  });
}

export const cumsum = defineLayer({
  sizes: { n: [1, 2, 6] },
  inputs: ({ n }, draw) => ({ x: draw.normal(n).data }),
  forward: ({ x }) => cumulativeSum(x),
  backward: (dout) => {
    const dx = new Float64Array(dout.length);
    let sum = 0;
    for (let t = dout.length - 1; t >= 0; t--) {
      sum += dout[t];
      dx[t] = sum;
    }
    return { x: dx };
  },
});

/** The gradient runs in the direction of the forward pass. */
export const cumsumSameDirection = defineLayer({
  sizes: { n: [3, 6] },
  inputs: ({ n }, draw) => ({ x: draw.normal(n).data }),
  forward: ({ x }) => cumulativeSum(x),
  backward: (dout) => ({ x: cumulativeSum(dout) }),
});

/** Forward leaves the own value out, backward takes it in. */
export const exclusiveCumsumInclusiveGradient = defineLayer({
  sizes: { n: [2, 5] },
  inputs: ({ n }, draw) => ({ x: draw.normal(n).toArray() as number[] }),
  forward: ({ x }) => {
    let sum = 0;
    return x.map((v) => {
      const before = sum;
      sum += v;
      return before;
    });
  },
  backward: (dout) => {
    let sum = 0;
    const reversed = dout
      .slice()
      .reverse()
      .map((g) => {
        sum += g;
        return sum;
      });
    return { x: reversed.reverse() };
  },
});

/** Products without a division, so that a zero is no trouble. */
export const cumprod = defineLayer({
  sizes: { n: [1, 2, 5] },
  inputs: ({ n }, draw) => ({ x: draw.normal(n).toArray() as number[] }),
  forward: ({ x }) => {
    let product = 1;
    return x.map((v) => {
      product *= v;
      return product;
    });
  },
  backward: (dout, { x }) => {
    const dx = x.map((_, i) => {
      let others = x.slice(0, i).reduce((a, b) => a * b, 1);
      let sum = 0;
      for (let t = i; t < x.length; t++) {
        if (t > i) others *= x[t];
        sum += dout[t] * others;
      }
      return sum;
    });
    return { x: dx };
  },
});

/** The sum over later steps is taken without the division by the own value. */
export const cumprodDivisionForgotten = defineLayer({
  sizes: { n: [2, 5] },
  inputs: ({ n }, draw) => ({ x: draw.near(1, n).data }),
  forward: ({ x }) => {
    let product = 1;
    return x.map((v) => {
      product *= v;
      return product;
    });
  },
  backward: (dout, _inputs, context) => {
    const y = context.outputs as Float64Array;
    const dx = new Float64Array(y.length);
    let sum = 0;
    for (let t = y.length - 1; t >= 0; t--) {
      sum += dout[t] * y[t];
      dx[t] = sum;
    }
    return { x: dx };
  },
});

interface Recurrence {
  x: Float64Array;
  decay: Float64Array;
}

/** hₜ = decayₜ hₜ₋₁ + xₜ */
function recur({ x, decay }: Recurrence): Float64Array {
  const h = new Float64Array(x.length);
  for (let t = 0; t < x.length; t++) h[t] = (t > 0 ? decay[t] * h[t - 1] : 0) + x[t];
  return h;
}

export const linearRecurrence = defineLayer({
  sizes: { n: [1, 2, 6] },
  inputs: ({ n }, draw): Recurrence => ({ x: draw.normal(n).data, decay: draw.near(0.8, n).data }),
  forward: (inputs, context) => {
    const h = recur(inputs);
    context.saved.h = h.slice();
    return h;
  },
  backward: (dout, { x, decay }, context) => {
    const h = context.saved.h as Float64Array;
    const dx = new Float64Array(x.length);
    const ddecay = new Float64Array(x.length);
    let dh = 0;
    for (let t = x.length - 1; t >= 0; t--) {
      dh += dout[t];
      dx[t] = dh;
      ddecay[t] = t > 0 ? dh * h[t - 1] : 0;
      dh *= decay[t];
    }
    return { x: dx, decay: ddecay };
  },
});

/** The decay of the step itself is multiplied in where that of the next step belongs. */
export const linearRecurrenceDecayOneEarly = defineLayer({
  sizes: { n: [3, 6] },
  inputs: ({ n }, draw): Recurrence => ({ x: draw.normal(n).data, decay: draw.near(0.8, n).data }),
  forward: (inputs) => recur(inputs),
  backward: (dout, { decay }) => {
    const dx = new Float64Array(dout.length);
    let dh = 0;
    for (let t = dout.length - 1; t >= 0; t--) {
      dh = dout[t] + decay[t] * dh;
      dx[t] = dh;
    }
    return { x: dx };
  },
  constant: ['decay'],
});

/** Runs from the end to the start: hₜ = xₜ + 0.6 hₜ₊₁. Nothing is carried on in the gradient. */
export const reverseScanNothingCarried = defineLayer({
  sizes: { n: [2, 5] },
  inputs: ({ n }, draw) => ({ x: draw.normal(n).toArray() as number[] }),
  forward: ({ x }) => {
    const h = x.map((v) => Math.sin(v));
    for (let t = x.length - 2; t >= 0; t--) h[t] += 0.6 * h[t + 1];
    return h;
  },
  backward: (dout, { x }) => ({ x: x.map((v, t) => dout[t] * Math.cos(v)) }),
});

/** y₀ = x₀, then yₜ = rate · xₜ + (1 - rate) · yₜ₋₁. */
function movingAverage(x: number[], rate: number): number[] {
  const y = [x[0]];
  for (let t = 1; t < x.length; t++) y.push(rate * x[t] + (1 - rate) * y[t - 1]);
  return y;
}

export const exponentialAverage = defineLayer({
  sizes: { n: [1, 2, 5] },
  inputs: ({ n }, draw) => ({ x: draw.normal(n).toArray() as number[], rate: 0.2 + 0.1 * draw.positive() }),
  forward: ({ x, rate }) => movingAverage(x, rate),
  backward: (dout, { x, rate }, context) => {
    const y = context.outputs as number[];
    const dx = x.map(() => 0);
    let drate = 0;
    let dy = 0;
    for (let t = x.length - 1; t > 0; t--) {
      dy += dout[t];
      dx[t] = rate * dy;
      drate += dy * (x[t] - y[t - 1]);
      dy *= 1 - rate;
    }
    dx[0] = dy + dout[0];
    return { x: dx, rate: drate };
  },
});

/** The first value starts the average, and is not multiplied by the rate. */
export const exponentialAverageFirstStep = defineLayer({
  sizes: { n: [3, 6] },
  inputs: ({ n }, draw) => ({ x: draw.normal(n).toArray() as number[] }),
  forward: ({ x }) => movingAverage(x, 0.3),
  backward: (dout) => {
    const dx = dout.map(() => 0);
    let dy = 0;
    for (let t = dout.length - 1; t >= 0; t--) {
      dy += dout[t];
      dx[t] = 0.3 * dy;
      dy *= 0.7;
    }
    return { x: dx };
  },
});

/** The rate is shared by all steps; its gradient is that of the last one. */
export const exponentialAverageRateOfLastStep = defineLayer({
  sizes: { n: [3, 5] },
  inputs: ({ n }, draw) => ({ x: draw.normal(n).toArray() as number[], rate: 0.2 + 0.1 * draw.positive() }),
  forward: ({ x, rate }) => movingAverage(x, rate),
  backward: (dout, { x, rate }, context) => {
    const y = context.outputs as number[];
    const dx = x.map(() => 0);
    const last = x.length - 1;
    let dy = 0;
    for (let t = last; t > 0; t--) {
      dy += dout[t];
      dx[t] = rate * dy;
      dy *= 1 - rate;
    }
    dx[0] = dy + dout[0];
    return { x: dx, rate: dout[last] * (x[last] - y[last - 1]) };
  },
});

/** Each step is rounded to float32, whatever the arrays are. */
function roundedSum(x: ArrayLike<number>): Float32Array {
  const y = new Float32Array(x.length);
  let sum = 0;
  for (let t = 0; t < x.length; t++) {
    sum = Math.fround(sum + Math.fround(x[t]));
    y[t] = sum;
  }
  return y;
}

export const roundedCumsum = defineLayer({
  sizes: { n: [2, 5] },
  inputs: ({ n }, draw) => ({ x: Float32Array.from(draw.normal(n).data) }),
  forward: ({ x }) => roundedSum(x),
  backward: (dout) => ({ x: roundedSum(dout.slice().reverse()).reverse() }),
});

export const roundedCumsumHalved = defineLayer({
  sizes: { n: [2, 5] },
  inputs: ({ n }, draw) => ({ x: Float32Array.from(draw.normal(n).data) }),
  forward: ({ x }) => roundedSum(x),
  backward: (dout) => ({
    x: roundedSum(dout.slice().reverse())
      .reverse()
      .map((g) => Math.fround(0.5 * g)),
  }),
});

export const EXPECTED: Record<string, Expectation> = {
  cumsum: 'right',
  cumsumSameDirection: { input: 'x', ids: ['jacobian-for-transpose'], why: 'the sum runs forward, not backward' },
  exclusiveCumsumInclusiveGradient: { input: 'x', ids: ['dout-added', 'diagonal-wrong'], why: 'dout of the same step is taken in' },
  cumprod: 'right',
  cumprodDivisionForgotten: { input: 'x', ids: ['extra-factor'], why: 'the products contain the own x' },
  linearRecurrence: 'right',
  linearRecurrenceDecayOneEarly: { input: 'x', ids: ['last-step-only'], why: 'decayₜ stands where decayₜ₊₁ belongs' },
  reverseScanNothingCarried: { input: 'x', ids: ['first-step-only', 'cross-terms'], why: 'only the own output of each step counts' },
  exponentialAverage: 'right',
  exponentialAverageFirstStep: { input: 'x', ids: ['border-only'], why: 'the first value is multiplied by the rate' },
  exponentialAverageRateOfLastStep: { input: 'rate', ids: [], why: 'only the last step reaches the rate' },
  roundedCumsum: 'right',
  roundedCumsumHalved: { input: 'x', ids: ['constant-factor'], why: 'a factor 1/2 too many' },
};
