import { defineLayer } from '../../../../src/gradcheck.js';
import type { Expectation } from './expectation.js';

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** The first half times the sigmoid of the second. */
function gatedForward(x: Float64Array): Float64Array {
  const half = x.length / 2;
  return x.slice(0, half).map((v, i) => v * sigmoid(x[half + i]));
}

/** The gradients of both halves. */
function gatedBackward(dout: Float64Array, x: Float64Array): { values: Float64Array; gates: Float64Array } {
  const gates = x.slice(dout.length).map(sigmoid);
  return {
    values: dout.map((g, i) => g * gates[i]),
    gates: dout.map((g, i) => g * x[i] * gates[i] * (1 - gates[i])),
  };
}

export const gatedLinearUnit = defineLayer({
  sizes: { half: [1, 3] },
  inputs: ({ half }, draw) => ({ x: draw.normal(2 * half).data }),
  forward: ({ x }) => gatedForward(x),
  backward: (dout, { x }) => {
    const { values, gates } = gatedBackward(dout, x);
    return { x: [...values, ...gates] };
  },
});

export const gatedLinearUnitHalvesSwapped = defineLayer({
  sizes: { half: [1, 3] },
  inputs: ({ half }, draw) => ({ x: draw.normal(2 * half).data }),
  forward: ({ x }) => gatedForward(x),
  backward: (dout, { x }) => {
    const { values, gates } = gatedBackward(dout, x);
    return { x: [...gates, ...values] };
  },
});

interface Highway {
  x: Float32Array;
  candidate: Float32Array;
  /** Before the sigmoid. */
  gate: Float32Array;
}

/** t · candidate + (1 - t) · x */
export const highway = defineLayer({
  sizes: { d: [1, 4] },
  inputs: ({ d }, draw): Highway => ({
    x: Float32Array.from(draw.normal(d).data),
    candidate: Float32Array.from(draw.normal(d).data),
    gate: Float32Array.from(draw.normal(d).data),
  }),
  forward: ({ x, candidate, gate }) => x.map((v, i) => v + sigmoid(gate[i]) * (candidate[i] - v)),
  backward: (dout, { x, candidate, gate }) => {
    const t = gate.map(sigmoid);
    return {
      x: dout.map((g, i) => g * (1 - t[i])),
      candidate: dout.map((g, i) => g * t[i]),
      gate: dout.map((g, i) => g * (candidate[i] - x[i]) * t[i] * (1 - t[i])),
    };
  },
});

/** The gate shuts the skip connection too; its gradient does not say so. */
export const highwaySkipGateForgotten = defineLayer({
  sizes: { d: [2, 4] },
  inputs: ({ d }, draw): Highway => ({
    x: Float32Array.from(draw.normal(d).data),
    candidate: Float32Array.from(draw.normal(d).data),
    gate: Float32Array.from(draw.normal(d).data),
  }),
  forward: ({ x, candidate, gate }) => x.map((v, i) => v + sigmoid(gate[i]) * (candidate[i] - v)),
  backward: (dout, { candidate, gate }) => {
    const t = gate.map(sigmoid);
    return {
      x: dout.map((g, i) => g * (1 - t[i])),
      candidate: dout.map((g, i) => g * t[i]),
      gate: dout.map((g, i) => g * candidate[i] * t[i] * (1 - t[i])),
    };
  },
});

/** Channels are weighted by gates of their own means; the path through the mean is left out. */
export const channelGateMeanPathForgotten = defineLayer({
  sizes: { channels: [1, 2], length: [3] },
  inputs: ({ channels, length }, draw) => ({ x: draw.normal(channels, length).toArray() as number[][] }),
  forward: ({ x }) => x.map((row) => row.map((v) => v * sigmoid(row.reduce((a, b) => a + b, 0) / row.length))),
  backward: (dout, { x }) => ({
    x: x.map((row, c) => row.map((_, t) => dout[c][t] * sigmoid(row.reduce((a, b) => a + b, 0) / row.length))),
  }),
});

export const channelGate = defineLayer({
  sizes: { channels: [1, 2], length: [3] },
  inputs: ({ channels, length }, draw) => ({ x: draw.normal(channels, length).toArray() as number[][] }),
  forward: ({ x }) => x.map((row) => row.map((v) => v * sigmoid(row.reduce((a, b) => a + b, 0) / row.length))),
  backward: (dout, { x }) => ({
    x: x.map((row, c) => {
      const s = sigmoid(row.reduce((a, b) => a + b, 0) / row.length);
      const through = row.reduce((sum, v, t) => sum + dout[c][t] * v, 0) * s * (1 - s);
      return row.map((_, t) => dout[c][t] * s + through / row.length);
    }),
  }),
  batch: { letter: 'channels', inputs: ['x'] },
});

/** Two experts, mixed by one number: the second expert gets the share of the first. */
export const mixtureShareOfWrongExpert = defineLayer({
  sizes: { d: [1, 3] },
  inputs: ({ d }, draw) => ({ first: draw.normal(d).data, second: draw.normal(d).data, mix: draw.normal() }),
  forward: ({ first, second, mix }) => first.map((v, i) => sigmoid(mix) * v + (1 - sigmoid(mix)) * second[i]),
  backward: (dout, { first, second, mix }) => {
    const s = sigmoid(mix);
    const dmix = dout.reduce((sum, g, i) => sum + g * (first[i] - second[i]), 0) * s * (1 - s);
    return { first: dout.map((g) => s * g), second: dout.map((g) => s * g), mix: dmix };
  },
});

export const EXPECTED: Record<string, Expectation> = {
  gatedLinearUnit: 'right',
  gatedLinearUnitHalvesSwapped: { input: 'x', ids: ['misplaced'], why: 'the gradient of the gates comes first' },
  highway: 'right',
  highwaySkipGateForgotten: { input: 'gate', ids: [], why: 'the share -x of the skip connection is missing' },
  channelGate: 'right',
  channelGateMeanPathForgotten: { input: 'x', ids: [], why: 'the gate depends on the mean of x' },
  mixtureShareOfWrongExpert: { input: 'second', ids: ['other-value'], why: 's stands where 1 - s belongs' },
};
