import { drawBatch } from './batch.js';
import type { Examples } from './dataset.js';
import { allFinite, diagnose, isStepFinite, NonFiniteError } from './diagnose.js';
import { backward, createTrainingActivations, forward, initialise, type Model, type TrainingActivations } from './model.js';
import { type RandomStream, randomStream, restoreStream, type StreamState } from './random.js';
import { defaultSwitchStep, stepRate } from './schedule.js';

export interface TrainingOptions {
  steps: number;
  /** n, at least 2. */
  batchSize: number;
  learningRate: number;
  /** From this step on, the learning rate is a tenth. Default: half of the steps. */
  switchStep?: number;
  seed: number;
}

/** A line of metrics.jsonl: after `step` steps, the mean batch loss since the line before, and the rate of the last step. */
export interface LossRecord {
  step: number;
  loss: number;
  rate: number;
}

/** Where a training stands, besides its parameters: what it needs to go on as if it had never stopped. */
export interface TrainingState {
  /** Steps done. */
  step: number;
  /** The stream that batches are drawn from. */
  batches: StreamState;
  /** Of the batches since the last record, the sum of the losses and how many they are. */
  lossSinceRecord: number;
  stepsSinceRecord: number;
  /** The smoothed loss before its correction, and the weight it is corrected by. */
  smoothed: number;
  weight: number;
}

export interface TrainingHooks {
  /** Called every 100 steps, and after the last. */
  onRecord?: (record: LossRecord) => void;
  /** Steps between two looks at every gradient, activation and parameter; the loss is looked at in every step. Default 1000. */
  checkEvery?: number | undefined;
}

/** Steps between two records; the last step always has one. */
const RECORD_EVERY = 100;
const CHECK_EVERY = 1000;

/** Weight of a new batch in the smoothed loss: it follows about the last 1,000 batches. */
const SMOOTHING = 1e-3;

/** Stochastic gradient descent on a model, step by step. */
export class Training {
  readonly #model: Model;
  readonly #examples: Examples;
  readonly #options: TrainingOptions;
  readonly #onRecord: (record: LossRecord) => void;
  readonly #checkEvery: number;
  readonly #activations: TrainingActivations;
  readonly #batches: RandomStream;
  #step = 0;
  #lossSinceRecord = 0;
  #stepsSinceRecord = 0;
  #smoothed = 0;
  #weight = 0;

  /** From the initialisation; or, with a state, from the model's parameters as they are. */
  constructor(model: Model, examples: Examples, options: TrainingOptions, hooks: TrainingHooks = {}, from?: TrainingState) {
    this.#model = model;
    this.#examples = examples;
    this.#options = options;
    this.#onRecord = hooks.onRecord ?? (() => {});
    this.#checkEvery = hooks.checkEvery ?? CHECK_EVERY;
    this.#activations = createTrainingActivations(model, options.batchSize);
    if (from) {
      this.#batches = restoreStream(from.batches);
      this.#step = from.step;
      this.#lossSinceRecord = from.lossSinceRecord;
      this.#stepsSinceRecord = from.stepsSinceRecord;
      this.#smoothed = from.smoothed;
      this.#weight = from.weight;
    } else {
      this.#batches = randomStream('batches', options.seed);
      initialise(model, options.seed);
    }
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

  get state(): TrainingState {
    return {
      step: this.#step,
      batches: this.#batches.state(),
      lossSinceRecord: this.#lossSinceRecord,
      stepsSinceRecord: this.#stepsSinceRecord,
      smoothed: this.#smoothed,
      weight: this.#weight,
    };
  }

  /**
   * One step: draw a batch, forward, backward, update. Returns the batch's loss.
   * @throws NonFiniteError if the loss is not finite, or, in a step that is checked, anything else; the parameters are then those that made it
   */
  advance(): number {
    const { batchSize, learningRate, steps, switchStep = defaultSwitchStep(steps) } = this.#options;
    const { backend, config, flatParameters, flatGradients } = this.#model;
    const a = this.#activations;
    const isChecked = this.#step % this.#checkEvery === 0;
    // Parameters first, while the gradients of their last update stand.
    if (isChecked && !allFinite(flatParameters)) this.#refuse(Number.NaN);
    drawBatch(a.Xb, a.Yb, this.#examples, this.#batches, batchSize, config.context);
    const loss = forward(this.#model, a);
    if (!Number.isFinite(loss)) this.#refuse(loss);
    backward(this.#model, a);
    if (isChecked && !isStepFinite(this.#model, a)) this.#refuse(loss);
    const rate = stepRate(this.#step, switchStep, learningRate);
    backend.sgdUpdate(flatParameters, flatGradients, rate, flatParameters.length);
    this.#step++;
    this.#record(loss, rate);
    return loss;
  }

  #refuse(loss: number): never {
    throw new NonFiniteError(this.#step, loss, diagnose(this.#model, this.#activations));
  }

  #record(loss: number, rate: number): void {
    this.#smoothed += SMOOTHING * (loss - this.#smoothed);
    this.#weight += SMOOTHING * (1 - this.#weight);
    this.#lossSinceRecord += loss;
    this.#stepsSinceRecord++;
    if (this.#step % RECORD_EVERY !== 0 && !this.done) return;
    this.#onRecord({ step: this.#step, loss: this.#lossSinceRecord / this.#stepsSinceRecord, rate });
    this.#lossSinceRecord = 0;
    this.#stepsSinceRecord = 0;
  }
}
