import { describe, expect, it } from 'vitest';
import { parseWords } from '../../src/cli/options.js';
import { TRAIN_OPTIONS } from '../../src/cli/train/trainOptions.js';
import { isExtended, trainCommand } from '../../src/run/trainCommand.js';
import { TRAINING_OPTIONS, type TrainingOptionValues } from '../../src/training/options.js';
import type { PresetName } from '../../src/training/presets.js';
import { createRunConfig, withPreset } from '../../src/training/recipe.js';
import type { RunConfig } from '../../src/training/runConfig.js';

const SIZES = { trainExamples: 182_580, valExamples: 22_767 };
const BUNDLED = { isBundled: true, sizes: SIZES };

function configOf(given: TrainingOptionValues, preset: PresetName = 'lesson'): RunConfig {
  return createRunConfig(withPreset(TRAINING_OPTIONS, preset, given), SIZES);
}

describe('the command that repeats a run', () => {
  it.each<[string, TrainingOptionValues, PresetName]>([
    ['train', {}, 'lesson'],
    ['train --preset fast', {}, 'fast'],
    ['train --preset fast --steps 100 --seed 7', { steps: 100, seed: 7 }, 'fast'],
    ['train --hidden 300,200 --unique', { hidden: [300, 200], unique: true }, 'lesson'],
    [
      'train --lr 0.002 --optimizer adamw --weight-decay C=0.5,W1=1.2',
      { lr: 0.002, optimizer: 'adamw', weightDecay: { C: 0.5, W1: 1.2 } },
      'lesson',
    ],
    ['train --optimizer adam', { optimizer: 'adam' }, 'lesson'],
    ["train --column 'first name' --normalize nfc", { column: 'first name', normalize: 'nfc' }, 'lesson'],
    ['train --eval-every 10', { evalEvery: 10 }, 'lesson'],
  ])('%s', (command, given, preset) => {
    expect(trainCommand(configOf(given, preset), BUNDLED)).toBe(`backprop-ninja ${command}`);
  });

  it.each<[TrainingOptionValues, PresetName]>([
    [{ optimizer: 'momentum', momentum: 0.5, warmup: 7, clip: 1, schedule: 'cosine' }, 'fast'],
    [{ sampling: 'replacement', lr: 0.001 }, 'best'],
    [{ batchSize: 512, hidden: [1600], steps: 8500, optimizer: 'adamw' }, 'lesson'],
  ])('gives the same configuration again: %j of preset %s', (given, preset) => {
    const config = configOf(given, preset);
    const words = trainCommand(config, BUNDLED).split(' ').slice(2);
    const { preset: named = 'lesson', ...values } = parseWords('train', TRAIN_OPTIONS, words) as TrainingOptionValues & {
      preset?: PresetName;
    };
    expect(configOf(values, named)).toEqual(config);
  });

  it('says FILE for a data set of the user, and every interval of evaluations if the sizes are not known', () => {
    const config = configOf({});
    expect(trainCommand(config, { isBundled: false, sizes: undefined })).toBe(
      `backprop-ninja train --data FILE --eval-every ${config.evalEvery}`,
    );
  });

  it('leaves the sizes to the file that a run begins with', () => {
    const config = { ...configOf({ hidden: [64] }), init: 'a'.repeat(64) };
    expect(trainCommand(config, BUNDLED)).toBe('backprop-ninja train --init FILE');
  });

  it('imports imported weights', () => {
    expect(trainCommand({ ...configOf({}), imported: true }, BUNDLED)).toBe('backprop-ninja import FILE');
  });
});

describe('a run that was extended', () => {
  it('lowers its rate earlier than one of as many steps', () => {
    expect(isExtended(configOf({}))).toBe(false);
    expect(isExtended({ ...configOf({}), steps: 300_000 })).toBe(true);
    expect(isExtended(configOf({ schedule: 'linear' }))).toBe(false);
  });
});
