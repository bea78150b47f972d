/** The learning-rate finder of the lesson (makemore part 3): a training in which the rate goes up exponentially, and the loss is watched. */

import { randomStream } from '../core/random.js';
import { drawBatch, Epochs, type Sampling } from '../data/batch.js';
import type { Examples } from '../data/dataset.js';
import { backward, createTrainingActivations, forward, initialise, type Model } from '../network/model.js';
import { type OptimizerConfig, Updater } from './updater.js';

export interface ScanOptions {
  /** The first step's rate, and the last one's. */
  from: number;
  to: number;
  steps: number;
  batchSize: number;
  optimizer: OptimizerConfig;
  clip?: number;
  sampling: Sampling;
  seed: number;
}

export interface ScanPoint {
  rate: number;
  /** Of the batch, before the step with that rate. */
  loss: number;
  /** An exponential mean of the losses up to here. */
  smoothed: number;
}

/** Weight of a new loss in the smoothed one: it follows about the last 50 batches. */
const SMOOTHING = 0.02;
/** Above so many times the smallest smoothed loss there is nothing left to be seen. */
const DIVERGED = 4;

/**
 * Trains from the initialisation, a point at a time. Ends before the last step if the loss is no number any more, or far above its smallest.
 * @param model with room for the batch and for what the optimizer keeps
 */
export function* scanRates(model: Model, examples: Examples, options: ScanOptions): Generator<ScanPoint> {
  const { from, to, steps, batchSize: n, optimizer, clip, sampling, seed } = options;
  const { context: T } = model.config;
  initialise(model, seed);
  const a = createTrainingActivations(model, n);
  const updater = new Updater(model, optimizer, clip);
  const random = randomStream('batches', seed);
  const epochs = sampling === 'epochs' ? new Epochs(examples.count, random) : undefined;
  let [sum, weight, least] = [0, 0, Number.POSITIVE_INFINITY];
  for (let step = 0; step < steps; step++) {
    const rate = from * (to / from) ** (step / Math.max(1, steps - 1));
    if (epochs) epochs.drawBatch(a.Xb, a.Yb, examples, n, T);
    else drawBatch(a.Xb, a.Yb, examples, random, n, T);
    const loss = forward(model, a);
    sum += SMOOTHING * (loss - sum);
    weight += SMOOTHING * (1 - weight);
    const smoothed = sum / weight;
    if (!Number.isFinite(loss) || smoothed > DIVERGED * least) return;
    least = Math.min(least, smoothed);
    yield { rate, loss, smoothed };
    backward(model, a);
    updater.update(rate);
  }
}
