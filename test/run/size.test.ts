import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runBytes } from '../../src/run/size.js';
import { modelConfig, type RunConfig } from '../../src/training/runConfig.js';
import { OPTIMIZER_CONFIGS } from '../support/recipes.js';
import { finish, SESSION_CONFIG, SESSION_DATASET, start } from '../support/sessions.js';
import { tempDirectory } from '../support/tempDirectory.js';

/** Bytes of a finished run's files, and of one more checkpoint while it is being written. */
function roomNeeded(directory: string): number {
  const size = (name: string) => statSync(join(directory, name)).size;
  return readdirSync(directory).reduce((sum, name) => sum + size(name), 0) + size('checkpoint.safetensors');
}

describe('runBytes', () => {
  it.each<[string, Partial<RunConfig>, number?]>([
    ['a diagnosis after every step', { steps: 300, evalEvery: 300 }, 1],
    ['diagnoses of many blocks', { hidden: Array(16).fill(3), batchSize: 8, steps: 30, evalEvery: 30 }, 1],
    ['a thousand steps', { steps: 1050, schedule: { name: 'step', switchStep: 525 }, evalEvery: 200 }],
    ['many hidden units', { hidden: [4000], embedding: 1, context: 1 }],
    ['many blocks', { hidden: Array(16).fill(3), batchSize: 8, steps: 2000, evalEvery: 2000 }],
    ['an evaluation after every step', { evalEvery: 1, steps: 300 }],
    ['an optimizer with two tensors of state', { hidden: [1000], optimizer: OPTIMIZER_CONFIGS.adamw }],
  ])('is enough for %s', (_, some, diagnoseEvery = 0) => {
    const directory = tempDirectory();
    const config = { ...SESSION_CONFIG, steps: 2, ...some };
    finish(start(directory, config, undefined, diagnoseEvery));
    expect(roomNeeded(directory)).toBeLessThanOrEqual(runBytes(modelConfig(config, SESSION_DATASET.vocabulary), config, diagnoseEvery));
  });
});
