/** Resumable training: a run that writes its files into its directory. */
import { join } from 'node:path';
import { complete, type Job } from '../core/job.js';
import type { Examples } from '../data/dataset.js';
import type { Evaluator } from '../evaluation/evaluator.js';
import type { BestEvaluation } from '../run/checkpoint.js';
import type { MetricsRecord, MissingSteps } from '../run/records.js';
import { type RunOptions, RunTraining } from '../run/runTraining.js';
import { atomicWrite, removeLeftovers } from './atomicWrite.js';
import { ForeignWriteError } from './jsonLines.js';
import type { DirectoryLock } from './lock.js';
import { type MetricsWriter, openMetrics, truncateMetrics } from './metricsFile.js';
import { BEST_FILE, CHECKPOINT_FILE, METRICS_FILE } from './runDirectory.js';
import { RunFiles } from './runFiles.js';
import { sha256 } from './sha256.js';
import { withSystemErrors } from './systemErrors.js';

/** A run to train, and where its files are. */
export interface SessionOptions extends RunOptions {
  /** The run's directory. It exists, and no other process writes in it: `acquireLock` makes sure. */
  directory: string;
  /** The directory's lock, which is checked before each save. */
  lock?: DirectoryLock;
  /** Steps between two saves. The state before the first step and after the last one is always saved. */
  saveEvery: number;
  /** Called with each record after it is written to metrics.jsonl. */
  onRecord?: ((record: MetricsRecord) => void) | undefined;
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
  readonly #run: RunTraining;
  readonly #metrics: MetricsWriter;
  /** The files that are replaced as a whole. */
  readonly files: RunFiles;
  /** Numbers, from 1, of incomplete lines that were removed from metrics.jsonl when the run was resumed. */
  readonly droppedLines: readonly number[] = [];
  /** Stretches of steps before the session of which metrics.jsonl has no records. */
  readonly missingSteps: readonly MissingSteps[] = [];
  #savedAt: number | undefined;

  /**
   * Opens the run. A new one initialises the model and saves a checkpoint of step 0, without statistics; a resumed one removes metrics later
   * than its checkpoint.
   * @throws SystemError if the directory cannot be written
   */
  constructor(options: SessionOptions) {
    const { directory, lock, config, from } = options;
    this.#savedAt = from?.state.step;
    this.files = new RunFiles(directory, lock);
    if (from) for (const name of [CHECKPOINT_FILE, BEST_FILE]) this.files.adopt(name);
    withSystemErrors('write in', directory, () => removeLeftovers(directory));
    this.#run = new RunTraining({
      ...options,
      sha256,
      onRecord: (record) => {
        this.#metrics.append(record);
        options.onRecord?.(record);
      },
      onBest: () => this.#write(BEST_FILE),
      onSave: () => this.suspend(),
    });
    // The checkpoint comes first: until it is written, an older run in the directory stays complete.
    if (!from) this.#saveCheckpoint();
    if (!this.best) this.files.remove(BEST_FILE);
    const metrics = join(directory, METRICS_FILE);
    if (this.step === 0) {
      this.#metrics = openMetrics(metrics, 'new');
      this.#run.recordStart();
    } else {
      const { dropped, missing } = truncateMetrics(metrics, this.step, config.evalEvery, this.#run.finishedStep);
      this.droppedLines = dropped;
      this.missingSteps = missing;
      this.#metrics = openMetrics(metrics, 'continue');
    }
  }

  /** The training examples. */
  get trainExamples(): Examples {
    return this.#run.trainExamples;
  }

  /** Computes mean losses; batch norm's statistics are those of the last save or evaluation. */
  get evaluator(): Evaluator {
    return this.#run.evaluator;
  }

  /** Number of steps done. */
  get step(): number {
    return this.#run.step;
  }

  /** Whether all steps of the configuration are done, with everything that is due after the last one. */
  get done(): boolean {
    return this.#run.done;
  }

  /** Exponential mean of the batch losses, in nats; NaN before the first step. */
  get smoothedLoss(): number {
    return this.#run.smoothedLoss;
  }

  /** The smallest validation loss so far, and its step; null before the first evaluation. */
  get best(): BestEvaluation | null {
    return this.#run.best;
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
    this.#run.advance();
  }

  /**
   * {@link advance} in parts. If it is abandoned, {@link suspend} saves the run: after the last whole step, and if something due after it is
   * not done, the next session does it first.
   */
  advanceInParts(): Job<void> {
    return this.#run.advanceInParts();
  }

  /**
   * Saves a checkpoint of the current step, durable even after a power cut. Metrics are synced first, so they are never behind it.
   * @throws NumericalError if a tensor holds NaN or Inf
   * @throws SystemError if a file cannot be written
   */
  save(): void {
    complete(this.#run.calibrateInParts());
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
    const files = this.best?.step === this.step ? [BEST_FILE, CHECKPOINT_FILE] : [CHECKPOINT_FILE];
    for (const file of files) {
      const path = join(directory, file);
      withSystemErrors('write', path, () => atomicWrite(path, this.#run.checkpoint()));
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

  #write(file: string): void {
    this.files.replace(file, this.#run.checkpoint());
  }
}
