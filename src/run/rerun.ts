/** Trains a run again, in memory, and gives what the run recorded: its records, its best evaluation, and its state. */
import type { Job } from '../core/job.js';
import type { Sha256 } from '../core/sha256.js';
import type { Examples } from '../data/dataset.js';
import { Evaluator } from '../evaluation/evaluator.js';
import type { Model } from '../network/arrays.js';
import type { ParameterArrays } from '../network/parameters.js';
import type { RunConfig } from '../training/runConfig.js';
import { Training, type TrainingHooks } from '../training/training.js';
import type { BestEvaluation, Checkpoint } from './checkpoint.js';
import { HASH_EVERY, hashRecord, type MetricsRecord } from './records.js';

export interface RerunOptions {
  /**
   * Makes a model with room for training and for evaluation; with `init` in the configuration, with the parameters to begin with. It is called
   * again after each former end.
   */
  createModel: () => Model;
  trainExamples: Examples;
  valExamples: Examples;
  config: RunConfig;
  vocabulary: readonly string[];
  /** What the run's records tell: see {@link runHistory}. */
  history: RunHistory;
  /** The last step. */
  until: number;
  /** Called after each step. */
  onStep?: TrainingHooks['onStep'];
  sha256: Sha256;
}

/** One step of the run, and what it recorded after it. */
export interface RerunStep {
  step: number;
  records: MetricsRecord[];
  /** Whether the evaluation after this step is the best so far. */
  improved: boolean;
}

/** Repeats the steps of a run. */
export class Rerun {
  readonly #options: RerunOptions;
  #model: Model;
  #training: Training;
  #evaluator: Evaluator;
  #records: MetricsRecord[] = [];
  #best: BestEvaluation | null = null;
  #calibratedAt: number | undefined;
  #ends: number[];

  constructor(options: RerunOptions) {
    const { config, history } = options;
    this.#options = options;
    this.#ends = [...new Set([...history.ends.filter((end) => end < config.steps), config.steps])];
    this.#model = options.createModel();
    this.#training = this.#createTraining();
    this.#evaluator = new Evaluator(this.#model);
  }

  /** Number of steps done. */
  get step(): number {
    return this.#training.step;
  }

  /** The parameters after these steps. The next step overwrites them. */
  get parameters(): ParameterArrays {
    return this.#model.parameters;
  }

  /** Exponential mean of the batch losses, in nats; NaN before the first step. */
  get smoothedLoss(): number {
    return this.#training.smoothedLoss;
  }

  /** The steps of the run from step 0, the state before the first one. In a large run, it yields undefined between parts of a step. */
  *steps(): Generator<RerunStep | undefined, void, void> {
    const { until, sha256, config, valExamples } = this.#options;
    yield { step: 0, records: [hashRecord(0, this.#model, sha256)], improved: false };
    while (this.step < until) {
      if (this.#training.done) this.#goOn();
      yield* this.#training.advanceInParts();
      const { step, done } = this.#training;
      const records = this.#records.splice(0);
      if (step % HASH_EVERY === 0 || done) records.push(hashRecord(step, this.#model, sha256));
      let improved = false;
      if (step % config.evalEvery === 0 || done) {
        yield* this.#calibrateInParts();
        const valLoss = yield* this.#evaluator.lossInParts(valExamples);
        records.push({ step, valLoss });
        improved = !this.#best || valLoss < this.#best.valLoss;
        if (improved) this.#best = { step, valLoss };
      }
      yield { step, records, improved };
    }
  }

  /** The state as a checkpoint holds it, with statistics; computed in parts. */
  *checkpoint(): Job<Pick<Checkpoint, 'config' | 'vocabulary' | 'state' | 'best' | 'tensors'>> {
    yield* this.#calibrateInParts();
    const { parameters, statistics } = this.#model;
    const { config, vocabulary } = this.#options;
    const tensors = new Map(Object.entries({ ...parameters, ...statistics }));
    return { config, vocabulary, state: this.#training.state, best: this.#best, tensors };
  }

  #createTraining(from?: Training): Training {
    const { config, trainExamples, onStep, history } = this.#options;
    const onRecord = (record: MetricsRecord) => void this.#records.push(record);
    const hooks = { onStep, onRecord, onDiagnostics: onRecord, diagnoseEvery: (step: number) => history.diagnosed.has(step) };
    const start = from?.state ?? (config.init === undefined ? undefined : 'parameters');
    return new Training(this.#model, trainExamples, { ...config, steps: this.#ends.shift() ?? config.steps }, hooks, start);
  }

  /** As a run that had ended and was extended: a new session starts from its state. */
  #goOn(): void {
    const { flatParameters } = this.#model;
    this.#model = this.#options.createModel();
    this.#model.flatParameters.set(flatParameters);
    this.#training = this.#createTraining(this.#training);
    this.#evaluator = new Evaluator(this.#model);
    this.#calibratedAt = undefined;
  }

  *#calibrateInParts(): Job<void> {
    if (this.#calibratedAt === this.step) return;
    yield* this.#evaluator.calibrateInParts(this.#options.trainExamples);
    this.#calibratedAt = this.step;
  }
}

/** A run has been extended at most this often; more ends in its records are not believed. */
const MOST_ENDS = 1000;

/** What the configuration of a run does not tell. */
export interface RunHistory {
  /** Steps at which the run had ended before it was extended, in ascending order. */
  ends: readonly number[];
  /** Steps that were diagnosed. */
  diagnosed: ReadonlySet<number>;
}

/**
 * Finds the history of a run by its records. A run that had ended recorded hashes and an evaluation at its last step, whatever its intervals are.
 * An end at which they are due anyway leaves no trace and makes no difference. Yields after each record.
 */
export function* runHistory(records: Iterable<MetricsRecord>, { evalEvery, steps }: RunConfig): Job<RunHistory> {
  const ends: number[] = [];
  const diagnosed = new Set<number>();
  for (const record of records) {
    const { step } = record;
    const isEnd = ('hashes' in record && step % HASH_EVERY !== 0) || ('valLoss' in record && step % evalEvery !== 0);
    if (isEnd && step > (ends.at(-1) ?? 0) && step < steps && ends.length < MOST_ENDS) ends.push(step);
    if ('diagnostics' in record) diagnosed.add(step);
    yield;
  }
  return { ends, diagnosed };
}
