// Layer normalisation, with its backward pass written by hand. Save it, and run:
//
//     npx backprop-ninja grad-check layerNorm.ts
import { defineLayer } from 'backprop-ninja/gradcheck';

type Vector = Float32Array;

/** 1 / sqrt(variance + EPS) is finite where a row is constant. */
const EPS = 1e-5;

/** y[i, j] = gain[j] · xhat[i, j] + bias[j], where each row of xhat is that of x with mean 0 and variance 1. x has n rows of d numbers. */
function forward(x: Vector, gain: Vector, bias: Vector): { y: Vector; xhat: Vector; inverse: Vector } {
  const d = gain.length;
  const n = x.length / d;
  const y = new Float32Array(n * d);
  const xhat = new Float32Array(n * d);
  const inverse = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    let mean = 0;
    for (let j = 0; j < d; j++) mean += x[i * d + j] / d;
    let variance = 0;
    for (let j = 0; j < d; j++) variance += (x[i * d + j] - mean) ** 2 / d;
    inverse[i] = 1 / Math.sqrt(variance + EPS);
    for (let j = 0; j < d; j++) {
      const k = i * d + j;
      xhat[k] = (x[k] - mean) * inverse[i];
      y[k] = gain[j] * xhat[k] + bias[j];
    }
  }
  return { y, xhat, inverse };
}

/**
 * With dxhat = gain · dy, each row has
 * dx = inverse · (dxhat - mean(dxhat) - xhat · mean(dxhat · xhat)).
 */
function backward(dy: Vector, xhat: Vector, inverse: Vector, gain: Vector): { dx: Vector; dgain: Vector; dbias: Vector } {
  const d = gain.length;
  const n = dy.length / d;
  const dx = new Float32Array(n * d);
  const dgain = new Float32Array(d);
  const dbias = new Float32Array(d);
  for (let i = 0; i < n; i++) {
    let mean = 0;
    let meanWithXhat = 0;
    for (let j = 0; j < d; j++) {
      const k = i * d + j;
      // The gain belongs inside the sums.
      mean += (gain[j] * dy[k]) / d;
      meanWithXhat += (gain[j] * dy[k] * xhat[k]) / d;
      dgain[j] += dy[k] * xhat[k];
      dbias[j] += dy[k];
    }
    for (let j = 0; j < d; j++) {
      const k = i * d + j;
      dx[k] = inverse[i] * (gain[j] * dy[k] - mean - xhat[k] * meanWithXhat);
    }
  }
  return { dx, dgain, dbias };
}

export const layerNorm = defineLayer({
  // Sizes to try, by letter: where n = d or d = 1, mistakes hide.
  sizes: { n: [1, 2, 3], d: [3, 5] },
  // Random inputs, by name. A gain of 1 hides mistakes, too: draw it near 1.
  inputs: ({ n, d }, draw) => ({
    x: Float32Array.from(draw.normal(n, d).data),
    gain: Float32Array.from(draw.near(1, d).data),
    bias: Float32Array.from(draw.normal(d).data),
  }),
  // One output. What the backward pass needs later goes into context.saved.
  forward: ({ x, gain, bias }, context) => {
    const { y, xhat, inverse } = forward(x, gain, bias);
    Object.assign(context.saved, { xhat, inverse });
    return y;
  },
  // The gradient of each input, by name, from the gradient of the output.
  backward: (dy, { gain }, { saved }) => {
    const { dx, dgain, dbias } = backward(dy, saved.xhat, saved.inverse, gain);
    return { x: dx, gain: dgain, bias: dbias };
  },
  // Examples are independent: each row of x has its own row of y.
  batch: { letter: 'n', inputs: ['x'] },
});
