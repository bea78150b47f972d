import { defineLayer } from '../../../../src/gradcheck.js';
import type { Expectation } from './expectation.js';

type Matrix = number[][];

/** Where each padded place of a signal reads, -1 for zero. */
type Source = (place: number, length: number, padding: number) => number;

const reflect: Source = (place, length, padding) => {
  const at = Math.abs(place - padding);
  return at < length ? at : 2 * (length - 1) - at;
};

const symmetric: Source = (place, length, padding) => {
  const at = place - padding;
  if (at < 0) return -1 - at;
  return at < length ? at : 2 * length - 1 - at;
};

const edge: Source = (place, length, padding) => Math.min(Math.max(place - padding, 0), length - 1);

const circular: Source = (place, length, padding) => (place - padding + length) % length;

function pad(x: Float64Array, padding: number, source: Source): Float64Array {
  return Float64Array.from({ length: x.length + 2 * padding }, (_, place) => x[source(place, x.length, padding)]);
}

function padBackward(dout: Float64Array, padding: number, source: Source): Float64Array {
  const dx = new Float64Array(dout.length - 2 * padding);
  dout.forEach((g, place) => {
    dx[source(place, dx.length, padding)] += g;
  });
  return dx;
}

export const reflectPad = defineLayer({
  sizes: { length: [4, 6], padding: [1, 2] },
  inputs: ({ length }, draw) => ({ x: draw.normal(length).data }),
  forward: ({ x }, { sizes }) => pad(x, sizes.padding, reflect),
  backward: (dout, _inputs, { sizes }) => ({ x: padBackward(dout, sizes.padding, reflect) }),
});

export const edgePad = defineLayer({
  sizes: { length: [3, 5], padding: [1, 2] },
  inputs: ({ length }, draw) => ({ x: draw.normal(length).data }),
  forward: ({ x }, { sizes }) => pad(x, sizes.padding, edge),
  backward: (dout, _inputs, { sizes }) => ({ x: padBackward(dout, sizes.padding, edge) }),
});

export const circularPad = defineLayer({
  sizes: { length: [3, 5], padding: [1, 2] },
  inputs: ({ length }, draw) => ({ x: draw.normal(length).data }),
  forward: ({ x }, { sizes }) => pad(x, sizes.padding, circular),
  backward: (dout, _inputs, { sizes }) => ({ x: padBackward(dout, sizes.padding, circular) }),
});

/** The margins of dout are cut off: the edges lose what they gave away. */
export const edgePadCropped = defineLayer({
  sizes: { length: [4, 6], padding: [1, 2] },
  inputs: ({ length }, draw) => ({ x: draw.normal(length).data }),
  forward: ({ x }, { sizes }) => pad(x, sizes.padding, edge),
  backward: (dout, { x }, { sizes }) => ({ x: dout.slice(sizes.padding, sizes.padding + x.length) }),
});

/** Forward mirrors without the edge, backward with it. */
export const reflectPadSymmetricGradient = defineLayer({
  sizes: { length: [4, 6], padding: [1, 2] },
  inputs: ({ length }, draw) => ({ x: draw.normal(length).data }),
  forward: ({ x }, { sizes }) => pad(x, sizes.padding, reflect),
  backward: (dout, _inputs, { sizes }) => ({ x: padBackward(dout, sizes.padding, symmetric) }),
});

/** Places that are read twice keep the gradient of the last reading. */
export const circularPadOverwritten = defineLayer({
  sizes: { length: [4, 5], padding: [1, 2] },
  inputs: ({ length }, draw) => ({ x: draw.normal(length).data }),
  forward: ({ x }, { sizes }) => pad(x, sizes.padding, circular),
  backward: (dout, { x }, { sizes }) => {
    const dx = new Float64Array(x.length);
    dout.forEach((g, place) => {
      dx[circular(place, dx.length, sizes.padding)] = g;
    });
    return { x: dx };
  },
});

const TOP = 1;
const LEFT = 2;

/** Zeros: one row above, two columns at the left, one at the right. */
function zeroPad(x: Matrix): Matrix {
  const width = x[0].length + LEFT + 1;
  const rows = x.map((row) => [0, 0, ...row, 0]);
  return [new Array<number>(width).fill(0), ...rows];
}

export const zeroPad2d = defineLayer({
  sizes: { rows: [1, 2], columns: [3, 4] },
  inputs: ({ rows, columns }, draw) => ({ x: draw.normal(rows, columns).toArray() as Matrix }),
  forward: ({ x }) => zeroPad(x),
  backward: (dout, { x }) => ({ x: x.map((row, i) => row.map((_, j) => dout[i + TOP][j + LEFT])) }),
});

/** The offset of the columns stands for that of the rows, and the reverse. */
export const zeroPad2dOffsetsSwapped = defineLayer({
  sizes: { rows: [2, 3], columns: [4] },
  inputs: ({ rows, columns }, draw) => ({ x: draw.normal(rows, columns).toArray() as Matrix }),
  forward: ({ x }) => zeroPad(x),
  backward: (dout, { x }) => ({ x: x.map((row, i) => row.map((_, j) => dout[i + LEFT]?.[j + TOP] ?? 0)) }),
});

export const EXPECTED: Record<string, Expectation> = {
  reflectPad: 'right',
  edgePad: 'right',
  circularPad: 'right',
  edgePadCropped: { input: 'x', ids: ['border-only'], why: 'the first and last value lose the gradient of their copies' },
  reflectPadSymmetricGradient: { input: 'x', ids: ['border-only'], why: 'the gradient of the margin goes to a neighbour' },
  circularPadOverwritten: { input: 'x', ids: ['repeated-rows'], why: 'values that are copied get the gradient of one copy' },
  zeroPad2d: 'right',
  zeroPad2dOffsetsSwapped: { input: 'x', ids: [], why: 'rows are read two places down and columns one to the right' },
};
