import { defineLayer, fromClass } from '../../../../src/gradcheck.js';
import type { Expectation } from './expectation.js';

type Matrix = number[][];

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const zeros = (rows: number, columns: number): Matrix => Array.from({ length: rows }, () => new Array<number>(columns).fill(0));

/** W · x */
function apply(w: Matrix, x: number[]): number[] {
  return w.map((row) => row.reduce((sum, v, i) => sum + v * x[i], 0));
}

/** Wᵀ · g */
function applyTransposed(w: Matrix, g: number[]): number[] {
  return w[0].map((_, i) => w.reduce((sum, row, o) => sum + row[i] * g[o], 0));
}

/** total += g · xᵀ */
function addOuter(total: Matrix, g: number[], x: number[]): void {
  g.forEach((v, o) => {
    x.forEach((u, i) => {
      total[o][i] += v * u;
    });
  });
}

const add = (a: number[], b: number[]) => a.map((v, i) => v + b[i]);

interface Rnn {
  x: Matrix;
  h0: number[];
  wx: Matrix;
  wh: Matrix;
  bias: number[];
}

/** All hidden states, hₜ = tanh(Wx xₜ + Wh hₜ₋₁ + b). */
function rnnForward({ x, h0, wx, wh, bias }: Rnn): Matrix {
  const states: Matrix = [];
  let h = h0;
  for (const step of x) {
    h = add(add(apply(wx, step), apply(wh, h)), bias).map(Math.tanh);
    states.push(h);
  }
  return states;
}

/** `carry` says what of the gradient goes on to the step before. */
function rnnBackward(dout: Matrix, { x, h0, wx, wh, bias }: Rnn, states: Matrix, carry: (dh: number[]) => number[]): Rnn {
  const grads: Rnn = {
    x: zeros(x.length, x[0].length),
    h0: [],
    wx: zeros(wx.length, wx[0].length),
    wh: zeros(wh.length, wh.length),
    bias: bias.map(() => 0),
  };
  let dh = h0.map(() => 0);
  for (let t = x.length - 1; t >= 0; t--) {
    const da = states[t].map((h, j) => (1 - h * h) * (dout[t][j] + dh[j]));
    addOuter(grads.wx, da, x[t]);
    addOuter(grads.wh, da, t > 0 ? states[t - 1] : h0);
    grads.bias = add(grads.bias, da);
    grads.x[t] = applyTransposed(wx, da);
    dh = carry(applyTransposed(wh, da));
  }
  grads.h0 = dh;
  return grads;
}

export const rnn = defineLayer({
  sizes: { steps: [1, 4], d: [2], hidden: [3] },
  inputs: ({ steps, d, hidden }, draw): Rnn => ({
    x: draw.normal(steps, d).toArray() as Matrix,
    h0: draw.normal(hidden).toArray() as number[],
    wx: draw.normal(hidden, d).toArray() as Matrix,
    wh: draw.normal(hidden, hidden).toArray() as Matrix,
    bias: draw.normal(hidden).toArray() as number[],
  }),
  forward: (inputs) => rnnForward(inputs),
  backward: (dout, inputs, context) => rnnBackward(dout, inputs, context.outputs as Matrix, (dh) => dh),
});

/** Nothing of the gradient goes back in time. */
export const rnnNothingCarriedBack = defineLayer({
  sizes: { steps: [1, 4], d: [2], hidden: [3] },
  inputs: ({ steps, d, hidden }, draw) => ({
    x: draw.normal(steps, d).toArray() as Matrix,
    h0: new Array<number>(hidden).fill(0),
    wx: draw.normal(hidden, d).toArray() as Matrix,
    wh: draw.normal(hidden, hidden).toArray() as Matrix,
    bias: draw.normal(hidden).toArray() as number[],
  }),
  forward: (inputs) => rnnForward(inputs),
  backward: (dout, inputs, context) => {
    const { x, wx, wh, bias } = rnnBackward(dout, inputs, context.outputs as Matrix, (dh) => dh.map(() => 0));
    return { x, wx, wh, bias };
  },
  constant: ['h0'],
});

/** The recurrent weights are multiplied by the state of the same step. */
export const rnnStateOfSameStep = defineLayer({
  sizes: { steps: [1, 4], d: [3], hidden: [2] },
  inputs: ({ steps, d, hidden }, draw): Rnn => ({
    x: draw.normal(steps, d).toArray() as Matrix,
    h0: draw.normal(hidden).toArray() as number[],
    wx: draw.normal(hidden, d).toArray() as Matrix,
    wh: draw.normal(hidden, hidden).toArray() as Matrix,
    bias: draw.normal(hidden).toArray() as number[],
  }),
  forward: (inputs) => rnnForward(inputs),
  backward: (dout, inputs, context) => {
    const states = context.outputs as Matrix;
    const grads = rnnBackward(dout, inputs, states, (dh) => dh);
    const dwh = zeros(inputs.wh.length, inputs.wh.length);
    let dh = inputs.h0.map(() => 0);
    for (let t = states.length - 1; t >= 0; t--) {
      const da = states[t].map((h, j) => (1 - h * h) * (dout[t][j] + dh[j]));
      addOuter(dwh, da, states[t]);
      dh = applyTransposed(inputs.wh, da);
    }
    return { ...grads, wh: dwh };
  },
});

interface Gru {
  x: Float64Array;
  h: Float64Array;
  /** [3 · hidden][d], rows for z, r and the candidate */
  wx: Float64Array;
  /** [3 · hidden][hidden] */
  wh: Float64Array;
}

interface GruSaved {
  z: Float64Array;
  r: Float64Array;
  candidate: Float64Array;
  /** Wh h of the candidate, before the reset gate */
  recurrent: Float64Array;
}

function rowTimes(w: Float64Array, row: number, x: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += w[row * x.length + i] * x[i];
  return sum;
}

function gruForward({ x, h, wx, wh }: Gru): { next: Float64Array; saved: GruSaved } {
  const n = h.length;
  const z = h.map((_, j) => sigmoid(rowTimes(wx, j, x) + rowTimes(wh, j, h)));
  const r = h.map((_, j) => sigmoid(rowTimes(wx, n + j, x) + rowTimes(wh, n + j, h)));
  const recurrent = h.map((_, j) => rowTimes(wh, 2 * n + j, h));
  const candidate = h.map((_, j) => Math.tanh(rowTimes(wx, 2 * n + j, x) + r[j] * recurrent[j]));
  return { next: h.map((v, j) => z[j] * v + (1 - z[j]) * candidate[j]), saved: { z, r, candidate, recurrent } };
}

/** The gradients of the three pre-activations, and that of the candidate behind the reset gate. */
function gruGates(dout: Float64Array, h: Float64Array, { z, r, candidate, recurrent }: GruSaved) {
  const dz = dout.map((g, j) => g * (h[j] - candidate[j]) * z[j] * (1 - z[j]));
  const dn = dout.map((g, j) => g * (1 - z[j]) * (1 - candidate[j] ** 2));
  const dr = dn.map((g, j) => g * recurrent[j] * r[j] * (1 - r[j]));
  return { dz, dn, dr, dnRecurrent: dn.map((g, j) => g * r[j]) };
}

/** Adds to dw and dx what rows `from` to `from + g.length` of w give for the gradient g. */
function addRows(g: Float64Array, from: number, w: Float64Array, x: Float64Array, dw: Float64Array, dx: Float64Array): void {
  for (let j = 0; j < g.length; j++) {
    for (let i = 0; i < x.length; i++) {
      dw[(from + j) * x.length + i] += g[j] * x[i];
      dx[i] += g[j] * w[(from + j) * x.length + i];
    }
  }
}

export const gruCell = defineLayer({
  sizes: { d: [1, 2], hidden: [2, 3] },
  inputs: ({ d, hidden }, draw): Gru => ({
    x: draw.normal(d).data,
    h: draw.normal(hidden).data,
    wx: draw.normal(3 * hidden, d).data,
    wh: draw.normal(3 * hidden, hidden).data,
  }),
  forward: (inputs, context) => {
    const { next, saved } = gruForward(inputs);
    context.saved.gru = saved;
    return next;
  },
  backward: (dout, { x, h, wx, wh }, context) => {
    const saved = context.saved.gru as GruSaved;
    const n = h.length;
    const { dz, dn, dr, dnRecurrent } = gruGates(dout, h, saved);
    const grads: Gru = { x: x.map(() => 0), h: dout.map((g, j) => g * saved.z[j]), wx: wx.map(() => 0), wh: wh.map(() => 0) };
    [dz, dr, dn].forEach((g, gate) => {
      addRows(g, gate * n, wx, x, grads.wx, grads.x);
    });
    [dz, dr, dnRecurrent].forEach((g, gate) => {
      addRows(g, gate * n, wh, h, grads.wh, grads.h);
    });
    return grads;
  },
});

/** The old state reaches the new one directly as well, through the update gate. */
export const gruDirectPathForgotten = defineLayer({
  sizes: { d: [1, 2], hidden: [2, 3] },
  inputs: ({ d, hidden }, draw): Gru => ({
    x: draw.normal(d).data,
    h: draw.normal(hidden).data,
    wx: draw.normal(3 * hidden, d).data,
    wh: draw.normal(3 * hidden, hidden).data,
  }),
  forward: (inputs, context) => {
    const { next, saved } = gruForward(inputs);
    context.saved.gru = saved;
    return next;
  },
  backward: (dout, { x, h, wx, wh }, context) => {
    const n = h.length;
    const { dz, dn, dr, dnRecurrent } = gruGates(dout, h, context.saved.gru as GruSaved);
    const grads: Gru = { x: x.map(() => 0), h: h.map(() => 0), wx: wx.map(() => 0), wh: wh.map(() => 0) };
    [dz, dr, dn].forEach((g, gate) => {
      addRows(g, gate * n, wx, x, grads.wx, grads.x);
    });
    [dz, dr, dnRecurrent].forEach((g, gate) => {
      addRows(g, gate * n, wh, h, grads.wh, grads.h);
    });
    return grads;
  },
});

interface Lstm {
  /** [n][d] */
  x: Matrix;
  h: Matrix;
  c: Matrix;
  /** [4 · hidden][d + hidden], rows for the gates i, f, g, o */
  w: Matrix;
  bias: number[];
}

interface LstmRow {
  joined: number[];
  gates: number[];
  c: number[];
  h: number[];
}

/** One example of an LSTM step. */
function lstmRow(x: number[], h: number[], c: number[], w: Matrix, bias: number[]): LstmRow {
  const hidden = h.length;
  const joined = [...x, ...h];
  const gates = add(apply(w, joined), bias).map((a, k) => (Math.floor(k / hidden) === 2 ? Math.tanh(a) : sigmoid(a)));
  const [i, f, g, o] = [0, 1, 2, 3].map((q) => gates.slice(q * hidden, (q + 1) * hidden));
  const next = c.map((v, j) => f[j] * v + i[j] * g[j]);
  return { joined, gates, c: next, h: next.map((v, j) => o[j] * Math.tanh(v)) };
}

/** The gradients of the pre-activations and of the old cell state. */
function lstmRowBackward(dh: number[], dcNext: number[], cOld: number[], { gates, c }: LstmRow): { da: number[]; dc: number[] } {
  const hidden = c.length;
  const [i, f, g, o] = [0, 1, 2, 3].map((q) => gates.slice(q * hidden, (q + 1) * hidden));
  const dc = c.map((v, j) => dcNext[j] + dh[j] * o[j] * (1 - Math.tanh(v) ** 2));
  const da = [
    ...dc.map((v, j) => v * g[j] * i[j] * (1 - i[j])),
    ...dc.map((v, j) => v * cOld[j] * f[j] * (1 - f[j])),
    ...dc.map((v, j) => v * i[j] * (1 - g[j] ** 2)),
    ...c.map((v, j) => dh[j] * Math.tanh(v) * o[j] * (1 - o[j])),
  ];
  return { da, dc: dc.map((v, j) => v * f[j]) };
}

function lstmForward({ x, h, c, w, bias }: Lstm): LstmRow[] {
  return x.map((row, r) => lstmRow(row, h[r], c[r], w, bias));
}

/** The gradients of one example, with those of the shared weights. */
function lstmExample(inputs: Lstm, rows: LstmRow[], r: number, dh: number[], dcNext: number[]) {
  const { da, dc } = lstmRowBackward(dh, dcNext, inputs.c[r], rows[r]);
  const dw = zeros(inputs.w.length, inputs.w[0].length);
  addOuter(dw, da, rows[r].joined);
  const djoined = applyTransposed(inputs.w, da);
  const d = inputs.x[r].length;
  return { x: djoined.slice(0, d), h: djoined.slice(d), c: dc, w: dw, bias: da };
}

const addMatrices = (a: Matrix, b: Matrix): Matrix => a.map((row, i) => add(row, b[i]));

export const lstmCell = defineLayer({
  sizes: { n: [1, 3], d: [4], hidden: [2] },
  inputs: ({ n, d, hidden }, draw): Lstm => ({
    x: draw.normal(n, d).toArray() as Matrix,
    h: draw.normal(n, hidden).toArray() as Matrix,
    c: draw.normal(n, hidden).toArray() as Matrix,
    w: draw.normal(4 * hidden, d + hidden).toArray() as Matrix,
    bias: draw.normal(4 * hidden).toArray() as number[],
  }),
  forward: (inputs, context) => {
    const rows = lstmForward(inputs);
    context.saved.rows = rows;
    return { h: rows.map((row) => row.h), c: rows.map((row) => row.c) };
  },
  backward: (dout, inputs, context) => {
    const rows = context.saved.rows as LstmRow[];
    const parts = rows.map((_, r) => lstmExample(inputs, rows, r, dout.h[r], dout.c[r]));
    return {
      x: parts.map((p) => p.x),
      h: parts.map((p) => p.h),
      c: parts.map((p) => p.c),
      w: parts.map((p) => p.w).reduce(addMatrices),
      bias: parts.map((p) => p.bias).reduce(add),
    };
  },
  batch: { letter: 'n', inputs: ['x', 'h', 'c'] },
});

/** Right at batch 1: each example sets the gradient of the weights anew. */
export const lstmWeightsOfLastExample = defineLayer({
  sizes: { n: [1, 3], d: [4], hidden: [2] },
  inputs: ({ n, d, hidden }, draw): Lstm => ({
    x: draw.normal(n, d).toArray() as Matrix,
    h: draw.normal(n, hidden).toArray() as Matrix,
    c: draw.normal(n, hidden).toArray() as Matrix,
    w: draw.normal(4 * hidden, d + hidden).toArray() as Matrix,
    bias: draw.normal(4 * hidden).toArray() as number[],
  }),
  forward: (inputs, context) => {
    const rows = lstmForward(inputs);
    context.saved.rows = rows;
    return { h: rows.map((row) => row.h), c: rows.map((row) => row.c) };
  },
  backward: (dout, inputs, context) => {
    const rows = context.saved.rows as LstmRow[];
    const grads = { x: [] as Matrix, h: [] as Matrix, c: [] as Matrix, w: [] as Matrix, bias: inputs.bias.map(() => 0) };
    for (let r = 0; r < rows.length; r++) {
      const part = lstmExample(inputs, rows, r, dout.h[r], dout.c[r]);
      grads.x.push(part.x);
      grads.h.push(part.h);
      grads.c.push(part.c);
      grads.w = part.w;
      grads.bias = add(grads.bias, part.bias);
    }
    return grads;
  },
});

/** The gradient that arrives at the cell state is not used. */
export const lstmCellGradientIgnored = defineLayer({
  sizes: { n: [1, 3], d: [4], hidden: [2] },
  inputs: ({ n, d, hidden }, draw): Lstm => ({
    x: draw.normal(n, d).toArray() as Matrix,
    h: draw.normal(n, hidden).toArray() as Matrix,
    c: draw.normal(n, hidden).toArray() as Matrix,
    w: draw.normal(4 * hidden, d + hidden).toArray() as Matrix,
    bias: draw.normal(4 * hidden).toArray() as number[],
  }),
  forward: (inputs, context) => {
    const rows = lstmForward(inputs);
    context.saved.rows = rows;
    return { h: rows.map((row) => row.h), c: rows.map((row) => row.c) };
  },
  backward: (dout, inputs, context) => {
    const rows = context.saved.rows as LstmRow[];
    const nothing = inputs.c[0].map(() => 0);
    const parts = rows.map((_, r) => lstmExample(inputs, rows, r, dout.h[r], nothing));
    return {
      x: parts.map((p) => p.x),
      h: parts.map((p) => p.h),
      c: parts.map((p) => p.c),
      w: parts.map((p) => p.w).reduce(addMatrices),
      bias: parts.map((p) => p.bias).reduce(add),
    };
  },
});

/** A leaky integrator hₜ = decay · hₜ₋₁ + tanh(xₜ) over a sequence, that remembers its states. */
class LeakyIntegrator {
  decay: number[];
  ddecay: number[];
  private states: Matrix = [];
  private inputs: Matrix = [];

  constructor(decay: number[]) {
    this.decay = decay;
    this.ddecay = decay.map(() => 0);
  }

  forward(x: Matrix): Matrix {
    this.inputs = x;
    this.states = [this.decay.map(() => 0)];
    for (const step of x) {
      const h = this.states[this.states.length - 1];
      this.states.push(step.map((v, j) => this.decay[j] * h[j] + Math.tanh(v)));
    }
    return this.states.slice(1);
  }

  backward(dout: Matrix): Matrix {
    const dx = dout.map((row) => row.map(() => 0));
    let dh = this.decay.map(() => 0);
    for (let t = dout.length - 1; t >= 0; t--) {
      dh = dh.map((g, j) => g + dout[t][j]);
      for (let j = 0; j < dh.length; j++) {
        this.addDecay(j, dh[j] * this.states[t][j]);
        dx[t][j] = dh[j] * (1 - Math.tanh(this.inputs[t][j]) ** 2);
        dh[j] *= this.decay[j];
      }
    }
    return dx;
  }

  protected addDecay(j: number, g: number): void {
    this.ddecay[j] += g;
  }
}

/** Keeps the share of the step that was visited last, the first in time with a state of zero. */
class LeakyIntegratorOverwriting extends LeakyIntegrator {
  protected override addDecay(j: number, g: number): void {
    this.ddecay[j] = g;
  }
}

export const leakyIntegrator = fromClass({
  sizes: { steps: [1, 2, 4], d: [3] },
  create: ({ d }, draw) => new LeakyIntegrator(draw.near(0.5, d).toArray() as number[]),
  input: ({ steps, d }, draw) => draw.normal(steps, d).toArray() as Matrix,
  parameters: { decay: ['decay', 'ddecay'] },
  forward: 'forward',
  backward: 'backward',
});

export const leakyIntegratorDecayOverwritten = fromClass({
  sizes: { steps: [2, 4], d: [3] },
  create: ({ d }, draw) => new LeakyIntegratorOverwriting(draw.near(0.5, d).toArray() as number[]),
  input: ({ steps, d }, draw) => draw.normal(steps, d).toArray() as Matrix,
  parameters: { decay: ['decay', 'ddecay'] },
  forward: 'forward',
  backward: 'backward',
});

export const EXPECTED: Record<string, Expectation> = {
  rnn: 'right',
  rnnNothingCarriedBack: {
    input: 'x',
    ids: ['last-step-only', 'cross-terms'],
    why: 'each step gets only the gradient of its own output',
    other: ['wx', 'wh', 'bias'],
  },
  rnnStateOfSameStep: { input: 'wh', ids: [], why: 'hₜ stands where hₜ₋₁ belongs' },
  gruCell: 'right',
  gruDirectPathForgotten: { input: 'h', ids: ['diagonal-wrong'], why: 'the share z · dout of the direct path is missing' },
  lstmCell: 'right',
  lstmWeightsOfLastExample: { input: 'w', ids: ['sum-missing'], why: 'each example overwrites the gradient of the weights' },
  lstmCellGradientIgnored: { input: 'c', ids: ['dout-missing'], why: 'dout.c is not used', other: ['x', 'h', 'w', 'bias'] },
  leakyIntegrator: 'right',
  leakyIntegratorDecayOverwritten: {
    input: 'decay',
    ids: ['zero-everywhere'],
    why: 'the first step, whose state is zero, is written last',
  },
};
