import { describe, expect, it } from 'vitest';
import { complete } from '../../../src/core/job.js';
import { createDataset, createExamples } from '../../../src/data/dataset.js';
import { allocateModel, type Model } from '../../../src/network/arrays.js';
import { initialise } from '../../../src/network/initialise.js';
import { createWasmBackend } from '../../../src/node/kernels.js';
import { findingsOf } from '../../../src/run/findings/findings.js';
import { lookAtMany, lookSize } from '../../../src/run/findings/lookAtMany.js';
import { TRAINING_OPTIONS, type TrainingOptionValues } from '../../../src/training/options.js';
import { PRESET_NAMES, type PresetName } from '../../../src/training/presets.js';
import { createRunConfig, withPreset } from '../../../src/training/recipe.js';
import { modelConfig } from '../../../src/training/runConfig.js';
import { times } from '../../support/diagnosedRun.js';
import { NAMES } from '../../support/fakeIO.js';

/** What is found in a network before it is trained. */
function foundAtStart(given: TrainingOptionValues, change: (model: Model) => void = () => {}, preset: PresetName = 'lesson') {
  const dataset = createDataset(NAMES, { splitSeed: 42, unique: false });
  const config = createRunConfig(withPreset(TRAINING_OPTIONS, preset, given), { trainExamples: 1000, valExamples: 100 });
  const shape = modelConfig(config, dataset.vocabulary);
  const examples = createExamples(dataset.parts.train, dataset.vocabulary, config.context);
  const model = allocateModel(createWasmBackend, shape, { training: lookSize(shape, examples) });
  initialise(model, config.seed);
  change(model);
  const initial = { step: 0, diagnostics: complete(lookAtMany(model, examples)) };
  return findingsOf({ config, vocabulary: shape.vocabulary, records: [], initial });
}

describe('a network before its first step', () => {
  it.each(PRESET_NAMES)('as the preset %s draws it has no finding', (preset) => {
    for (const seed of [1, 2, 3]) expect(foundAtStart({ seed }, undefined, preset)).toEqual([]);
  });

  it('with W2 ten times too large starts too confident: its loss is far above ln V', () => {
    const [found, ...others] = foundAtStart({}, times('W2', 10));
    expect(others).toEqual([]);
    expect(found).toMatchObject({ id: 'confident-output', where: 'W2', step: 0, option: '--init-output' });
    expect(found.value).toBeGreaterThan(found.limit);
    expect(found.text).toMatch(/^the loss begins at \d+\.\d\d; ln 15 is 2\.71: the output layer starts too confident/);
  });

  it.each(['batch', 'none'] as const)('with all parameters 0 has no gradient: nothing would ever change its weights (norm %s)', (norm) => {
    const found = foundAtStart({ norm }, ({ flatParameters }) => flatParameters.fill(0));
    expect(found).toMatchObject([{ id: 'no-gradient', where: null, value: 0, limit: 0, option: '--init-gain' }]);
    expect(found[0].text).toMatch(/^the gradient of W1, W2 is 0: C, W1, b1, .*W2, b2 are 0 in every entry\./);
  });

  it.each([{ initGain: 0 }, { initOutput: 0 }, { initGain: 0, initOutput: 0 }])('drawn with %o learns, and has no finding', (given) => {
    expect(foundAtStart(given)).toEqual([]);
  });

  it('with bngain three times too large is saturated, and bngain is named, not W1', () => {
    const [found, ...others] = foundAtStart({}, times('bngain', 3));
    expect(others).toEqual([]);
    expect(found).toMatchObject({ id: 'large-gain', where: 'block 1' });
    expect(found.text).toMatch(/^\d\d % of h is saturated in block 1: bngain is too large/);
  });

  it.each([10, 0.6, 3.3])('with W1 times %d has no finding: batch norm hides the scale of W1', (factor) => {
    expect(foundAtStart({}, times('W1', factor))).toEqual([]);
  });

  it('with one unit at 1 for every example has a dead unit', () => {
    const found = foundAtStart({}, ({ parameters: { bnbias } }) => {
      bnbias[7] = 20;
    });
    expect(found).toMatchObject([{ id: 'dead-units', where: 'block 1', value: 1, limit: 0 }]);
  });
});
