import { describe, expect, it } from 'vitest';
import {
  type Curve,
  isPositive,
  isWide,
  pointUpTo,
  smoothed,
  someOf,
  stepsOf,
  valueRange,
  valuesAt,
} from '../../../src/page/parts/curves.js';

const curve = (...points: Curve['points']): Curve => ({ name: 'a', points });
const levels = [{ name: 'uniform', value: 3.3 }];

describe('curves with points at different steps', () => {
  it('share one axis: a curve without a point there has undefined, a broken one null', () => {
    const curves = [curve([100, 3], [200, Number.NaN], [300, null]), curve([200, 2])];
    const steps = stepsOf(curves);
    expect(steps).toEqual([100, 200, 300]);
    expect(valuesAt(steps, curves[0].points)).toEqual([3, null, null]);
    expect(valuesAt(steps, curves[1].points)).toEqual([undefined, 2, undefined]);
  });

  it('are read at any step: the last point up to it', () => {
    const { points } = curve([100, 3], [200, 2], [300, 1]);
    expect([99, 100, 250, 1000].map((step) => pointUpTo(points, step)?.[0])).toEqual([undefined, 100, 200, 300]);
    expect(pointUpTo([], 1)).toBeUndefined();
  });

  it('are listed at some steps, with the first and the last one', () => {
    expect(someOf([1, 2, 3], 20)).toEqual([1, 2, 3]);
    const some = someOf(
      Array.from({ length: 1000 }, (_, i) => i),
      20,
    );
    expect(some).toHaveLength(20);
    expect([some[0], some[19]]).toEqual([0, 999]);
  });

  it('are smoothed by the values around, and stay broken where they are', () => {
    const points: Curve['points'] = [
      [1, 1],
      [2, 3],
      [3, 5],
      [4, 7],
    ];
    expect(smoothed(points, 1).map(([, value]) => value)).toEqual([2, 3, 5, 6]);
    expect(smoothed([...points, [5, Number.NaN]], 1).map(([, value]) => value)).toEqual([2, 3, 5, 6, null]);
    expect(smoothed([], 7)).toEqual([]);
  });
});

describe('the vertical axis', () => {
  it('shows all values and levels, with room around them', () => {
    const [least, most] = valueRange([curve([1, 2], [2, 3])], levels, false);
    expect(least).toBeLessThan(2);
    expect(most).toBeGreaterThan(3.3);
  });

  it.each([
    ['no curve', []],
    ['a curve without a point', [curve()]],
    ['a curve of NaN', [curve([1, Number.NaN], [2, null])]],
    ['a single point', [curve([1, 2])]],
    ['a single point of 0', [curve([1, 0])]],
    ['infinity', [curve([1, Number.POSITIVE_INFINITY], [2, 1])]],
  ])('has two ends for %s', (_, curves) => {
    for (const log of [false, isPositive(curves, [])]) {
      const [least, most] = valueRange(curves, [], log);
      expect(Number.isFinite(least) && Number.isFinite(most)).toBe(true);
      expect(least).toBeLessThan(most);
      if (log) expect(least).toBeGreaterThan(0);
    }
  });

  it('cuts off a curve that diverges', () => {
    expect(valueRange([curve([1, 3], [2, 1e9])], [], false, { highest: 4.5 })[1]).toBeLessThan(5);
  });

  it('begins logarithmic for a loss that starts at 27, and not for one that starts at ln 27', () => {
    expect(isWide([curve([1, 27.9], [2, 2.1])])).toBe(true);
    expect(isWide([curve([1, 3.3], [2, 2.1])])).toBe(false);
    expect(isWide([curve([1, -2.5], [2, -3])])).toBe(false);
  });
});
