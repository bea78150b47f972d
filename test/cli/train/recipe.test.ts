import { describe, expect, it } from 'vitest';
import { describeRecipe, type NetworkOptions, type RecipeOptions, recipeOf } from '../../../src/cli/train/recipe.js';
import { OPTIMIZERS } from '../../../src/core/choices.js';
import { UsageError } from '../../../src/core/errors.js';

const DEFAULTS: RecipeOptions & Pick<NetworkOptions, 'hidden'> = {
  hidden: [9, 8],
  steps: 1000,
  optimizer: 'sgd',
  schedule: 'step',
  warmup: 0,
  sampling: 'replacement',
};
const LESSON = {
  learningRate: 0.1,
  optimizer: { name: 'sgd' },
  schedule: { name: 'step', switchStep: 500 },
  warmup: 0,
  sampling: 'replacement',
};
const ADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
const NAMES = ['C', 'W1', 'b1', 'bngain', 'bnbias', 'blocks.2.W', 'blocks.2.bngain', 'W2', 'b2'];

describe('recipeOf', () => {
  it("without options is the lesson's, to the key", () => {
    expect(recipeOf(DEFAULTS)).toStrictEqual(LESSON);
  });

  it.each([
    ['sgd', 0.1, { name: 'sgd' }],
    ['momentum', 0.1, { name: 'momentum', momentum: 0.9 }],
    ['nesterov', 0.1, { name: 'nesterov', momentum: 0.9 }],
    ['adam', 0.001, { name: 'adam', ...ADAM }],
    ['adamw', 0.001, { name: 'adamw', ...ADAM, weightDecay: 0.01 }],
  ] as const)("%s has PyTorch's defaults, the rate of %d, and no setting of others", (name, learningRate, optimizer) => {
    expect(recipeOf({ ...DEFAULTS, optimizer: name })).toStrictEqual({ ...LESSON, learningRate, optimizer });
  });

  it('takes every option', () => {
    const options = { lr: 0.3, beta1: 0, beta2: 0.5, weightDecay: 0, clip: 7, warmup: 1000, sampling: 'epochs' } as const;
    expect(recipeOf({ ...DEFAULTS, ...options, optimizer: 'adamw', schedule: 'cosine' })).toStrictEqual({
      learningRate: 0.3,
      optimizer: { name: 'adamw', beta1: 0, beta2: 0.5, epsilon: 1e-8, weightDecay: 0 },
      clip: 7,
      schedule: { name: 'cosine' },
      warmup: 1000,
      sampling: 'epochs',
    });
    for (const optimizer of ['momentum', 'nesterov'] as const) {
      expect(recipeOf({ ...DEFAULTS, optimizer, momentum: 0 }).optimizer).toEqual({ name: optimizer, momentum: 0 });
    }
  });

  const SETTINGS = [
    ['momentum', '--momentum goes with --optimizer momentum or nesterov', ['momentum', 'nesterov']],
    ['beta1', '--beta1 goes with --optimizer adam or adamw', ['adam', 'adamw']],
    ['beta2', '--beta2 goes with --optimizer adam or adamw', ['adam', 'adamw']],
    ['weightDecay', '--weight-decay goes with --optimizer adamw', ['adamw']],
  ] as const;
  it.each(SETTINGS)('refuses %s with an optimizer that has none: %s', (option, message, names) => {
    for (const optimizer of OPTIMIZERS) {
      const run = () => recipeOf({ ...DEFAULTS, optimizer, [option]: 0.5 });
      if ((names as readonly string[]).includes(optimizer)) expect(run().optimizer).toMatchObject({ [option]: 0.5 });
      else expect(run).toThrow(new UsageError(`${message}, not with ${optimizer}`));
    }
  });

  it('takes decays of the parameters that the network has, and no others', () => {
    const adamw = { ...DEFAULTS, optimizer: 'adamw' } as const;
    const weightDecay = { C: 0.5, W1: 1.2, 'blocks.2.W': 0 };
    expect(recipeOf({ ...adamw, weightDecay }).optimizer).toMatchObject({ weightDecay });
    expect(() => recipeOf({ ...adamw, hidden: [9], weightDecay })).toThrow(
      new UsageError('--weight-decay names blocks.2.W; this network has C, W1, b1, bngain, bnbias, W2, b2'),
    );
  });

  it('refuses a warm-up longer than the run', () => {
    expect(recipeOf({ ...DEFAULTS, steps: 5, warmup: 5 }).warmup).toBe(5);
    expect(() => recipeOf({ ...DEFAULTS, steps: 5, warmup: 6 })).toThrow(
      new UsageError('--warmup is 6, and --steps 5: the full rate would never be reached'),
    );
  });
});

describe('describeRecipe', () => {
  const describeOptions = (options: Partial<RecipeOptions>) => describeRecipe(recipeOf({ ...DEFAULTS, steps: 200_000, ...options }), NAMES);

  it("says nothing of the lesson's, at any rate", () => {
    expect(describeOptions({})).toBeUndefined();
    expect(describeOptions({ lr: 0.2 })).toBeUndefined();
  });

  it.each([
    [{ clip: 1 }, 'sgd 0.1, a tenth from step 100,000 on, clip 1'],
    [{ schedule: 'constant' }, 'sgd 0.1, constant'],
    [{ warmup: 2000 }, 'sgd 0.1, a tenth from step 100,000 on, warm-up 2,000 steps'],
    [{ sampling: 'epochs' }, 'sgd 0.1, a tenth from step 100,000 on, shuffled epochs'],
    [{ optimizer: 'momentum', schedule: 'cosine' }, 'momentum 0.1, cosine to 0'],
    [{ optimizer: 'nesterov', momentum: 0.95, schedule: 'linear' }, 'nesterov 0.1 (momentum 0.95), linear to 0'],
    [{ optimizer: 'adam', schedule: 'linear' }, 'adam 0.001, linear to 0'],
    [{ optimizer: 'adam', beta1: 0.8, beta2: 0.99, schedule: 'linear' }, 'adam 0.001 (beta1 0.8, beta2 0.99), linear to 0'],
    [
      { optimizer: 'adamw', lr: 0.002, weightDecay: 0.05, schedule: 'linear', warmup: 200, clip: 1, sampling: 'epochs' },
      'adamw 0.002 (decay 0.05 on W1 blocks.2.W W2), linear to 0, warm-up 200 steps, clip 1, shuffled epochs',
    ],
    [
      { optimizer: 'adamw', weightDecay: { C: 0.5, W1: 1.2, W2: 0.5, b2: 0 }, schedule: 'constant' },
      'adamw 0.001 (decay 0.5 on C W2, 1.2 on W1), constant',
    ],
    [{ optimizer: 'adamw', weightDecay: 0, schedule: 'constant' }, 'adamw 0.001 (no decay), constant'],
  ] as [Partial<RecipeOptions>, string][])('%j: %s', (options, line) => {
    expect(describeOptions(options)).toBe(line);
  });
});
