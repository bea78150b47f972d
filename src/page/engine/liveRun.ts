/** The run of an engine: one piece of work at a time, in parts, so that the engine answers in between. */
import { NumericalError } from '../../core/errors.js';
import type { Job } from '../../core/job.js';
import { type RandomStream, randomStream } from '../../core/random.js';
import type { Sha256 } from '../../core/sha256.js';
import { Tensor } from '../../core/tensor.js';
import type { Dataset } from '../../data/dataset.js';
import type { NameList } from '../../data/nameList.js';
import { originsInParts, type SampleOrigin } from '../../evaluation/report.js';
import { Sampler } from '../../evaluation/sampler.js';
import type { Model } from '../../network/arrays.js';
import type { Checkpoint } from '../../run/checkpoint.js';
import type { MetricsRecord } from '../../run/records.js';
import { RunTraining } from '../../run/runTraining.js';
import type { RunConfig } from '../../training/runConfig.js';
import { type TensorData, tensorData } from './pass.js';

/** A list of names, read and split. */
export interface LiveData {
  /** What errors call it. */
  shownAs: string;
  names: NameList;
  sha256: string;
  dataset: Dataset;
}

export interface LiveProgress {
  /** Steps done. */
  step: number;
  /** Whether that was the last one. */
  done: boolean;
  /** Exponential mean of the batch losses, in nats; null before the first step. */
  smoothedLoss: number | null;
  /** Since this training was started or resumed; 0 before its first step. */
  stepsPerSecond: number;
  /** What was recorded since the last report, as in metrics.jsonl. */
  records: MetricsRecord[];
}

export interface LiveSample {
  name: string;
  origin: SampleOrigin;
}

/** Names of the network, and the number of steps after which it drew them. */
export interface LiveSamples {
  step: number;
  samples: LiveSample[];
}

export interface LiveRunOptions {
  config: RunConfig;
  data: LiveData;
  model: Model;
  program: string;
  sha256: Sha256;
  intervals: LiveIntervals;
  from?: Checkpoint;
}

/** Steps between two checks of the numbers, and between two diagnoses. */
export interface LiveIntervals {
  checkEvery: number | undefined;
  diagnoseEvery: number | undefined;
}

/** Milliseconds of work until the engine reports, and looks for requests. */
const TURN_MS = 50;

/**
 * A run, and the work on it. Training and requests for names take turns, and a turn first finishes what an earlier one began: a step, a
 * calibration or a checkpoint is never mixed with another.
 */
export class LiveRun {
  readonly config: RunConfig;
  readonly data: LiveData;
  readonly model: Model;
  readonly intervals: LiveIntervals;
  readonly #run: RunTraining;
  readonly #first: number;
  readonly #sampler: Sampler;
  /** The stream of the samples, which starts again each time. */
  #random: RandomStream;
  #originOf: ((name: string) => SampleOrigin) | undefined;
  #records: MetricsRecord[] = [];
  /** What has begun. */
  #work: Job<void> | undefined;
  #isPausing = false;
  /** Why the run cannot train on. */
  #failure: unknown;

  constructor({ config, data, model, program, sha256, intervals, from }: LiveRunOptions) {
    this.config = config;
    this.data = data;
    this.model = model;
    this.intervals = intervals;
    this.#run = new RunTraining({
      model,
      dataset: data.dataset,
      dataSha256: data.sha256,
      config,
      program,
      sha256,
      ...intervals,
      onRecord: (record) => this.#records.push(record),
      ...(from && { from }),
    });
    this.#first = this.#run.step;
    this.#random = randomStream('sampling', config.seed);
    const random: RandomStream = Object.assign(() => this.#random(), { state: () => this.#random.state() });
    this.#sampler = new Sampler(model, data.dataset.vocabulary, random);
    if (this.step === 0) this.#run.recordStart();
  }

  /** Steps done. */
  get step(): number {
    return this.#run.step;
  }

  /** The parameters first, then what a step computes. */
  get tensorNames(): string[] {
    const { parameters } = this.model;
    const others = Object.keys(this.#run.tensors).filter((name) => !(name in parameters) && !(name in this.model.statistics));
    return [...Object.keys(parameters), ...others];
  }

  *train(most: number | null): Generator<LiveProgress, LiveProgress> {
    const from = this.step;
    const until = from + (most ?? Number.POSITIVE_INFINITY);
    const start = performance.now();
    let turn = start;
    const news = (): LiveProgress => {
      const seconds = (performance.now() - start) / 1000;
      const stepsPerSecond = this.step > from ? (this.step - from) / seconds : 0;
      const smoothedLoss = this.step > 0 ? this.#run.smoothedLoss : null;
      return { step: this.step, done: this.#run.done, smoothedLoss, stepsPerSecond, records: this.#records.splice(0) };
    };
    this.#isPausing = false;
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      if (!this.#work) {
        if (this.#isPausing || this.#run.done || this.step >= until) return news();
        this.#work = this.#stepInParts();
      }
      this.#doPart();
      if (performance.now() - turn < TURN_MS) continue;
      yield news();
      turn = performance.now();
    }
  }

  pause(): void {
    this.#isPausing = true;
  }

  samples(count: number): Generator<undefined, LiveSamples> {
    return this.#alone(() => this.#samplesInParts(count));
  }

  checkpoint(): Generator<undefined, Uint8Array> {
    return this.#alone(() => this.#checkpointInParts());
  }

  /** @returns null for what a step computes, as long as none is trained */
  tensor(name: string): TensorData | null {
    while (this.#work) this.#doPart();
    const found = this.#run.tensors[name];
    if (!found) throw new RangeError(`no tensor is called ${name}`);
    if (!(name in this.model.parameters) && this.step === this.#first) return null;
    return tensorData(new Tensor(found.data, found.shape));
  }

  *#stepInParts(): Job<void> {
    try {
      yield* this.#run.advanceInParts();
    } catch (error) {
      const isNumerical = error instanceof NumericalError;
      this.#failure = isNumerical ? new NumericalError(error.message, { hint: 'a lower --lr may avoid it', cause: error }) : error;
    }
  }

  *#samplesInParts(count: number): Job<LiveSamples> {
    yield* this.#run.calibrateInParts();
    this.#originOf ??= yield* originsInParts(this.data.dataset);
    this.#random = randomStream('sampling', this.config.seed);
    const samples: LiveSample[] = [];
    for (; samples.length < count; yield) {
      const { name } = yield* this.#sampler.sampleInParts({ temperature: 1, prefix: '' });
      samples.push({ name, origin: this.#originOf(name) });
    }
    return { step: this.step, samples };
  }

  *#checkpointInParts(): Job<Uint8Array> {
    yield* this.#run.calibrateInParts();
    return this.#run.checkpoint();
  }

  /** Finishes what has begun, then does this, with nothing in between. */
  *#alone<T>(begin: () => Job<T>): Generator<undefined, T> {
    let turn = performance.now();
    let end: { value: T } | { error: unknown } | undefined;
    const work = function* (): Job<void> {
      try {
        end = { value: yield* begin() };
      } catch (error) {
        end = { error };
      }
    };
    let hasBegun = false;
    for (;;) {
      if (!this.#work && !hasBegun) {
        this.#work = work();
        hasBegun = true;
      }
      if (!end) this.#doPart();
      if (end) return resultOf(end);
      if (performance.now() - turn < TURN_MS) continue;
      yield;
      turn = performance.now();
    }
  }

  #doPart(): void {
    if (this.#work?.next().done) this.#work = undefined;
  }
}

function resultOf<T>(end: { value: T } | { error: unknown }): T {
  if ('error' in end) throw end.error;
  return end.value;
}
