import { defineLayer } from '../../../../src/gradcheck.js';
import type { Expectation } from './expectation.js';

type Matrix = number[][];

const zeros = (rows: number, columns: number): Matrix => Array.from({ length: rows }, () => new Array<number>(columns).fill(0));

function softmax(scores: number[]): number[] {
  const top = Math.max(...scores);
  const e = scores.map((s) => Math.exp(s - top));
  const total = e.reduce((a, b) => a + b, 0);
  return e.map((v) => v / total);
}

function dot(a: number[], b: number[]): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

interface Heads {
  q: Matrix;
  k: Matrix;
  v: Matrix;
}

/** Row i of the result: the weights of query i over the keys it may see. */
function attentionWeights({ q, k }: Heads, causal: boolean): Matrix {
  const scale = 1 / Math.sqrt(q[0].length);
  return q.map((query, i) => {
    const seen = causal ? i + 1 : k.length;
    const p = softmax(k.slice(0, seen).map((key) => dot(query, key) * scale));
    return k.map((_, j) => (j < seen ? p[j] : 0));
  });
}

function attend(p: Matrix, v: Matrix): Matrix {
  return p.map((row) => v[0].map((_, c) => row.reduce((sum, w, j) => sum + w * v[j][c], 0)));
}

/** dp, the gradient of the weights. */
function weightGradients(dout: Matrix, v: Matrix): Matrix {
  return dout.map((row) => v.map((value) => dot(row, value)));
}

function softmaxBackward(p: number[], dp: number[]): number[] {
  const mean = dot(p, dp);
  return p.map((w, j) => w * (dp[j] - mean));
}

/** Gradients of q and k for the gradient of the scores, with the scale of the forward pass. */
function scoresBackward(ds: Matrix, { q, k }: Heads, scale: number): { q: Matrix; k: Matrix } {
  const dq = zeros(q.length, q[0].length);
  const dk = zeros(k.length, k[0].length);
  for (let i = 0; i < q.length; i++) {
    for (let j = 0; j < k.length; j++) {
      for (let c = 0; c < q[0].length; c++) {
        dq[i][c] += ds[i][j] * k[j][c] * scale;
        dk[j][c] += ds[i][j] * q[i][c] * scale;
      }
    }
  }
  return { q: dq, k: dk };
}

function valuesBackward(p: Matrix, dout: Matrix): Matrix {
  return p[0].map((_, j) => dout[0].map((_, c) => p.reduce((sum, row, i) => sum + row[j] * dout[i][c], 0)));
}

export const attention = defineLayer({
  sizes: { queries: [1, 3], keys: [2, 4], d: [2, 5] },
  inputs: ({ queries, keys, d }, draw): Heads => ({
    q: draw.normal(queries, d).toArray() as Matrix,
    k: draw.normal(keys, d).toArray() as Matrix,
    v: draw.normal(keys, 2).toArray() as Matrix,
  }),
  forward: (inputs, context) => {
    const p = attentionWeights(inputs, false);
    context.saved.p = p;
    return attend(p, inputs.v);
  },
  backward: (dout, inputs, context) => {
    const p = context.saved.p as Matrix;
    const ds = weightGradients(dout, inputs.v).map((dp, i) => softmaxBackward(p[i], dp));
    return { ...scoresBackward(ds, inputs, 1 / Math.sqrt(inputs.q[0].length)), v: valuesBackward(p, dout) };
  },
  batch: { letter: 'queries', inputs: ['q'] },
});

/** Queries and keys get the gradient of unscaled scores; the values are right. */
export const attentionScaleForgotten = defineLayer({
  sizes: { queries: [1, 3], keys: [2, 4], d: [2, 5] },
  inputs: ({ queries, keys, d }, draw): Heads => ({
    q: draw.normal(queries, d).toArray() as Matrix,
    k: draw.normal(keys, d).toArray() as Matrix,
    v: draw.normal(keys, d).toArray() as Matrix,
  }),
  forward: (inputs, context) => {
    const p = attentionWeights(inputs, false);
    context.saved.p = p;
    return attend(p, inputs.v);
  },
  backward: (dout, inputs, context) => {
    const p = context.saved.p as Matrix;
    const ds = weightGradients(dout, inputs.v).map((dp, i) => softmaxBackward(p[i], dp));
    return { ...scoresBackward(ds, inputs, 1), v: valuesBackward(p, dout) };
  },
});

/** The softmax is differentiated entry by entry. */
export const attentionSoftmaxEntrywise = defineLayer({
  sizes: { queries: [2], keys: [3, 4], d: [5] },
  inputs: ({ queries, keys, d }, draw): Heads => ({
    q: draw.normal(queries, d).toArray() as Matrix,
    k: draw.normal(keys, d).toArray() as Matrix,
    v: draw.normal(keys, d).toArray() as Matrix,
  }),
  forward: (inputs, context) => {
    const p = attentionWeights(inputs, false);
    context.saved.p = p;
    return attend(p, inputs.v);
  },
  backward: (dout, inputs, context) => {
    const p = context.saved.p as Matrix;
    const ds = weightGradients(dout, inputs.v).map((dp, i) => dp.map((g, j) => g * p[i][j] * (1 - p[i][j])));
    return { ...scoresBackward(ds, inputs, 1 / Math.sqrt(inputs.q[0].length)), v: valuesBackward(p, dout) };
  },
});

export const causalAttention = defineLayer({
  sizes: { steps: [1, 3, 4], d: [2] },
  inputs: ({ steps, d }, draw): Heads => ({
    q: draw.normal(steps, d).toArray() as Matrix,
    k: draw.normal(steps, d).toArray() as Matrix,
    v: draw.normal(steps, d).toArray() as Matrix,
  }),
  forward: (inputs, context) => {
    const p = attentionWeights(inputs, true);
    context.saved.p = p;
    return attend(p, inputs.v);
  },
  backward: (dout, inputs, context) => {
    const p = context.saved.p as Matrix;
    const ds = weightGradients(dout, inputs.v).map((dp, i) => softmaxBackward(p[i], dp));
    return { ...scoresBackward(ds, inputs, 1 / Math.sqrt(inputs.q[0].length)), v: valuesBackward(p, dout) };
  },
});

/** Backward loops over j < i, forward over j <= i. */
export const causalAttentionOwnValueSkipped = defineLayer({
  sizes: { steps: [2, 4], d: [3] },
  inputs: ({ steps, d }, draw): Heads => ({
    q: draw.normal(steps, d).toArray() as Matrix,
    k: draw.normal(steps, d).toArray() as Matrix,
    v: draw.normal(steps, d).toArray() as Matrix,
  }),
  forward: (inputs, context) => {
    const p = attentionWeights(inputs, true);
    context.saved.p = p;
    return attend(p, inputs.v);
  },
  backward: (dout, inputs, context) => {
    const p = context.saved.p as Matrix;
    const ds = weightGradients(dout, inputs.v).map((dp, i) => softmaxBackward(p[i], dp));
    const dv = zeros(inputs.v.length, inputs.v[0].length);
    for (let i = 0; i < p.length; i++) {
      for (let j = 0; j < i; j++) {
        for (let c = 0; c < dv[j].length; c++) dv[j][c] += p[i][j] * dout[i][c];
      }
    }
    return { ...scoresBackward(ds, inputs, 1 / Math.sqrt(inputs.q[0].length)), v: dv };
  },
});

/** The weights are saved without the mask: forward sees the past, backward all. */
export const causalAttentionMaskForgotten = defineLayer({
  sizes: { steps: [2, 4], d: [3] },
  inputs: ({ steps, d }, draw): Heads => ({
    q: draw.normal(steps, d).toArray() as Matrix,
    k: draw.normal(steps, d).toArray() as Matrix,
    v: draw.normal(steps, d).toArray() as Matrix,
  }),
  forward: (inputs) => attend(attentionWeights(inputs, true), inputs.v),
  backward: (dout, inputs) => {
    const p = attentionWeights(inputs, false);
    const ds = weightGradients(dout, inputs.v).map((dp, i) => softmaxBackward(p[i], dp));
    return { ...scoresBackward(ds, inputs, 1 / Math.sqrt(inputs.q[0].length)), v: valuesBackward(p, dout) };
  },
});

interface FlatHeads {
  q: Float32Array;
  k: Float32Array;
  v: Float32Array;
}

/** The columns of head h, as a matrix of [steps][width]. */
function headOf(x: Float32Array, h: number, heads: number, width: number): Matrix {
  const steps = x.length / (heads * width);
  return Array.from({ length: steps }, (_, t) => {
    const start = t * heads * width + h * width;
    return Array.from(x.subarray(start, start + width));
  });
}

function eachHead(inputs: FlatHeads, heads: number, width: number): Heads[] {
  return Array.from({ length: heads }, (_, h) => ({
    q: headOf(inputs.q, h, heads, width),
    k: headOf(inputs.k, h, heads, width),
    v: headOf(inputs.v, h, heads, width),
  }));
}

/** Heads side by side, [steps][heads · width]. */
function joinHeads(parts: Matrix[]): Float32Array {
  const joined = parts[0].flatMap((_, t) => parts.flatMap((part) => part[t]));
  return Float32Array.from(joined);
}

function multiHeadForward(inputs: FlatHeads, heads: number, width: number): Float32Array {
  return joinHeads(eachHead(inputs, heads, width).map((head) => attend(attentionWeights(head, false), head.v)));
}

function multiHeadBackward(dout: Float32Array, inputs: FlatHeads, heads: number, width: number): Heads[] {
  return eachHead(inputs, heads, width).map((head, h) => {
    const g = headOf(dout, h, heads, width);
    const p = attentionWeights(head, false);
    const ds = weightGradients(g, head.v).map((dp, i) => softmaxBackward(p[i], dp));
    return { ...scoresBackward(ds, head, 1 / Math.sqrt(width)), v: valuesBackward(p, g) };
  });
}

export const multiHeadAttention = defineLayer({
  sizes: { steps: [2, 4], heads: [1, 2], width: [3] },
  inputs: ({ steps, heads, width }, draw): FlatHeads => ({
    q: Float32Array.from(draw.normal(steps, heads * width).data),
    k: Float32Array.from(draw.normal(steps, heads * width).data),
    v: Float32Array.from(draw.normal(steps, heads * width).data),
  }),
  forward: (inputs, { sizes }) => multiHeadForward(inputs, sizes.heads, sizes.width),
  backward: (dout, inputs, { sizes }) => {
    const parts = multiHeadBackward(dout, inputs, sizes.heads, sizes.width);
    return { q: joinHeads(parts.map((p) => p.q)), k: joinHeads(parts.map((p) => p.k)), v: joinHeads(parts.map((p) => p.v)) };
  },
});

/** The gradient of the values stays [heads][steps][width]: right with one head. */
export const multiHeadAttentionHeadsNotJoined = defineLayer({
  sizes: { steps: [4], heads: [1, 2], width: [3] },
  inputs: ({ steps, heads, width }, draw): FlatHeads => ({
    q: Float32Array.from(draw.normal(steps, heads * width).data),
    k: Float32Array.from(draw.normal(steps, heads * width).data),
    v: Float32Array.from(draw.normal(steps, heads * width).data),
  }),
  forward: (inputs, { sizes }) => multiHeadForward(inputs, sizes.heads, sizes.width),
  backward: (dout, inputs, { sizes }) => {
    const parts = multiHeadBackward(dout, inputs, sizes.heads, sizes.width);
    const dv = Float32Array.from(parts.flatMap((p) => p.v.flat()));
    return { q: joinHeads(parts.map((p) => p.q)), k: joinHeads(parts.map((p) => p.k)), v: dv };
  },
});

/** Σ softmax(w · tanh(xₜ)) xₜ: the path through the weights is left out. */
export const poolingAttentionWeightsConstant = defineLayer({
  sizes: { steps: [1, 4], d: [2, 3] },
  inputs: ({ steps, d }, draw) => ({ x: draw.normal(steps, d).toArray() as Matrix, w: draw.normal(d).toArray() as number[] }),
  forward: ({ x, w }, context) => {
    const p = softmax(x.map((row) => dot(w, row.map(Math.tanh))));
    context.saved.p = p;
    return attend([p], x)[0];
  },
  backward: (dout, { x, w }, context) => {
    const p = context.saved.p as number[];
    const ds = softmaxBackward(
      p,
      x.map((row) => dot(row, dout)),
    );
    return { x: p.map((a) => dout.map((g) => a * g)), w: w.map((_, c) => x.reduce((sum, row, t) => sum + ds[t] * Math.tanh(row[c]), 0)) };
  },
});

export const EXPECTED: Record<string, Expectation> = {
  attention: 'right',
  attentionScaleForgotten: { input: 'q', ids: ['constant-factor'], why: '1 / √d is missing, a factor √d', other: ['k'] },
  attentionSoftmaxEntrywise: { input: 'q', ids: [], why: 'the softmax is differentiated entry by entry', other: ['k'] },
  causalAttention: 'right',
  causalAttentionOwnValueSkipped: { input: 'v', ids: ['diagonal-wrong'], why: 'the weight of each step on itself is skipped' },
  causalAttentionMaskForgotten: { input: 'v', ids: [], why: 'backward takes the weights without the mask', other: ['q', 'k'] },
  multiHeadAttention: 'right',
  multiHeadAttentionHeadsNotJoined: { input: 'v', ids: ['misplaced'], why: 'the order stays [heads][steps][width]' },
  poolingAttentionWeightsConstant: { input: 'x', ids: [], why: 'the weights depend on x too' },
};
