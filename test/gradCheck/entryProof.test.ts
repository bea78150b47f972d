import { describe, expect, it } from 'vitest';
import { indexOfLargest } from '../../src/core/numbers.js';
import { type ErrorCurve, errorCurve, nudge } from '../../src/gradCheck/entryProof.js';
import { createLessonCase, LESSON_CONFIG } from '../../src/lesson/case.js';
import { backward } from '../../src/lesson/exercise1.js';
import { VALUE_NAMES, type ValueName } from '../../src/lesson/values.js';

const CASES = [2, 3, 32].map((n) => {
  const { values } = createLessonCase(LESSON_CONFIG, n, 'entry proof');
  return { values, gradients: backward(values) };
});
const { values, gradients } = CASES[2];
const curve = (name: ValueName, entry: number, dtype: 'float64' | 'float32'): ErrorCurve =>
  errorCurve(values, gradients, name, entry, { dtype });

describe('nudge', () => {
  it.each(VALUE_NAMES)('finds the gradient of %s with some ε, for n 2, 3 and 32', (name) => {
    for (const one of CASES) {
      const entry = indexOfLargest(one.gradients[`d${name}`].data);
      const errors = [1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8].map((eps) => nudge(one.values, one.gradients, name, entry, eps).error);
      expect(Math.min(...errors), `n ${one.values.n}`).toBeLessThan(1e-6);
    }
  });

  it('gives the loss, both moved losses and their quotient', () => {
    const found = nudge(values, gradients, 'b2', 3, 0.5);
    expect(found.loss).toBe(values.loss.item());
    expect(found.quotient).toBe(found.plus - found.minus);
    expect(found.gradient).toBe(gradients.db2.data[3]);
    expect(found.error).toBe(Math.abs(found.quotient - found.gradient) / Math.abs(found.gradient));
    expect(found.relativeTo).toBe('gradient');
  });

  it.each(['b1', 'logit_maxes'] as const)('gives the difference itself for %s, whose gradient is 0', (name) => {
    const found = nudge(values, gradients, name, 1, 1e-3);
    expect(found.relativeTo).toBe('one');
    expect(found.error).toBeLessThan(1e-12);
  });

  it('says that the loss is not a number where ε makes a probability negative', () => {
    const target = values.Yb.data[0];
    const found = nudge(values, gradients, 'probs', target, 1);
    expect([found.plus, found.minus, found.quotient, found.error]).toEqual([expect.any(Number), Number.NaN, Number.NaN, Number.NaN]);
    expect(found.plus).toBeLessThan(values.loss.item());
  });
});

describe('the error curve', () => {
  it('has six points per decade, from 1e-12 in float64 and from 1e-8 in float32, up to 1', () => {
    const ends = (['float64', 'float32'] as const).map((dtype) => curve('logits', 0, dtype).points);
    expect(ends.map((points) => [points.length, points[0].eps, points.at(-1)?.eps])).toEqual([
      [73, 1e-12, 1],
      [49, 1e-8, 1],
    ]);
  });

  it.each(['C', 'W1', 'hprebn', 'bnvar', 'h', 'W2', 'logits', 'counts'] as const)(
    'has rounding below the best ε and curvature above it, for %s; in float32 rounding begins at least 100 times earlier',
    (name) => {
      const entry = indexOfLargest(gradients[`d${name}`].data);
      const [wide, narrow] = [curve(name, entry, 'float64'), curve(name, entry, 'float32')];
      expect(wide.bestError).toBeLessThan(1e-8);
      expect(wide.noiseBelow).toBeLessThan(wide.best as number);
      expect(wide.curvatureAbove).toBeGreaterThan(wide.best as number);
      expect(narrow.bestError).toBeLessThan(1e-2);
      expect(narrow.noiseBelow).toBeGreaterThan(100 * (wide.noiseBelow as number));
    },
  );

  it('falls with ε² above the best ε, and grows with 1/ε below it', () => {
    const { points } = curve('logits', indexOfLargest(gradients.dlogits.data), 'float64');
    const errorNear = (eps: number) => {
      const near = points.filter((one) => Math.abs(Math.log10(one.eps / eps)) < 0.6).map(({ error }) => error);
      return near.sort((a, b) => a - b)[Math.floor(near.length / 2)];
    };
    const slope = (from: number, to: number) => Math.log10(errorNear(to) / errorNear(from)) / Math.log10(to / from);
    expect(slope(1e-3, 1e-1)).toBeCloseTo(2, 0);
    expect(slope(1e-11, 1e-7)).toBeCloseTo(-1, 0);
  });

  it('has no curvature where the loss is linear in the entry: logprobs at the target', () => {
    const found = curve('logprobs', values.Yb.data[0], 'float64');
    expect(found.best).toBe(1);
    expect(found.curvatureAbove).toBeUndefined();
    expect(found.noiseBelow).toBeLessThan(1);
  });

  it('is 0 everywhere where the loss does not depend on the entry: logprobs beside the target', () => {
    const found = curve('logprobs', (values.Yb.data[0] + 1) % 27, 'float32');
    expect(found).toMatchObject({ best: 1, bestError: 0, noiseBelow: undefined, curvatureAbove: undefined, notFiniteFrom: undefined });
  });

  it.each(['b1', 'logit_maxes'] as const)('has no curvature for %s, whose gradient is 0', (name) => {
    const found = curve(name, 2, 'float64');
    expect(found.relativeTo).toBe('one');
    expect(found.bestError).toBeLessThan(1e-12);
    expect(found.curvatureAbove).toBeUndefined();
  });

  it('says from which ε on the loss is not finite, and keeps these points', () => {
    const target = values.Yb.data[0];
    const found = curve('probs', target, 'float64');
    const probability = values.probs.data[target];
    expect(found.notFiniteFrom).toBeGreaterThanOrEqual(probability);
    expect(found.notFiniteFrom).toBeLessThan(probability * 10 ** (1 / 6));
    for (const { eps, error } of found.points) expect(Number.isNaN(error), `${eps}`).toBe(eps >= probability);
    expect(found.best).toBeLessThan(probability);
  });
});
