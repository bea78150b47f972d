import { defineLayer } from '../../../../src/gradcheck.js';
import type { Expectation } from './expectation.js';

type Matrix = number[][];

/** Rows of a flat table [words][d]. */
function lookUp(table: Float32Array, tokens: Int32Array, d: number): Float32Array {
  const y = new Float32Array(tokens.length * d);
  tokens.forEach((token, t) => {
    y.set(table.subarray(token * d, (token + 1) * d), t * d);
  });
  return y;
}

export const embedding = defineLayer({
  sizes: { steps: [1, 5], words: [3], d: [2, 4] },
  inputs: ({ steps, words, d }, draw) => ({
    table: Float32Array.from(draw.normal(words, d).data),
    tokens: draw.index(steps, words),
  }),
  forward: ({ table, tokens }, { sizes }) => lookUp(table, tokens, sizes.d),
  backward: (dout, { table, tokens }, { sizes: { d } }) => {
    const dtable = new Float32Array(table.length);
    for (let t = 0; t < tokens.length; t++) {
      for (let j = 0; j < d; j++) dtable[tokens[t] * d + j] += dout[t * d + j];
    }
    return { table: dtable };
  },
});

/** `set` overwrites what an earlier place of the same word has left. */
export const embeddingOverwritten = defineLayer({
  sizes: { steps: [5, 6], words: [3], d: [2, 4] },
  inputs: ({ steps, words, d }, draw) => ({
    table: Float32Array.from(draw.normal(words, d).data),
    tokens: draw.index(steps, words),
  }),
  forward: ({ table, tokens }, { sizes }) => lookUp(table, tokens, sizes.d),
  backward: (dout, { table, tokens }, { sizes: { d } }) => {
    const dtable = new Float32Array(table.length);
    tokens.forEach((token, t) => {
      dtable.set(dout.subarray(t * d, (t + 1) * d), token * d);
    });
    return { table: dtable };
  },
});

/** The mean of the rows of a bag, each with its own weight. */
export const embeddingBag = defineLayer({
  sizes: { count: [1, 4], words: [3], d: [2] },
  inputs: ({ count, words, d }, draw) => ({
    table: draw.normal(words, d).toArray() as Matrix,
    weights: draw.normal(count).toArray() as number[],
    tokens: draw.index(count, words),
  }),
  forward: ({ table, weights, tokens }) =>
    table[0].map((_, j) => weights.reduce((sum, w, t) => sum + w * table[tokens[t]][j], 0) / weights.length),
  backward: (dout, { table, weights, tokens }) => {
    const dtable = table.map((row) => row.map(() => 0));
    const dweights = weights.map((w, t) => {
      const row = table[tokens[t]];
      dout.forEach((g, j) => {
        dtable[tokens[t]][j] += (g * w) / weights.length;
      });
      return row.reduce((sum, v, j) => sum + v * dout[j], 0) / weights.length;
    });
    return { table: dtable, weights: dweights };
  },
});

/** The mean of a bag, with the gradient of a sum. */
export const embeddingBagCountForgotten = defineLayer({
  sizes: { count: [2, 4], words: [5], d: [3] },
  inputs: ({ count, words, d }, draw) => ({ table: draw.normal(words, d).toArray() as Matrix, tokens: draw.index(count, words) }),
  forward: ({ table, tokens }) => table[0].map((_, j) => tokens.reduce((sum, token) => sum + table[token][j], 0) / tokens.length),
  backward: (dout, { table, tokens }) => {
    const dtable = table.map((row) => row.map(() => 0));
    for (const token of tokens) {
      dout.forEach((g, j) => {
        dtable[token][j] += g;
      });
    }
    return { table: dtable };
  },
});

/** Words plus positions; the positions are shared by the examples of a batch. */
export const positionsOfLastExample = defineLayer({
  sizes: { n: [1, 3], steps: [2, 4], d: [5] },
  inputs: ({ n, steps, d }, draw) => ({
    x: draw.normal(n, steps, d).toArray() as Matrix[],
    positions: draw.normal(steps, d).toArray() as Matrix,
  }),
  forward: ({ x, positions }) => x.map((example) => example.map((row, t) => row.map((v, j) => v + positions[t][j]))),
  backward: (dout) => {
    let dpositions: Matrix = [];
    const dx = dout.map((example) => {
      dpositions = example.map((row) => row.slice());
      return example.map((row) => row.slice());
    });
    return { x: dx, positions: dpositions };
  },
});

/** Backward takes row 0 for padding and skips it; forward reads it like any other. */
export const embeddingPaddingRowSkipped = defineLayer({
  sizes: { steps: [6], words: [2, 3], d: [4] },
  inputs: ({ steps, words, d }, draw) => ({
    table: Float32Array.from(draw.normal(words, d).data),
    tokens: draw.index(steps, words),
  }),
  forward: ({ table, tokens }, { sizes }) => lookUp(table, tokens, sizes.d),
  backward: (dout, { table, tokens }, { sizes: { d } }) => {
    const dtable = new Float32Array(table.length);
    for (let t = 0; t < tokens.length; t++) {
      if (!tokens[t]) continue;
      for (let j = 0; j < d; j++) dtable[tokens[t] * d + j] += dout[t * d + j];
    }
    return { table: dtable };
  },
});

/** y[index[i]] += x[i] */
export const scatterAdd = defineLayer({
  sizes: { count: [1, 5], places: [3] },
  inputs: ({ count, places }, draw) => ({ x: draw.normal(count).data, base: draw.normal(places).data, index: draw.index(count, places) }),
  forward: ({ x, base, index }) => {
    const y = base.slice();
    x.forEach((v, i) => {
      y[index[i]] += v;
    });
    return y;
  },
  backward: (dout, { x, index }) => ({ x: x.map((_, i) => dout[index[i]]), base: dout.slice() }),
});

/** y[index[i]] = x[i]: what is overwritten must lose its gradient, the base too. */
export const scatterSetBasePassedOn = defineLayer({
  sizes: { count: [2, 4], places: [3, 6] },
  inputs: ({ count, places }, draw) => ({ x: draw.normal(count).data, base: draw.normal(places).data, index: draw.index(count, places) }),
  forward: ({ x, base, index }) => {
    const y = base.slice();
    x.forEach((v, i) => {
      y[index[i]] = v;
    });
    return y;
  },
  backward: (dout, { x, index }) => {
    const last = new Map(Array.from(index, (place, i) => [place, i]));
    return { x: x.map((_, i) => (last.get(index[i]) === i ? dout[index[i]] : 0)), base: dout.slice() };
  },
});

/** Takes entries along a row, with repeats. */
export const gather = defineLayer({
  sizes: { rows: [1, 2], columns: [3, 4] },
  inputs: ({ rows, columns }, draw) => ({ x: draw.normal(rows, columns), index: draw.index(5, columns) }),
  forward: ({ x, index }) => {
    const columns = x.shape[1];
    return Array.from({ length: x.shape[0] }, (_, r) => Array.from(index, (c) => x.data[r * columns + c]));
  },
  backward: (dout, { x, index }) => {
    const [rows, columns] = x.shape;
    const data = new Float64Array(rows * columns);
    dout.forEach((row, r) => {
      row.forEach((g, i) => {
        data[r * columns + index[i]] += g;
      });
    });
    return { x: { data, shape: [rows, columns] } };
  },
});

export const EXPECTED: Record<string, Expectation> = {
  embedding: 'right',
  embeddingOverwritten: { input: 'table', ids: ['repeated-rows'], why: 'the rows of repeated words are set, not added to' },
  embeddingBag: 'right',
  embeddingBagCountForgotten: { input: 'table', ids: ['constant-factor'], why: 'the gradient is not divided by the size of the bag' },
  positionsOfLastExample: { input: 'positions', ids: ['sum-missing'], why: 'the gradient is that of the last example' },
  embeddingPaddingRowSkipped: { input: 'table', ids: ['border-only'], why: 'row 0 gets no gradient although forward reads it' },
  scatterAdd: 'right',
  scatterSetBasePassedOn: { input: 'base', ids: ['dout-passed-on'], why: 'overwritten places of the base keep their gradient' },
  gather: 'right',
};
