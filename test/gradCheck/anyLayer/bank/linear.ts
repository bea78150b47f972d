import { defineLayer, fromClass } from '../../../../src/gradcheck.js';
import type { Expectation } from './expectation.js';

type Matrix = number[][];

function matmul(a: Matrix, b: Matrix): Matrix {
  return a.map((row) => b[0].map((_, j) => row.reduce((sum, v, k) => sum + v * b[k][j], 0)));
}

function transpose(a: Matrix): Matrix {
  return a[0].map((_, j) => a.map((row) => row[j]));
}

/** y = x Wᵀ + b, with weight[out][in] as one flat array. */
class Dense {
  weight: Float32Array;
  bias: Float32Array;
  dweight: Float32Array;
  dbias: Float32Array;
  private x: Float32Array = new Float32Array(0);
  private readonly fanIn: number;
  private readonly fanOut: number;

  constructor(weight: Float32Array, bias: Float32Array) {
    this.weight = weight;
    this.bias = bias;
    this.fanOut = bias.length;
    this.fanIn = weight.length / bias.length;
    this.dweight = new Float32Array(weight.length);
    this.dbias = new Float32Array(bias.length);
  }

  forward(x: Float32Array): Float32Array {
    this.x = x;
    const rows = x.length / this.fanIn;
    const y = new Float32Array(rows * this.fanOut);
    for (let r = 0; r < rows; r++) {
      for (let o = 0; o < this.fanOut; o++) {
        let sum = this.bias[o];
        for (let i = 0; i < this.fanIn; i++) sum += this.weight[o * this.fanIn + i] * x[r * this.fanIn + i];
        y[r * this.fanOut + o] = sum;
      }
    }
    return y;
  }

  backward(dout: Float32Array): Float32Array {
    const dx = new Float32Array(this.x.length);
    const rows = this.x.length / this.fanIn;
    this.dweight.fill(0);
    this.dbias.fill(0);
    for (let r = 0; r < rows; r++) {
      for (let o = 0; o < this.fanOut; o++) {
        const g = dout[r * this.fanOut + o];
        this.dbias[o] += g;
        for (let i = 0; i < this.fanIn; i++) {
          this.dweight[this.weightGradientAt(o, i)] += g * this.x[r * this.fanIn + i];
          dx[r * this.fanIn + i] += g * this.weight[o * this.fanIn + i];
        }
      }
    }
    return dx;
  }

  protected weightGradientAt(o: number, i: number): number {
    return o * this.fanIn + i;
  }
}

/** Writes the gradient of the weights as [in][out]. */
class DenseGradientTransposed extends Dense {
  protected override weightGradientAt(o: number, i: number): number {
    return i * this.bias.length + o;
  }
}

export const denseClass = fromClass({
  sizes: { n: [1, 3], fanIn: [2, 4], fanOut: [3, 5] },
  create: ({ fanIn, fanOut }, draw) =>
    new Dense(Float32Array.from(draw.normal(fanOut, fanIn).data), Float32Array.from(draw.normal(fanOut).data)),
  input: ({ n, fanIn }, draw) => Float32Array.from(draw.normal(n, fanIn).data),
  parameters: { weight: ['weight', 'dweight'], bias: ['bias', 'dbias'] },
  forward: 'forward',
  backward: 'backward',
});

export const denseGradientTransposed = fromClass({
  sizes: { n: [1, 3], fanIn: [2, 4], fanOut: [3, 5] },
  create: ({ fanIn, fanOut }, draw) =>
    new DenseGradientTransposed(Float32Array.from(draw.normal(fanOut, fanIn).data), Float32Array.from(draw.normal(fanOut).data)),
  input: ({ n, fanIn }, draw) => Float32Array.from(draw.normal(n, fanIn).data),
  parameters: { weight: ['weight', 'dweight'], bias: ['bias', 'dbias'] },
  forward: 'forward',
  backward: 'backward',
});

export const matrixProduct = defineLayer({
  sizes: { m: [1, 2], k: [3, 4], p: [2, 5] },
  inputs: ({ m, k, p }, draw) => ({ a: draw.normal(m, k).toArray() as Matrix, b: draw.normal(k, p).toArray() as Matrix }),
  forward: async ({ a, b }) => matmul(a, b),
  backward: async (dout, { a, b }) => ({ a: matmul(dout, transpose(b)), b: matmul(transpose(a), dout) }),
});

/** The square mixing matrix is applied to dout as it stands. */
export const mixingWithoutTranspose = defineLayer({
  sizes: { rows: [1, 3], k: [2, 4] },
  inputs: ({ rows, k }, draw) => ({ x: draw.normal(rows, k).toArray() as Matrix, mix: draw.normal(k, k).toArray() as Matrix }),
  forward: ({ x, mix }) => matmul(x, mix),
  backward: (dout, { x, mix }) => ({ x: matmul(dout, mix), mix: matmul(transpose(x), dout) }),
});

/** Adds to the buffers of all inputs. */
export const denseAccumulating = defineLayer({
  sizes: { n: [1, 3], fanIn: [2, 4], fanOut: [5] },
  inputs: ({ n, fanIn, fanOut }, draw) => ({
    x: draw.normal(n, fanIn).toArray() as Matrix,
    weight: draw.normal(fanIn, fanOut).toArray() as Matrix,
    bias: draw.normal(fanOut).toArray() as number[],
  }),
  forward: ({ x, weight, bias }) => matmul(x, weight).map((row) => row.map((v, j) => v + bias[j])),
  backward: (dout, { x, weight }, context) => {
    const grads = context.gradients as { x: Matrix; weight: Matrix; bias: number[] };
    for (let r = 0; r < x.length; r++) {
      for (let j = 0; j < dout[r].length; j++) {
        grads.bias[j] += dout[r][j];
        for (let i = 0; i < x[r].length; i++) {
          grads.weight[i][j] += x[r][i] * dout[r][j];
          grads.x[r][i] += weight[i][j] * dout[r][j];
        }
      }
    }
  },
  accumulates: true,
});

/** The buffer of the bias is set, that of the weights is added to. */
export const denseBiasOverwritten = defineLayer({
  sizes: { fanIn: [2, 4], fanOut: [3, 5] },
  inputs: ({ fanIn, fanOut }, draw) => ({
    x: draw.normal(fanIn).data,
    weight: draw.normal(fanIn, fanOut).data,
    bias: draw.normal(fanOut).data,
  }),
  forward: ({ x, weight, bias }) => bias.map((b, j) => x.reduce((sum, v, i) => sum + v * weight[i * bias.length + j], b)),
  backward: (dout, { x, weight }, context) => {
    const { weight: dweight, bias: dbias } = context.gradients as { weight: Float64Array; bias: Float64Array };
    const fanOut = dout.length;
    const dx = new Float64Array(x.length);
    for (let j = 0; j < fanOut; j++) {
      dbias[j] = dout[j];
      for (let i = 0; i < x.length; i++) {
        dweight[i * fanOut + j] += x[i] * dout[j];
        dx[i] += weight[i * fanOut + j] * dout[j];
      }
    }
    return { x: dx };
  },
  accumulates: ['weight', 'bias'],
});

/** The bias is added to each row, its gradient is that of the last row. */
export const denseBiasOfOneRow = defineLayer({
  sizes: { n: [1, 3], fanIn: [2], fanOut: [4, 5] },
  inputs: ({ n, fanIn, fanOut }, draw) => ({
    x: draw.normal(n, fanIn).toArray() as Matrix,
    weight: draw.normal(fanIn, fanOut).toArray() as Matrix,
    bias: draw.normal(fanOut).toArray() as number[],
  }),
  forward: ({ x, weight, bias }) => matmul(x, weight).map((row) => row.map((v, j) => v + bias[j])),
  backward: (dout, { x, weight }) => {
    let dbias: number[] = [];
    for (const row of dout) dbias = row.slice();
    return { x: matmul(dout, transpose(weight)), weight: matmul(transpose(x), dout), bias: dbias };
  },
});

/** The gradient of the bias has a place, and nothing is put there. */
export const denseBiasNeverFilled = defineLayer({
  sizes: { fanIn: [2], fanOut: [1, 3] },
  inputs: ({ fanIn, fanOut }, draw) => ({
    x: Float32Array.from(draw.normal(fanIn).data),
    weight: Float32Array.from(draw.normal(fanIn, fanOut).data),
    bias: Float32Array.from(draw.normal(fanOut).data),
  }),
  forward: ({ x, weight, bias }) => bias.map((b, j) => x.reduce((sum, v, i) => sum + v * weight[i * bias.length + j], b)),
  backward: (dout, { x, weight, bias }) => {
    const grads = { x: new Float32Array(x.length), weight: new Float32Array(weight.length), bias: new Float32Array(bias.length) };
    for (let i = 0; i < x.length; i++) {
      for (let j = 0; j < dout.length; j++) {
        grads.weight[i * dout.length + j] = x[i] * dout[j];
        grads.x[i] += weight[i * dout.length + j] * dout[j];
      }
    }
    return grads;
  },
});

/** Pairs of matrices; the gradient of a multiplies by the first b for all of them. */
export const batchedProductFirstExample = defineLayer({
  sizes: { n: [1, 3], m: [2], k: [4] },
  inputs: ({ n, m, k }, draw) => ({ a: draw.normal(n, m, k).toArray() as Matrix[], b: draw.normal(n, k, 2).toArray() as Matrix[] }),
  forward: ({ a, b }) => a.map((left, i) => matmul(left, b[i])),
  backward: (dout, { a, b }) => ({
    a: dout.map((g) => matmul(g, transpose(b[0]))),
    b: dout.map((g, i) => matmul(transpose(a[i]), g)),
  }),
});

/** The gradient of the weights goes by a name that no input has. */
export const denseMisspeltWeight = defineLayer({
  sizes: { n: [2], fanIn: [3], fanOut: [4] },
  inputs: ({ n, fanIn, fanOut }, draw) => ({
    x: draw.normal(n, fanIn).toArray() as Matrix,
    weight: draw.normal(fanIn, fanOut).toArray() as Matrix,
  }),
  forward: ({ x, weight }) => matmul(x, weight),
  backward: (dout, { x, weight }) => ({ x: matmul(dout, transpose(weight)), weigth: matmul(transpose(x), dout) }),
});

interface Bilinear {
  left: Float64Array;
  core: Float64Array;
  right: Float64Array;
}

function bilinearForward({ left, core, right }: Bilinear): number {
  let sum = 0;
  for (let i = 0; i < left.length; i++) {
    for (let j = 0; j < right.length; j++) sum += left[i] * core[i * right.length + j] * right[j];
  }
  return sum;
}

/** leftᵀ · core · right, a number. */
export const bilinearForm = defineLayer({
  sizes: { p: [1, 3], q: [2, 4] },
  inputs: ({ p, q }, draw): Bilinear => ({ left: draw.normal(p).data, core: draw.normal(p, q).data, right: draw.normal(q).data }),
  forward: (inputs) => bilinearForward(inputs),
  backward: (dout, { left, core, right }) => {
    const q = right.length;
    const dright = right.map((_, j) => dout * left.reduce((sum, v, i) => sum + v * core[i * q + j], 0));
    const dleft = left.map((_, i) => dout * right.reduce((sum, v, j) => sum + v * core[i * q + j], 0));
    const dcore = core.map((_, at) => dout * left[Math.floor(at / q)] * right[at % q]);
    return { left: dleft, core: dcore, right: dright };
  },
});

/** xᵀ A x: A need not be symmetric, the gradient (A + Aᵀ) x is taken as 2 A x. */
export const quadraticFormSymmetricOnly = defineLayer({
  sizes: { n: [2, 3] },
  inputs: ({ n }, draw) => ({ x: draw.normal(n).data, a: draw.normal(n, n).data }),
  forward: ({ x, a }) => bilinearForward({ left: x, core: a, right: x }),
  backward: (dout, { x, a }) => {
    const n = x.length;
    const dx = x.map((_, i) => 2 * dout * x.reduce((sum, v, j) => sum + a[i * n + j] * v, 0));
    return { x: dx, a: a.map((_, at) => dout * x[Math.floor(at / n)] * x[at % n]) };
  },
});

function softmaxRow(row: number[]): number[] {
  const top = Math.max(...row);
  const e = row.map((v) => Math.exp(v - top));
  const total = e.reduce((a, b) => a + b, 0);
  return e.map((v) => v / total);
}

export const softmaxRows = defineLayer({
  sizes: { n: [1, 3], classes: [2, 5] },
  inputs: ({ n, classes }, draw) => ({ x: draw.normal(n, classes).toArray() as Matrix }),
  forward: ({ x }) => x.map(softmaxRow),
  backward: (dout, _inputs, context) => {
    const y = context.outputs as Matrix;
    const dx = y.map((row, i) => {
      const dot = row.reduce((sum, p, j) => sum + p * dout[i][j], 0);
      return row.map((p, j) => p * (dout[i][j] - dot));
    });
    return { x: dx };
  },
  batch: { letter: 'n', inputs: ['x'] },
});

export const softmaxDiagonalOnly = defineLayer({
  sizes: { n: [1, 3], classes: [2, 5] },
  inputs: ({ n, classes }, draw) => ({ x: draw.normal(n, classes).toArray() as Matrix }),
  forward: ({ x }) => x.map(softmaxRow),
  backward: (dout, _inputs, context) => {
    const y = context.outputs as Matrix;
    return { x: y.map((row, i) => row.map((p, j) => p * (1 - p) * dout[i][j])) };
  },
});

/** The formula dout - p holds where the entries of dout sum to one. */
export const logSoftmaxSumForgotten = defineLayer({
  sizes: { classes: [2, 4] },
  inputs: ({ classes }, draw) => ({ x: draw.normal(classes).toArray() as number[] }),
  forward: ({ x }) => softmaxRow(x).map((p) => Math.log(p)),
  backward: (dout, { x }) => ({ x: softmaxRow(x).map((p, j) => dout[j] - p) }),
});

export const transposeLayer = defineLayer({
  sizes: { rows: [2, 3], columns: [4] },
  inputs: ({ rows, columns }, draw) => ({ x: draw.normal(rows, columns).toArray() as Matrix }),
  forward: ({ x }) => transpose(x),
  backward: (dout) => ({ x: transpose(dout) }),
});

/** The data stay in the order of the output, under the shape of the input. */
export const transposeOnlyShape = defineLayer({
  sizes: { rows: [2, 3], columns: [4] },
  inputs: ({ rows, columns }, draw) => ({ x: { data: draw.normal(rows, columns).data, shape: [rows, columns] } }),
  forward: ({ x }) => {
    const [rows, columns] = x.shape;
    const data = new Float64Array(x.data.length);
    for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) data[j * rows + i] = x.data[i * columns + j];
    return { data, shape: [columns, rows] };
  },
  backward: (dout, { x }) => ({ x: { data: Float64Array.from(dout.data), shape: x.shape.slice() } }),
});

/** tanh(x) + x, with the skip connection counted in both paths. */
export const residualCountedTwice = defineLayer({
  sizes: { d: [3, 5] },
  inputs: ({ d }, draw) => ({ x: draw.normal(d).data }),
  forward: ({ x }) => x.map((v) => Math.tanh(v) + v),
  backward: (dout, { x }) => {
    const dbranch = x.map((v, i) => dout[i] * (1 - Math.tanh(v) ** 2) + dout[i]);
    return { x: dbranch.map((g, i) => g + dout[i]) };
  },
});

export const EXPECTED: Record<string, Expectation> = {
  denseClass: 'right',
  denseGradientTransposed: { input: 'weight', ids: ['misplaced'], why: 'dweight is laid out [in][out], weight [out][in]' },
  matrixProduct: 'right',
  mixingWithoutTranspose: { input: 'x', ids: ['jacobian-for-transpose'], why: 'dout · mix stands for dout · mixᵀ' },
  denseAccumulating: 'right',
  denseBiasOverwritten: { input: 'bias', ids: [], why: 'the buffer is set where it should be added to' },
  denseBiasOfOneRow: { input: 'bias', ids: ['sum-missing'], why: 'only the last row of dout reaches the bias' },
  denseBiasNeverFilled: { input: 'bias', ids: ['zero-everywhere'], why: 'the gradient of the bias stays zero' },
  batchedProductFirstExample: {
    input: 'a',
    ids: ['first-example-only', 'first-step-only'],
    why: 'b of the first example is taken for all',
  },
  denseMisspeltWeight: { input: 'weight', ids: ['missing', 'unknown-name'], why: 'the gradient is returned as weigth' },
  bilinearForm: 'right',
  quadraticFormSymmetricOnly: { input: 'x', ids: [], why: '2 A x stands for (A + Aᵀ) x' },
  softmaxRows: 'right',
  softmaxDiagonalOnly: { input: 'x', ids: ['cross-terms'], why: 'the terms -pᵢ pⱼ are missing' },
  logSoftmaxSumForgotten: { input: 'x', ids: [], why: 'p is not multiplied by the sum of dout' },
  transposeLayer: 'right',
  transposeOnlyShape: { input: 'x', ids: ['misplaced', 'dout-passed-on'], why: 'dout keeps its own order' },
  residualCountedTwice: { input: 'x', ids: ['dout-added'], why: 'dout is added once more for the skip connection' },
};
