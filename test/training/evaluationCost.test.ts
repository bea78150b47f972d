import { describe, expect, it } from 'vitest';
import { defaultDiagnoseEvery, defaultEvalEvery } from '../../src/training/evaluationCost.js';

describe('defaultEvalEvery', () => {
  // The time of the evaluations as a share of the training time.
  const share = (every: number, train: number, val: number, n: number, blocks = 1) =>
    ((0.09 + 0.19 * (blocks - 1)) * train + 0.37 * val) / (every * n);

  it.each([
    [182_625, 22_655, 32, 50_000],
    [182_625, 22_655, 256, 5000],
    [250, 30, 32, 100],
    [400, 0, 9, 200],
    [2, 1, 1_048_576, 100],
    [1_000_000, 100_000, 2, 5_000_000],
  ])('for %i training and %i validation examples at batch size %i is %i', (train, val, n, every) => {
    expect(defaultEvalEvery(train, val, n, 1)).toBe(every);
    expect(share(every, train, val, n)).toBeLessThanOrEqual(1 / 50);
  });

  it.each([
    [2, 100_000],
    [3, 200_000],
    [16, 1_000_000],
  ])(
    'grows with the number of blocks, each of which is calibrated through the blocks below: %i blocks, every %i steps',
    (blocks, every) => {
      expect(defaultEvalEvery(182_625, 22_655, 32, blocks)).toBe(every);
      expect(share(every, 182_625, 22_655, 32, blocks)).toBeLessThanOrEqual(1 / 50);
    },
  );

  it('is shorter without batch norm, where nothing is calibrated', () => {
    for (const blocks of [1, 16]) expect(defaultEvalEvery(182_625, 22_655, 32, blocks, 'none')).toBe(20_000);
    expect((0.37 * 22_655) / (20_000 * 32)).toBeLessThanOrEqual(1 / 50);
  });

  it('is the smallest 1, 2 or 5 times a power of ten, at least 100, that keeps evaluations to 2 % of the training time', () => {
    const steps = [1, 2, 5].flatMap((digit) => [2, 3, 4, 5, 6, 7].map((power) => digit * Number(`1e${power}`))).sort((a, b) => a - b);
    for (let examples = 10; examples < 1e6; examples = Math.ceil(examples * 1.1)) {
      const every = defaultEvalEvery(examples, Math.ceil(examples / 8), 32, 1);
      expect(every).toBe(steps.find((step) => share(step, examples, Math.ceil(examples / 8), 32) <= 1 / 50));
    }
  });
});

describe('defaultDiagnoseEvery', () => {
  it.each([
    ['the lesson', 200_000, 32, 2000],
    ['fast', 2500, 256, 250],
    ['best', 8500, 512, 250],
    ['few steps', 20_000, 32, 500],
    ['the smallest batch', 1000, 2, 5000],
    ['the most steps', 1_000_000_000, 32, 10_000_000],
  ])('of %s, %i steps of %i examples, is %i', (_, steps, n, every) => {
    expect(defaultDiagnoseEvery(steps, n)).toBe(every);
  });

  it.each([2, 32, 256, 4096])('makes at most about 100 records, in less than 1 %% of the time at n %i', (n) => {
    for (let steps = 1; steps < 1e9; steps = Math.ceil(steps * 1.3)) {
      const every = defaultDiagnoseEvery(steps, n);
      expect(steps / every).toBeLessThanOrEqual(100);
      expect((2 + 64 / n) / every).toBeLessThanOrEqual(0.01);
      expect(Number.isInteger(every)).toBe(true);
    }
  });
});
