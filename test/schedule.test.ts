import { describe, expect, it } from 'vitest';
import { defaultEvalEvery, defaultSwitchStep, stepRate } from '../src/schedule.js';

describe('stepRate', () => {
  it.each([
    [5, [1, 1, 1, 1, 1, 0.1, 0.1, 0.1, 0.1, 0.1]],
    [1, [1, 0.1, 0.1]],
    [0, [0.1, 0.1]],
    [9, [1, 1, 1]],
  ])('with switch step %i is the given rate before it, and a tenth of it from there on: %j', (switchStep, rates) => {
    expect(rates.map((_, step) => stepRate(step, switchStep, 1))).toEqual(rates);
  });
});

describe('defaultSwitchStep', () => {
  it.each([
    [10, 5],
    [5, 2],
    [2, 1],
    [1, 0],
    [200_000, 100_000],
  ])('of %i steps is floor(steps/2): %i', (steps, switchStep) => {
    expect(defaultSwitchStep(steps)).toBe(switchStep);
  });
});

describe('defaultEvalEvery', () => {
  // What it is to hold: with the costs of an example relative to a training step's, evaluations take at most 1 part in 50.
  const share = (every: number, train: number, val: number, n: number, blocks = 1) =>
    ((0.09 + 0.19 * (blocks - 1)) * train + 0.37 * val) / (every * n);

  it.each([
    [182_625, 22_655, 32, 50_000],
    [182_625, 22_655, 256, 5000],
    [250, 30, 32, 100],
    [400, 0, 9, 200],
    [2, 1, 1_048_576, 100],
    [1_000_000, 100_000, 2, 5_000_000],
  ])('of %i training and %i validation examples at batch size %i is %i', (train, val, n, every) => {
    expect(defaultEvalEvery(train, val, n, 1)).toBe(every);
    expect(share(every, train, val, n)).toBeLessThanOrEqual(1 / 50);
  });

  it.each([
    [2, 100_000],
    [3, 200_000],
    [16, 1_000_000],
  ])('is rarer the more blocks are to be calibrated, each through those below it: %i, every %i steps', (blocks, every) => {
    expect(defaultEvalEvery(182_625, 22_655, 32, blocks)).toBe(every);
    expect(share(every, 182_625, 22_655, 32, blocks)).toBeLessThanOrEqual(1 / 50);
  });

  it('is 1, 2 or 5 times a power of ten, the smallest that keeps evaluations to 1 part in 50, and at least 100', () => {
    const steps = [1, 2, 5].flatMap((digit) => [2, 3, 4, 5, 6, 7].map((power) => digit * Number(`1e${power}`))).sort((a, b) => a - b);
    for (let examples = 10; examples < 1e6; examples = Math.ceil(examples * 1.1)) {
      const every = defaultEvalEvery(examples, Math.ceil(examples / 8), 32, 1);
      expect(every).toBe(steps.find((step) => share(step, examples, Math.ceil(examples / 8), 32) <= 1 / 50));
    }
  });
});
