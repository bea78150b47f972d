import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/core/errors.js';
import { randomStream } from '../../src/core/random.js';
import { combinationsOf, drawFrom, gridOf, type OptionValues, parseVariation, rank, type SweepResult } from '../../src/run/sweep.js';

const random = (seed = 1) => randomStream('sweep', seed);

describe('parseVariation', () => {
  it.each([
    ['lr=0.05/0.1', { option: 'lr', values: ['0.05', '0.1'] }],
    ['--hidden=200/300,200', { option: 'hidden', values: ['200', '300,200'] }],
    ['weight-decay=0..0.5', { option: 'weight-decay', range: { from: 0, to: 0.5, whole: false } }],
    ['hidden=50..400', { option: 'hidden', range: { from: 50, to: 400, whole: true } }],
    ['lr=1e-3..1', { option: 'lr', range: { from: 0.001, to: 1, whole: false } }],
  ])('reads %s', (text, variation) => {
    expect(parseVariation(text)).toEqual(variation);
  });

  it.each([
    ['lr', 'expected an option and its values'],
    ['lr=', 'expected an option and its values'],
    ['=1', 'expected an option and its values'],
    ['lr=1//2', 'a value is empty'],
    ['lr=1/1', 'a value is repeated'],
    ['lr=1..1', 'the range must increase'],
    ['lr=2..1', 'the range must increase'],
  ])('refuses %s', (text, message) => {
    expect(() => parseVariation(text)).toThrow(UsageError);
    expect(() => parseVariation(text)).toThrow(`--vary ${text}: ${message}`);
  });
});

describe('a grid of options', () => {
  it('has every combination, the first option varying slowest', () => {
    expect(gridOf([parseVariation('a=1/2'), parseVariation('b=3/4')])).toEqual([
      { a: '1', b: '3' },
      { a: '1', b: '4' },
      { a: '2', b: '3' },
      { a: '2', b: '4' },
    ]);
  });

  it('counts its combinations without making them', () => {
    const digits = parseVariation(`a=${Array.from({ length: 100 }, (_, i) => i).join('/')}`);
    expect(combinationsOf([digits, { ...digits, option: 'b' }, { ...digits, option: 'c' }])).toBe(1_000_000);
    expect(() => combinationsOf([parseVariation('lr=1..2')])).toThrow('--vary lr has a range, which a grid cannot cover');
  });

  it('refuses a range', () => {
    expect(() => gridOf([parseVariation('lr=1..2')])).toThrow('--vary lr has a range, which a grid cannot cover');
  });
});

describe('random combinations', () => {
  it('are the same for the same seed, without repetitions', () => {
    const variations = [parseVariation('lr=0.01..1'), parseVariation('hidden=50/100/200')];
    const drawn = drawFrom(variations, 30, random());
    expect(drawn).toEqual(drawFrom(variations, 30, random()));
    expect(drawn).not.toEqual(drawFrom(variations, 30, random(2)));
    expect(new Set(drawn.map((one) => JSON.stringify(one))).size).toBe(30);
  });

  it('stay within a range, half of them below its geometric mean', () => {
    const rates = drawFrom([parseVariation('lr=0.01..1')], 1000, random()).map(({ lr }) => Number(lr));
    expect(Math.min(...rates)).toBeGreaterThanOrEqual(0.01);
    expect(Math.max(...rates)).toBeLessThanOrEqual(1);
    const below = rates.filter((rate) => rate < 0.1).length / rates.length;
    expect(below).toBeGreaterThan(0.45);
    expect(below).toBeLessThan(0.55);
  });

  it('stay within a narrow range', () => {
    for (const { beta2 } of drawFrom([parseVariation('beta2=0.99..0.9999')], 200, random())) {
      expect(Number(beta2)).toBeGreaterThanOrEqual(0.99);
      expect(Number(beta2)).toBeLessThanOrEqual(0.9999);
    }
  });

  it('are uniform in a range from 0, and whole in a range of whole numbers', () => {
    const decays = drawFrom([parseVariation('decay=0..1')], 1000, random()).map(({ decay }) => Number(decay));
    const below = decays.filter((decay) => decay < 0.5).length / decays.length;
    expect(below).toBeGreaterThan(0.45);
    expect(below).toBeLessThan(0.55);
    for (const { hidden } of drawFrom([parseVariation('hidden=10..20')], 9, random())) expect(hidden).toMatch(/^(1\d|20)$/);
  });

  it('are all combinations if the lists have no more', () => {
    expect(drawFrom([parseVariation('a=1/2'), parseVariation('b=3/4')], 100, random())).toHaveLength(4);
  });
});

describe('the ranking', () => {
  const result = (options: OptionValues, valLoss: number | null, seconds: number | null = 1): SweepResult => ({
    run: '0001',
    options,
    seconds,
    trainLoss: valLoss,
    valLoss,
  });

  it('sorts by validation loss, with diverged runs last', () => {
    const ranked = rank([result({ lr: '1' }, null), result({ lr: '2' }, 2.5), result({ lr: '3' }, 2.1)]);
    expect(ranked.map(({ options }) => options.lr)).toEqual(['3', '2', '1']);
    expect(ranked.map(({ valLoss }) => valLoss)).toEqual([2.1, 2.5, null]);
  });

  it('groups runs that differ only in their seeds, by the median', () => {
    const ranked = rank([
      result({ lr: '1', seed: '1' }, 2),
      result({ lr: '2', seed: '1' }, 2.2),
      result({ lr: '1', seed: '2' }, 2.4),
      result({ lr: '1', seed: '3' }, 2.3),
      result({ lr: '2', seed: '2' }, 2.3),
    ]);
    expect(ranked.map(({ options, runs }) => [options, runs.length])).toEqual([
      [{ lr: '2' }, 2],
      [{ lr: '1' }, 3],
    ]);
    expect(ranked[0].valLoss).toBeCloseTo(2.25, 12);
    expect(ranked[1].valLoss).toBe(2.3);
  });

  it('has no median if one of the seeds has no loss or no time', () => {
    const [ranked] = rank([result({ seed: '1' }, 2, null), result({ seed: '2' }, null)]);
    expect(ranked).toMatchObject({ valLoss: null, trainLoss: null, seconds: null });
  });
});
