import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/core/errors.js';
import { createRunConfig, recipe } from '../../src/training/recipe.js';
import { OPTIMIZERS } from '../../src/training/updater.js';

const LESSON = {
  context: 3,
  embedding: 10,
  hidden: [200],
  batchSize: 32,
  steps: 200_000,
  learningRate: 0.1,
  optimizer: { name: 'sgd' },
  schedule: { name: 'step', switchStep: 100_000 },
  warmup: 0,
  sampling: 'replacement',
};
const ADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

describe('recipe', () => {
  it("without arguments is exactly the lesson's", () => {
    expect(recipe()).toStrictEqual(LESSON);
  });

  it('of a preset is complete, and needs no command line', () => {
    expect(recipe('fast')).toStrictEqual({
      context: 6,
      embedding: 32,
      hidden: [96],
      batchSize: 256,
      steps: 2500,
      learningRate: 0.008,
      optimizer: { name: 'adamw', beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1 },
      schedule: { name: 'linear' },
      warmup: 0,
      sampling: 'epochs',
    });
  });

  it('of a preset takes given values in place of its own', () => {
    expect(recipe('fast', { hidden: [8, 4], lr: 0.1 })).toEqual({ ...recipe('fast'), hidden: [8, 4], learningRate: 0.1 });
  });

  it("of a preset with another optimizer has that optimizer's defaults", () => {
    const { learningRate, optimizer } = recipe('fast', { optimizer: 'nesterov' });
    expect({ learningRate, optimizer }).toEqual({ learningRate: 0.1, optimizer: { name: 'nesterov', momentum: 0.9 } });
  });

  it.each([
    ['sgd', 0.1, { name: 'sgd' }],
    ['momentum', 0.1, { name: 'momentum', momentum: 0.9 }],
    ['nesterov', 0.1, { name: 'nesterov', momentum: 0.9 }],
    ['adam', 0.001, { name: 'adam', ...ADAM }],
    ['adamw', 0.001, { name: 'adamw', ...ADAM, weightDecay: 0.01 }],
  ] as const)("with %s has PyTorch's defaults, the rate %d, and no setting of other optimizers", (name, learningRate, optimizer) => {
    expect(recipe('lesson', { optimizer: name })).toStrictEqual({ ...LESSON, learningRate, optimizer });
  });

  it('takes every option', () => {
    const options = { lr: 0.3, beta1: 0, beta2: 0.5, weightDecay: 0, clip: 7, warmup: 1000, sampling: 'epochs' } as const;
    expect(recipe('lesson', { ...options, optimizer: 'adamw', schedule: 'cosine' })).toStrictEqual({
      ...LESSON,
      learningRate: 0.3,
      optimizer: { name: 'adamw', beta1: 0, beta2: 0.5, epsilon: 1e-8, weightDecay: 0 },
      clip: 7,
      schedule: { name: 'cosine' },
      warmup: 1000,
      sampling: 'epochs',
    });
    for (const optimizer of ['momentum', 'nesterov'] as const) {
      expect(recipe('lesson', { optimizer, momentum: 0 }).optimizer).toEqual({ name: optimizer, momentum: 0 });
    }
  });

  const SETTINGS = [
    ['momentum', '--momentum goes with --optimizer momentum or nesterov', ['momentum', 'nesterov']],
    ['beta1', '--beta1 goes with --optimizer adam or adamw', ['adam', 'adamw']],
    ['beta2', '--beta2 goes with --optimizer adam or adamw', ['adam', 'adamw']],
    ['weightDecay', '--weight-decay goes with --optimizer adamw', ['adamw']],
  ] as const;
  it.each(SETTINGS)('refuses %s with an optimizer that does not have it: %s', (option, message, names) => {
    for (const optimizer of OPTIMIZERS) {
      const run = () => recipe('lesson', { optimizer, [option]: 0.5 });
      if ((names as readonly string[]).includes(optimizer)) expect(run().optimizer).toMatchObject({ [option]: 0.5 });
      else expect(run).toThrow(new UsageError(`${message}, not with ${optimizer}`));
    }
  });

  it('takes decays of parameters that the network has, and of no others', () => {
    const weightDecay = { C: 0.5, W1: 1.2, 'blocks.2.W': 0 };
    expect(recipe('lesson', { hidden: [9, 8], optimizer: 'adamw', weightDecay }).optimizer).toMatchObject({ weightDecay });
    expect(() => recipe('lesson', { hidden: [9], optimizer: 'adamw', weightDecay })).toThrow(
      new UsageError('--weight-decay names blocks.2.W; this network has C, W1, b1, bngain, bnbias, W2, b2'),
    );
  });

  it('refuses a warm-up longer than the run', () => {
    expect(recipe('lesson', { steps: 5, warmup: 5 }).warmup).toBe(5);
    expect(() => recipe('lesson', { steps: 5, warmup: 6 })).toThrow(
      new UsageError('--warmup is 6 but --steps is 5, so the learning rate never reaches its full value'),
    );
  });
});

describe('createRunConfig', () => {
  const SIZES = { trainExamples: 182_000, valExamples: 23_000 };

  it('adds seeds and the steps between evaluations to the recipe', () => {
    const config = createRunConfig({ steps: 10 }, SIZES);
    expect(config).toStrictEqual({
      ...recipe('lesson', { steps: 10 }),
      evalEvery: 50_000,
      seed: 2_147_483_647,
      splitSeed: 42,
      unique: false,
    });
  });

  it('stores no option that only concerns saves and checks', () => {
    const config = createRunConfig({ evalEvery: 7, saveEvery: 8, checkEvery: 9, diagnoseEvery: 10, unique: true }, SIZES);
    expect(config).toMatchObject({ evalEvery: 7, unique: true });
    expect(config).not.toHaveProperty('saveEvery');
    expect(config).not.toHaveProperty('checkEvery');
    expect(config).not.toHaveProperty('diagnoseEvery');
  });
});
