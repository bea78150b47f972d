/** Checks a learner's file: its process runs the lines, and this one judges them. Every line gets a report, whatever the file does. */
import { NumericalError } from '../../core/errors.js';
import { type Indices, ShapeError, Tensor } from '../../core/tensor.js';
import { LineJudge, type LineReport } from '../../dojo/check.js';
import { type ExerciseReport, type StrayKey, strayKeys } from '../../dojo/exerciseReport.js';
import { EXERCISES, type ExerciseLine, type ExerciseNumber, exerciseFile, lessonShape } from '../../dojo/exercises.js';
import type { Fault, FileFault } from '../../dojo/findings.js';
import { EXERCISE_4_NAMES, type GivenValues } from '../../dojo/learnerFile.js';
import { PARAMETER_GRADIENT_NAMES, type ParameterGradients } from '../../dojo/lessonTraining.js';
import type { Outcome } from '../../dojo/outcome.js';
import { sentenceOf } from '../../dojo/sentences.js';
import { type TrainingReport, trainWithGradients } from '../../dojo/training.js';
import { valueNamed } from '../../lesson/values.js';
import type { NamedArray } from '../guest/frames.js';
import { type Budget, ProcessEnded } from '../guest/process.js';
import { readNamesFile } from '../namesFile.js';
import { BUNDLED_NAMES } from '../paths.js';
import { readRegularFile } from '../readFile.js';
import { LearnerProcess } from './process.js';

/** An AbortSignal, by what a check uses of it: so the package's types need no platform's types. */
export interface CheckSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

export interface CheckFileOptions {
  /** Ends the check early. */
  signal?: CheckSignal | undefined;
  /** Called with each line that the file prints, without its line break. Control and bidirectional characters are escaped. */
  onPrint?: (line: string) => void;
  /** Whether to train with the lines of Exercise 4. */
  train?: boolean;
  /** The gradient to check; by default, all of the exercise. */
  gradient?: string | undefined;
}

/** Seconds of computing time for loading the file, and for each run of a line. */
const LINE_LIMIT = 5;
/** Seconds of computing time for 1,000 training steps; the solution needs less than 2. */
const TRAINING_LIMIT = 20;
/** Seconds for everything; a solved exercise takes 2. */
const TOTAL_LIMIT = 180;

/** Bytes of a learner's file: far more than anyone writes. */
const MAX_FILE = 2 ** 20;

/**
 * @throws the signal's reason, when it ends the check early
 * @throws SystemError if the file is missing, is no regular file, or cannot be read; FileContentError if it is too large
 */
export async function checkFile(path: string, exercise: ExerciseNumber, options: CheckFileOptions = {}): Promise<ExerciseReport> {
  const { signal, train = false } = options;
  const check = new FileCheck(path, exercise, options);
  const abort = () => check.stop();
  signal?.addEventListener('abort', abort);
  try {
    const report = await check.lines();
    if (!report.ok || !train || exercise !== 4) return report;
    return { ...report, training: await check.training() };
  } finally {
    signal?.removeEventListener('abort', abort);
    check.stop();
  }
}

/** One check of one file, in one process after the other: a line that ends its process does not end the check. */
class FileCheck {
  readonly #path: string;
  readonly #exercise: ExerciseNumber;
  readonly #signal: CheckSignal | undefined;
  readonly #onPrint: (line: string) => void;
  readonly #gradient: string | undefined;
  readonly #budget: Budget = { seconds: TOTAL_LIMIT, total: TOTAL_LIMIT };
  readonly #uncaught = new Set<string>();
  #process: LearnerProcess | undefined;
  #strays: string[] = [];

  constructor(path: string, exercise: ExerciseNumber, { signal, onPrint = () => {}, gradient }: CheckFileOptions) {
    this.#path = path;
    this.#exercise = exercise;
    this.#signal = signal;
    this.#onPrint = onPrint;
    this.#gradient = gradient;
  }

  /** Ends the process. What waits for it gets an error. */
  stop(): void {
    this.#process?.stop();
    this.#process = undefined;
  }

  async lines(): Promise<ExerciseReport> {
    const lines = EXERCISES[this.#exercise].lines.filter(({ name }) => name === (this.#gradient ?? name));
    const reports: LineReport[] = [];
    const text = readRegularFile(this.#path, MAX_FILE).toString();
    // The process starts while the values are made.
    this.#start(LINE_LIMIT, false);
    const judge = new LineJudge();
    for (const known of lines) {
      try {
        await this.#load();
      } catch (error) {
        const fault = this.#faultOf(error);
        if (fault.id !== 'out-of-time' || reports.length === 0) return this.#report(reports, sentenceOf([fault]));
      }
      reports.push({ ...(await this.#checkLine(judge, known)), ...repeatedEntry(known.name, text) });
    }
    return this.#report(reports);
  }

  #report(lines: LineReport[], broken?: string): ExerciseReport {
    const strays = broken === undefined ? this.#strayKeys() : [];
    const ok = broken === undefined && strays.length === 0 && lines.every(({ verdict }) => verdict === 'right');
    return { exercise: this.#exercise, ok, ...(broken !== undefined && { broken }), lines, ...(strays.length > 0 && { strays }) };
  }

  /** All of them; in a check of one line, those that may be meant for it. */
  #strayKeys(): StrayKey[] {
    const strays = strayKeys(this.#exercise, this.#strays);
    return this.#gradient === undefined ? strays : strays.filter(({ suggestion }) => suggestion === this.#gradient);
  }

  #start(seconds: number, quiet: boolean): LearnerProcess {
    this.#throwIfAborted();
    this.#process = new LearnerProcess({
      path: this.#path,
      exercise: this.#exercise,
      seconds,
      budget: this.#budget,
      onPrint: this.#onPrint,
      uncaught: this.#uncaught,
      quiet,
    });
    return this.#process;
  }

  /** A process that has loaded the file. A file that is loaded again has printed everything already. */
  async #load(): Promise<void> {
    if (this.#budget.seconds <= 0) throw new ProcessEnded({ id: 'out-of-time', seconds: TOTAL_LIMIT });
    const names: readonly string[] = EXERCISES[this.#exercise].lines.map(({ name }) => name);
    const keys = await (this.#process ?? this.#start(LINE_LIMIT, true)).keys();
    this.#strays = keys.filter((key) => !names.includes(key));
  }

  async #checkLine(judge: LineJudge, known: ExerciseLine): Promise<LineReport> {
    let report: LineReport;
    try {
      report = judge.judge(known, await this.#run(judge.inputsOf(known), known));
    } catch (error) {
      const fault = this.#faultOf(error) as Fault;
      this.stop();
      return {
        name: known.name,
        shape: lessonShape(valueNamed(known.name)),
        verdict: 'failed',
        findings: [fault],
        problem: sentenceOf([fault]),
      };
    }
    try {
      await this.#process?.startSource(known.name);
      await this.#process?.request({ kind: 'settle' });
    } catch (error) {
      // Something that a line left behind ended the process. The next one runs without that line.
      this.#onPrint(`${exerciseFile(this.#exercise)}: after its line had returned, ${sentenceOf([this.#faultOf(error)])}`);
      this.stop();
    }
    return report;
  }

  /** Runs a line on its inputs. It prints once. */
  async #run(inputs: readonly GivenValues[], { name }: ExerciseLine) {
    const outcomes: Outcome[] = [];
    let text = '';
    for (const [i, at] of inputs.entries()) {
      if (i < 2) await this.#running().startSource(i === 0 ? name : undefined);
      const { reply, arrays } = await this.#running().request({ kind: 'run', name, n: at.n }, arraysOf(at));
      if (!('text' in reply)) throw new ProcessEnded({ id: 'breaks-channel' });
      text = reply.text;
      if (reply.kind === 'failed') {
        outcomes.push({ fault: reply.fault });
        break;
      }
      outcomes.push(reply.kind === 'too-large' ? { tooLarge: reply.shape } : { tensor: tensorIn(arrays, name) });
    }
    return { outcomes, text, strays: this.#strays };
  }

  #running(): LearnerProcess {
    if (!this.#process) throw new ProcessEnded({ id: 'out-of-time', seconds: TOTAL_LIMIT });
    return this.#process;
  }

  /** The process gives gradients; parameters and losses are here. */
  async training(): Promise<TrainingReport | { problem: string }> {
    this.stop();
    const { names } = readNamesFile(BUNDLED_NAMES);
    try {
      const learner = this.#start(TRAINING_LIMIT, true);
      const training = trainWithGradients(names);
      await learner.keys();
      let step = training.next();
      while (!step.done) {
        const { reply, arrays } = await learner.request(
          { kind: 'pass', names: EXERCISE_4_NAMES, wanted: PARAMETER_GRADIENT_NAMES, n: step.value.n },
          arraysOf(step.value),
          true,
        );
        if (reply.kind === 'pass-failed') return { problem: `${reply.name}: ${sentenceOf([reply.fault])}` };
        step = training.next(
          Object.fromEntries(PARAMETER_GRADIENT_NAMES.map((name) => [name, tensorIn(arrays, name)])) as ParameterGradients,
        );
      }
      return step.value;
    } catch (error) {
      if (error instanceof ShapeError || error instanceof NumericalError) return { problem: error.message };
      return { problem: sentenceOf([this.#faultOf(error)]) };
    }
  }

  /**
   * The reason why the process ended.
   * @throws the signal's reason if it is aborted, and any other error
   */
  #faultOf(error: unknown): FileFault {
    this.#throwIfAborted();
    if (error instanceof ProcessEnded) return error.fault;
    throw error;
  }

  #throwIfAborted(): void {
    if (this.#signal?.aborted) throw this.#signal.reason;
  }
}

function arraysOf(at: GivenValues): NamedArray[] {
  return Object.entries(at).flatMap(([name, value]) => (typeof value === 'number' ? [] : [{ name, ...(value as Tensor | Indices) }]));
}

/** @throws ProcessEnded if the reply has no such tensor */
function tensorIn(arrays: readonly NamedArray[], name: string): Tensor {
  const array = arrays.find((one) => one.name === name);
  if (!array || array.data instanceof Int32Array) throw new ProcessEnded({ id: 'breaks-channel' });
  return new Tensor(array.data, array.shape);
}

/** JavaScript silently takes the last of two entries with the same name. */
function repeatedEntry(name: string, text: string): { note?: string } {
  const entry = new RegExp(`^\\s*${name}\\s*:`);
  const places = text.split('\n').flatMap((line, i) => (entry.test(line) ? [i + 1] : []));
  return places.length < 2 ? {} : { note: `the file has ${name} more than once, in lines ${places.join(' and ')}: the last one counts` };
}
