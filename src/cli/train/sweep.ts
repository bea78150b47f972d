import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { FileContentError, NumericalError, UsageError } from '../../core/errors.js';
import { text, wholeNumber } from '../../core/kinds.js';
import type { OptionRow } from '../../core/optionRow.js';
import { shellWord } from '../../core/text.js';
import { keepNames } from '../../node/keptNames.js';
import type { DirectoryLock } from '../../node/lock.js';
import { makeSweepDirectory, openResults, readResults, readSweep, runName, type Sweep, writeSweep } from '../../node/sweepDirectory.js';
import type { SweepResult } from '../../run/sweep.js';
import { MAX_SEED } from '../../training/options.js';
import { defineCommand } from '../command.js';
import { EXIT_NO, EXIT_SIGNAL } from '../terminal/exitCodes.js';
import { formatCount, formatCountOf, formatLoss } from '../terminal/format.js';
import { type IO, type StopSignal, shortPath } from '../terminal/io.js';
import { lockDirectory } from './startRun.js';
import { type DifferingRun, type PlannedRun, SweepCheck } from './sweepCheck.js';
import { asArguments, MAX_RUNS, misplacedOption, planSweep } from './sweepPlan.js';
import { printSweep, rankComparable } from './sweepTable.js';
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
    kind: wholeNumber(1, MAX_RUNS),
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

/** Trains every combination in its own process, as many at a time as there are cores. The same command resumes a stopped sweep. */
export const sweep = defineCommand({
  description: 'Trains every combination of some options, or N random samples, one process per run, and ranks them by validation loss.',
  arguments: [{ name: '[train-options...]', description: "after --: options of 'train' for all runs" }],
  options: OPTIONS,
  elsewhere: misplacedOption,
  examples: [
    ['backprop-ninja sweep --vary lr=0.1/0.2 --vary hidden=100/200 -- --steps 20000', 'a grid of four runs'],
    ['backprop-ninja sweep --vary lr=0.01..1 --random 12 --out rates -- --steps 5000', 'twelve random rates'],
    ['backprop-ninja sweep --vary lr=0.1/0.2 --vary seed=1/2/3', 'each rate by the median of three seeds'],
  ],
  async run({ io, json, options, printJson, paint }, trainWords: string[]) {
    const directory = resolve(io.cwd, options.out);
    const plan = planSweep(trainWords, options, io);
    const { sweep: asked } = plan;
    const fewer = asked.runs.length < plan.asked;
    if (fewer) {
      io.stderr.write(
        `note: ${formatCount(plan.asked)} runs were asked for, but there are only ${formatCountOf(asked.runs.length, 'combination')}\n`,
      );
    }
    makeSweepDirectory(directory);
    const lock = await lockDirectory(directory, io.date().toISOString(), io);
    try {
      const opened = openSweep(directory, asked, io);
      const kept = plan.names ? ['--data', keepNames(directory, plan.names, () => false)] : [];
      const sweep = { ...opened, train: [...opened.train, ...kept] };
      const check = new SweepCheck(directory, plan);
      const { results, refused, signal } = await runAll(sweep, { directory, lock }, options.jobs ?? availableParallelism(), check, io);
      if (signal) {
        io.stderr.write(
          `${signal}: ${formatCount(results.length)} of ${formatCountOf(sweep.runs.length, 'run')} done in ${shortPath(directory, io)}; the same command resumes the sweep\n`,
        );
        return EXIT_SIGNAL[signal];
      }
      const { planned, differing } = await check.sort(results);
      differing.push(...refused);
      if (planned.length > 0 && planned.every(({ valLoss }) => valLoss === null)) {
        throw new NumericalError('every run diverged', { hint: 'a lower --lr may help' });
      }
      if (check.programs.size > 1) io.stderr.write(`note: the runs were trained by ${[...check.programs].join(' and ')}\n`);
      const groups = rankComparable(planned);
      const comparable = groups.length === 1 && differing.length === 0;
      if (json) {
        const ranked = groups.length === 1 ? groups[0].ranked : [];
        printJson({
          sweep: directory,
          train: sweep.train,
          asked: plan.asked,
          runs: sweep.runs.length,
          ranked,
          differing,
          splits: groups.length > 1 ? groups : [],
        });
      } else printSweep(groups, differing, sweep.train, io, await paint());
      return comparable ? 0 : EXIT_NO;
    } finally {
      lock.release();
    }
  },
});

/**
 * The sweep in the directory, or, if there is none, the given one, whose plan is written there.
 * @throws UsageError if the directory holds another sweep
 * @throws FileContentError if the data set has changed since
 */
function openSweep(directory: string, asked: Sweep, io: IO): Sweep {
  const hint = 'name another directory with --out';
  const found = readSweep(directory, hint);
  if (!found) {
    writeSweep(directory, asked);
    return asked;
  }
  if (commandOf(found) !== commandOf(asked)) {
    throw new UsageError(`${shortPath(directory, io)} holds another sweep: ${commandOf(found)}`, { hint });
  }
  const other = asked.runs.findIndex((options, i) => JSON.stringify(options) !== JSON.stringify(found.runs[i]));
  if (other !== -1 || found.runs.length !== asked.runs.length) {
    const run = runName(other === -1 ? asked.runs.length : other);
    throw new FileContentError(`${shortPath(directory, io)} holds a sweep.json whose run ${run} is not that of its command`, { hint });
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

async function runAll(
  sweep: Sweep,
  { directory, lock }: { directory: string; lock: DirectoryLock },
  jobs: number,
  check: SweepCheck,
  io: IO,
): Promise<{ results: SweepResult[]; refused: DifferingRun[]; signal: StopSignal | undefined }> {
  const results = readResults(directory, sweep);
  const done = new Set(results.map(({ run }) => run));
  const waiting = sweep.runs.map((options, i) => ({ run: runName(i), options })).filter(({ run }) => !done.has(run));
  const count = formatCountOf(sweep.runs.length, 'run');
  const before = done.size > 0 ? `, ${formatCount(done.size)} of them done` : '';
  const width = Math.max(1, Math.min(jobs, waiting.length));
  io.stderr.write(`${count} in the directory ${shortPath(directory, io)}${before}; ${width} at a time\n`);
  const lines = openResults(directory, lock, (notice) => io.stderr.write(`note: ${notice}\n`));
  const workers = new Workers({ sweep, directory, waiting, results, lines, check, io });
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
  return { results, refused: workers.refused, signal };
}

interface WorkersOptions {
  sweep: Sweep;
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
  /** Runs that were not trained, because their directories hold other runs. */
  readonly refused: DifferingRun[] = [];

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
    const { sweep, directory, waiting, results, lines, check, io } = this.#options;
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const problems = check.beforeStart(next);
      if (problems.length > 0) {
        this.refused.push({ ...next, problems });
        continue;
      }
      const child = trainProcess(join(directory, next.run), [...sweep.train, ...asArguments(next.options)], io);
      this.#running.add(child);
      try {
        const outcome = await child.outcome;
        if (outcome === 'stopped') return;
        const result = { ...next, ...outcome };
        lines.append(result);
        results.push(result);
        io.stderr.write(`${progressLine(result, results.length, sweep.runs.length)}\n`);
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
