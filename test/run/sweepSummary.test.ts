import { describe, expect, it } from 'vitest';
import type { SweepResult } from '../../src/run/sweep.js';
import { summariseSweep } from '../../src/run/sweepSummary.js';

function resultsOf(losses: readonly (number | null)[], optionsOf: (i: number) => Record<string, string>): SweepResult[] {
  return losses.map((valLoss, i) => ({
    run: String(i + 1).padStart(4, '0'),
    options: optionsOf(i),
    seconds: 1,
    trainLoss: valLoss,
    valLoss,
  }));
}

describe('the summary of a sweep', () => {
  it('has the median, the least and the number of runs of each value, in the order of the plan', () => {
    const results = resultsOf([2.3, 2.1, 2.5, 2.2], (i) => ({ hidden: i < 3 ? '16' : '64' }));
    expect(summariseSweep({ vary: ['hidden=64/16'], planned: 4, shared: '' }, results).options[0].values).toEqual([
      { value: '64', runs: 1, diverged: 0, median: 2.2, least: 2.2 },
      { value: '16', runs: 3, diverged: 0, median: 2.3, least: 2.1 },
    ]);
  });

  it('counts a diverged run as worse than any loss', () => {
    const results = resultsOf([2.3, null, 2.5, null, null], (i) => ({ lr: i < 3 ? '0.1' : '9' }));
    expect(summariseSweep({ vary: ['lr=0.1/9'], planned: 5, shared: '' }, results).options[0].values).toEqual([
      { value: '0.1', runs: 3, diverged: 1, median: 2.5, least: 2.3 },
      { value: '9', runs: 2, diverged: 2, median: null, least: null },
    ]);
  });

  it('divides a range into intervals of about as many runs, and keeps equal values together', () => {
    const results = resultsOf([1, 2, 3, 4, 5, 6, 7, 8], (i) => ({ lr: ['0.1', '0.1', '0.1', '0.2', '0.3', '0.4', '0.5', '0.6'][i] }));
    const [{ values }] = summariseSweep({ vary: ['lr=0.1..1'], planned: 8, shared: '' }, results).options;
    expect(values.map(({ value }) => value)).toEqual(['0.1 to 0.2', '0.3 to 0.4', '0.5 to 0.6']);
  });

  it('says of each run which value, or interval, of each option it has', () => {
    const lr = ['0.4', '1e-3', '0.2', '0.3', '0.002', '0.1', '0.5', '0.6'];
    const results = resultsOf([8, 1, 4, 5, 2, 3, 6, 7], (i) => ({ lr: lr[i], hidden: i < 4 ? '16' : '64' }));
    const { options, results: ranked } = summariseSweep({ vary: ['lr=0.001..1', 'hidden=64/16'], planned: 8, shared: '' }, results);
    const valueAt = (option: string, k: number) => options.find((one) => one.option === option)?.values[k].value;
    expect(ranked.map(({ run, places }) => [run, valueAt('lr', places.lr), valueAt('hidden', places.hidden)])).toEqual([
      ['0002', '1e-3 to 0.002', '16'],
      ['0005', '1e-3 to 0.002', '64'],
      ['0006', '0.1 to 0.2', '64'],
      ['0003', '0.1 to 0.2', '16'],
      ['0004', '0.3 to 0.4', '16'],
      ['0007', '0.5 to 0.6', '64'],
      ['0008', '0.5 to 0.6', '64'],
      ['0001', '0.3 to 0.4', '16'],
    ]);
  });

  it('puts the option that explains most first, and gives chance no share', () => {
    const losses = Array.from({ length: 24 }, (_, i) => 2 + (i % 3) / 10 + (i % 5) / 1000);
    const results = resultsOf(losses, (i) => ({ seed: String(Math.floor(i / 3) % 4), lr: String(i % 3) }));
    const { options } = summariseSweep({ vary: ['seed=0/1/2/3', 'lr=0/1/2'], planned: 24, shared: '' }, results);
    expect(options.map(({ option }) => option)).toEqual(['lr', 'seed']);
    expect(options[0].share).toBeGreaterThan(0.8);
    expect(options[1].share).toBeLessThan(0.05);
  });

  it('of a full grid sees a small effect beside a large one, and none of what changes nothing', () => {
    const losses = Array.from({ length: 12 }, (_, i) => 2 + (i % 3) / 2 + (i % 6 < 3 ? 0.1 : 0) + ((i * 7) % 5) / 1000);
    const results = resultsOf(losses, (i) => ({
      lr: String(i % 3),
      hidden: String(Math.floor(i / 3) % 2),
      seed: String(Math.floor(i / 6)),
    }));
    const { options } = summariseSweep({ vary: ['seed=0/1', 'hidden=0/1', 'lr=0/1/2'], planned: 12, shared: '' }, results);
    expect(options.map(({ option }) => option)).toEqual(['lr', 'hidden', 'seed']);
    expect(options[1].share).toBeGreaterThan(0.05);
    expect(options[2].share).toBeLessThan(0.01);
  });

  it('has no share where there are too few runs, or no differences', () => {
    const shares = (losses: (number | null)[], values: number) =>
      summariseSweep(
        { vary: ['lr=0/1/2'], planned: 3, shared: '' },
        resultsOf(losses, (i) => ({ lr: String(i % values) })),
      ).options[0].share;
    expect(shares([2.1, 2.2, 2.3], 3)).toBeNull();
    expect(shares([2.1], 1)).toBeNull();
    expect(shares([2, 2, 2, 2, 2], 2)).toBeNull();
  });

  it('lists the runs best first, diverged ones last', () => {
    const results = resultsOf([2.3, null, 2.1], (i) => ({ lr: String(i) }));
    expect(summariseSweep({ vary: ['lr=0/1/2'], planned: 3, shared: '' }, results).results.map(({ run }) => run)).toEqual([
      '0003',
      '0001',
      '0002',
    ]);
  });
});
