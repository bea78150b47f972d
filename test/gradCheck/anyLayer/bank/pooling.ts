import { defineLayer } from '../../../../src/gradcheck.js';
import type { Expectation } from './expectation.js';

type Plane = number[][];

/** The place of the largest value in the 2 × 2 window whose corner is (r, c). */
function largestInWindow(x: Plane, r: number, c: number): [number, number] {
  let best: [number, number] = [r, c];
  for (let i = r; i < r + 2; i++) {
    for (let j = c; j < c + 2; j++) if (x[i][j] > x[best[0]][best[1]]) best = [i, j];
  }
  return best;
}

/** 2 × 2 windows side by side. */
export const maxPool2d = defineLayer({
  sizes: { channels: [1, 2], rows: [2, 4], columns: [4, 6] },
  inputs: ({ channels, rows, columns }, draw) => ({ x: draw.normal(channels, rows, columns).toArray() as Plane[] }),
  forward: ({ x }, context) => {
    const places = x.map((plane) => {
      const chosen: [number, number][][] = [];
      for (let r = 0; r < plane.length; r += 2) {
        const line: [number, number][] = [];
        for (let c = 0; c < plane[0].length; c += 2) line.push(largestInWindow(plane, r, c));
        chosen.push(line);
      }
      return chosen;
    });
    context.saved.places = places;
    return places.map((lines, k) => lines.map((line) => line.map(([i, j]) => x[k][i][j])));
  },
  backward: (dout, { x }, context) => {
    const places = context.saved.places as [number, number][][][];
    const dx = x.map((plane) => plane.map((row) => row.map(() => 0)));
    places.forEach((lines, k) => {
      lines.forEach((line, r) => {
        line.forEach(([i, j], c) => {
          dx[k][i][j] = dout[k][r][c];
        });
      });
    });
    return { x: dx };
  },
});

const WINDOW = 3;

function windowArgmax(x: Float32Array, start: number): number {
  let best = start;
  for (let t = start + 1; t < start + WINDOW; t++) if (x[t] > x[best]) best = t;
  return best;
}

/** Windows of 3 that overlap by 2, on positive values; the places come out as integers. */
export const maxPool1dOverlapping = defineLayer({
  sizes: { length: [3, 7] },
  inputs: ({ length }, draw) => ({ x: Float32Array.from(draw.positive(length).data) }),
  forward: ({ x }) => {
    const places = Int32Array.from({ length: x.length - WINDOW + 1 }, (_, t) => windowArgmax(x, t));
    return { values: Float32Array.from(places, (at) => x[at]), places };
  },
  backward: (dout, { x }, context) => {
    const { places } = context.outputs as { places: Int32Array };
    const dx = new Float32Array(x.length);
    for (let t = 0; t < places.length; t++) dx[places[t]] += dout.values[t];
    return { x: dx };
  },
});

/** A value that is the largest of two windows gets the gradient of the second only. */
export const maxPool1dOverwritten = defineLayer({
  sizes: { length: [5, 9] },
  inputs: ({ length }, draw) => ({ x: Float32Array.from(draw.positive(length).data) }),
  forward: ({ x }, context) => {
    const places = Int32Array.from({ length: x.length - WINDOW + 1 }, (_, t) => windowArgmax(x, t));
    context.saved.places = places;
    return Float32Array.from(places, (at) => x[at]);
  },
  backward: (dout, { x }, context) => {
    const places = context.saved.places as Int32Array;
    const dx = new Float32Array(x.length);
    for (let t = 0; t < places.length; t++) dx[places[t]] = dout[t];
    return { x: dx };
  },
});

/** The place within the window is taken for the place in the row. */
export const maxPool1dOffsetForgotten = defineLayer({
  sizes: { windows: [1, 2, 4] },
  inputs: ({ windows }, draw) => ({ x: draw.normal(WINDOW * windows).data }),
  forward: ({ x }, context) => {
    const windows = Array.from({ length: x.length / WINDOW }, (_, w) => x.subarray(WINDOW * w, WINDOW * (w + 1)));
    context.saved.places = windows.map((values) => values.indexOf(Math.max(...values)));
    return Float64Array.from(windows, (values) => Math.max(...values));
  },
  backward: (dout, { x }, context) => {
    const dx = new Float64Array(x.length);
    (context.saved.places as number[]).forEach((at, w) => {
      dx[at] += dout[w];
    });
    return { x: dx };
  },
});

/** The first and last place of the window around t, cut at the borders. */
function sameWindow(t: number, length: number): [number, number] {
  return [Math.max(0, t - 1), Math.min(length - 1, t + 1)];
}

/** Average of 3 with padding 'same': at the borders of the 2 values that there are. */
function averageSame(x: Float64Array): Float64Array {
  return x.map((_, t) => {
    const [from, to] = sameWindow(t, x.length);
    let sum = 0;
    for (let k = from; k <= to; k++) sum += x[k];
    return sum / (to - from + 1);
  });
}

function averageSameBackward(dout: Float64Array, count: (from: number, to: number) => number): Float64Array {
  const dx = new Float64Array(dout.length);
  for (let t = 0; t < dout.length; t++) {
    const [from, to] = sameWindow(t, dout.length);
    for (let k = from; k <= to; k++) dx[k] += dout[t] / count(from, to);
  }
  return dx;
}

export const averagePoolSame = defineLayer({
  sizes: { length: [2, 3, 6] },
  inputs: ({ length }, draw) => ({ x: draw.normal(length).data }),
  forward: ({ x }) => averageSame(x),
  backward: (dout) => ({ x: averageSameBackward(dout, (from, to) => to - from + 1) }),
});

/** Backward divides by 3 at the borders too. */
export const averagePoolSameFullWindow = defineLayer({
  sizes: { length: [6, 8] },
  inputs: ({ length }, draw) => ({ x: draw.normal(length).data }),
  forward: ({ x }) => averageSame(x),
  backward: (dout) => ({ x: averageSameBackward(dout, () => WINDOW) }),
});

/** 2d average with stride 2 over [channels][2 · rows][2 · columns], flat. */
function averageStride2(x: Float64Array, sizes: Record<string, number>): Float64Array {
  const { channels, rows, columns } = sizes;
  const y = new Float64Array(channels * rows * columns);
  x.forEach((v, at) => {
    y[pooledPlace(at, sizes)] += v / 4;
  });
  return y;
}

function pooledPlace(at: number, { rows, columns }: Record<string, number>): number {
  const column = at % (2 * columns);
  const row = Math.floor(at / (2 * columns)) % (2 * rows);
  const channel = Math.floor(at / (4 * rows * columns));
  return (channel * rows + (row >> 1)) * columns + (column >> 1);
}

export const averagePool2d = defineLayer({
  sizes: { channels: [1, 3], rows: [1, 3], columns: [2] },
  inputs: ({ channels, rows, columns }, draw) => ({ x: draw.normal(channels, 2 * rows, 2 * columns).data }),
  forward: ({ x }, { sizes }) => averageStride2(x, sizes),
  backward: (dout, { x }, { sizes }) => ({ x: x.map((_, at) => dout[pooledPlace(at, sizes)] / 4) }),
});

/** Backward walks the input by columns first. */
export const averagePool2dAxesSwapped = defineLayer({
  sizes: { rows: [2, 3], columns: [1, 3] },
  inputs: ({ rows, columns }, draw) => ({ x: draw.normal(1, 2 * rows, 2 * columns).data }),
  forward: ({ x }, { sizes }) => averageStride2(x, { channels: 1, ...sizes }),
  backward: (dout, { x }, { sizes: { rows, columns } }) => {
    const dx = new Float64Array(x.length);
    let at = 0;
    for (let c = 0; c < 2 * columns; c++) {
      for (let r = 0; r < 2 * rows; r++) dx[at++] = dout[(r >> 1) * columns + (c >> 1)] / 4;
    }
    return { x: dx };
  },
});

const mean = (plane: Plane) => plane.flat().reduce((a, b) => a + b, 0) / (plane.length * plane[0].length);

export const globalAveragePool = defineLayer({
  sizes: { channels: [1, 3], rows: [1, 2], columns: [4] },
  inputs: ({ channels, rows, columns }, draw) => ({ x: draw.normal(channels, rows, columns).toArray() as Plane[] }),
  forward: ({ x }) => x.map(mean),
  backward: (dout, { x }) => ({
    x: x.map((plane, c) => plane.map((row) => row.map(() => dout[c] / (plane.length * row.length)))),
  }),
  batch: { letter: 'channels', inputs: ['x'] },
});

export const globalAveragePoolCountForgotten = defineLayer({
  sizes: { channels: [1, 3], rows: [1, 2], columns: [4] },
  inputs: ({ channels, rows, columns }, draw) => ({ x: draw.normal(channels, rows, columns).toArray() as Plane[] }),
  forward: ({ x }) => x.map(mean),
  backward: (dout, { x }) => ({ x: x.map((plane, c) => plane.map((row) => row.map(() => dout[c]))) }),
});

/** (mean of xᵖ)^(1/p) with a learnt number p, on positive values. */
export const generalisedMeanPool = defineLayer({
  sizes: { count: [1, 4] },
  inputs: ({ count }, draw) => ({ x: draw.positive(count).data, p: 2 + draw.positive() }),
  forward: ({ x, p }) => (x.reduce((sum, v) => sum + v ** p, 0) / x.length) ** (1 / p),
  backward: (dout, { x, p }, context) => {
    const y = context.outputs as number;
    const m = y ** p;
    const logs = x.reduce((sum, v) => sum + v ** p * Math.log(v), 0) / x.length;
    return {
      x: x.map((v) => (dout * (v / y) ** (p - 1)) / x.length),
      p: dout * y * (logs / (p * m) - Math.log(m) / (p * p)),
    };
  },
});

export const EXPECTED: Record<string, Expectation> = {
  maxPool2d: 'right',
  maxPool1dOverlapping: 'right',
  maxPool1dOverwritten: { input: 'x', ids: ['repeated-rows'], why: 'a value chosen twice keeps the gradient of one window' },
  maxPool1dOffsetForgotten: { input: 'x', ids: [], why: 'the start of the window is not added to the place' },
  averagePoolSame: 'right',
  averagePoolSameFullWindow: { input: 'x', ids: ['border-only'], why: 'windows cut at the border are divided by 3' },
  averagePool2d: 'right',
  averagePool2dAxesSwapped: { input: 'x', ids: ['misplaced'], why: 'the gradient is written column by column' },
  globalAveragePool: 'right',
  globalAveragePoolCountForgotten: { input: 'x', ids: ['constant-factor'], why: 'the gradient is not divided by the count' },
  generalisedMeanPool: 'right',
};
