import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { CommanderError } from 'commander';
import { FileContentError, NumericalError, UsageError } from '../../core/errors.js';
import { text, wholeNumber } from '../../core/kinds.js';
import { extentOf } from '../../core/numbers.js';
import { flagName, type OptionRow, type Values, withDefaults } from '../../core/optionRow.js';
import { randomStream } from '../../core/random.js';
import { shellWord } from '../../core/text.js';
import type { DirectoryLock } from '../../node/lock.js';
import { makeSweepDirectory, openResults, readResults, readSweep, runName, type Sweep, writeSweep } from '../../node/sweepDirectory.js';
import { drawFrom, gridOf, type OptionValues, parseVariation, type Ranked, rank, type SweepResult } from '../../run/sweep.js';
import { MAX_SEED, RECIPE_OPTIONS, TRAINING_OPTIONS } from '../../training/options.js';
import { recipe } from '../../training/recipe.js';
import { defineCommand } from '../command.js';
import { loadData } from '../data.js';
import { COMMON_OPTIONS, commanderMessage, parseWords } from '../options.js';
import type { Paint } from '../terminal/colors.js';
import { EXIT_SIGNAL } from '../terminal/exitCodes.js';
import { type Align, formatCount, formatCountOf, formatLoss, formatTable } from '../terminal/format.js';
import { commandName, type IO, type StopSignal, shortPath } from '../terminal/io.js';
import { lockDirectory } from './startRun.js';
import { type GivenTrainOptions, TRAIN_OPTIONS } from './trainOptions.js';
import { type TrainProcess, trainProcess } from './trainProcess.js';

const OPTIONS = [
  {
    key: 'vary',
    flag: '--vary <option=values>',
    description: 'values to try, such as lr=0.05/0.1/0.2, or a range to sample, such as lr=0.01..1; repeatable',
    kind: text,
    repeatable: true,
    required: true,
  },
  {
    key: 'random',
    flag: '--random <runs>',
    description: 'number of random combinations',
    defaultText: 'the grid of all',
    kind: wholeNumber(1, 1_000_000),
  },
  { key: 'seed', flag: '--seed <number>', description: 'seed of the random combinations', kind: wholeNumber(0, MAX_SEED), default: 1 },
  {
    key: 'out',
    flag: '--out <dir>',
    description: "the sweep's directory; an unfinished sweep in it is resumed",
    kind: text,
    default: 'sweep',
  },
  { key: 'jobs', flag: '--jobs <count>', description: 'runs at a time', defaultText: 'the number of cores', kind: wholeNumber(1, 1024) },
] as const satisfies readonly OptionRow[];

type SweepValues = Values<(typeof OPTIONS)[number]>;

/** Trains every combination in its own process, as many at a time as there are cores. The same command resumes a stopped sweep. */
export const sweep = defineCommand({
  description: 'Trains every combination of some options, or N random samples, one process per run, and ranks them by validation loss.',
  arguments: [{ name: '[train-options...]', description: "after --: options of 'train' for all runs" }],
  options: OPTIONS,
  examples: [
    ['backprop-ninja sweep --vary lr=0.1/0.2 --vary hidden=100/200 -- --steps 20000', 'a grid of four runs'],
    ['backprop-ninja sweep --vary lr=0.01..1 --random 12 --out rates -- --steps 5000', 'twelve random rates'],
    ['backprop-ninja sweep --vary lr=0.1/0.2 --vary seed=1/2/3', 'each rate by the median of three seeds'],
  ],
  async run({ io, json, options, printJson, paint }, trainWords: string[]) {
    const directory = resolve(io.cwd, options.out);
    const asked = planSweep(trainWords, options, io);
    makeSweepDirectory(directory);
    const lock = await lockDirectory(directory, io.date().toISOString(), io);
    try {
      const sweep = openSweep(directory, asked, io);
      const { results, signal } = await runAll(sweep, { directory, lock }, options.jobs ?? availableParallelism(), io);
      if (signal) {
        io.stderr.write(
          `${signal}: ${results.length} of ${sweep.runs.length} runs are done in ${shortPath(directory, io)}; the same command resumes the sweep\n`,
        );
        return EXIT_SIGNAL[signal];
      }
      if (results.every(({ valLoss }) => valLoss === null)) {
        throw new NumericalError('every run diverged', { hint: 'a lower --lr may help' });
      }
      const ranked = rank(results);
      if (json) printJson({ sweep: directory, train: sweep.train, ranked });
      else print(ranked, sweep, io, await paint());
      return 0;
    } finally {
      lock.release();
    }
  },
});

/** Checks every run before any starts. @throws UsageError or CommanderError if train would refuse its options */
function planSweep(trainWords: readonly string[], { vary, random, seed }: SweepValues, io: IO): Sweep {
  const variations = vary.map(parseVariation);
  const options = variations.map(({ option }) => option);
  const twice = options.find((option, i) => options.indexOf(option) !== i);
  if (twice) throw new UsageError(`--vary ${twice} is given twice; give its values in one, such as ${twice}=1/2/3`);
  if (options.includes('data')) throw new UsageError('--vary data: losses on different data sets cannot be ranked');
  const runs = random === undefined ? gridOf(variations) : drawFrom(variations, random, randomStream('sweep', seed));
  for (const assignment of runs) checkRun([...trainWords, ...asArguments(assignment)]);
  const shared = parseTrain(trainWords);
  const { sha256: dataSha256 } = loadData(shared.data, withDefaults(DATA_OPTIONS, shared), io);
  return { vary, random: random ?? null, seed, train: [...trainWords], dataSha256, runs };
}

/** The options of a training that decide how its data is split. */
const DATA_OPTIONS = TRAINING_OPTIONS.filter((row) => ['splitSeed', 'unique', 'column', 'normalize'].includes(row.key));

/** @throws UsageError if options do not go together */
function checkRun(words: readonly string[]): void {
  const given = parseTrain(words);
  recipe(given.preset, Object.fromEntries(RECIPE_OPTIONS.filter(({ key }) => key in given).map(({ key }) => [key, given[key]])));
}

/** Parses options that all runs share. @throws UsageError if the runs of a sweep cannot have one of them */
function parseTrain(words: readonly string[]): GivenTrainOptions {
  const given: GivenTrainOptions = parseTrainWords(words);
  const decided = [...TRAIN_OPTIONS, ...COMMON_OPTIONS].find((row: OptionRow) => row.key in given && !row.commands?.includes('sweep'));
  if (decided && decided.key !== 'color') throw new UsageError(`${flagName(decided)} cannot be set for the runs of a sweep`);
  return given;
}

function parseTrainWords(words: readonly string[]): GivenTrainOptions {
  try {
    return parseWords('train', [...TRAIN_OPTIONS, ...COMMON_OPTIONS], words);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) throw new UsageError('--help cannot be set for the runs of a sweep', { cause: error });
    if (error.code !== 'commander.invalidArgument' || !error.message.includes(',')) throw error;
    throw new UsageError(commanderMessage(error).replace(/\.$/, ''), {
      hint: '--vary separates values by /, such as lr=0.05/0.1',
      cause: error,
    });
  }
}

/**
 * The sweep in the directory, or, if there is none, the given one, whose plan is written there.
 * @throws UsageError if the directory holds another sweep
 * @throws FileContentError if the data set has changed since
 */
function openSweep(directory: string, asked: Sweep, io: IO): Sweep {
  const found = readSweep(directory);
  if (!found) {
    writeSweep(directory, asked);
    return asked;
  }
  const hint = 'name another directory with --out';
  if (commandOf(found) !== commandOf(asked)) {
    throw new UsageError(`${shortPath(directory, io)} holds another sweep: ${commandOf(found)}`, { hint });
  }
  if (found.dataSha256 !== asked.dataSha256) {
    throw new FileContentError(
      `the data set has changed since the sweep in ${shortPath(directory, io)} began: SHA-256 ${asked.dataSha256}, expected ${found.dataSha256}`,
      { hint: `restore it, or ${hint}` },
    );
  }
  return found;
}

function commandOf({ vary, random, seed, train }: Sweep): string {
  const sampling = random === null ? [] : [`--random ${random} --seed ${seed}`];
  const rest = train.length > 0 ? ['--', ...train.map((word) => shellWord(word))] : [];
  return [...vary.map((one) => `--vary ${shellWord(one)}`), ...sampling, ...rest].join(' ');
}

function asArguments(assignment: OptionValues): string[] {
  return Object.entries(assignment).flatMap(([option, value]) => [`--${option}`, value]);
}

async function runAll(
  sweep: Sweep,
  { directory, lock }: { directory: string; lock: DirectoryLock },
  jobs: number,
  io: IO,
): Promise<{ results: SweepResult[]; signal: StopSignal | undefined }> {
  const results = readResults(directory, sweep);
  const done = new Set(results.map(({ run }) => run));
  const waiting = sweep.runs.map((options, i) => ({ run: runName(i), options })).filter(({ run }) => !done.has(run));
  const count = formatCountOf(sweep.runs.length, 'run');
  const before = done.size > 0 ? `, ${formatCount(done.size)} of them done` : '';
  const width = Math.max(1, Math.min(jobs, waiting.length));
  io.stderr.write(`${count} in the directory ${shortPath(directory, io)}${before}; ${width} at a time\n`);
  const lines = openResults(directory, lock, (notice) => io.stderr.write(`note: ${notice}\n`));
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

type ResultWriter = ReturnType<typeof openResults>;
type Waiting = Pick<SweepResult, 'run' | 'options'>;

/** Trains the waiting runs, a given number at a time, and records each result. */
class Workers {
  readonly #sweep: Sweep;
  readonly #directory: string;
  readonly #waiting: Waiting[];
  readonly #results: SweepResult[];
  readonly #lines: ResultWriter;
  readonly #io: IO;
  readonly #running = new Set<TrainProcess>();

  constructor(sweep: Sweep, directory: string, waiting: Waiting[], results: SweepResult[], lines: ResultWriter, io: IO) {
    this.#sweep = sweep;
    this.#directory = directory;
    this.#waiting = waiting;
    this.#results = results;
    this.#lines = lines;
    this.#io = io;
  }

  /** @throws the error of the first run that fails, after the others have saved */
  async work(width: number): Promise<void> {
    const outcomes = await Promise.allSettled(Array.from({ length: width }, () => this.#trainNext()));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /** Starts no more runs, and lets the running ones save and end. */
  stop(): void {
    this.#waiting.length = 0;
    for (const child of this.#running) child.stop();
  }

  async #trainNext(): Promise<void> {
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
  return `${String(done).padStart(String(of).length)} / ${of}   ${valLoss === null ? 'diverged' : `validation ${formatLoss(valLoss)}`}   ${what}`;
}

/** A row names at most this many run directories; for more, it gives their number. */
const MAX_NAMES = 3;

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
      show(valLoss, formatLoss, 'diverged'),
      ...(repeated ? extentOf(losses).map((one) => (Number.isFinite(one) ? formatLoss(one) : '')) : []),
      show(trainLoss, formatLoss, ''),
      show(seconds, (value) => value.toFixed(1), '-'),
      runs.length > MAX_NAMES ? `${runs.length} runs` : runs.map(({ run }) => run).join(' '),
    ];
  });
  const [title, ...lines] = formatTable([head, ...rows], align);
  const best = ranked[0];
  const again = [`${commandName(io)} train`, ...train.map((word) => shellWord(word)), ...asArguments(typicalRun(best).options)].join(' ');
  io.stdout.write(`\n${[paint.dim(title), ...lines].join('\n')}\n\nto repeat the first: ${again}\n`);
}

/** The run whose loss is nearest to the median. */
function typicalRun({ runs, valLoss }: Ranked): SweepResult {
  const distance = (run: SweepResult) => Math.abs((run.valLoss ?? Number.POSITIVE_INFINITY) - (valLoss ?? 0));
  return runs.reduce((nearest, run) => (distance(run) < distance(nearest) ? run : nearest));
}

function show(value: number | null, text: (value: number) => string, missing: string): string {
  return value === null ? missing : text(value);
}
