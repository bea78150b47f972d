import type { Pace } from '../backend/pace.js';
import { complete, type Job } from '../core/job.js';
import { allFinite } from '../core/numbers.js';
import { type RandomStream, randomStream, restoreStream, type StreamState } from '../core/random.js';
import { drawBatch, Epochs, type Sampling } from '../data/batch.js';
import type { Batch, Examples } from '../data/dataset.js';
import { createTrainingActivations, type Model, type TrainingActivations } from '../network/arrays.js';
import { initialise } from '../network/initialise.js';
import { type InitialScales, parameterCount } from '../network/parameters.js';
import { backwardCalls, batchLoss, forwardCalls, LARGE_PASS, type LayerCalls, runCalls } from '../network/passes.js';
import { diagnose, isStepFinite, NonFiniteError } from './diagnose.js';
import { type Diagnostics, type DiagnosticsRecord, Measurement } from './diagnostics.js';
import { ExponentialMean } from './exponentialMean.js';
import { defaultSwitchStep, type RateOptions, type Schedule, scheduledRate } from './schedule.js';
import { type OptimizerConfig, type OptimizerState, Updater } from './updater.js';

/** Options of {@link Training}. */
export interface TrainingOptions extends InitialScales {
  steps: number;
  /** n, at least 2. */
  batchSize: number;
  /** The full rate, which schedule and warm-up scale; or a function that gives the rate of each step, counted from 0, and replaces both. */
  learningRate: number | ((step: number) => number);
  /** Default: the lesson's plain gradient descent. */
  optimizer?: OptimizerConfig;
  /** The largest norm of all gradients together. Default: gradients are not clipped. */
  clip?: number;
  /** Default: the lesson's schedule, a tenth of the rate after half of the steps. */
  schedule?: Schedule;
  /** Warm-up steps. Default 0. */
  warmup?: number;
  /** The way to draw batches. Default: with replacement, as in the lesson. */
  sampling?: Sampling;
  /** Seeds the initialisation and the batches. */
  seed: number;
}

/** A line of metrics.jsonl: the mean batch loss, in nats, since the previous record, and the learning rate of the last step. */
export interface LossRecord {
  /** Completed steps. */
  step: number;
  loss: number;
  rate: number;
}

/** Everything that training keeps from one step to the next, apart from the parameters. Resumed from both, it is byte-identical. */
export interface TrainingState {
  /** Completed steps. */
  step: number;
  /** The random stream of the batches; when sampling in epochs, its state before the order of the current epoch was drawn. */
  batches: StreamState;
  /** The sum and the number of the batch losses since the last record. */
  lossSinceRecord: number;
  stepsSinceRecord: number;
  /** The exponential mean of the losses before bias correction, and the weight that corrects it. */
  smoothed: number;
  weight: number;
  optimizer: OptimizerState;
}

/** A step that was done. */
export interface DoneStep {
  /** Completed steps, with this one. */
  step: number;
  /** Mean loss of the batch before the update, in nats. */
  loss: number;
  /** Learning rate of the update. */
  rate: number;
  /** The batch. The next step overwrites it. */
  batch: Batch;
}

/** Callbacks and checks of {@link Training}; they do not change the result. */
export interface TrainingHooks {
  /** Called after each step. */
  onStep?: ((step: DoneStep) => void) | undefined;
  /** Called every 100 steps and after the last step. */
  onRecord?: (record: LossRecord) => void;
  /** Called after each step that is diagnosed, after {@link onRecord}. */
  onDiagnostics?: ((record: DiagnosticsRecord) => void) | undefined;
  /**
   * Steps between two diagnoses; the first and the last step are diagnosed, too. 0: never. Or a function that decides for each step, counted
   * from 1. Default 0.
   */
  diagnoseEvery?: number | ((step: number) => boolean) | undefined;
  /**
   * Steps between two checks that all gradients, activations, parameters and optimizer tensors are finite; the loss is checked in every
   * step. Default 1000.
   */
  checkEvery?: number | undefined;
}

/** Steps between two records; there is always one after the last step. */
export const RECORD_EVERY = 100;
const CHECK_EVERY = 1000;

/** The weight of a new batch in the smoothed loss, which averages about the last 1,000 batches. */
const SMOOTHING = 1e-3;

/**
 * Trains a model step by step. It uses no clock and no files: call {@link advance} until {@link done}, and save {@link state} with the
 * model's parameters to resume later.
 */
export class Training {
  readonly #model: Model;
  readonly #examples: Examples;
  readonly #options: TrainingOptions;
  readonly #onStep: TrainingHooks['onStep'];
  readonly #onRecord: (record: LossRecord) => void;
  readonly #checkEvery: number;
  readonly #onDiagnostics: TrainingHooks['onDiagnostics'];
  readonly #isDiagnosed: (step: number) => boolean;
  /** Undefined until a step is diagnosed. */
  #measurement: Measurement | undefined;
  readonly #activations: TrainingActivations;
  /** A step up to its update. */
  readonly #passes: LayerCalls;
  readonly #isLarge: boolean;
  readonly #pace: Pace | undefined;
  #batches: RandomStream;
  /** Undefined unless sampling in epochs. */
  #epochs: Epochs | undefined;
  readonly #rateAt: (step: number) => number;
  readonly #updater: Updater;
  readonly #lossMean: ExponentialMean;
  #step = 0;
  /** The loss of the last batch. */
  #loss = Number.NaN;
  #lossSinceRecord = 0;
  #stepsSinceRecord = 0;

  /**
   * Allocates activations and optimizer state, and initialises the model's parameters.
   * @param start resumes from this state, with the model's current parameters; 'parameters' begins with them at step 0
   * @throws RangeError if the model's backend has no room for activations and optimizer state
   */
  constructor(model: Model, examples: Examples, options: TrainingOptions, hooks: TrainingHooks = {}, start?: TrainingState | 'parameters') {
    const from = start === 'parameters' ? undefined : start;
    this.#model = model;
    this.#examples = examples;
    this.#options = options;
    this.#onStep = hooks.onStep;
    this.#onRecord = hooks.onRecord ?? (() => {});
    this.#checkEvery = hooks.checkEvery ?? CHECK_EVERY;
    this.#onDiagnostics = hooks.onDiagnostics;
    this.#isDiagnosed = hooks.onDiagnostics ? diagnosedSteps(hooks.diagnoseEvery ?? 0, options.steps) : () => false;
    this.#activations = createTrainingActivations(model, options.batchSize);
    this.#passes = [
      () => this.#beginStep(),
      ...forwardCalls(model, this.#activations),
      () => this.#readLoss(),
      ...backwardCalls(model, this.#activations),
      () => this.#checkGradients(),
    ];
    this.#isLarge = options.batchSize * parameterCount(model.config) > LARGE_PASS;
    this.#pace = model.backend.newPace?.();
    this.#rateAt = rateFunction(options);
    this.#lossMean = new ExponentialMean(SMOOTHING, from);
    this.#updater = new Updater(model, options.optimizer ?? { name: 'sgd' }, options.clip, from?.optimizer);
    if (from) this.#step = from.step;
    this.#batches = from ? restoreStream(from.batches) : randomStream('batches', options.seed);
    this.#epochs = this.#openEpochs();
    if (from) {
      this.#lossSinceRecord = from.lossSinceRecord;
      this.#stepsSinceRecord = from.stepsSinceRecord;
    } else if (start === undefined) initialise(model, options.seed, options);
  }

  /** Completed steps. */
  get step(): number {
    return this.#step;
  }

  /** Whether all steps are completed. */
  get done(): boolean {
    return this.#step >= this.#options.steps;
  }

  /** The bias-corrected exponential mean of the batch losses, in nats; NaN before the first step. */
  get smoothedLoss(): number {
    return this.#lossMean.value;
  }

  /** A copy of the current state, to resume from. */
  get state(): TrainingState {
    return {
      step: this.#step,
      batches: this.#batchState,
      lossSinceRecord: this.#lossSinceRecord,
      stepsSinceRecord: this.#stepsSinceRecord,
      ...this.#lossMean.state,
      optimizer: this.#updater.state,
    };
  }

  /** The live activations of the last step and their gradients; all 0 before the first one. */
  get activations(): TrainingActivations {
    return this.#activations;
  }

  /** The live tensors [P] of the optimizer state. */
  get optimizerTensors(): OptimizerState['tensors'] {
    return this.#updater.tensors;
  }

  /**
   * One step: draw a batch, forward, backward, update.
   * @returns the mean loss of the batch before the update, in nats
   * @throws NonFiniteError if the loss, or in a checked step any other number, is not finite; the parameters are those that caused it
   */
  advance(): number {
    if (this.#isLarge) return complete(this.advanceInParts());
    const isDiagnosed = this.#isDiagnosed(this.#step + 1);
    let isTypical = false;
    this.#pace?.begin();
    try {
      runCalls(this.#passes);
      const loss = this.#loss;
      isTypical = this.#finishStep(isDiagnosed ? complete(this.#diagnoseInParts()) : undefined);
      return loss;
    } finally {
      this.#pace?.end(isTypical);
    }
  }

  /** {@link advance} in parts if the step is large. Abandoned, the step has not begun: the next one draws the same batch. */
  *advanceInParts(): Job<number> {
    if (!this.#isLarge) return this.advance();
    const step = this.#step;
    const before = this.#batchState;
    const isDiagnosed = this.#isDiagnosed(step + 1);
    let isTypical = false;
    this.#pace?.begin();
    try {
      for (const call of this.#passes) {
        call();
        yield;
      }
      const loss = this.#loss;
      isTypical = this.#finishStep(isDiagnosed ? yield* this.#diagnoseInParts() : undefined);
      return loss;
    } finally {
      this.#pace?.end(isTypical);
      if (this.#step === step) this.#restoreBatches(before);
    }
  }

  get #isChecked(): boolean {
    return this.#step % this.#checkEvery === 0;
  }

  #beginStep(): void {
    if (this.#isChecked) this.#checkUpdated();
    this.#drawBatch();
  }

  /** Parameters are checked before the backward pass overwrites the gradients that last updated them. */
  #checkUpdated(): void {
    if (![this.#model.flatParameters, ...Object.values(this.optimizerTensors)].every(allFinite)) this.#refuse(Number.NaN);
  }

  #readLoss(): void {
    this.#loss = batchLoss(this.#activations);
    if (!Number.isFinite(this.#loss)) this.#refuse(this.#loss);
  }

  #checkGradients(): void {
    if (this.#isChecked && !isStepFinite(this.#model, this.#activations)) this.#refuse(this.#loss);
  }

  /** The update, and what is told of the step. @returns whether it was a step like the others */
  #finishStep(diagnostics: Diagnostics | undefined): boolean {
    const isTypical = !this.#isChecked && !diagnostics;
    const loss = this.#loss;
    const rate = this.#rateAt(this.#step);
    const clipped = this.#updater.update(rate);
    this.#step++;
    this.#onStep?.({ step: this.#step, loss, rate, batch: this.#activations });
    this.#record(loss, rate);
    if (diagnostics) this.#recordDiagnostics(diagnostics, clipped);
    return isTypical;
  }

  /** What the next batches follow from: the stream, when sampling in epochs in its state before the current epoch's order was drawn. */
  get #batchState(): StreamState {
    return this.#epochs ? this.#epochs.state : this.#batches.state();
  }

  #restoreBatches(state: StreamState): void {
    this.#batches = restoreStream(state);
    this.#epochs = this.#openEpochs();
  }

  #openEpochs(): Epochs | undefined {
    const { sampling, batchSize } = this.#options;
    return sampling === 'epochs' ? new Epochs(this.#examples.count, this.#batches, this.#step * batchSize) : undefined;
  }

  #drawBatch(): void {
    if (this.#epochs) this.#epochs.drawBatch(this.#activations, this.#examples);
    else drawBatch(this.#activations, this.#examples, this.#batches);
  }

  *#diagnoseInParts(): Job<Diagnostics> {
    this.#measurement ??= new Measurement(this.#model, this.#activations);
    const diagnostics = yield* this.#measurement.measureInParts();
    this.#measurement.keepParameters();
    return diagnostics;
  }

  #recordDiagnostics(diagnostics: Diagnostics, clipped: boolean): void {
    this.#measurement?.addUpdate(diagnostics, clipped);
    this.#onDiagnostics?.({ step: this.#step, diagnostics });
  }

  #refuse(loss: number): never {
    throw new NonFiniteError(this.#step, loss, diagnose(this.#model, this.#activations, this.optimizerTensors));
  }

  #record(loss: number, rate: number): void {
    this.#lossMean.add(loss);
    this.#lossSinceRecord += loss;
    this.#stepsSinceRecord++;
    if (this.#step % RECORD_EVERY !== 0 && !this.done) return;
    this.#onRecord({ step: this.#step, loss: this.#lossSinceRecord / this.#stepsSinceRecord, rate });
    this.#lossSinceRecord = 0;
    this.#stepsSinceRecord = 0;
  }
}

function rateFunction(options: TrainingOptions): (step: number) => number {
  const { steps, learningRate, warmup = 0, schedule = { name: 'step', switchStep: defaultSwitchStep(steps) } } = options;
  if (typeof learningRate === 'function') return learningRate;
  const rates: RateOptions = { steps, learningRate, schedule, warmup };
  return (step) => scheduledRate(step, rates);
}

function diagnosedSteps(every: NonNullable<TrainingHooks['diagnoseEvery']>, steps: number): (step: number) => boolean {
  if (typeof every === 'function') return every;
  return (step) => every > 0 && (step % every === 0 || step === 1 || step === steps);
}
