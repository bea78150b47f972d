import { drawBatch } from './batch.js';
import type { Examples } from './dataset.js';
import { NumericalError } from './errors.js';
import { backward, createTrainingActivations, forward, initialise, type Model, type TrainingActivations } from './model.js';
import { type RandomStream, randomStream } from './random.js';
import { stepRate } from './schedule.js';

export interface TrainingOptions {
  steps: number;
  /** n, at least 2. */
  batchSize: number;
  /** Until half of the steps; then a tenth of it. */
  learningRate: number;
  seed: number;
}

/** A line of metrics.jsonl: after `step` steps, the mean batch loss since the line before, and the rate of the last step. */
export interface MetricsRecord {
  step: number;
  loss: number;
  rate: number;
}

/** Steps between two lines of metrics; the last step always has one. */
const METRICS_EVERY = 100;

/** Weight of a new batch in the smoothed loss: it follows about the last 1,000 batches. */
const SMOOTHING = 1e-3;

/** Stochastic gradient descent on a model, step by step, from its initialisation. */
export class Training {
  readonly #model: Model;
  readonly #examples: Examples;
  readonly #options: TrainingOptions;
  readonly #onRecord: (record: MetricsRecord) => void;
  readonly #activations: TrainingActivations;
  readonly #batches: RandomStream;
  #step = 0;
  #lossSinceRecord = 0;
  #stepsSinceRecord = 0;
  #smoothed = 0;
  #weight = 0;

  constructor(model: Model, examples: Examples, options: TrainingOptions, onRecord: (record: MetricsRecord) => void = () => {}) {
    this.#model = model;
    this.#examples = examples;
    this.#options = options;
    this.#onRecord = onRecord;
    this.#activations = createTrainingActivations(model, options.batchSize);
    this.#batches = randomStream('batches', options.seed);
    initialise(model, options.seed);
  }

  /** Steps done. */
  get step(): number {
    return this.#step;
  }

  get done(): boolean {
    return this.#step >= this.#options.steps;
  }

  /** An exponential mean of the batch losses, free of its start at 0; NaN before the first step. */
  get smoothedLoss(): number {
    return this.#smoothed / this.#weight;
  }

  /**
   * One step: draw a batch, forward, backward, update. Returns the batch's loss.
   * @throws NumericalError if the loss is not finite; the parameters are then those that made it
   */
  advance(): number {
    const { steps, batchSize, learningRate } = this.#options;
    const { backend, config, flatParameters, flatGradients } = this.#model;
    const a = this.#activations;
    drawBatch(a.Xb, a.Yb, this.#examples, this.#batches, batchSize, config.context);
    const loss = forward(this.#model, a);
    if (!Number.isFinite(loss)) {
      throw new NumericalError(`the loss became ${loss} at step ${this.#step}; a lower --lr than ${learningRate} may help`);
    }
    backward(this.#model, a);
    const rate = stepRate(this.#step, steps, learningRate);
    backend.sgdUpdate(flatParameters, flatGradients, rate, flatParameters.length);
    this.#step++;
    this.#record(loss, rate);
    return loss;
  }

  #record(loss: number, rate: number): void {
    this.#smoothed += SMOOTHING * (loss - this.#smoothed);
    this.#weight += SMOOTHING * (1 - this.#weight);
    this.#lossSinceRecord += loss;
    this.#stepsSinceRecord++;
    if (this.#step % METRICS_EVERY !== 0 && !this.done) return;
    this.#onRecord({ step: this.#step, loss: this.#lossSinceRecord / this.#stepsSinceRecord, rate });
    this.#lossSinceRecord = 0;
    this.#stepsSinceRecord = 0;
  }
}
