import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../../src/backend/reference.js';
import { decimalNumber } from '../../src/core/kinds.js';
import type { OptionRow } from '../../src/core/optionRow.js';
import { createModel } from '../../src/network/arrays.js';
import { initialise } from '../../src/network/initialise.js';
import { sha256 } from '../../src/node/sha256.js';
import { checkpointBytes, parseCheckpoint } from '../../src/run/checkpoint.js';
import { readSafetensors } from '../../src/run/safetensors.js';
import { TRAINING_OPTIONS } from '../../src/training/options.js';
import { createRunConfig } from '../../src/training/recipe.js';
import { buildConfig, formatOf, modelConfig, orderedConfig, type RunConfig, settingsOf } from '../../src/training/runConfig.js';
import { configSchema } from '../../src/training/runConfigSchema.js';
import { Updater } from '../../src/training/updater.js';
import { READABLE_FORMATS, UNKNOWN_FORMAT } from '../support/checkpoints.js';
import { OPTIMIZER_CONFIGS } from '../support/recipes.js';
import { RUN_CONFIG } from '../support/runConfig.js';

const SIZES = { trainExamples: 1000, valExamples: 100 };
const CONFIG = createRunConfig({ hidden: [3], context: 2, embedding: 2, steps: 20, seed: 7, clip: 0.5 }, SIZES);

/** The table as it would be with one more option, which begins a new format. */
const TRIAL = {
  key: 'trial',
  flag: '--trial <t>',
  description: 'a trial',
  kind: decimalNumber(0, 100, 'open'),
  default: 1.5,
  commands: ['train'],
  stored: ['trial'],
  since: Number(UNKNOWN_FORMAT),
} as const satisfies OptionRow;
const ROWS: readonly OptionRow[] = TRAINING_OPTIONS;
const LATER_ROWS = [...ROWS, TRIAL];
const SCHEMA = configSchema(ROWS);
const withTrial = (trial: number): RunConfig => ({ ...CONFIG, trial }) as RunConfig;

function bytesOf(config: RunConfig, rows = ROWS): Uint8Array {
  const vocabulary = ['.', 'a', 'b'];
  const model = createModel(createReferenceBackend('float32'), modelConfig(config, vocabulary));
  initialise(model, config.seed);
  model.statistics.bnvar.fill(1);
  const streams = { c: 1, s0: 0.5, s1: 0.25, s2: 0.125 };
  const optimizer = new Updater(model, config.optimizer).state;
  const state = { step: 0, batches: streams, lossSinceRecord: 0, stepsSinceRecord: 0, smoothed: 0, weight: 0, optimizer };
  return checkpointBytes(model, { program: 'test', config, vocabulary, state, best: null, dataSha256: '0'.repeat(64) }, sha256, rows);
}

describe('a stored configuration', () => {
  it('has its keys in the order of the table', () => {
    expect(Object.keys(orderedConfig(CONFIG, ROWS))).toEqual([
      ...['context', 'embedding', 'hidden', 'batchSize', 'steps', 'learningRate', 'optimizer', 'clip', 'schedule', 'warmup'],
      ...['sampling', 'evalEvery', 'seed', 'splitSeed', 'unique'],
    ]);
  });

  it('is the same whatever the order of its keys', () => {
    const reversed = Object.fromEntries(Object.entries(CONFIG).reverse()) as RunConfig;
    expect(JSON.stringify(orderedConfig(reversed, ROWS))).toBe(JSON.stringify(orderedConfig(CONFIG, ROWS)));
  });

  it.each([
    ['a value beyond the limit of the command line', { ...CONFIG, context: 100, learningRate: 5000, clip: 1e9 }],
    ['a configuration without clipping', { ...CONFIG, clip: undefined }],
  ])('may hold %s', (_, { clip, ...config }) => {
    expect(v.is(SCHEMA, clip === undefined ? config : { ...config, clip })).toBe(true);
  });

  it.each([
    ['a missing key', { ...CONFIG, warmup: undefined }],
    ['an unknown key', { ...CONFIG, depth: 3 }],
    ['a value below its range', { ...CONFIG, learningRate: 0 }],
    ['a momentum of 1', { ...CONFIG, optimizer: { name: 'momentum', momentum: 1 } }],
    ['a setting of another optimizer', { ...CONFIG, optimizer: { name: 'sgd', momentum: 0.9 } }],
    ['an optimizer without its settings', { ...CONFIG, optimizer: { name: 'adam', beta1: 0.9 } }],
    ['a switch step with a schedule that has none', { ...CONFIG, schedule: { name: 'linear', switchStep: 5 } }],
    ['17 blocks', { ...CONFIG, hidden: Array(17).fill(8) }],
    ['NaN', { ...CONFIG, clip: Number.NaN }],
  ])('may not hold %s', (_, config) => {
    expect(v.is(SCHEMA, config)).toBe(false);
  });
});

describe('an option that is added later', () => {
  it('is not stored at its default: the bytes and the format stay', () => {
    expect(orderedConfig(withTrial(1.5), LATER_ROWS)).toStrictEqual(CONFIG);
    expect(formatOf(withTrial(1.5), LATER_ROWS)).toBe(3);
    expect(Buffer.compare(bytesOf(withTrial(1.5), LATER_ROWS), bytesOf(CONFIG))).toBe(0);
  });

  it('is stored with another value, in the format that it began', () => {
    const bytes = bytesOf(withTrial(2), LATER_ROWS);
    expect(readSafetensors(bytes).metadata.formatVersion).toBe(UNKNOWN_FORMAT);
    expect(parseCheckpoint(bytes, sha256, LATER_ROWS).config).toEqual(withTrial(2));
  });

  it('leaves older checkpoints readable', () => {
    expect(parseCheckpoint(bytesOf(CONFIG), sha256, LATER_ROWS).config).toEqual(CONFIG);
  });

  it('is refused by a version that does not know it, which says that a newer one wrote the file', () => {
    expect(() => parseCheckpoint(bytesOf(withTrial(2), LATER_ROWS), sha256)).toThrow(
      `checkpoint format ${UNKNOWN_FORMAT}, this backprop-ninja reads ${READABLE_FORMATS}`,
    );
  });

  it('is built from given values like every other', () => {
    expect(buildConfig(LATER_ROWS, { steps: 5, trial: 1.5 })).toEqual({ steps: 5 });
    expect(buildConfig(LATER_ROWS, { steps: 5, trial: 2 })).toEqual({ steps: 5, trial: 2 });
  });
});

describe('settingsOf', () => {
  const flatConfig = (config: RunConfig) => Object.fromEntries([...settingsOf(config)].map(([key, { value }]) => [key, value]));

  it('names each option as it is typed, or in words if it cannot be typed', () => {
    const settings = settingsOf(RUN_CONFIG);
    expect(settings.get('learningRate')?.option).toBe('--lr');
    expect(settings.get('switchStep')?.option).toBe('step from which the rate is a tenth');
  });

  it('gives every setting a name of its own', () => {
    const later = { norm: 'batch', initGain: 5 / 3, initOutput: 0.1 };
    const { optimizer, schedule, ...others } = { ...RUN_CONFIG, ...later, normalize: 'none', imported: false };
    expect(flatConfig(RUN_CONFIG)).toEqual({ ...others, optimizer: 'sgd', schedule: 'step', switchStep: 10 });
    const adamw: RunConfig = { ...RUN_CONFIG, optimizer: OPTIMIZER_CONFIGS.adamw, clip: 3, schedule: { name: 'cosine' } };
    const settings = { optimizer: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1, clip: 3, schedule: 'cosine' };
    expect(flatConfig(adamw)).toEqual({ ...others, ...settings });
    const { beta1, beta2, epsilon } = settings;
    const byName: RunConfig = { ...adamw, optimizer: { name: 'adamw', beta1, beta2, epsilon, weightDecay: { C: 0.5, W1: 1.2 } } };
    expect(flatConfig(byName)).toEqual({ ...others, ...settings, weightDecay: 'C=0.5,W1=1.2' });
  });
});
