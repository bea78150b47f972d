import { defineLayer } from '../../../../src/gradcheck.js';
import type { Expectation } from './expectation.js';

interface Conv1dShape {
  cin: number;
  cout: number;
  width: number;
  length: number;
  stride: number;
  padding: number;
}

const outputLength = ({ length, width, stride, padding }: Conv1dShape) => Math.floor((length + 2 * padding - width) / stride) + 1;

type Visit = (y: number, x: number, w: number) => void;

/** Each product of a 1d convolution of one example: the flat places in y, x and w. */
function eachProduct(s: Conv1dShape, visit: Visit): void {
  const out = outputLength(s);
  for (let o = 0; o < s.cout; o++) {
    for (let c = 0; c < s.cin; c++) {
      for (let t = 0; t < out; t++) {
        for (let k = 0; k < s.width; k++) {
          const at = t * s.stride + k - s.padding;
          if (at < 0 || at >= s.length) continue;
          visit(o * out + t, c * s.length + at, (o * s.cin + c) * s.width + k);
        }
      }
    }
  }
}

function conv1dShape(sizes: Record<string, number>): Conv1dShape {
  return { cin: sizes.cin, cout: sizes.cout, width: 3, length: sizes.length, stride: sizes.stride ?? 1, padding: 1 };
}

export const conv1d = defineLayer({
  sizes: { cin: [1, 2], cout: [3, 4], length: [5, 6], stride: [1, 2] },
  inputs: ({ cin, cout, length }, draw) => ({
    x: Float32Array.from(draw.normal(cin, length).data),
    w: Float32Array.from(draw.normal(cout, cin, 3).data),
  }),
  forward: ({ x, w }, { sizes }) => {
    const shape = conv1dShape(sizes);
    const y = new Float32Array(shape.cout * outputLength(shape));
    eachProduct(shape, (i, j, k) => {
      y[i] += x[j] * w[k];
    });
    return y;
  },
  backward: (dout, { x, w }, { sizes }) => {
    const dx = new Float32Array(x.length);
    const dw = new Float32Array(w.length);
    eachProduct(conv1dShape(sizes), (i, j, k) => {
      dx[j] += dout[i] * w[k];
      dw[k] += dout[i] * x[j];
    });
    return { x: dx, w: dw };
  },
});

/** The gradient of the weights is written from the far end of the kernel. */
export const conv1dKernelGradientReversed = defineLayer({
  sizes: { cin: [1, 2], cout: [3, 4], length: [5] },
  inputs: ({ cin, cout, length }, draw) => ({
    x: Float32Array.from(draw.normal(cin, length).data),
    w: Float32Array.from(draw.normal(cout, cin, 3).data),
  }),
  forward: ({ x, w }, { sizes }) => {
    const shape = conv1dShape(sizes);
    const y = new Float32Array(shape.cout * outputLength(shape));
    eachProduct(shape, (i, j, k) => {
      y[i] += x[j] * w[k];
    });
    return y;
  },
  backward: (dout, { x, w }, { sizes }) => {
    const dx = new Float32Array(x.length);
    const dw = new Float32Array(w.length);
    eachProduct(conv1dShape(sizes), (i, j, k) => {
      dx[j] += dout[i] * w[k];
      const tap = k % 3;
      dw[k - tap + 2 - tap] += dout[i] * x[j];
    });
    return { x: dx, w: dw };
  },
});

/** A filter of one channel that keeps the length; taps outside the signal are zero. */
function filter(x: number[], taps: number[]): number[] {
  const half = (taps.length - 1) / 2;
  return x.map((_, t) => taps.reduce((sum, w, k) => sum + w * (x[t + k - half] ?? 0), 0));
}

function tapGradients(x: number[], taps: number[], dout: number[]): number[] {
  const half = (taps.length - 1) / 2;
  return taps.map((_, k) => dout.reduce((sum, g, t) => sum + g * (x[t + k - half] ?? 0), 0));
}

/** Backward filters dout with the taps as they are; they belong reversed. */
export const filterNotReversed = defineLayer({
  sizes: { length: [4, 6], half: [1, 2] },
  inputs: ({ length, half }, draw) => ({
    x: draw.normal(length).toArray() as number[],
    taps: draw.normal(2 * half + 1).toArray() as number[],
  }),
  forward: ({ x, taps }) => filter(x, taps),
  backward: (dout, { x, taps }) => ({ x: filter(dout, taps), taps: tapGradients(x, taps, dout) }),
});

/** Backward visits only the places where the whole filter lies inside. */
export const filterBorderSkipped = defineLayer({
  sizes: { length: [5, 7] },
  inputs: ({ length }, draw) => ({ x: draw.normal(length).toArray() as number[], taps: draw.normal(3).toArray() as number[] }),
  forward: ({ x, taps }) => filter(x, taps),
  backward: (dout, { x, taps }) => {
    const dx = x.map(() => 0);
    for (let t = 1; t < x.length - 1; t++) {
      for (let k = 0; k < 3; k++) dx[t] += taps[2 - k] * dout[t + k - 1];
    }
    return { x: dx, taps: tapGradients(x, taps, dout) };
  },
});

type Shaped = { data: Float64Array; shape: number[] };

interface Conv2dInputs {
  /** [n][cin][height][width] */
  x: Shaped;
  /** [cout][cin][kh][kw] */
  w: Shaped;
  bias: Float64Array;
}

/** Each product of a 2d convolution, with the flat places in y, x and w; gives the shape of y. */
function eachPatch(xShape: number[], wShape: number[], stride: number, padding: number, visit: Visit): number[] {
  const [n, cin, height, width] = xShape;
  const [cout, , kh, kw] = wShape;
  const oh = Math.floor((height + 2 * padding - kh) / stride) + 1;
  const ow = Math.floor((width + 2 * padding - kw) / stride) + 1;
  const taps = cin * kh * kw;
  for (let at = 0; at < n * cout * oh * ow; at++) {
    const column = at % ow;
    const row = Math.floor(at / ow) % oh;
    const o = Math.floor(at / (ow * oh)) % cout;
    const b = Math.floor(at / (ow * oh * cout));
    for (let tap = 0; tap < taps; tap++) {
      const c = Math.floor(tap / (kh * kw));
      const r = row * stride - padding + (Math.floor(tap / kw) % kh);
      const q = column * stride - padding + (tap % kw);
      if (r < 0 || r >= height || q < 0 || q >= width) continue;
      visit(at, ((b * cin + c) * height + r) * width + q, o * taps + tap);
    }
  }
  return [n, cout, oh, ow];
}

function conv2dForward({ x, w, bias }: Conv2dInputs, stride: number): Shaped {
  const shape = eachPatch(x.shape, w.shape, stride, 1, () => {});
  const plane = shape[2] * shape[3];
  const data = Float64Array.from({ length: shape[0] * shape[1] * plane }, (_, i) => bias[Math.floor(i / plane) % bias.length]);
  eachPatch(x.shape, w.shape, stride, 1, (i, j, k) => {
    data[i] += x.data[j] * w.data[k];
  });
  return { data, shape };
}

function conv2dBackward(dout: Shaped, { x, w, bias }: Conv2dInputs, stride: number) {
  const dx = new Float64Array(x.data.length);
  const dw = new Float64Array(w.data.length);
  const dbias = new Float64Array(bias.length);
  eachPatch(x.shape, w.shape, stride, 1, (i, j, k) => {
    dx[j] += dout.data[i] * w.data[k];
    dw[k] += dout.data[i] * x.data[j];
  });
  const plane = dout.shape[2] * dout.shape[3];
  dout.data.forEach((g, i) => {
    dbias[Math.floor(i / plane) % bias.length] += g;
  });
  return { x: { data: dx, shape: [...x.shape] }, w: { data: dw, shape: [...w.shape] }, bias: dbias };
}

export const conv2d = defineLayer({
  sizes: { n: [1, 2], cin: [3], size: [4, 5], stride: [1, 2] },
  inputs: ({ n, cin, size }, draw): Conv2dInputs => ({
    x: { data: draw.normal(n, cin, size, size - 1).data, shape: [n, cin, size, size - 1] },
    w: { data: draw.normal(2, cin, 3, 2).data, shape: [2, cin, 3, 2] },
    bias: draw.normal(2).data,
  }),
  forward: (inputs, { sizes }) => conv2dForward(inputs, sizes.stride),
  backward: (dout, inputs, { sizes }) => conv2dBackward(dout, inputs, sizes.stride),
});

/** The bias is shared by all examples, its gradient is that of the first. */
export const conv2dBiasOfFirstExample = defineLayer({
  sizes: { n: [1, 3], cin: [2], size: [4] },
  inputs: ({ n, cin, size }, draw): Conv2dInputs => ({
    x: { data: draw.normal(n, cin, size, size).data, shape: [n, cin, size, size] },
    w: { data: draw.normal(2, cin, 3, 3).data, shape: [2, cin, 3, 3] },
    bias: draw.normal(2).data,
  }),
  forward: (inputs) => conv2dForward(inputs, 1),
  backward: (dout, inputs) => {
    const { x, w } = conv2dBackward(dout, inputs, 1);
    const [, channels, height, width] = dout.shape;
    const bias = Float64Array.from({ length: channels }, (_, c) =>
      dout.data.subarray(c * height * width, (c + 1) * height * width).reduce((a, b) => a + b, 0),
    );
    return { x, w, bias };
  },
});

type Planes = number[][][];

/** Each channel has a kernel of its own, 'valid'. */
function depthwiseForward(x: Planes, w: Planes): Planes {
  return x.map((plane, c) => {
    const [kh, kw] = [w[c].length, w[c][0].length];
    return plane.slice(kh - 1).map((_, i) =>
      plane[0].slice(kw - 1).map((_unused, j) => {
        let sum = 0;
        for (let a = 0; a < kh; a++) for (let b = 0; b < kw; b++) sum += plane[i + a][j + b] * w[c][a][b];
        return sum;
      }),
    );
  });
}

const zerosLike = (x: Planes): Planes => x.map((plane) => plane.map((row) => row.map(() => 0)));

/** `source(c)` is the channel whose input the kernel of channel c is multiplied by. */
function depthwiseBackward(dout: Planes, x: Planes, w: Planes, source: (c: number) => number) {
  const dx = zerosLike(x);
  const dw = zerosLike(w);
  for (let c = 0; c < x.length; c++) {
    dout[c].forEach((row, i) => {
      row.forEach((g, j) => {
        for (let a = 0; a < w[c].length; a++) {
          for (let b = 0; b < w[c][a].length; b++) {
            dx[c][i + a][j + b] += g * w[c][a][b];
            dw[c][a][b] += g * x[source(c)][i + a][j + b];
          }
        }
      });
    });
  }
  return { x: dx, w: dw };
}

export const depthwiseConv2d = defineLayer({
  sizes: { channels: [1, 3], size: [4] },
  inputs: ({ channels, size }, draw) => ({
    x: draw.normal(channels, size, size + 1).toArray() as Planes,
    w: draw.normal(channels, 2, 3).toArray() as Planes,
  }),
  forward: ({ x, w }) => depthwiseForward(x, w),
  backward: (dout, { x, w }) => depthwiseBackward(dout, x, w, (c) => c),
});

/** Right with one channel. */
export const depthwiseKernelFromFirstChannel = defineLayer({
  sizes: { channels: [1, 3], size: [4] },
  inputs: ({ channels, size }, draw) => ({
    x: draw.normal(channels, size, size).toArray() as Planes,
    w: draw.normal(channels, 2, 2).toArray() as Planes,
  }),
  forward: ({ x, w }) => depthwiseForward(x, w),
  backward: (dout, { x, w }) => depthwiseBackward(dout, x, w, () => 0),
});

interface Transposed1d {
  /** [cin][length] */
  x: Float64Array;
  /** [cin][cout][width] */
  w: Float64Array;
}

/** Each product of a transposed convolution: every input value spreads its kernel into the output. */
function eachSpread(sizes: Record<string, number>, stride: number, visit: Visit): number {
  const { cin, cout, length } = sizes;
  const width = 3;
  const out = (length - 1) * stride + width;
  for (let c = 0; c < cin; c++) {
    for (let o = 0; o < cout; o++) {
      for (let t = 0; t < length; t++) {
        for (let k = 0; k < width; k++) visit(o * out + t * stride + k, c * length + t, (c * cout + o) * width + k);
      }
    }
  }
  return out * cout;
}

function transposedForward({ x, w }: Transposed1d, sizes: Record<string, number>): Float64Array {
  const y = new Float64Array(eachSpread(sizes, sizes.stride, () => {}));
  eachSpread(sizes, sizes.stride, (i, j, k) => {
    y[i] += x[j] * w[k];
  });
  return y;
}

export const transposedConv1d = defineLayer({
  sizes: { cin: [1, 2], cout: [3, 5], length: [4], stride: [1, 2] },
  inputs: ({ cin, cout, length }, draw): Transposed1d => ({ x: draw.normal(cin, length).data, w: draw.normal(cin, cout, 3).data }),
  forward: (inputs, { sizes }) => transposedForward(inputs, sizes),
  backward: (dout, { x, w }, { sizes }) => {
    const dx = new Float64Array(x.length);
    const dw = new Float64Array(w.length);
    eachSpread(sizes, sizes.stride, (i, j, k) => {
      dx[j] += dout[i] * w[k];
      dw[k] += dout[i] * x[j];
    });
    return { x: dx, w: dw };
  },
});

/** Forward steps by the stride, backward reads dout without it: right at stride 1. */
export const transposedConv1dStrideForgotten = defineLayer({
  sizes: { cin: [3], cout: [5], length: [4], stride: [1, 2] },
  inputs: ({ cin, cout, length }, draw): Transposed1d => ({ x: draw.normal(cin, length).data, w: draw.normal(cin, cout, 3).data }),
  forward: (inputs, { sizes }) => transposedForward(inputs, sizes),
  backward: (dout, { x, w }, { sizes }) => {
    const { cin, cout, length, stride } = sizes;
    const out = (length - 1) * stride + 3;
    const dx = new Float64Array(x.length);
    const dw = new Float64Array(w.length);
    eachSpread(sizes, stride, (i, j, k) => {
      dw[k] += dout[i] * x[j];
    });
    for (let c = 0; c < cin; c++) {
      for (let o = 0; o < cout; o++) {
        for (let t = 0; t < length; t++) {
          for (let k = 0; k < 3; k++) dx[c * length + t] += dout[o * out + t + k] * w[(c * cout + o) * 3 + k];
        }
      }
    }
    return { x: dx, w: dw };
  },
});

export const EXPECTED: Record<string, Expectation> = {
  conv1d: 'right',
  conv1dKernelGradientReversed: { input: 'w', ids: ['misplaced'], why: 'the taps of the gradient stand in reverse' },
  filterNotReversed: { input: 'x', ids: ['jacobian-for-transpose'], why: 'dout is filtered with the taps of the forward pass' },
  filterBorderSkipped: { input: 'x', ids: ['border-only'], why: 'the first and the last place stay zero' },
  conv2d: 'right',
  conv2dBiasOfFirstExample: {
    input: 'bias',
    ids: ['sum-missing', 'first-example-only'],
    why: 'only the first example reaches the bias',
  },
  depthwiseConv2d: 'right',
  depthwiseKernelFromFirstChannel: {
    input: 'w',
    ids: ['first-example-only', 'first-step-only'],
    why: 'all kernels are multiplied by the first channel',
  },
  transposedConv1d: 'right',
  transposedConv1dStrideForgotten: { input: 'x', ids: [], why: 'dout is read at t + k, not at t · stride + k' },
};
