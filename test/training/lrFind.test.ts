import { describe, expect, it } from 'vitest';
import { createExamples } from '../../src/data/dataset.js';
import { NameList } from '../../src/data/nameList.js';
import { createModel } from '../../src/network/arrays.js';
import { type ScanOptions, type ScanPoint, scanRates } from '../../src/training/lrFind.js';
import { Training } from '../../src/training/training.js';
import { FLOAT32_BACKENDS } from '../support/backends.js';
import { NAMES } from '../support/fakeIO.js';

const VOCABULARY = NameList.of(NAMES).vocabulary;
const CONFIG = { context: 3, embedding: 4, hidden: [16], vocabulary: VOCABULARY.length };
const EXAMPLES = createExamples(NAMES, VOCABULARY, CONFIG.context);
const OPTIONS: ScanOptions = { from: 0.01, to: 1, steps: 41, batchSize: 16, optimizer: { name: 'sgd' }, sampling: 'replacement', seed: 3 };

describe.each(FLOAT32_BACKENDS)('scanRates on $name', ({ create }) => {
  const scan = (more: Partial<ScanOptions> = {}): ScanPoint[] => [
    ...scanRates(createModel(create(), CONFIG), EXAMPLES, { ...OPTIONS, ...more }),
  ];

  it('raises the rate from the first to the last by a constant factor', () => {
    const rates = scan().map(({ rate }) => rate);
    expect(rates).toHaveLength(41);
    expect(rates[0]).toBe(0.01);
    expect(rates[20]).toBeCloseTo(0.1, 12);
    expect(rates[40]).toBeCloseTo(1, 12);
  });

  it('has the losses of training at a constant rate if both rates are equal', () => {
    const training = new Training(createModel(create(), CONFIG), EXAMPLES, {
      steps: 30,
      batchSize: 16,
      learningRate: 0.1,
      schedule: { name: 'constant' },
      sampling: 'epochs',
      optimizer: { name: 'nesterov', momentum: 0.9 },
      clip: 1,
      seed: 3,
    });
    const losses = Array.from({ length: 30 }, () => training.advance());
    const points = scan({ from: 0.1, to: 0.1, steps: 30, sampling: 'epochs', optimizer: { name: 'nesterov', momentum: 0.9 }, clip: 1 });
    expect(points.map(({ loss }) => loss)).toEqual(losses);
  });

  it('smooths the loss with weight 0.02 for a new batch', () => {
    const points = scan({ steps: 20 });
    let [sum, weight] = [0, 0];
    points.forEach(({ loss, smoothed }, i) => {
      sum = 0.98 * sum + 0.02 * loss;
      weight = 0.98 * weight + 0.02;
      expect(smoothed, `point ${i}`).toBeCloseTo(sum / weight, 10);
    });
  });

  it('ends where the loss diverges', () => {
    const points = scan({ to: 1e6, steps: 1000 });
    expect(points.length).toBeLessThan(1000);
    const least = Math.min(...points.map(({ smoothed }) => smoothed));
    for (const { loss, smoothed } of points) {
      expect(Number.isFinite(loss)).toBe(true);
      expect(smoothed).toBeLessThanOrEqual(4 * least);
    }
  });
});
