/** Resumable training: the steps of a run, and the files it writes into its directory. */
import { join } from 'node:path';
import { complete, type Job } from '../core/job.js';
import { createExamples, type Dataset, type Examples } from '../data/dataset.js';
import { Evaluator } from '../evaluation/evaluator.js';
import type { Model } from '../network/arrays.js';
import { type BestEvaluation, type Checkpoint, checkpointBytes } from '../run/checkpoint.js';
import { HASH_EVERY, hashRecord, type MissingSteps } from '../run/records.js';
import { diagnoseModel, NonFiniteError } from '../training/diagnose.js';
import type { RunConfig } from '../training/runConfig.js';
import { type LossRecord, Training } from '../training/training.js';
import { atomicWrite, removeLeftovers } from './atomicWrite.js';
import { ForeignWriteError } from './jsonLines.js';
import type { DirectoryLock } from './lock.js';
import { type MetricsWriter, openMetrics, truncateMetrics } from './metricsFile.js';
import { BEST_FILE, CHECKPOINT_FILE, METRICS_FILE } from './runDirectory.js';
import { RunFiles } from './runFiles.js';
import { sha256 } from './sha256.js';
import { withSystemErrors } from './systemErrors.js';

/** A run to train. */
export interface SessionOptions {
  /** The run's directory. It exists, and no other process writes in it: `acquireLock` makes sure. */
  directory: string;
  /** The directory's lock, which is checked before each save. */
  lock?: DirectoryLock;
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
  /** Steps between two saves. The state before the first step and after the last one is always saved. */
  saveEvery: number;
  /** Steps between two checks that every number is finite; by default as in `Training`. */
  checkEvery?: number | undefined;
  /** The checkpoint to resume; without one, a new run starts. */
  from?: Checkpoint;
}

/**
 * Trains a run step by step and writes its files: checkpoint.safetensors, best.safetensors and metrics.jsonl.
 *
 * {@link advance} also does what is due after a step: records, evaluation, hashes, and the save last, so that a resumed run never has to
 * catch up. A run that was killed and resumed from its last save ends with the same bytes as an uninterrupted one.
 *
 * @example
 * ```ts
 * const { names, sha256 } = readNamesFile('names.txt');
 * const dataset = createDataset(names, config);
 * const shape = modelConfig(config, dataset.vocabulary);
 * const model = allocateModel(createWasmBackend, shape, trainingCapacity(config, [EVALUATION_BATCH]));
 * const lock = await acquireLock('my-run', new Date().toISOString());
 * const session = new Session({
 *   directory: 'my-run', lock, model, dataset, dataSha256: sha256, config, program: 'my program 1.0', saveEvery: 1000,
 * });
 * while (!session.done) session.advance();
 * session.close();
 * lock.release();
 *
 * // Later: resume from the last save.
 * const from = loadCheckpoint('my-run/checkpoint.safetensors');
 * const resumedModel = restoreModel(from, createWasmBackend, trainingCapacity(from.config, [EVALUATION_BATCH]));
 * ```
 */
export class Session {
  readonly #options: SessionOptions;
  readonly #training: Training;
  readonly #trainExamples: Examples;
  readonly #valExamples: Examples;
  /** Computes mean losses; batch norm's statistics are those of the last save or evaluation. */
  readonly evaluator: Evaluator;
  readonly #metrics: MetricsWriter;
  /** The files that are replaced as a whole. */
  readonly files: RunFiles;
  /** Numbers, from 1, of incomplete lines that were removed from metrics.jsonl when the run was resumed. */
  readonly droppedLines: readonly number[] = [];
  /** Stretches of steps before the session of which metrics.jsonl has no records. */
  readonly missingSteps: readonly MissingSteps[] = [];
  #best: BestEvaluation | null;
  #savedAt: number | undefined;
  #calibratedAt: number | undefined;
  /** Whether the last step is trained, but what is due after it is not done. */
  #isDue: boolean;

  /**
   * Opens the run. A new one initialises the model and saves a checkpoint of step 0, without statistics; a resumed one removes metrics later
   * than its checkpoint.
   * @throws SystemError if the directory cannot be written
   */
  constructor(options: SessionOptions) {
    const { directory, model, dataset, config, checkEvery, from } = options;
    this.#options = options;
    const { vocabulary, parts } = dataset;
    this.#trainExamples = createExamples(parts.train, vocabulary, config.context);
    this.#valExamples = createExamples(parts.val, vocabulary, config.context);
    this.evaluator = new Evaluator(model);
    this.#best = from?.best ?? null;
    this.#savedAt = from?.state.step;
    this.#calibratedAt = from?.statistics === 'missing' ? undefined : from?.state.step;
    this.#isDue = from?.statistics === 'missing' && from.state.step > 0;
    this.files = new RunFiles(directory, options.lock);
    if (from) for (const name of [CHECKPOINT_FILE, BEST_FILE]) this.files.adopt(name);
    withSystemErrors('write in', directory, () => removeLeftovers(directory));
    const hooks = { onRecord: (record: LossRecord) => this.#metrics.append(record), checkEvery };
    const start = from?.state ?? (config.init === undefined ? undefined : 'parameters');
    this.#training = new Training(model, this.#trainExamples, config, hooks, start);
    // The checkpoint comes first: until it is written, an older run in the directory stays complete.
    if (!from) this.#saveCheckpoint();
    if (!this.#best) this.files.remove(BEST_FILE);
    const metrics = join(directory, METRICS_FILE);
    if (this.step === 0) {
      this.#metrics = openMetrics(metrics, 'new');
      this.#metrics.append(hashRecord(0, model, sha256));
    } else {
      const { dropped, missing } = truncateMetrics(metrics, this.step, config.evalEvery, this.#isDue ? this.step - 1 : this.step);
      this.droppedLines = dropped;
      this.missingSteps = missing;
      this.#metrics = openMetrics(metrics, 'continue');
    }
  }

  /** The training examples. */
  get trainExamples(): Examples {
    return this.#trainExamples;
  }

  /** Number of steps done. */
  get step(): number {
    return this.#training.step;
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

  /** The step of the checkpoint on the disk. */
  get savedAt(): number | undefined {
    return this.#savedAt;
  }

  /**
   * Trains one step and does what is due after it.
   * @throws NumericalError if a loss, parameter or gradient is NaN or infinite; the last checkpoint stays
   * @throws SystemError if a file cannot be written; the last checkpoint stays
   */
  advance(): void {
    complete(this.advanceInParts());
  }

  /**
   * {@link advance} in parts. If it is abandoned, {@link suspend} saves the run: after the last whole step, and if something due after it is
   * not done, the next session does it first.
   */
  *advanceInParts(): Job<void> {
    if (this.#isDue) yield* this.#finishStepInParts();
    if (this.#training.done) return;
    yield* this.#training.advanceInParts();
    this.#isDue = true;
    const { step, done } = this.#training;
    if (step % HASH_EVERY === 0 || done) this.#metrics.append(hashRecord(step, this.#options.model, sha256));
    yield* this.#finishStepInParts();
  }

  /** What is due after a step: the evaluation, and the save last. */
  *#finishStepInParts(): Job<void> {
    const { step } = this.#training;
    const { config, saveEvery, from } = this.#options;
    // A run that was suspended after its last step may have more steps now: its former end is finished first.
    const done = this.#training.done || step === from?.config.steps;
    const isSaved = step % saveEvery === 0 || done;
    if (step % config.evalEvery === 0 || done) yield* this.#evaluateInParts();
    if (isSaved) yield* this.#calibrateInParts();
    this.#isDue = false;
    if (isSaved) this.suspend();
  }

  /**
   * Saves a checkpoint of the current step, durable even after a power cut. Metrics are synced first, so they are never behind it.
   * @throws NumericalError if a tensor holds NaN or Inf
   * @throws SystemError if a file cannot be written
   */
  save(): void {
    complete(this.#calibrateInParts());
    this.suspend();
  }

  /**
   * Like {@link save}, but at once: if the statistics of this step are not computed yet, the checkpoint says that they are missing. A
   * resumed session, sample and eval compute them when they need them.
   */
  suspend(): void {
    const damage = this.#syncMetrics();
    this.#saveCheckpoint();
    if (damage) throw damage;
  }

  /**
   * Saves everything into another directory, because the run's own is lost (LostDirectoryError): metrics, checkpoints and run.json, as far as
   * they are in reach, and a checkpoint of the current step.
   * @throws SystemError if a file cannot be written
   */
  saveElsewhere(directory: string): void {
    this.files.copyTo(directory);
    this.#metrics.copyTo(join(directory, METRICS_FILE));
    const files = this.#best?.step === this.step ? [BEST_FILE, CHECKPOINT_FILE] : [CHECKPOINT_FILE];
    for (const file of files) {
      const path = join(directory, file);
      withSystemErrors('write', path, () => atomicWrite(path, this.#checkpoint()));
    }
    this.#savedAt = this.step;
  }

  /** Closes the files. It does not save. */
  close(): void {
    this.files.close();
    this.#metrics.close();
  }

  /** @returns an error to throw after the save, if another program has changed the metrics, which cannot be written again */
  #syncMetrics(): ForeignWriteError | undefined {
    this.files.check();
    try {
      const notice = this.#metrics.restore();
      if (notice !== undefined) this.files.notices.push(notice);
    } catch (error) {
      if (error instanceof ForeignWriteError) return error;
      throw error;
    }
    this.#metrics.sync();
    return undefined;
  }

  #saveCheckpoint(): void {
    this.#write(CHECKPOINT_FILE);
    this.#savedAt = this.step;
  }

  /** So that the bytes of a checkpoint without statistics follow from its step, too. */
  #clearStatistics(): void {
    this.#calibratedAt = undefined;
    for (const { bnmean, bnvar } of this.#options.model.blocks) {
      bnmean.fill(0);
      bnvar.fill(1);
    }
  }

  *#calibrateInParts(): Job<void> {
    if (this.#calibratedAt === this.step) return;
    this.#calibratedAt = undefined;
    yield* this.evaluator.calibrateInParts(this.#trainExamples);
    const diagnosis = diagnoseModel(this.#options.model, this.#training.optimizerTensors);
    if (diagnosis) throw new NonFiniteError(this.step, Number.NaN, diagnosis);
    this.#calibratedAt = this.step;
  }

  *#evaluateInParts(): Job<void> {
    yield* this.#calibrateInParts();
    const valLoss = yield* this.evaluator.lossInParts(this.#valExamples);
    this.#metrics.append({ step: this.step, valLoss });
    this.#isDue = false;
    if (this.#best && this.#best.valLoss <= valLoss) return;
    this.#best = { step: this.step, valLoss };
    this.#write(BEST_FILE);
  }

  #write(file: string): void {
    this.files.replace(file, this.#checkpoint());
  }

  #checkpoint(): Uint8Array {
    const { model, dataset, dataSha256, config, program } = this.#options;
    const { state } = this.#training;
    const snapshot = { program, config, vocabulary: dataset.vocabulary, state, best: this.#best, dataSha256 };
    if (this.#calibratedAt === this.step && !this.#isDue) return checkpointBytes(model, snapshot, sha256);
    this.#clearStatistics();
    return checkpointBytes(model, { ...snapshot, statistics: 'missing' }, sha256);
  }
}
