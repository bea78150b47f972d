/** Trains a run: its steps, and what is due after each of them. Where the bytes go is its user's business. */
import { complete, type Job } from '../core/job.js';
import type { Sha256 } from '../core/sha256.js';
import { createExamples, type Dataset, type Examples } from '../data/dataset.js';
import { Evaluator } from '../evaluation/evaluator.js';
import { activationTensors, clearStatistics, type Model, modelTensors, type NamedTensor } from '../network/arrays.js';
import { diagnoseModel, NonFiniteError } from '../training/diagnose.js';
import { defaultDiagnoseEvery } from '../training/evaluationCost.js';
import type { RunConfig } from '../training/runConfig.js';
import { Training } from '../training/training.js';
import { type BestEvaluation, type Checkpoint, checkpointBytes } from './checkpoint.js';
import { HASH_EVERY, hashRecord, type MetricsRecord } from './records.js';

/** A run to train, without the place of its files. */
export interface RunOptions {
  /**
   * With room for the training batch and for evaluation of EVALUATION_BATCH examples at a time. To resume, it has the checkpoint's weights; with `init` in the
   * configuration, the parameters to begin with. */
  model: Model;
  dataset: Dataset;
  /** SHA-256 of the data file, 64 hexadecimal digits; stored in checkpoints. */
  dataSha256: string;
  config: RunConfig;
  /** Name and version of the program; stored in checkpoints. */
  program: string;
  /** Steps between two checks that every number is finite; by default as in `Training`. */
  checkEvery?: number | undefined;
  /** Steps between two diagnoses, which are records, too; the first and the last step are diagnosed as well. 0: never. Default: as `train`. */
  diagnoseEvery?: number | undefined;
  /** The checkpoint to resume; without one, a new run starts. */
  from?: Checkpoint;
}

/** A run to train, and what is told of it. */
export interface RunTrainingOptions extends RunOptions {
  sha256: Sha256;
  /** Called with each line of metrics.jsonl. */
  onRecord: (record: MetricsRecord) => void;
  /** Called after an evaluation that is the best so far; {@link RunTraining.checkpoint} gives the bytes of best.safetensors. */
  onBest?: () => void;
  /** Steps between two saves; one is also due after the last step. Default: only that one. */
  saveEvery?: number;
  /** Called when a save is due; {@link RunTraining.checkpoint} gives the bytes of checkpoint.safetensors. */
  onSave?: () => void;
}

/**
 * Trains a run step by step. {@link advance} also does what is due after a step: records, evaluation, hashes, and the save last, so that a
 * resumed run never has to catch up. Its records and checkpoints have the same bytes in Node and in a browser, and whether or not it was
 * stopped and resumed.
 */
export class RunTraining {
  readonly #options: RunTrainingOptions;
  readonly #training: Training;
  readonly #valExamples: Examples;
  /** The training examples. */
  readonly trainExamples: Examples;
  /** Computes mean losses; batch norm's statistics are those of the last save or evaluation. */
  readonly evaluator: Evaluator;
  #best: BestEvaluation | null;
  #calibratedAt: number | undefined;
  /** Whether the last step is trained, but what is due after it is not done. */
  #isDue: boolean;

  /** Initialises the model, unless the run is resumed or has its parameters. */
  constructor(options: RunTrainingOptions) {
    const { model, dataset, config, checkEvery, from, onRecord } = options;
    const { diagnoseEvery = defaultDiagnoseEvery(config.steps, config.batchSize) } = options;
    const { vocabulary, parts } = dataset;
    this.#options = options;
    this.trainExamples = createExamples(parts.train, vocabulary, config.context);
    this.#valExamples = createExamples(parts.val, vocabulary, config.context);
    this.evaluator = new Evaluator(model);
    this.#best = from?.best ?? null;
    this.#calibratedAt = from?.statistics === 'missing' ? undefined : from?.state.step;
    this.#isDue = from?.statistics === 'missing' && from.state.step > 0;
    const hooks = { onRecord, onDiagnostics: onRecord, diagnoseEvery, checkEvery };
    const start = from?.state ?? (config.init === undefined ? undefined : 'parameters');
    this.#training = new Training(model, this.trainExamples, config, hooks, start);
  }

  /** Number of steps done. */
  get step(): number {
    return this.#training.step;
  }

  /** The last step after which everything is done that was due. */
  get finishedStep(): number {
    return this.#isDue ? this.step - 1 : this.step;
  }

  /** Whether all steps of the configuration are done, with everything that is due after the last one. */
  get done(): boolean {
    return this.#training.done && !this.#isDue;
  }

  /** Exponential mean of the batch losses, in nats; NaN before the first step. */
  get smoothedLoss(): number {
    return this.#training.smoothedLoss;
  }

  /** The smallest validation loss so far, and its step; null before the first evaluation. */
  get best(): BestEvaluation | null {
    return this.#best;
  }

  /** The parameters, and what the last step computed, by name: W1 and dW1, h and dh, blocks.2.h. The next step overwrites them. */
  get tensors(): Readonly<Record<string, NamedTensor>> {
    const { model } = this.#options;
    return { ...modelTensors(model), ...activationTensors(model, this.#training.activations) };
  }

  /** Records the hashes of the parameters before the first step. */
  recordStart(): void {
    this.#recordHashes();
  }

  /**
   * Trains one step and does what is due after it.
   * @throws NumericalError if a loss, parameter or gradient is NaN or infinite
   */
  advance(): void {
    complete(this.advanceInParts());
  }

  /** {@link advance} in parts. If it is abandoned, the last step is whole, and what is due after it is done by the next call. */
  *advanceInParts(): Job<void> {
    if (this.#isDue) yield* this.#finishStepInParts();
    if (this.#training.done) return;
    yield* this.#training.advanceInParts();
    this.#isDue = true;
    if (this.step % HASH_EVERY === 0 || this.#training.done) this.#recordHashes();
    yield* this.#finishStepInParts();
  }

  /**
   * Computes batch norm's statistics for the parameters of this step, if that is not done yet.
   * @throws NumericalError if a tensor holds NaN or Inf
   */
  *calibrateInParts(): Job<void> {
    if (this.#calibratedAt === this.step) return;
    this.#calibratedAt = undefined;
    yield* this.evaluator.calibrateInParts(this.trainExamples);
    const diagnosis = diagnoseModel(this.#options.model, this.#training.optimizerTensors);
    if (diagnosis) throw new NonFiniteError(this.step, Number.NaN, diagnosis);
    this.#calibratedAt = this.step;
  }

  /**
   * The bytes of a checkpoint of this step. If the statistics are not computed, or something due after the step is not done, it says that the
   * statistics are missing: a resumed run does first what was due.
   * @throws NumericalError if a tensor holds NaN or Inf
   */
  checkpoint(): Uint8Array {
    const { model, dataset, dataSha256, config, program, sha256 } = this.#options;
    const { state } = this.#training;
    const snapshot = { program, config, vocabulary: dataset.vocabulary, state, best: this.#best, dataSha256 };
    if (this.#calibratedAt === this.step && !this.#isDue) return checkpointBytes(model, snapshot, sha256);
    this.#clearStatistics();
    return checkpointBytes(model, { ...snapshot, statistics: 'missing' }, sha256);
  }

  /** What is due after a step: the evaluation, and the save last. */
  *#finishStepInParts(): Job<void> {
    const { step } = this;
    const { config, saveEvery = Number.POSITIVE_INFINITY, from, onSave } = this.#options;
    // A run that was suspended after its last step may have more steps now: its former end is finished first.
    const done = this.#training.done || step === from?.config.steps;
    const isSaved = step % saveEvery === 0 || done;
    if (step % config.evalEvery === 0 || done) yield* this.#evaluateInParts();
    if (isSaved) yield* this.calibrateInParts();
    this.#isDue = false;
    if (isSaved) onSave?.();
  }

  *#evaluateInParts(): Job<void> {
    yield* this.calibrateInParts();
    const valLoss = yield* this.evaluator.lossInParts(this.#valExamples);
    this.#options.onRecord({ step: this.step, valLoss });
    this.#isDue = false;
    if (this.#best && this.#best.valLoss <= valLoss) return;
    this.#best = { step: this.step, valLoss };
    this.#options.onBest?.();
  }

  #recordHashes(): void {
    const { model, sha256, onRecord } = this.#options;
    onRecord(hashRecord(this.step, model, sha256));
  }

  /** So that the bytes of a checkpoint without statistics follow from its step, too. */
  #clearStatistics(): void {
    this.#calibratedAt = undefined;
    clearStatistics(this.#options.model);
  }
}
