import { describe, expect, it } from 'vitest';
import { chosenFor, chosenValues, trainCommand } from '../../src/run/trainCommand.js';
import { TRAINING_OPTIONS, type TrainingOptionValues } from '../../src/training/options.js';
import { PRESET_NAMES, type PresetName } from '../../src/training/presets.js';
import { createRunConfig, withPreset } from '../../src/training/recipe.js';

const SIZES = { trainExamples: 182_000, valExamples: 22_000 };
const configOf = (preset: PresetName, options: TrainingOptionValues) =>
  createRunConfig(withPreset(TRAINING_OPTIONS, preset, options), SIZES);

describe('the command that trains a configuration', () => {
  it.each(PRESET_NAMES)('is the name of the preset alone for %s', (preset) => {
    expect(chosenFor(configOf(preset, {}), SIZES)).toEqual({ preset, options: {} });
  });

  it.each<[string, PresetName, TrainingOptionValues]>([
    ['train', 'lesson', {}],
    ['train --hidden 64,32 --steps 500 --seed 3', 'lesson', { hidden: [64, 32], steps: 500, seed: 3 }],
    ['train --optimizer adam --beta2 0.99', 'lesson', { optimizer: 'adam', beta2: 0.99 }],
    ['train --lr 0.1 --optimizer adam', 'lesson', { optimizer: 'adam', lr: 0.1 }],
    ['train --preset fast --clip 1 --eval-every 100', 'fast', { clip: 1, evalEvery: 100 }],
    ['train --preset best --weight-decay C=0.5,W1=1', 'best', { weightDecay: { C: 0.5, W1: 1 } }],
    ['train --unique --split-seed 5', 'lesson', { unique: true, splitSeed: 5 }],
    ["train --column 'given name' --normalize nfc", 'lesson', { column: 'given name', normalize: 'nfc' }],
  ])('%s', (command, preset, options) => {
    const chosen = chosenFor(configOf(preset, options), SIZES);
    expect(new Set(trainCommand(chosen).split(' --'))).toEqual(new Set(command.split(' --')));
    expect(configOf(chosen.preset, chosen.options)).toEqual(configOf(preset, options));
  });
});

it('an option that does not go with the others has no value, given or not', () => {
  expect(chosenValues({ preset: 'lesson', options: { momentum: 0.5 } })).not.toHaveProperty('momentum');
  expect(chosenValues({ preset: 'fast', options: {} })).toMatchObject({ optimizer: 'adamw', beta1: 0.9, beta2: 0.99, lr: 0.008 });
  expect(chosenValues({ preset: 'fast', options: { optimizer: 'sgd' } })).toMatchObject({ lr: 0.1 });
});
