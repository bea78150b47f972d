import { defineLayer } from '../../../../src/gradcheck.js';
import type { Expectation } from './expectation.js';

type Matrix = number[][];

/** Side by side, row by row. */
export const concatColumns = defineLayer({
  sizes: { n: [1, 2], p: [2, 3], q: [4] },
  inputs: ({ n, p, q }, draw) => ({ a: draw.normal(n, p).toArray() as Matrix, b: draw.normal(n, q).toArray() as Matrix }),
  forward: ({ a, b }) => a.map((row, i) => [...row, ...b[i]]),
  backward: (dout, { a }) => {
    const p = a[0].length;
    return { a: dout.map((row) => row.slice(0, p)), b: dout.map((row) => row.slice(p)) };
  },
  batch: { letter: 'n', inputs: ['a', 'b'] },
});

/** The second part starts one place early. */
export const concatOffByOne = defineLayer({
  sizes: { p: [1, 3], q: [2, 4] },
  inputs: ({ p, q }, draw) => ({ a: draw.normal(p).data, b: draw.normal(q).data }),
  forward: ({ a, b }) => Float64Array.from([...a, ...b]),
  backward: (dout, { a, b }) => ({ a: dout.slice(0, a.length), b: dout.slice(a.length - 1, a.length - 1 + b.length) }),
});

/** Heads and tails as two outputs. */
export const splitColumns = defineLayer({
  sizes: { n: [1, 3], half: [2] },
  inputs: ({ n, half }, draw) => ({ x: draw.normal(n, 2 * half).toArray() as Matrix }),
  forward: ({ x }) => ({ head: x.map((row) => row.slice(0, row.length / 2)), tail: x.map((row) => row.slice(row.length / 2)) }),
  backward: (dout) => ({ x: dout.head.map((row, i) => [...row, ...dout.tail[i]]) }),
});

/** The two outputs are put together in the wrong order. */
export const splitOutputsSwapped = defineLayer({
  sizes: { n: [1, 3], half: [2] },
  inputs: ({ n, half }, draw) => ({ x: draw.normal(n, 2 * half).toArray() as Matrix }),
  forward: ({ x }) => ({ head: x.map((row) => row.slice(0, row.length / 2)), tail: x.map((row) => row.slice(row.length / 2)) }),
  backward: (dout) => ({ x: dout.head.map((row, i) => [...dout.tail[i], ...row]) }),
});

/** Values of a ring, one place further. */
const shift = (x: number[], by: number) => x.map((_, i) => x[(i + by + x.length) % x.length]);

export const roll = defineLayer({
  sizes: { n: [2, 5] },
  inputs: ({ n }, draw) => ({ x: draw.normal(n).toArray() as number[] }),
  forward: ({ x }) => shift(x, 1),
  backward: (dout) => ({ x: shift(dout, -1) }),
});

/** Backward turns the ring in the same direction. */
export const rollSameDirection = defineLayer({
  sizes: { n: [3, 5] },
  inputs: ({ n }, draw) => ({ x: draw.normal(n).toArray() as number[] }),
  forward: ({ x }) => shift(x, 1),
  backward: (dout) => ({ x: shift(dout, 1) }),
});

/** Each pair of values is turned by an angle that grows with the step. */
function rotate(x: Matrix, direction: 1 | -1): Matrix {
  return x.map((row, t) =>
    row.map((v, j) => {
      const angle = direction * (t + 1) * 10 ** -(j >> 1);
      return j % 2 === 0 ? v * Math.cos(angle) - row[j + 1] * Math.sin(angle) : v * Math.cos(angle) + row[j - 1] * Math.sin(angle);
    }),
  );
}

export const rotaryEmbedding = defineLayer({
  sizes: { steps: [1, 3], pairs: [2] },
  inputs: ({ steps, pairs }, draw) => ({ x: draw.normal(steps, 2 * pairs).toArray() as Matrix }),
  forward: ({ x }) => rotate(x, 1),
  backward: (dout) => ({ x: rotate(dout, -1) }),
});

/** dout is turned on, it should be turned back. */
export const rotaryEmbeddingTurnedOn = defineLayer({
  sizes: { steps: [1, 3], pairs: [2] },
  inputs: ({ steps, pairs }, draw) => ({ x: draw.normal(steps, 2 * pairs).toArray() as Matrix }),
  forward: ({ x }) => rotate(x, 1),
  backward: (dout) => ({ x: rotate(dout, 1) }),
});

/** Every value of a plane becomes a block of factor × factor. */
function upsample(x: Matrix, factor: number): Matrix {
  return Array.from({ length: x.length * factor }, (_, i) =>
    Array.from({ length: x[0].length * factor }, (_unused, j) => x[Math.floor(i / factor)][Math.floor(j / factor)]),
  );
}

function blockSums(dout: Matrix, x: Matrix, factor: number): Matrix {
  const dx = x.map((row) => row.map(() => 0));
  dout.forEach((row, i) => {
    row.forEach((g, j) => {
      dx[Math.floor(i / factor)][Math.floor(j / factor)] += g;
    });
  });
  return dx;
}

export const nearestUpsampling = defineLayer({
  sizes: { rows: [1, 2], columns: [4], factor: [2, 3] },
  inputs: ({ rows, columns }, draw) => ({ x: draw.normal(rows, columns).toArray() as Matrix }),
  forward: ({ x }, { sizes }) => upsample(x, sizes.factor),
  backward: (dout, { x }, { sizes }) => ({ x: blockSums(dout, x, sizes.factor) }),
});

/** Backward averages each block. */
export const nearestUpsamplingAveraged = defineLayer({
  sizes: { rows: [1, 2], columns: [4], factor: [3] },
  inputs: ({ rows, columns }, draw) => ({ x: draw.normal(rows, columns).toArray() as Matrix }),
  forward: ({ x }, { sizes }) => upsample(x, sizes.factor),
  backward: (dout, { x }, { sizes: { factor } }) => ({
    x: blockSums(dout, x, factor).map((row) => row.map((g) => g / (factor * factor))),
  }),
});

interface Between {
  left: number;
  right: number;
  fraction: number;
}

/** The two values that output t of a linear resize lies between, with the ends kept. */
function between(t: number, from: number, to: number): Between {
  const place = to > 1 ? (t * (from - 1)) / (to - 1) : 0;
  const left = Math.min(Math.floor(place), from - 1);
  return { left, right: Math.min(left + 1, from - 1), fraction: place - left };
}

function resize(x: Float64Array, to: number): Float64Array {
  return Float64Array.from({ length: to }, (_, t) => {
    const { left, right, fraction } = between(t, x.length, to);
    return x[left] * (1 - fraction) + x[right] * fraction;
  });
}

export const linearResize = defineLayer({
  sizes: { from: [2, 4], to: [1, 3, 6] },
  inputs: ({ from }, draw) => ({ x: draw.normal(from).data }),
  forward: ({ x }, { sizes }) => resize(x, sizes.to),
  backward: (dout, { x }) => {
    const dx = new Float64Array(x.length);
    dout.forEach((g, t) => {
      const { left, right, fraction } = between(t, x.length, dout.length);
      dx[left] += g * (1 - fraction);
      dx[right] += g * fraction;
    });
    return { x: dx };
  },
});

/** The weights of the left and right value are exchanged. */
export const linearResizeWeightsSwapped = defineLayer({
  sizes: { from: [3, 4], to: [6, 7] },
  inputs: ({ from }, draw) => ({ x: draw.normal(from).data }),
  forward: ({ x }, { sizes }) => resize(x, sizes.to),
  backward: (dout, { x }) => {
    const dx = new Float64Array(x.length);
    dout.forEach((g, t) => {
      const { left, right, fraction } = between(t, x.length, dout.length);
      dx[left] += g * fraction;
      dx[right] += g * (1 - fraction);
    });
    return { x: dx };
  },
});

/** A signal read between its samples, with a gradient for the place too. */
export const sampleAtPlace = defineLayer({
  sizes: { length: [4, 6] },
  inputs: ({ length }, draw) => ({ signal: draw.normal(length).data, place: 1 + 0.9 / (1 + draw.positive()) }),
  forward: ({ signal, place }) => {
    const left = Math.floor(place);
    return signal[left] + (place - left) * (signal[left + 1] - signal[left]);
  },
  backward: (dout, { signal, place }) => {
    const left = Math.floor(place);
    const dsignal = new Float64Array(signal.length);
    dsignal[left] = dout * (1 - (place - left));
    dsignal[left + 1] = dout * (place - left);
    return { signal: dsignal, place: dout * (signal[left + 1] - signal[left]) };
  },
});

/** The slope between the samples is taken from right to left. */
export const sampleAtPlaceSlopeReversed = defineLayer({
  sizes: { length: [4, 6] },
  inputs: ({ length }, draw) => ({ signal: draw.normal(length).data, place: 1 + 0.9 / (1 + draw.positive()) }),
  forward: ({ signal, place }) => {
    const left = Math.floor(place);
    return signal[left] + (place - left) * (signal[left + 1] - signal[left]);
  },
  backward: (dout, { signal, place }) => {
    const left = Math.floor(place);
    const dsignal = new Float64Array(signal.length);
    dsignal[left] = dout * (1 - (place - left));
    dsignal[left + 1] = dout * (place - left);
    return { signal: dsignal, place: dout * (signal[left] - signal[left + 1]) };
  },
});

export const EXPECTED: Record<string, Expectation> = {
  concatColumns: 'right',
  concatOffByOne: { input: 'b', ids: ['dout-changed'], why: 'the second part of dout is read one place early' },
  splitColumns: 'right',
  splitOutputsSwapped: { input: 'x', ids: ['misplaced'], why: 'the tail comes before the head' },
  roll: 'right',
  rollSameDirection: { input: 'x', ids: ['jacobian-for-transpose', 'misplaced'], why: 'the ring is turned on, not back' },
  rotaryEmbedding: 'right',
  rotaryEmbeddingTurnedOn: { input: 'x', ids: ['jacobian-for-transpose'], why: 'the rotation stands where its inverse belongs' },
  nearestUpsampling: 'right',
  nearestUpsamplingAveraged: { input: 'x', ids: ['constant-factor'], why: 'the sum of a block is divided by its size' },
  linearResize: 'right',
  linearResizeWeightsSwapped: { input: 'x', ids: [], why: 'fraction and 1 - fraction are exchanged' },
  sampleAtPlace: 'right',
  sampleAtPlaceSlopeReversed: { input: 'place', ids: ['constant-factor'], why: 'the slope has the wrong sign' },
};
