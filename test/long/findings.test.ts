import { describe, expect, it } from 'vitest';
import { readNamesFile } from '../../src/node/namesFile.js';
import { BUNDLED_NAMES } from '../../src/node/paths.js';
import { findingsOf } from '../../src/run/findings/findings.js';
import type { TrainingOptionValues } from '../../src/training/options.js';
import { type DiagnosedRun, diagnosedRun } from '../support/diagnosedRun.js';

const { names } = readNamesFile(BUNDLED_NAMES);
const idsOf = (given: TrainingOptionValues, more: DiagnosedRun = {}) =>
  findingsOf(diagnosedRun(given, { names, ...more })).map(({ id }) => id);

const SIZES = [[8], [200], [600], [64, 64, 64]];
const OPTIMIZERS = ['sgd', 'momentum', 'nesterov', 'adam', 'adamw'] as const;

describe('healthy runs on the bundled names have no finding', () => {
  it.each(SIZES.flatMap((hidden) => OPTIMIZERS.map((optimizer, i) => ({ hidden, optimizer, seed: i + 1 }))))(
    '$optimizer, H $hidden',
    (given) => {
      for (const steps of [3, 50, 200]) expect(idsOf({ ...given, steps })).toEqual([]);
    },
  );

  it.each([4, 8, 16, 128, 512])('of %d examples per step', (batchSize) => {
    for (const seed of [1, 2]) for (const steps of [20, 300]) expect(idsOf({ batchSize, seed, steps })).toEqual([]);
  });

  it.each<[string, TrainingOptionValues]>([
    ['warm-up', { warmup: 40 }],
    ['clipped', { clip: 1 }],
    ['a linear schedule', { schedule: 'linear' }],
    ['no batch norm', { norm: 'none' }],
    ['no batch norm, five blocks', { norm: 'none', hidden: [64, 64, 64, 64, 64] }],
  ])('%s', (_, given) => {
    for (const seed of [1, 2]) for (const steps of [50, 500]) expect(idsOf({ ...given, seed, steps })).toEqual([]);
  });

  it('the preset fast, short and whole', () => {
    for (const steps of [20, 100, 2500]) expect(idsOf({ steps }, { preset: 'fast' })).toEqual([]);
  });

  it('the preset best, short', () => {
    for (const steps of [20, 100]) expect(idsOf({ steps }, { preset: 'best' })).toEqual([]);
  });
});

describe('faults on the bundled names are named alone', () => {
  it.each<[string, string, TrainingOptionValues]>([
    ['sgd at 10', 'rate-high', { lr: 10 }],
    ['sgd at 100', 'rate-high', { lr: 100 }],
    ['momentum at 3', 'rate-high', { optimizer: 'momentum', lr: 3 }],
    ['adam at 0.3', 'rate-high', { optimizer: 'adam', lr: 0.3 }],
    ['adamw at 1', 'rate-high', { optimizer: 'adamw', lr: 1 }],
    ['sgd at 0.0001', 'rate-low', { lr: 1e-4 }],
    ['adam at 0.00001', 'rate-low', { optimizer: 'adam', lr: 1e-5 }],
    ['a confident output', 'confident-output', { initOutput: 1 }],
    ['a saturated tanh', 'saturated', { norm: 'none', initGain: 5.48 }],
    ['a missing gain', 'missing-gain', { norm: 'none', initGain: 1, hidden: [100, 100, 100, 100, 100] }],
    ['W1 times 10', 'weight-scale', { initGain: 16.7 }],
    ['clipping', 'clipped-often', { clip: 0.01 }],
  ])('%s: %s', (_, id, given) => {
    for (const seed of [1, 2]) for (const steps of [50, 300]) expect(idsOf({ ...given, seed, steps })).toEqual([id]);
  });
});
