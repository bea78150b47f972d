import { describe, expect, it } from 'vitest';
import type { FloatArray } from '../../src/core/tensor.js';
import { createModel, createTrainingActivations } from '../../src/network/arrays.js';
import { initialise } from '../../src/network/initialise.js';
import type { Norm } from '../../src/network/parameters.js';
import { backward, forward } from '../../src/network/passes.js';
import { type Diagnostics, measure, SATURATED, type Spread } from '../../src/training/diagnostics.js';
import { BACKENDS } from '../support/backends.js';
import { batchNormBlocks } from '../support/blocks.js';

const round = (x: number) => Number(x.toPrecision(5));
const mean = (x: ArrayLike<number>) => Array.from(x).reduce((sum, one) => sum + one, 0) / x.length;
const std = (x: ArrayLike<number>) => Math.sqrt(Array.from(x).reduce((sum, one) => sum + (one - mean(x)) ** 2, 0) / (x.length - 1));

function histogramOf(x: ArrayLike<number>, end: number) {
  const counts = Array.from({ length: 30 }, () => 0);
  for (const value of Array.from(x)) counts[Math.min(29, Math.max(0, Math.floor(value * (15 / end) + 15)))]++;
  return { from: -end, to: end, counts };
}

/** Means that cancel to about 0 are others in another order of summation. */
function expectSpread(actual: Spread, values: ArrayLike<number>, end = round(Math.max(...Array.from(values, Math.abs)))): void {
  expect({ ...actual, mean: 0 }).toEqual({ mean: 0, std: round(std(values)), histogram: histogramOf(values, end) });
  expect(Math.abs((actual.mean ?? Number.NaN) - mean(values))).toBeLessThanOrEqual(1e-4 * Math.abs(mean(values)) + 1e-12);
}

describe.each(BACKENDS)('measure on $name', ({ create }) => {
  function passed(
    change: (parameters: Readonly<Record<string, FloatArray>>) => void = () => {},
    hidden = [5, 3],
    n = 6,
    norm: Norm = 'batch',
  ) {
    const model = createModel(create(), { context: 2, embedding: 3, hidden, vocabulary: 7, norm });
    initialise(model, 1);
    change(model.parameters);
    const a = createTrainingActivations(model, n);
    for (let i = 0; i < a.Xb.length; i++) a.Xb[i] = (i * 5 + 2) % 7;
    for (let i = 0; i < n; i++) a.Yb[i] = (i * 3 + 1) % 7;
    const loss = forward(model, a);
    backward(model, a);
    const rowsOf = (k: number, name: 'hprebn' | 'bnraw' | 'h' | 'dh') =>
      model.backend.rowsOf(a.blocks[k][name] as FloatArray, n, model.blocks[k].H);
    return { model, a, loss, rowsOf, diagnostics: measure(model, a) };
  }

  it('gives mean, unbiased deviation and histogram of h, hpreact and dh of every block', () => {
    const { model, rowsOf, diagnostics } = passed();
    diagnostics.blocks.forEach(({ h, hpreact, dh, units }, k) => {
      const { H, parameters: p } = batchNormBlocks(model)[k];
      const before = Array.from(rowsOf(k, 'bnraw'), (raw, i) => Math.fround(p.bngain[i % H] * raw + p.bnbias[i % H]));
      expect(units).toBe(H);
      expectSpread(h, rowsOf(k, 'h'), 1);
      expect(hpreact.mean).toBeCloseTo(mean(before), 4);
      expect(hpreact.std).toBeCloseTo(std(before), 4);
      expectSpread(dh, rowsOf(k, 'dh'));
    });
  });

  it('takes hprebn as hpreact without batch norm', () => {
    const { rowsOf, diagnostics } = passed(() => {}, [5, 3], 6, 'none');
    diagnostics.blocks.forEach(({ hpreact }, k) => {
      expectSpread(hpreact, rowsOf(k, 'hprebn'));
    });
    expect(Object.keys(diagnostics.parameters)).toEqual(['C', 'W1', 'b1', 'blocks.2.W', 'blocks.2.b', 'W2', 'b2']);
  });

  it('gives values and gradients of every parameter, and the ratio of their deviations', () => {
    const { model, diagnostics } = passed();
    expect(Object.keys(diagnostics.parameters)).toEqual(Object.keys(model.parameters));
    for (const [name, { value, gradient, gradientToData, updateToData }] of Object.entries(diagnostics.parameters)) {
      const [values, gradients] = [model.parameters, model.gradients].map((arrays) => arrays[name as keyof typeof arrays]);
      expectSpread(value, values);
      expectSpread(gradient, gradients);
      expect(gradientToData).toBeCloseTo(std(gradients) / std(values), 4);
      expect(updateToData).toBeNull();
    }
  });

  it('gives the loss, and the norm of all gradients together', () => {
    const { model, loss, diagnostics } = passed();
    expect(diagnostics.loss).toBe(round(loss));
    expect(diagnostics.gradientNorm).toBeCloseTo(Math.hypot(...model.flatGradients), 4);
    expect(diagnostics.clipped).toBe(false);
  });

  it('counts saturated values, and units that are saturated in every example', () => {
    const { rowsOf, diagnostics } = passed(({ bnbias }) => {
      bnbias[1] = 60;
      bnbias[4] = -60;
    });
    const [first] = diagnostics.blocks;
    const beyond = rowsOf(0, 'h').filter((h) => Math.abs(h) > SATURATED).length;
    expect(first.dead).toBe(2);
    expect(beyond).toBeGreaterThanOrEqual(12);
    expect(first.saturated).toBe(round(beyond / 30));
    expect(diagnostics.blocks[1].dead).toBe(0);
  });

  it('has no deviation of a single value, no histogram of zeros, and no number that is not finite', () => {
    const { diagnostics } = passed(
      ({ b1, b2, W2 }) => {
        b1.fill(0);
        b2[0] = Number.NaN;
        W2[3] = Number.POSITIVE_INFINITY;
      },
      [1],
    );
    const { b1, b2, W2 } = diagnostics.parameters;
    expect(b1.value).toEqual({ mean: 0, std: null, histogram: null });
    expect(b2.value).toEqual({ mean: null, std: null, histogram: null });
    expect(W2.value).toEqual({ mean: null, std: null, histogram: null });
    expect(W2.gradientToData).toBeNull();
  });

  it('changes no byte of the network and its activations', () => {
    const { model, a } = passed();
    const bytes = () => JSON.stringify([[...model.flatParameters], [...model.flatGradients], a.blocks, [...a.dlogits]]);
    const before = bytes();
    const first: Diagnostics = measure(model, a);
    expect(measure(model, a)).toEqual(first);
    expect(bytes()).toBe(before);
  });
});
