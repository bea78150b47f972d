import { describe, expect, it } from 'vitest';
import { normal, randomStream } from '../../src/core/random.js';
import { BATCH_NORM_EPSILON, batchNormBackward, batchNormForward, batchNormInference } from '../../src/layers/batchNorm.js';
import { BACKENDS, floatsOf, matrixOf, REFERENCE_BACKENDS } from '../support/backends.js';
import { largestOf, relativeError } from '../support/compare.js';

describe.each(REFERENCE_BACKENDS)('batch norm on $name', ({ create, dtype }) => {
  const backend = create();
  const limit = dtype === 'float32' ? 1e-5 : 1e-12;
  const ones = (H: number) => floatsOf(backend, new Array<number>(H).fill(1));
  const forward = (hprebn: ArrayLike<number>, n: number, H: number, bngain = ones(H), bnbias = backend.floats(H)) => {
    const [hpreact, bnraw, bnvar_inv] = [n * H, n * H, H].map((size) => backend.floats(size));
    batchNormForward(hpreact, bnraw, bnvar_inv, floatsOf(backend, hprebn), bngain, bnbias, n, H);
    return { hpreact, bnraw, bnvar_inv };
  };
  const random = randomStream('grad-check', 'batch norm');
  const drawn = (size: number, shift = 0) => Array.from({ length: size }, () => normal(random) + shift);

  it(`divides by the unbiased standard deviation: 1, 2, 6 have mean 3 and variance 7, within ${limit}`, () => {
    const { bnraw, bnvar_inv } = forward([1, 2, 6], 3, 1);
    const inverse = 1 / Math.sqrt(7 + 1e-5);
    expect(relativeError(bnvar_inv, [inverse])).toBeLessThan(limit);
    expect(relativeError(bnraw, [-2 * inverse, -inverse, 3 * inverse])).toBeLessThan(limit);
  });

  it(`applies gain and bias to each column: hpreact = bngain·bnraw + bnbias, within ${limit}`, () => {
    const [bngain, bnbias] = [floatsOf(backend, [2, -3]), floatsOf(backend, [5, 7])];
    const { hpreact, bnraw } = forward(drawn(10), 5, 2, bngain, bnbias);
    const expected = Array.from(bnraw, (raw, i) => bngain[i % 2] * raw + bnbias[i % 2]);
    expect(relativeError(hpreact, expected)).toBeLessThan(limit);
  });

  it('keeps the variance of columns far from 0: within 1e-4 in float32 and 1e-11 in float64 at mean 1000', () => {
    const column = [999, 1000, 1001, 1000];
    expect(relativeError(forward(column, 4, 1).bnvar_inv, [1 / Math.sqrt(2 / 3 + 1e-5)])).toBeLessThan(dtype === 'float32' ? 1e-4 : 1e-11);
  });

  it.each([[2], [3], [32]])('is finite for %i equal rows, forward and backward: hpreact is the bias', (n) => {
    const H = 3;
    const bnbias = floatsOf(backend, [1, 2, 3]);
    const rows = Array.from({ length: n }, () => [0.5, -4, 0]).flat();
    const { hpreact, bnraw, bnvar_inv } = forward(rows, n, H, ones(H), bnbias);
    expect([...hpreact]).toEqual(Array.from({ length: n }, () => [1, 2, 3]).flat());
    const [dhprebn, dbngain, dbnbias] = [n * H, H, H].map((size) => backend.floats(size).fill(Number.NaN));
    const dhpreact = floatsOf(backend, drawn(n * H));
    batchNormBackward(dhprebn, dbngain, dbnbias, dhpreact, bnraw, bnvar_inv, ones(H), n, H);
    expect([...dhprebn, ...dbnbias].every(Number.isFinite)).toBe(true);
    expect([...dbngain]).toEqual([0, 0, 0]);
  });

  it(`gives column gradients that sum to 0, and are 0 for a gain of 0, within ${limit}`, () => {
    const [n, H] = [8, 2];
    const bngain = floatsOf(backend, [1.5, 0]);
    const { bnraw, bnvar_inv } = forward(drawn(n * H), n, H, bngain);
    const [dhprebn, dbngain, dbnbias] = [n * H, H, H].map((size) => backend.floats(size));
    batchNormBackward(dhprebn, dbngain, dbnbias, floatsOf(backend, drawn(n * H)), bnraw, bnvar_inv, bngain, n, H);
    const column = (j: number) => Array.from({ length: n }, (_, i) => dhprebn[i * H + j]);
    expect(Math.abs(column(0).reduce((sum, x) => sum + x, 0)) / largestOf(column(0))).toBeLessThan(limit);
    expect(largestOf(column(1))).toBe(0);
  });

  it(`gives the same as the forward pass of training in inference with the batch's mean and variance, within ${limit}`, () => {
    const [n, H] = [5, 3];
    const hprebn = drawn(n * H, 1);
    const [bngain, bnbias] = [floatsOf(backend, drawn(H, 1)), floatsOf(backend, drawn(H))];
    const column = (j: number) => Array.from({ length: n }, (_, i) => hprebn[i * H + j]);
    const mean = [0, 1, 2].map((j) => column(j).reduce((sum, x) => sum + x, 0) / n);
    const variance = [0, 1, 2].map((j) => column(j).reduce((sum, x) => sum + (x - mean[j]) ** 2, 0) / (n - 1));
    const hpreact = backend.floats(n * H);
    const [bnmean, bnvar] = [floatsOf(backend, mean), floatsOf(backend, variance)];
    batchNormInference(hpreact, floatsOf(backend, hprebn), bnmean, bnvar, bngain, bnbias, n, H);
    expect(relativeError(hpreact, forward(hprebn, n, H, bngain, bnbias).hpreact)).toBeLessThan(limit);
  });

  it('is finite in inference at variance 0, and does not mix rows', () => {
    const hpreact = backend.floats(2);
    const one = ones(1);
    batchNormInference(hpreact, floatsOf(backend, [3, 5]), floatsOf(backend, [3]), backend.floats(1), one, one, 2, 1);
    expect(relativeError(hpreact, [1, 1 + 2 / Math.sqrt(BATCH_NORM_EPSILON)])).toBeLessThan(limit);
    expect(hpreact[0]).toBe(1);
  });
});

describe.each(BACKENDS)('columnMoments on $name', ({ create, dtype }) => {
  const GUARDS = 8;
  const guarded = (values: number[], guard: number) => [...values, ...new Array<number>(GUARDS).fill(guard)];

  /** The moments on the backend, of numbers that float32 represents exactly. NaN is stored beside x, and in the outputs before the call. */
  function moments(x: number[], n: number, H: number) {
    const backend = create();
    const input = matrixOf(backend, n, H, x);
    const stale = new Array<number>(H).fill(Number.NaN);
    const [mean, squares] = [floatsOf(backend, guarded(stale, 7777)), floatsOf(backend, guarded(stale, 7777))];
    backend.columnMoments(mean, squares, input, n, H);
    const isWhole = [mean, squares].every((array) => array.subarray(H).every((entry) => entry === 7777));
    return { mean: [...mean.subarray(0, H)], squares: [...squares.subarray(0, H)], input: [...backend.rowsOf(input, n, H)], isWhole };
  }

  /** The moments in float64, by definition. */
  function definition(x: number[], n: number, H: number) {
    const columns = Array.from({ length: H }, (_, j) => Array.from({ length: n }, (_, i) => x[i * H + j]));
    const mean = columns.map((column) => column.reduce((sum, entry) => sum + entry, 0) / n);
    return { columns, mean, squares: columns.map((column, j) => column.reduce((sum, entry) => sum + (entry - mean[j]) ** 2, 0)) };
  }

  const SIZES = [1, 2, 33, 256].flatMap((n) => [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 33, 200].map((H) => ({ n, H })));
  const limit = dtype === 'float32' ? 1e-5 : 1e-13;

  it.each(SIZES)(
    `computes for n $n, H $H each mean within ${limit} of the largest entry, and the squares within ${limit} of their sum`,
    ({ n, H }) => {
      const random = randomStream('grad-check', `column moments ${n} ${H}`);
      // Columns with different means and widths, so that no two are alike.
      const x = Array.from({ length: n * H }, (_, at) => Math.fround((1 + (at % H)) * normal(random) + (at % H) - 4));
      const { columns, ...expected } = definition(x, n, H);
      const { mean, squares, input, isWhole } = moments(x, n, H);
      for (let j = 0; j < H; j++) {
        expect(Math.abs(mean[j] - expected.mean[j]), `mean of column ${j}`).toBeLessThanOrEqual(limit * largestOf(columns[j]));
        expect(Math.abs(squares[j] - expected.squares[j]), `squares of column ${j}`).toBeLessThanOrEqual(limit * expected.squares[j]);
      }
      expect(input).toEqual(x);
      expect(isWhole).toBe(true);
    },
  );

  it.each([1, 3, 4, 7])('gives the row itself and no deviations for a single row of %i', (H) => {
    const x = Array.from({ length: H }, (_, j) => Math.fround(j / 3 - 1));
    expect(moments(x, 1, H)).toMatchObject({ mean: x, squares: x.map(() => 0) });
  });

  it.each([1, 5])('keeps the squares of %i equal columns far from 0: within 1e-4 in float32 at mean 1000', (H) => {
    const x = [999, 1000, 1001, 1000].flatMap((entry) => new Array<number>(H).fill(entry));
    const { mean, squares } = moments(x, 4, H);
    expect(relativeError(mean, new Array(H).fill(1000))).toBeLessThan(1e-6);
    expect(relativeError(squares, new Array(H).fill(2))).toBeLessThan(1e-4);
  });

  it.each([2, 6])('keeps NaN in its own column: H %i', (H) => {
    const x = Array.from({ length: 3 * H }, (_, at) => at);
    x[H + 1] = Number.NaN;
    const { mean, squares } = moments(x, 3, H);
    expect([mean, squares].map((array) => array.map((entry) => Number.isNaN(entry)))).toEqual(
      [0, 1].map(() => Array.from({ length: H }, (_, j) => j === 1)),
    );
  });
});
