import type { Job } from '../../core/job.js';
import { copyExample, type Examples } from '../../data/dataset.js';
import { createTrainingActivations, type Model } from '../../network/arrays.js';
import type { ModelConfig } from '../../network/parameters.js';
import { backwardCalls, forwardCalls } from '../../network/passes.js';
import { type Diagnostics, measure } from '../../training/diagnostics.js';

/** A unit that is saturated in all of these is hardly ever anything else; in a batch of 32, healthy units are so by chance. */
const MOST_EXAMPLES = 4096;
/** The most values of h: 64 MiB for each of the arrays [n,H]. */
const MOST_VALUES = 2 ** 24;

/** The number of examples that a network is looked at with: the `training` of the model's capacity. */
export function lookSize({ hidden }: Pick<ModelConfig, 'hidden'>, { count }: Pick<Examples, 'count'>): number {
  const units = hidden.reduce((sum, H) => sum + H, 0);
  return Math.max(2, Math.min(MOST_EXAMPLES, count, Math.floor(MOST_VALUES / units)));
}

/**
 * Diagnoses a network on many examples at once, spread evenly over all, in parts. Batch norm uses the statistics of these examples. Changes
 * no parameter, and overwrites the gradients.
 * @param model with room for training with {@link lookSize} examples
 */
export function* lookAtMany(model: Model, examples: Examples): Job<Diagnostics> {
  const n = lookSize(model.config, examples);
  const a = createTrainingActivations(model, n);
  for (let i = 0; i < n; i++) copyExample(a, i, examples, Math.floor((i * examples.count) / n));
  for (const call of [...forwardCalls(model, a), ...backwardCalls(model, a)]) {
    call();
    yield;
  }
  return measure(model, a);
}
