import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/core/errors.js';
import { flagName, type OptionRow, rowsOf, withDefaults } from '../../src/core/optionRow.js';
import { RECIPE_OPTIONS, TRAINING_OPTIONS } from '../../src/training/options.js';
import { PRESETS } from '../../src/training/presets.js';

const ROWS: readonly OptionRow[] = TRAINING_OPTIONS;

describe('the table of options', () => {
  it('has each key and each flag once', () => {
    for (const names of [ROWS.map(({ key }) => key), ROWS.map(flagName)]) expect(new Set(names).size).toBe(names.length);
  });

  it('names every flag after its key', () => {
    for (const row of ROWS.filter(({ flag }) => flag)) {
      expect(flagName(row)).toBe(`--${row.key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`);
    }
  });

  it('has defaults that its own kinds read', () => {
    for (const { key, kind, default: value } of ROWS) {
      if (value !== undefined) expect(kind.read(kind.show(value)), key).toEqual(value);
    }
  });

  it('has a default for every option that began a later checkpoint format, or one in words if it may be missing', () => {
    for (const { key, since, default: value, defaultText } of ROWS)
      if (since !== undefined) expect(value ?? defaultText, key).toBeDefined();
  });

  it('refers only to keys that it has, or to the sizes of the data', () => {
    const keys = [...ROWS.map(({ key }) => key), 'trainExamples', 'valExamples'];
    for (const { goesWith, defaultFrom } of ROWS) {
      for (const key of [...(goesWith ? [goesWith.key] : []), ...(defaultFrom?.keys ?? [])]) expect(keys).toContain(key);
    }
  });

  it('has every option that a preset sets among those of the recipe', () => {
    const keys: string[] = RECIPE_OPTIONS.map(({ key }) => key);
    for (const preset of Object.values(PRESETS)) for (const key of Object.keys(preset)) expect(keys).toContain(key);
  });

  it.each([
    ['bench', ['context', 'embedding', 'hidden', 'norm', 'batchSize', 'column', 'normalize']],
    [
      'train --mutant',
      ['context', 'embedding', 'hidden', 'batchSize', 'steps', 'lr', 'seed', 'splitSeed', 'unique', 'column', 'normalize'],
    ],
  ])('gives %s the options %j', (command, keys) => {
    expect(rowsOf(ROWS, command).map(({ key }) => key)).toEqual(keys);
  });
});

describe('a factor of initial weights', () => {
  const kind = ROWS.find(({ key }) => key === 'initGain')?.kind;

  it.each([
    ['5/3', 5 / 3],
    ['1', 1],
    ['0', 0],
    ['1e-2', 0.01],
    ['1/30', 1 / 30],
    ['1/0', undefined],
    ['0/0', undefined],
    ['5/', undefined],
    ['5/3/1', undefined],
    ['-1', undefined],
    ['1001', undefined],
    ['', undefined],
  ])('reads %j as %j', (given, value) => {
    expect(kind?.read(given)).toBe(value);
  });

  it("is shown as a fraction where it is the lesson's gain", () => {
    expect([5 / 3, 0.1, 1].map((value) => kind?.show(value))).toEqual(['5/3', '0.1', '1']);
  });
});

describe('weight decay', () => {
  const kind = ROWS.find(({ key }) => key === 'weightDecay')?.kind;

  it.each([
    ['0.1', 0.1],
    ['W1=1.2,C=0.5', { C: 0.5, W1: 1.2 }],
    ['blocks.2.W=1', { 'blocks.2.W': 1 }],
    ['W1=', undefined],
    ['W1=1,W1=2', undefined],
    ['1001', undefined],
  ])('reads %j as %j', (given, value) => {
    expect(kind?.read(given)).toEqual(value);
  });

  it('is shown sorted by name', () => {
    expect(kind?.show(kind.read('W1=1.2,C=0.5'))).toBe('C=0.5,W1=1.2');
  });
});

describe('withDefaults', () => {
  it('fills in fixed defaults, and those that depend on other values', () => {
    const values = withDefaults(TRAINING_OPTIONS, { optimizer: 'adam' }, { trainExamples: 182_000, valExamples: 23_000 });
    expect(values).toMatchObject({
      hidden: [200],
      lr: 0.001,
      beta1: 0.9,
      epsilon: 1e-8,
      switchStep: 100_000,
      evalEvery: 50_000,
      saveEvery: 50_000,
    });
    for (const key of ['momentum', 'weightDecay', 'clip']) expect(values).not.toHaveProperty(key);
  });

  it('leaves out a default that depends on something unknown', () => {
    expect(withDefaults(TRAINING_OPTIONS, {})).not.toHaveProperty('evalEvery');
  });

  it('keeps what is given, and refuses an option that does not go with the others', () => {
    expect(withDefaults(TRAINING_OPTIONS, { optimizer: 'momentum', momentum: 0 })).toMatchObject({ momentum: 0 });
    expect(() => withDefaults(TRAINING_OPTIONS, { momentum: 0.5 })).toThrow(
      new UsageError('--momentum goes with --optimizer momentum or nesterov, not with sgd'),
    );
  });
});
