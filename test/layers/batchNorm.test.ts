import { describe, expect, it } from 'vitest';
import { BATCH_NORM_EPSILON, batchNormBackward, batchNormForward, batchNormInference } from '../../src/layers/batchNorm.js';
import { normal, randomStream } from '../../src/random.js';
import { floatsOf, REFERENCE_BACKENDS } from '../backends.js';
import { largestOf, relativeError } from '../compare.js';

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

  it(`gain and bias act on each column: hpreact = bngain·bnraw + bnbias, within ${limit}`, () => {
    const [bngain, bnbias] = [floatsOf(backend, [2, -3]), floatsOf(backend, [5, 7])];
    const { hpreact, bnraw } = forward(drawn(10), 5, 2, bngain, bnbias);
    const expected = Array.from(bnraw, (raw, i) => bngain[i % 2] * raw + bnbias[i % 2]);
    expect(relativeError(hpreact, expected)).toBeLessThan(limit);
  });

  it('columns far from 0 keep their variance: within 1e-4 in float32 and 1e-11 in float64 at mean 1000', () => {
    const column = [999, 1000, 1001, 1000];
    expect(relativeError(forward(column, 4, 1).bnvar_inv, [1 / Math.sqrt(2 / 3 + 1e-5)])).toBeLessThan(dtype === 'float32' ? 1e-4 : 1e-11);
  });

  it.each([[2], [3], [32]])('a batch of %i equal rows is finite, forward and backward: hpreact is the bias', (n) => {
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

  it(`the gradient of a column sums to 0 and a gain of 0 stops it, within ${limit}`, () => {
    const [n, H] = [8, 2];
    const bngain = floatsOf(backend, [1.5, 0]);
    const { bnraw, bnvar_inv } = forward(drawn(n * H), n, H, bngain);
    const [dhprebn, dbngain, dbnbias] = [n * H, H, H].map((size) => backend.floats(size));
    batchNormBackward(dhprebn, dbngain, dbnbias, floatsOf(backend, drawn(n * H)), bnraw, bnvar_inv, bngain, n, H);
    const column = (j: number) => Array.from({ length: n }, (_, i) => dhprebn[i * H + j]);
    expect(Math.abs(column(0).reduce((sum, x) => sum + x, 0)) / largestOf(column(0))).toBeLessThan(limit);
    expect(largestOf(column(1))).toBe(0);
  });

  it(`inference with a batch's own mean and variance is the training forward pass, within ${limit}`, () => {
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

  it('inference at variance 0 is finite, and does not mix rows', () => {
    const hpreact = backend.floats(2);
    const one = ones(1);
    batchNormInference(hpreact, floatsOf(backend, [3, 5]), floatsOf(backend, [3]), backend.floats(1), one, one, 2, 1);
    expect(relativeError(hpreact, [1, 1 + 2 / Math.sqrt(BATCH_NORM_EPSILON)])).toBeLessThan(limit);
    expect(hpreact[0]).toBe(1);
  });
});
