import { describe, expect, it } from 'vitest';
import { isExtended, repeatCommand } from '../../src/run/repeatCommand.js';
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
  it('is as short as the presets make it', () => {
    expect(repeatCommand(configOf({}), BUNDLED)).toBe('backprop-ninja train');
    expect(repeatCommand(configOf({ steps: 100, seed: 7 }, 'fast'), BUNDLED)).toBe(
      'backprop-ninja train --preset fast --steps 100 --seed 7',
    );
  });

  it('says FILE for a data set of the user, and the interval of evaluations if the sizes are not known', () => {
    const config = configOf({});
    expect(repeatCommand(config, { isBundled: false, sizes: undefined })).toBe(
      `backprop-ninja train --eval-every ${config.evalEvery} --data FILE`,
    );
  });

  it('leaves the sizes to the file that a run begins with', () => {
    expect(repeatCommand({ ...configOf({ hidden: [64] }), init: 'a'.repeat(64) }, BUNDLED)).toBe('backprop-ninja train --init FILE');
  });

  it('imports imported weights', () => {
    expect(repeatCommand({ ...configOf({}), imported: true }, BUNDLED)).toBe('backprop-ninja import FILE');
  });
});

describe('a run that was extended', () => {
  it('lowers its rate earlier than one of as many steps', () => {
    expect(isExtended(configOf({}))).toBe(false);
    expect(isExtended({ ...configOf({}), steps: 300_000 })).toBe(true);
    expect(isExtended(configOf({ schedule: 'linear' }))).toBe(false);
  });
});
