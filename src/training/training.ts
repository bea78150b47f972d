import { type RandomStream, randomStream, restoreStream, type StreamState } from '../core/random.js';
import { drawBatch, Epochs, type Sampling } from '../data/batch.js';
import type { Examples } from '../data/dataset.js';
import { backward, createTrainingActivations, forward, initialise, type Model, type TrainingActivations } from '../network/model.js';
import { allFinite, diagnose, isStepFinite, NonFiniteError } from './diagnose.js';
import { defaultSwitchStep, type RateOptions, type Schedule, scheduledRate } from './schedule.js';
import { type OptimizerConfig, type OptimizerState, Updater } from './updater.js';

export interface TrainingOptions {
  steps: number;
  /** n, at least 2. */
  batchSize: number;
  learningRate: number;
  /** Default: the lesson's plain gradient descent. */
  optimizer?: OptimizerConfig;
  /** The largest norm of the gradients, all parameters together. Default: they are not clipped. */
  clip?: number;
  /** Default: the lesson's, a tenth of the rate from half of the steps on. */
  schedule?: Schedule;
  /** Steps over which the rate goes up. Default 0. */
  warmup?: number;
  /** Default: with replacement, as in the lesson. */
  sampling?: Sampling;
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
  /** The stream that batches are drawn from; in epochs, where it stood before the current epoch's order was drawn. */
  batches: StreamState;
  /** Of the batches since the last record, the sum of the losses and how many they are. */
  lossSinceRecord: number;
  stepsSinceRecord: number;
  /** The smoothed loss before its correction, and the weight it is corrected by. */
  smoothed: number;
  weight: number;
  optimizer: OptimizerState;
}

export interface TrainingHooks {
  /** Called every 100 steps, and after the last. */
  onRecord?: (record: LossRecord) => void;
  /** Steps between two looks at every gradient, activation and parameter; the loss is looked at in every step. Default 1000. */
  checkEvery?: number | undefined;
}

/** Steps between two records; the last step always has one. */
export const RECORD_EVERY = 100;
const CHECK_EVERY = 1000;

/** Weight of a new batch in the smoothed loss: it follows about the last 1,000 batches. */
const SMOOTHING = 1e-3;

/** Trains a model, step by step. */
export class Training {
  readonly #model: Model;
  readonly #examples: Examples;
  readonly #options: TrainingOptions;
  readonly #onRecord: (record: LossRecord) => void;
  readonly #checkEvery: number;
  readonly #activations: TrainingActivations;
  readonly #batches: RandomStream;
  /** Where batches come in epochs. */
  readonly #epochs: Epochs | undefined;
  readonly #rates: RateOptions;
  readonly #updater: Updater;
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
    const { steps, learningRate, warmup = 0, schedule = { name: 'step', switchStep: defaultSwitchStep(steps) } } = options;
    this.#rates = { steps, learningRate, schedule, warmup };
    this.#updater = new Updater(model, options.optimizer ?? { name: 'sgd' }, options.clip, from?.optimizer);
    this.#batches = from ? restoreStream(from.batches) : randomStream('batches', options.seed);
    if (options.sampling === 'epochs') this.#epochs = new Epochs(examples.count, this.#batches, (from?.step ?? 0) * options.batchSize);
    if (from) {
      this.#step = from.step;
      this.#lossSinceRecord = from.lossSinceRecord;
      this.#stepsSinceRecord = from.stepsSinceRecord;
      this.#smoothed = from.smoothed;
      this.#weight = from.weight;
    } else initialise(model, options.seed);
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
      batches: this.#epochs ? this.#epochs.state : this.#batches.state(),
      lossSinceRecord: this.#lossSinceRecord,
      stepsSinceRecord: this.#stepsSinceRecord,
      smoothed: this.#smoothed,
      weight: this.#weight,
      optimizer: this.#updater.state,
    };
  }

  /** What the optimizer keeps, as it is now. */
  get optimizerTensors(): OptimizerState['tensors'] {
    return this.#updater.tensors;
  }

  /**
   * One step: draw a batch, forward, backward, update. Returns the batch's loss.
   * @throws NonFiniteError if the loss is not finite, or, in a step that is checked, anything else; the parameters are then those that made it
   */
  advance(): number {
    const { flatParameters } = this.#model;
    const a = this.#activations;
    const isChecked = this.#step % this.#checkEvery === 0;
    // Parameters first, while the gradients of their last update stand.
    if (isChecked && ![flatParameters, ...Object.values(this.optimizerTensors)].every(allFinite)) this.#refuse(Number.NaN);
    this.#drawBatch();
    const loss = forward(this.#model, a);
    if (!Number.isFinite(loss)) this.#refuse(loss);
    backward(this.#model, a);
    if (isChecked && !isStepFinite(this.#model, a)) this.#refuse(loss);
    const rate = scheduledRate(this.#step, this.#rates);
    this.#updater.update(rate);
    this.#step++;
    this.#record(loss, rate);
    return loss;
  }

  #drawBatch(): void {
    const { Xb, Yb, n } = this.#activations;
    const T = this.#model.config.context;
    if (this.#epochs) this.#epochs.drawBatch(Xb, Yb, this.#examples, n, T);
    else drawBatch(Xb, Yb, this.#examples, this.#batches, n, T);
  }

  #refuse(loss: number): never {
    throw new NonFiniteError(this.#step, loss, diagnose(this.#model, this.#activations, this.optimizerTensors));
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
