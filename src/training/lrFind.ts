/** The lesson's learning-rate finder (makemore part 3): train while the rate rises exponentially, and watch the loss. */
import type { Job } from '../core/job.js';
import type { Examples } from '../data/dataset.js';
import type { Model } from '../network/arrays.js';
import { NonFiniteError } from './diagnose.js';
import { ExponentialMean } from './exponentialMean.js';
import { Training, type TrainingOptions } from './training.js';

/** Options of {@link scanRates}: those of a training run, with a range of rates instead of a schedule. */
export interface ScanOptions extends Omit<TrainingOptions, 'learningRate' | 'schedule' | 'warmup'> {
  /** The rate of the first step. */
  from: number;
  /** The rate of the last step. */
  to: number;
}

/** One step of a scan. */
export interface ScanPoint {
  rate: number;
  /** The mean loss of the batch before the update with this rate, in nats. */
  loss: number;
  /** The bias-corrected exponential mean of the losses so far, in nats. */
  smoothed: number;
}

/** The weight of a new loss in the smoothed loss, which averages about the last 50 batches. */
const SMOOTHING = 0.02;
/** The loss has diverged when it is this many times its smallest smoothed value. */
const DIVERGED = 4;

/**
 * Trains from the initialisation and yields one point per step. Ends early when the loss diverges.
 * @param model with room for training with this batch size and optimizer
 */
export function* scanRates(model: Model, examples: Examples, options: ScanOptions): Generator<ScanPoint> {
  for (const point of scanInParts(model, examples, options)) if (point) yield point;
}

/**
 * {@link scanRates} in parts: between two points, it yields undefined after each part of a large step.
 * @param start 'parameters' begins with the model's current ones
 */
export function* scanInParts(
  model: Model,
  examples: Examples,
  { from, to, ...options }: ScanOptions,
  start?: 'parameters',
): Generator<ScanPoint | undefined> {
  const rateAt = (step: number) => from * (to / from) ** (step / Math.max(1, options.steps - 1));
  const training = new Training(model, examples, { ...options, learningRate: rateAt }, {}, start);
  const mean = new ExponentialMean(SMOOTHING);
  let least = Number.POSITIVE_INFINITY;
  while (!training.done) {
    const rate = rateAt(training.step);
    const loss = yield* advanceIfFinite(training);
    if (loss === undefined) return;
    mean.add(loss);
    const smoothed = mean.value;
    if (smoothed > DIVERGED * least) return;
    least = Math.min(least, smoothed);
    yield { rate, loss, smoothed };
  }
}

/** The loss of the next step, or undefined if a number is not finite. */
function* advanceIfFinite(training: Training): Job<number | undefined> {
  try {
    return yield* training.advanceInParts();
  } catch (error) {
    if (error instanceof NonFiniteError) return undefined;
    throw error;
  }
}
