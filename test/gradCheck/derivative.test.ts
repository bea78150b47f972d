import { describe, expect, it } from 'vitest';
import { derivative, measure, measureAsync, oneSided, type Sample } from '../../src/gradCheck/derivative.js';

const STEPS = { first: 2 ** -10, last: 2 ** -26, epsilon: 2 ** -52, settled: 1e-4 };

/** The derivative of f at x, and the shifts that were tried. */
function measured(f: (x: number) => number, x: number, steps = STEPS) {
  const shifts: number[] = [];
  const found = measure(derivative({ ...steps, magnitude: [Math.abs(f(x)) || 1] }, 1), (t): Sample => {
    shifts.push(t);
    return { t, values: [f(x + t)] };
  });
  return { slope: found?.slope[0], error: found?.error[0] ?? Number.NaN, agreed: found?.agreed, shifts };
}

describe('derivative', () => {
  it.each([0, 1, 2, 3, 4])('is exact within rounding (1e-12) for x to the power of %i, with steps of up to 1/2', (power) => {
    const { slope } = measured((x) => x ** power, 1, { ...STEPS, first: 0.5 });
    expect(Math.abs((slope as number) - power)).toBeLessThan(1e-12);
  });

  it('asks for six values of a smooth function, and is within the error that it measures', () => {
    const { slope, error, agreed, shifts } = measured(Math.exp, 0);
    expect(shifts).toEqual([2 ** -9, -(2 ** -9), 2 ** -10, -(2 ** -10), 2 ** -11, -(2 ** -11)]);
    expect(agreed).toBe(true);
    expect(Math.abs((slope as number) - 1)).toBeLessThanOrEqual(error);
    expect(error).toBeLessThan(1e-11);
  });

  it.each([
    ['x/sqrt(x² + 1e-5) at 1e-3', (x: number) => x / Math.sqrt(x * x + 1e-5), 1e-3, 1e-5 / (1e-6 + 1e-5) ** 1.5],
    ['log at 1e-4', Math.log, 1e-4, 1e4],
    ['max(x, 0) at 1e-4', (x: number) => Math.max(x, 0), 1e-4, 1],
  ])('halves the step until two agree, within 1e-8: %s', (_, f, x, expected) => {
    const { slope, agreed } = measured(f, x);
    expect(agreed).toBe(true);
    expect(Math.abs((slope as number) / expected - 1)).toBeLessThan(1e-8);
  });

  it('does not agree at a kink, and says how far it may be off', () => {
    const { agreed, error } = measured(Math.cbrt, 0);
    expect(agreed).toBe(false);
    expect(error).toBeGreaterThan(1);
  });

  it('is undefined where f is not finite on both sides', () => {
    expect(measured(Math.sqrt, 0).slope).toBeUndefined();
  });

  it('is the same with a function that returns a promise', async () => {
    const found = await measureAsync(derivative({ ...STEPS, magnitude: [1] }, 1), async (t) => ({ t, values: [Math.exp(t)] }));
    expect(found?.slope[0]).toBe(measured(Math.exp, 0).slope);
  });
});

describe('oneSided', () => {
  const slopes = (f: (x: number) => number) =>
    ([-1, 1] as const).map(
      (side) => measure(oneSided(side, { ...STEPS, magnitude: [1] }, [f(0)]), (t) => ({ t, values: [f(t)] }))?.slope[0],
    );

  it('gives the slopes on both sides of a kink, within 1e-6', () => {
    const [left, right] = slopes((x) => Math.max(2 * x, Math.exp(-x)) - Math.min(x, 0));
    expect(Math.abs((left as number) - -2)).toBeLessThan(1e-6);
    expect(Math.abs((right as number) - -1)).toBeLessThan(1e-6);
  });

  it('is undefined for a root at 0', () => {
    expect(slopes((x) => Math.sqrt(Math.abs(x)))).toEqual([undefined, undefined]);
  });
});
