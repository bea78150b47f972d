import type { RecipeOptions } from './options.js';

/**
 * Named recipes. `fast` and `best` were found by search on the validation loss (docs/presets.md). With the first layer as a table, a wide
 * embedding and a large batch cost little there.
 */
export const PRESETS = {
  /** The lesson's recipe: the options' defaults. */
  lesson: {},
  /** A lower loss than the lesson's, in less than a second of training. */
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
  /** The lowest loss: more steps or units do not lower it. Without this much decay, a network of this size memorises the names. */
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
} satisfies Record<string, RecipeOptions>;

export type PresetName = keyof typeof PRESETS;
export const PRESET_NAMES = Object.keys(PRESETS) as PresetName[];

/** What each preset is for. */
export const PRESET_TEXTS: Readonly<Record<PresetName, string>> = {
  lesson: "the lesson's recipe",
  fast: 'a lower loss, in about 1 s',
  best: 'the lowest, in about a minute',
};
