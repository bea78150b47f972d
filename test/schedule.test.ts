import { describe, expect, it } from 'vitest';
import { stepRate } from '../src/schedule.js';

describe('stepRate', () => {
  it.each([
    [10, [1, 1, 1, 1, 1, 0.1, 0.1, 0.1, 0.1, 0.1]],
    [5, [1, 1, 0.1, 0.1, 0.1]],
    [2, [1, 0.1]],
    [1, [0.1]],
  ])('of %i steps is the given rate before step floor(steps/2), and a tenth of it from there on: %j', (steps, rates) => {
    expect(rates.map((_, step) => stepRate(step, steps, 1))).toEqual(rates);
  });
});
