import { UsageError } from '../../core/errors.js';
import type { NetworkOptions, RecipeOptions } from './recipe.js';

/** What a preset decides, as far as the command line does not. */
type Preset = Partial<NetworkOptions & RecipeOptions>;

/**
 * Recipes. Both were found by search on the validation part (README); with the first layer as a table, a wide embedding and a large batch
 * cost next to nothing there.
 */
const PRESETS = {
  /** The options' own defaults. */
  lesson: {},
  /** A better loss than the lesson's in less than a second of training. */
  fast: {
    context: 6,
    embedding: 32,
    hidden: [96],
    batchSize: 256,
    steps: 2_500,
    optimizer: 'adamw',
    lr: 0.008,
    beta2: 0.99,
    weightDecay: 0.1,
    schedule: 'linear',
    sampling: 'epochs',
  },
  /** The least loss: more time or width gain nothing. Without so much decay, a network of this size learns the names by heart. */
  best: {
    context: 8,
    embedding: 64,
    hidden: [1600],
    batchSize: 512,
    steps: 8_500,
    optimizer: 'adamw',
    lr: 0.001,
    beta2: 0.99,
    weightDecay: { C: 0.5, W1: 1.2, W2: 0.5 },
    schedule: 'linear',
    sampling: 'epochs',
  },
} as const satisfies Record<string, Preset>;

export type PresetName = keyof typeof PRESETS;
export const PRESET_NAMES = Object.keys(PRESETS) as PresetName[];

/** What belongs to one optimizer, and not to another that the command line may name. */
const OF_OPTIMIZER: readonly string[] = ['lr', 'beta2', 'weightDecay'] satisfies (keyof Preset)[];

/**
 * The options with the preset's in place of defaults.
 * @param given whether an option stands on the command line
 * @throws UsageError if a preset is given for what is decided already
 */
export function withPreset<Options extends Preset & { preset: PresetName; resume?: string | true; mutant?: string }>(
  options: Options,
  given: (option: string) => boolean,
): Options {
  if (given('preset') && options.resume !== undefined) {
    throw new UsageError('--preset has no meaning with --resume: a run goes on with the recipe that it was begun with');
  }
  const preset: Preset = PRESETS[options.preset];
  const otherOptimizer = given('optimizer') && options.optimizer !== preset.optimizer;
  const decided = Object.entries(preset).filter(([option]) => !given(option) && !(otherOptimizer && OF_OPTIMIZER.includes(option)));
  return { ...options, ...Object.fromEntries(decided) };
}
