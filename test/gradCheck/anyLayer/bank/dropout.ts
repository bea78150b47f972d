import { defineLayer } from '../../../../src/gradcheck.js';
import type { Expectation } from './expectation.js';

const RATE = 0.4;

/** 1 / (1 - rate) where a value stays, 0 where it is dropped. */
function drawMask(count: number, random: () => number): Float64Array {
  return Float64Array.from({ length: count }, () => (random() < RATE ? 0 : 1 / (1 - RATE)));
}

export const dropout = defineLayer({
  sizes: { count: [4, 9] },
  inputs: ({ count }, draw) => ({ x: draw.normal(count).data }),
  forward: ({ x }, context) => {
    if (!context.train) return x.slice();
    const mask = drawMask(x.length, () => context.random());
    context.saved.mask = mask;
    return x.map((v, i) => v * mask[i]);
  },
  backward: (dout, _inputs, context) => {
    if (!context.train) return { x: dout };
    const mask = context.saved.mask as Float64Array;
    return { x: dout.map((g, i) => g * mask[i]) };
  },
  train: [true, false],
});

/** Draws the mask a second time instead of keeping it. */
export const dropoutDrawnAgain = defineLayer({
  sizes: { count: [4, 9] },
  inputs: ({ count }, draw) => ({ x: Float32Array.from(draw.normal(count).data) }),
  forward: ({ x }, context) => x.map((v) => (context.random() < RATE ? 0 : v / (1 - RATE))),
  backward: (dout, _inputs, context) => ({ x: dout.map((g) => (context.random() < RATE ? 0 : g / (1 - RATE))) }),
});

/** The scale is left out of the gradient. */
export const dropoutScaleForgotten = defineLayer({
  sizes: { count: [6, 9] },
  inputs: ({ count }, draw) => ({ x: draw.normal(count).data }),
  forward: ({ x }, context) => {
    const mask = drawMask(x.length, () => context.random());
    context.saved.mask = mask;
    return x.map((v, i) => v * mask[i]);
  },
  backward: (dout, _inputs, context) => {
    const mask = context.saved.mask as Float64Array;
    return { x: dout.map((g, i) => (mask[i] > 0 ? g : 0)) };
  },
});

/** Backward is that of evaluation, in training too. */
export const dropoutPassedOn = defineLayer({
  sizes: { count: [6, 9] },
  inputs: ({ count }, draw) => ({ x: draw.normal(count).data }),
  forward: ({ x }, context) => {
    if (!context.train) return x.slice();
    const mask = drawMask(x.length, () => context.random());
    return x.map((v, i) => v * mask[i]);
  },
  backward: (dout) => ({ x: dout.slice() }),
  train: [true, false],
});

/** The mask is always drawn, and always applied to the gradient. */
export const dropoutMaskInEvaluation = defineLayer({
  sizes: { count: [6, 9] },
  inputs: ({ count }, draw) => ({ x: draw.normal(count).data }),
  forward: ({ x }, context) => {
    const mask = drawMask(x.length, () => context.random());
    context.saved.mask = mask;
    return context.train ? x.map((v, i) => v * mask[i]) : x.slice();
  },
  backward: (dout, _inputs, context) => {
    const mask = context.saved.mask as Float64Array;
    return { x: dout.map((g, i) => g * mask[i]) };
  },
  train: [true, false],
});

/** Masks lie on a stack, and are taken off it in the order of the forward pass. */
export const dropoutMasksInReverse = defineLayer({
  sizes: { count: [7, 10] },
  inputs: ({ count }, draw) => ({ x: draw.normal(count).toArray() as number[] }),
  forward: ({ x }, context) => {
    const masks: number[] = [];
    const y = x.map((v) => {
      masks.push(context.random() < RATE ? 0 : 1 / (1 - RATE));
      return v * masks[masks.length - 1];
    });
    context.saved.masks = masks;
    return y;
  },
  backward: (dout, _inputs, context) => {
    const masks = context.saved.masks as number[];
    return { x: dout.map((g) => g * (masks.pop() ?? 0)) };
  },
});

/** Whole channels are dropped. */
export const channelDropout = defineLayer({
  sizes: { channels: [2, 4], length: [3] },
  inputs: ({ channels, length }, draw) => ({ x: draw.normal(channels, length).toArray() as number[][] }),
  forward: ({ x }, context) => {
    const mask = drawMask(x.length, () => context.random());
    context.saved.mask = mask;
    return x.map((row, c) => row.map((v) => v * mask[c]));
  },
  backward: (dout, _inputs, context) => {
    const mask = context.saved.mask as Float64Array;
    return { x: dout.map((row, c) => row.map((g) => g * mask[c])) };
  },
});

/** x · (1 + strength · noise), with a learnt strength. */
export const multiplicativeNoise = defineLayer({
  sizes: { count: [1, 5] },
  inputs: ({ count }, draw) => ({ x: draw.normal(count).data, strength: 0.1 * draw.positive() }),
  forward: ({ x, strength }, context) => {
    const noise = x.map(() => 2 * context.random() - 1);
    context.saved.noise = noise;
    return x.map((v, i) => v * (1 + strength * noise[i]));
  },
  backward: (dout, { x, strength }, context) => {
    const noise = context.saved.noise as Float64Array;
    return {
      x: dout.map((g, i) => g * (1 + strength * noise[i])),
      strength: dout.reduce((sum, g, i) => sum + g * x[i] * noise[i], 0),
    };
  },
});

export const EXPECTED: Record<string, Expectation> = {
  dropout: 'right',
  dropoutDrawnAgain: 'right',
  dropoutScaleForgotten: { input: 'x', ids: ['constant-factor'], why: 'the factor 1 / (1 - rate) is missing' },
  dropoutPassedOn: { input: 'x', ids: ['dout-passed-on'], why: 'the mask is not applied to dout' },
  dropoutMaskInEvaluation: { input: 'x', ids: [], why: 'in evaluation nothing is dropped, but the gradient is' },
  dropoutMasksInReverse: { input: 'x', ids: [], why: 'the last mask is taken for the first value' },
  channelDropout: 'right',
  multiplicativeNoise: 'right',
};
