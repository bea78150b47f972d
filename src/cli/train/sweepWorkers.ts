/** The runs of a sweep, each in its own process, some at a time. */
import { join } from 'node:path';
import { availableCores } from '../../node/cores.js';
import type { DirectoryLock } from '../../node/lock.js';
import { openResults, readResults, runName, type Sweep } from '../../node/sweepDirectory.js';
import type { SweepResult } from '../../run/sweep.js';
import { formatCount, formatCountOf, formatLoss } from '../terminal/format.js';
import { type IO, type StopSignal, shortPath } from '../terminal/io.js';
import type { DifferingRun, PlannedRun, SweepCheck } from './sweepCheck.js';
import { asArguments, runWords } from './sweepPlan.js';
import { shareCores } from './sweepThreads.js';
import type { GivenTrainOptions } from './trainOptions.js';
import { type TrainProcess, trainProcess } from './trainProcess.js';

/** What became of a sweep's runs. */
export interface TrainedRuns {
  results: SweepResult[];
  /** Runs that were not trained, because their directories hold other runs. */
  refused: DifferingRun[];
  /** Runs that other processes train, by name, and which ones. */
  inUse: ReadonlyMap<string, string>;
  /** The signal that stopped the sweep. */
  signal: StopSignal | undefined;
}

export interface SweepToTrain {
  sweep: Sweep;
  /** The options that all runs share. */
  shared: GivenTrainOptions;
  directory: string;
  lock: DirectoryLock;
  check: SweepCheck;
  /** Runs at a time. */
  jobs: number | undefined;
  /** Threads of each. */
  threads: number | 'auto';
}

/** Trains every run that is not done. @throws the error of the first run that fails, after the others have saved */
export async function trainRuns({ sweep, shared, directory, lock, check, ...asked }: SweepToTrain, io: IO): Promise<TrainedRuns> {
  const results = readResults(directory, sweep);
  const done = new Set(results.map(({ run }) => run));
  const waiting = sweep.runs.map((options, i) => ({ run: runName(i), options })).filter(({ run }) => !done.has(run));
  const count = formatCountOf(sweep.runs.length, 'run');
  const before = done.size > 0 ? `, ${formatCount(done.size)} of them done` : '';
  const { width, threads, note } = shareCores(asked, waiting.length, availableCores());
  if (note !== undefined) io.stderr.write(`note: ${note}\n`);
  const each = threads === 'auto' || threads === 1 ? '' : `, with ${threads} threads each`;
  io.stderr.write(`${count} in the directory ${shortPath(directory, io)}${before}; ${width} at a time${each}\n`);
  const lines = openResults(directory, lock, (notice) => io.stderr.write(`note: ${notice}\n`));
  const workers = new Workers({ shared: { ...shared, threads }, of: sweep.runs.length, directory, waiting, results, lines, check, io });
  let signal: StopSignal | undefined;
  const stopListening = io.onStop((name) => {
    signal = name;
    workers.stop();
  });
  try {
    await workers.work(width);
  } finally {
    stopListening();
    lines.close();
  }
  const { refused, inUse } = workers;
  // What was in use may be done by now.
  return { results: inUse.size > 0 && !signal ? readResults(directory, sweep) : results, refused, inUse, signal };
}

interface WorkersOptions {
  shared: GivenTrainOptions;
  /** The number of planned runs. */
  of: number;
  directory: string;
  waiting: PlannedRun[];
  results: SweepResult[];
  lines: ReturnType<typeof openResults>;
  check: SweepCheck;
  io: IO;
}

/** Trains the waiting runs, a given number at a time, and records each result. */
class Workers {
  readonly #options: WorkersOptions;
  readonly #running = new Set<TrainProcess>();
  readonly refused: DifferingRun[] = [];
  readonly inUse = new Map<string, string>();

  constructor(options: WorkersOptions) {
    this.#options = options;
  }

  /** @throws the error of the first run that fails, after the others have saved */
  async work(width: number): Promise<void> {
    const outcomes = await Promise.allSettled(Array.from({ length: width }, () => this.#trainNext()));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /** Starts no more runs, and lets the running ones save and end. */
  stop(): void {
    this.#options.waiting.length = 0;
    for (const child of this.#running) child.stop();
  }

  async #trainNext(): Promise<void> {
    const { shared, of, directory, waiting, results, lines, check, io } = this.#options;
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const problems = check.beforeStart(next);
      if (problems.length > 0) {
        this.refused.push({ ...next, problems });
        continue;
      }
      const child = trainProcess(join(directory, next.run), runWords(directory, next, shared), io);
      this.#running.add(child);
      try {
        const outcome = await child.outcome;
        if (outcome === 'stopped') return;
        if ('inUse' in outcome) {
          this.inUse.set(next.run, outcome.inUse);
          continue;
        }
        const result = { ...next, ...outcome };
        lines.append(result);
        results.push(result);
        io.stderr.write(`${progressLine(result, results.length, of)}\n`);
      } catch (error) {
        this.stop();
        throw error;
      } finally {
        this.#running.delete(child);
      }
    }
  }
}

function progressLine({ options, valLoss }: SweepResult, done: number, of: number): string {
  const what = asArguments(options).join(' ');
  return `${String(done).padStart(String(of).length)} / ${of}   ${valLoss === null ? 'diverged' : `validation ${formatLoss(valLoss)}`}   ${what}`;
}
