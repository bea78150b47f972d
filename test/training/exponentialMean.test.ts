import { describe, expect, it } from 'vitest';
import { ExponentialMean } from '../../src/training/exponentialMean.js';

describe('ExponentialMean', () => {
  it('is NaN before the first value, then that value', () => {
    const mean = new ExponentialMean(0.25);
    expect(mean.value).toBeNaN();
    mean.add(3);
    expect(mean.value).toBe(3);
  });

  it('weighs each value by 1 - rate to the power of its age', () => {
    const mean = new ExponentialMean(0.25);
    for (const value of [8, 4, 12]) mean.add(value);
    expect(mean.value).toBeCloseTo((8 * 0.75 ** 2 + 4 * 0.75 + 12) / (0.75 ** 2 + 0.75 + 1), 12);
  });

  it('continues from its state with the same bits', () => {
    const whole = new ExponentialMean(0.1);
    for (const value of [1, 2, 3]) whole.add(value);
    const resumed = new ExponentialMean(0.1, whole.state);
    for (const value of [5, 7]) [whole, resumed].map((mean) => mean.add(value));
    expect(resumed.value).toBe(whole.value);
  });
});
