/** A run as it is trained: the steps, and what is written of them into its directory. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { NumericalError } from '../core/errors.js';
import { createExamples, type Dataset, type Examples } from '../data/dataset.js';
import { Evaluator } from '../evaluation/evaluator.js';
import type { Model } from '../network/arrays.js';
import { type ModelConfig, parameterCount } from '../network/parameters.js';
import type { Best, Checkpoint } from '../run/checkpoint.js';
import { HASH_EVERY, hashRecord } from '../run/records.js';
import { diagnoseModel, NonFiniteError } from '../training/diagnose.js';
import type { RunConfig } from '../training/runConfig.js';
import { type LossRecord, Training } from '../training/training.js';
import { OPTIMIZER_TENSORS } from '../training/updater.js';
import { removeLeftovers } from './atomicWrite.js';
import { saveCheckpoint } from './checkpointFile.js';
import { type MetricsWriter, openMetrics, truncateMetrics } from './metricsFile.js';
import { BEST_FILE, CHECKPOINT_FILE, METRICS_FILE } from './runDirectory.js';
import { sha256 } from './sha256.js';
import { withSystemErrors } from './systemErrors.js';

export interface SessionOptions {
  /** The run's directory, which this process has locked. */
  directory: string;
  /** With room for the training batch and for evaluation; its weights are the checkpoint's, if there is one. */
  model: Model;
  dataset: Dataset;
  dataSha256: string;
  config: RunConfig;
  /** Name and version of the program. */
  program: string;
  /** Steps between two saves; the first and the last state are saved, too. */
  saveEvery: number;
  checkEvery?: number | undefined;
  /** Where to go on; without one, the run begins. */
  from?: Checkpoint;
}

/**
 * Trains step by step. Whatever is due after a step is done within {@link advance}: records, evaluation, hashes, and a save
 * last, so that a run which goes on from a save has nothing to make up for.
 */
export class Session {
  readonly #options: SessionOptions;
  readonly #training: Training;
  readonly #trainExamples: Examples;
  readonly #valExamples: Examples;
  /** Its statistics are those of the last save or evaluation. */
  readonly evaluator: Evaluator;
  readonly #metrics: MetricsWriter;
  /** Numbers of lines of metrics.jsonl that were torn, and have been dropped. */
  readonly droppedLines: readonly number[];
  #best: Best | null;
  #savedAt: number | undefined;
  #calibratedAt: number | undefined;

  /** @throws SystemError if the directory cannot be written in */
  constructor(options: SessionOptions) {
    const { directory, model, dataset, config, checkEvery, from } = options;
    this.#options = options;
    const { vocabulary, parts } = dataset;
    this.#trainExamples = createExamples(parts.train, vocabulary, config.context);
    this.#valExamples = createExamples(parts.val, vocabulary, config.context);
    this.evaluator = new Evaluator(model);
    this.#best = from?.best ?? null;
    this.#savedAt = from?.state.step;
    this.#calibratedAt = from?.state.step;
    withSystemErrors('write in', directory, () => removeLeftovers(directory));
    const hooks = { onRecord: (record: LossRecord) => this.#metrics.append(record), checkEvery };
    this.#training = new Training(model, this.#trainExamples, config, hooks, from?.state);
    // The checkpoint comes first: until it stands, whatever was in the directory is whole.
    if (!from) this.#saveCheckpoint();
    if (!this.#best) withSystemErrors('write in', directory, () => rmSync(join(directory, BEST_FILE), { force: true }));
    const metrics = join(directory, METRICS_FILE);
    if (this.step === 0) {
      this.droppedLines = [];
      this.#metrics = openMetrics(metrics, 'new');
      this.#metrics.append(hashRecord(0, model, sha256));
    } else {
      this.droppedLines = truncateMetrics(metrics, this.step);
      this.#metrics = openMetrics(metrics, 'continue');
    }
  }

  get trainExamples(): Examples {
    return this.#trainExamples;
  }

  /** Steps done. */
  get step(): number {
    return this.#training.step;
  }

  get done(): boolean {
    return this.#training.done;
  }

  get smoothedLoss(): number {
    return this.#training.smoothedLoss;
  }

  /** The smallest validation loss so far. */
  get best(): Best | null {
    return this.#best;
  }

  /** The step that the checkpoint on the disk stands at. */
  get savedAt(): number | undefined {
    return this.#savedAt;
  }

  /**
   * One step, and all that is due after it.
   * @throws NumericalError if anything is not finite
   * @throws SystemError if a file cannot be written; the checkpoint before stays
   */
  advance(): void {
    const { model, config, saveEvery } = this.#options;
    this.#training.advance();
    const { step, done } = this.#training;
    if (step % HASH_EVERY === 0 || done) this.#metrics.append(hashRecord(step, model, sha256));
    if (step % config.evalEvery === 0 || done) this.#evaluate();
    if (step % saveEvery === 0 || done) this.save();
  }

  /** Brings the run to the disk: the metrics first, so that they are never behind the checkpoint. */
  save(): void {
    this.#metrics.sync();
    this.#saveCheckpoint();
  }

  close(): void {
    this.#metrics.close();
  }

  #saveCheckpoint(): void {
    this.#calibrate();
    this.#write(CHECKPOINT_FILE);
    this.#savedAt = this.step;
  }

  #calibrate(): void {
    if (this.#calibratedAt === this.step) return;
    this.evaluator.calibrate(this.#trainExamples);
    const diagnosis = diagnoseModel(this.#options.model, this.#training.optimizerTensors);
    if (diagnosis) throw new NonFiniteError(this.step, Number.NaN, diagnosis);
    this.#calibratedAt = this.step;
  }

  #evaluate(): void {
    this.#calibrate();
    const valLoss = this.evaluator.loss(this.#valExamples);
    if (!Number.isFinite(valLoss)) throw new NumericalError(`the validation loss is ${valLoss} after ${this.step} steps`);
    this.#metrics.append({ step: this.step, valLoss });
    if (this.#best && this.#best.valLoss <= valLoss) return;
    this.#best = { step: this.step, valLoss };
    this.#write(BEST_FILE);
  }

  #write(file: string): void {
    const { directory, model, dataset, dataSha256, config, program } = this.#options;
    const about = { program, config, vocabulary: dataset.vocabulary, state: this.#training.state, best: this.#best, dataSha256 };
    saveCheckpoint(join(directory, file), model, about);
  }
}

const METRICS_BYTES = { loss: 70, hashes: 260, evaluation: 50 };
/** Of a block above the first: its hashes in a record, and its tensors' names, shapes and places in a header. */
const BLOCK_BYTES = { hashes: 160, header: 700 };

/** The header of a checkpoint, and what a file system rounds up. */
const OVERHEAD_BYTES = 16_384;

/** Bytes that a run takes on the disk at most: three checkpoints, one of them being written, and the metrics. */
export function runBytes(shape: ModelConfig, { steps, evalEvery, optimizer }: RunConfig): number {
  const above = shape.hidden.length - 1;
  const hashes = METRICS_BYTES.hashes + above * BLOCK_BYTES.hashes;
  const lines = (steps / 100) * METRICS_BYTES.loss + (steps / HASH_EVERY) * hashes + (steps / evalEvery) * METRICS_BYTES.evaluation;
  const units = shape.hidden.reduce((sum, H) => sum + H, 0);
  const tensors = 1 + OPTIMIZER_TENSORS[optimizer.name].length;
  // Characters take up to 6 bytes in the header: escaped twice.
  const checkpoint = 4 * (tensors * parameterCount(shape) + 2 * units) + 8 * shape.vocabulary + above * BLOCK_BYTES.header + OVERHEAD_BYTES;
  return 3 * checkpoint + Math.ceil(lines) + OVERHEAD_BYTES;
}
