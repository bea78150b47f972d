import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { NumericalError, UsageError } from '../../core/errors.js';
import { randomStream } from '../../core/random.js';
import { type LineWriter, openLines } from '../../node/jsonLines.js';
import { acquireLock } from '../../node/lock.js';
import { type Assignment, drawFrom, gridOf, parseVariation, type Ranked, rank, type SweepResult } from '../../run/sweep.js';
import { loadData } from '../data.js';
import { type Paint, paintFor } from '../terminal/colors.js';
import { EXIT_SIGNAL } from '../terminal/exitCodes.js';
import { type Align, formatCount, formatLoss, formatTable } from '../terminal/format.js';
import { commandName, type IO, type StopSignal, shellWord, shortPath } from '../terminal/io.js';
import { withPreset } from './presets.js';
import { recipeOf } from './recipe.js';
import type { TrainCommandOptions } from './startRun.js';
import { makeSweepDirectory, openSweep, readResults, resultsFile, runName, type Sweep } from './sweepDirectory.js';
import { type TrainProcess, trainProcess } from './trainProcess.js';

export interface SweepCommandOptions {
  vary: string[];
  random?: number;
  seed: number;
  out: string;
  jobs?: number;
  json?: boolean;
  color: boolean;
}

/** The options that train makes of words, and whether one of them stands there; throws if it would not take them. */
export type ParseTrain = (words: readonly string[]) => { options: TrainCommandOptions; given: (option: string) => boolean };

/**
 * Trains every combination in processes of their own, as many at a time as there are cores. A sweep that was stopped goes on where it stands.
 * @param trainArguments what all runs have in common
 * @returns the exit code
 */
export async function sweepCommand(
  trainArguments: readonly string[],
  options: SweepCommandOptions,
  parseTrain: ParseTrain,
  io: IO,
): Promise<number> {
  const directory = resolve(io.cwd, options.out);
  const asked = planSweep(trainArguments, options, parseTrain, io);
  makeSweepDirectory(directory);
  const unlock = acquireLock(directory, io.date().toISOString());
  try {
    const sweep = openSweep(directory, asked, io);
    const { results, signal } = await runAll(sweep, directory, options.jobs ?? availableParallelism(), io);
    if (signal) {
      io.stderr.write(
        `${signal}: ${results.length} of ${sweep.runs.length} runs are done in ${shortPath(directory, io)}; the same command goes on with it\n`,
      );
      return EXIT_SIGNAL[signal];
    }
    if (results.every(({ valLoss }) => valLoss === null)) throw new NumericalError('every run blew up; a lower --lr may help');
    const ranked = rank(results);
    if (options.json) io.stdout.write(`${JSON.stringify({ sweep: directory, train: sweep.train, ranked })}\n`);
    else print(ranked, sweep, io, await paintFor(io.stdout, io.env, options.color));
    return 0;
  } finally {
    unlock();
  }
}

/** @throws whatever train would refuse, before any run begins */
function planSweep(trainArguments: readonly string[], { vary, random, seed }: SweepCommandOptions, parseTrain: ParseTrain, io: IO): Sweep {
  const variations = vary.map(parseVariation);
  const options = variations.map(({ option }) => option);
  const twice = options.find((option, i) => options.indexOf(option) !== i);
  if (twice) throw new UsageError(`--vary ${twice} is given twice; its values go into one, as ${twice}=1/2/3`);
  if (options.includes('data')) throw new UsageError('--vary data: losses on different data sets cannot be ranked');
  const runs = random === undefined ? gridOf(variations) : drawFrom(variations, random, randomStream('sweep', seed));
  for (const assignment of runs) {
    const { options: asked, given } = parseTrain([...trainArguments, ...asArguments(assignment)]);
    recipeOf(withPreset(asked, given));
  }
  const { options: shared } = parseTrain(trainArguments);
  const { sha256: dataSha256 } = loadData(shared.data, shared, io);
  return { vary, random: random ?? null, seed, train: [...trainArguments], dataSha256, runs };
}

function asArguments(assignment: Assignment): string[] {
  return Object.entries(assignment).flatMap(([option, value]) => [`--${option}`, value]);
}

async function runAll(
  sweep: Sweep,
  directory: string,
  jobs: number,
  io: IO,
): Promise<{ results: SweepResult[]; signal: StopSignal | undefined }> {
  const results = readResults(directory, sweep);
  const done = new Set(results.map(({ run }) => run));
  const waiting = sweep.runs.map((options, i) => ({ run: runName(i), options })).filter(({ run }) => !done.has(run));
  const count = `${formatCount(sweep.runs.length)} run${sweep.runs.length === 1 ? '' : 's'}`;
  const before = done.size > 0 ? `, ${formatCount(done.size)} of them done` : '';
  const width = Math.max(1, Math.min(jobs, waiting.length));
  io.stderr.write(`${count} in the directory ${shortPath(directory, io)}${before}; ${width} at a time\n`);
  const lines = openLines<SweepResult>(resultsFile(directory), 'continue');
  const workers = new Workers(sweep, directory, waiting, results, lines, io);
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
  return { results, signal };
}

type Waiting = Pick<SweepResult, 'run' | 'options'>;

/** Takes runs from those that wait, so many at a time, and writes down what comes of each. */
class Workers {
  readonly #sweep: Sweep;
  readonly #directory: string;
  readonly #waiting: Waiting[];
  readonly #results: SweepResult[];
  readonly #lines: LineWriter<SweepResult>;
  readonly #io: IO;
  readonly #running = new Set<TrainProcess>();

  constructor(sweep: Sweep, directory: string, waiting: Waiting[], results: SweepResult[], lines: LineWriter<SweepResult>, io: IO) {
    this.#sweep = sweep;
    this.#directory = directory;
    this.#waiting = waiting;
    this.#results = results;
    this.#lines = lines;
    this.#io = io;
  }

  /** @throws the error of the first run that ends with one; the others have saved, then */
  async work(width: number): Promise<void> {
    const outcomes = await Promise.allSettled(Array.from({ length: width }, () => this.#workOff()));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /** Lets all that run save, and end. */
  stop(): void {
    this.#waiting.length = 0;
    for (const child of this.#running) child.stop();
  }

  async #workOff(): Promise<void> {
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      const child = trainProcess(join(this.#directory, next.run), [...this.#sweep.train, ...asArguments(next.options)], this.#io);
      this.#running.add(child);
      try {
        const outcome = await child.outcome;
        if (outcome === 'stopped') return;
        const result = { ...next, ...outcome };
        this.#lines.append(result);
        this.#results.push(result);
        this.#io.stderr.write(`${progressLine(result, this.#results.length, this.#sweep.runs.length)}\n`);
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
  return `${String(done).padStart(String(of).length)} / ${of}   ${valLoss === null ? 'blew up' : `validation ${formatLoss(valLoss)}`}   ${what}`;
}

/** Directories that a row names; of more, it says how many they are. */
const MOST_NAMES = 3;

function print(ranked: readonly Ranked[], { train }: Sweep, io: IO, paint: Paint): void {
  const varied = Object.keys(ranked[0].options);
  const repeated = ranked.some(({ runs }) => runs.length > 1);
  const head = ['', ...varied, 'validation', ...(repeated ? ['from', 'to'] : []), 'train', 'seconds', repeated ? 'runs' : 'run'];
  const align: Align[] = [
    'right',
    ...varied.map(() => 'right' as const),
    'right',
    ...(repeated ? (['right', 'right'] as const) : []),
    'right',
    'right',
    'left',
  ];
  const rows = ranked.map(({ options, runs, valLoss, trainLoss, seconds }, i) => {
    const losses = runs.flatMap((run) => run.valLoss ?? []);
    return [
      String(i + 1),
      ...varied.map((option) => options[option]),
      show(valLoss, formatLoss, 'blew up'),
      ...(repeated ? [Math.min(...losses), Math.max(...losses)].map((one) => (Number.isFinite(one) ? formatLoss(one) : '')) : []),
      show(trainLoss, formatLoss, ''),
      show(seconds, (value) => value.toFixed(1), '-'),
      runs.length > MOST_NAMES ? `${runs.length} of them` : runs.map(({ run }) => run).join(' '),
    ];
  });
  const [title, ...lines] = formatTable([head, ...rows], align);
  const best = ranked[0];
  const again = [`${commandName(io)} train`, ...train.map(shellWord), ...asArguments(typicalRun(best).options)].join(' ');
  io.stdout.write(`\n${[paint.dim(title), ...lines].join('\n')}\n\nthe first again: ${again}\n`);
}

/** The run that is nearest to the median. */
function typicalRun({ runs, valLoss }: Ranked): SweepResult {
  const distance = (run: SweepResult) => Math.abs((run.valLoss ?? Number.POSITIVE_INFINITY) - (valLoss ?? 0));
  return runs.reduce((nearest, run) => (distance(run) < distance(nearest) ? run : nearest));
}

function show(value: number | null, text: (value: number) => string, missing: string): string {
  return value === null ? missing : text(value);
}
