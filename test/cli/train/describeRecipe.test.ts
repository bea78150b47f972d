import { describe, expect, it } from 'vitest';
import { describeRecipe } from '../../../src/cli/train/describeRecipe.js';
import type { RecipeOptions } from '../../../src/training/options.js';
import { recipe } from '../../../src/training/recipe.js';

const NAMES = ['C', 'W1', 'b1', 'bngain', 'bnbias', 'blocks.2.W', 'blocks.2.bngain', 'W2', 'b2'];

describe('describeRecipe', () => {
  const describeOptions = (options: RecipeOptions) => describeRecipe(recipe('lesson', options), NAMES);

  it("is undefined for the lesson's recipe, at any learning rate", () => {
    expect(describeOptions({})).toBeUndefined();
    expect(describeOptions({ lr: 0.2 })).toBeUndefined();
  });

  it.each<[RecipeOptions, string]>([
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
  ])('%j: %s', (options, line) => {
    expect(describeOptions(options)).toBe(line);
  });
});
