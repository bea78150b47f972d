import { describe, expect, it } from 'vitest';
import { flatConfig, type RunConfig } from '../../src/training/runConfig.js';
import { OPTIMIZER_CONFIGS } from '../support/recipes.js';
import { RUN_CONFIG } from '../support/runConfig.js';

describe('flatConfig', () => {
  it('gives every setting a name of its own', () => {
    const { optimizer, schedule, ...others } = RUN_CONFIG;
    expect(flatConfig(RUN_CONFIG)).toEqual({ ...others, optimizer: 'sgd', schedule: 'step', switchStep: 10 });
    const adamw: RunConfig = { ...RUN_CONFIG, optimizer: OPTIMIZER_CONFIGS.adamw, clip: 3, schedule: { name: 'cosine' } };
    const settings = { optimizer: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1, clip: 3, schedule: 'cosine' };
    expect(flatConfig(adamw)).toEqual({ ...others, ...settings });
    const { beta1, beta2, epsilon } = settings;
    const byName: RunConfig = { ...adamw, optimizer: { name: 'adamw', beta1, beta2, epsilon, weightDecay: { C: 0.5, W1: 1.2 } } };
    expect(flatConfig(byName)).toEqual({ ...others, ...settings, weightDecay: 'C=0.5,W1=1.2' });
  });
});
