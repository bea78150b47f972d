import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { FileContentError, NumericalError, SystemError, UsageError } from '../../core/errors.js';
import { flag, text, wholeNumber } from '../../core/kinds.js';
import type { OptionRow } from '../../core/optionRow.js';
import { keepNames } from '../../node/keptNames.js';
import { findResults, makeSweepDirectory, readSweep, runName, type Sweep, writeSweep } from '../../node/sweepDirectory.js';
import type { SweepResult } from '../../run/sweep.js';
import { MAX_SEED } from '../../training/options.js';
import { type CommandContext, defineCommand } from '../command.js';
import { THREADS_OPTION } from '../kernels.js';
import { EXIT_NO, EXIT_SIGNAL } from '../terminal/exitCodes.js';
import { formatCount, formatCountOf } from '../terminal/format.js';
import { type IO, shortPath } from '../terminal/io.js';
import { lockDirectory } from './startRun.js';
import { type DifferingRun, SweepCheck } from './sweepCheck.js';
import { commandOf, isSameSweep, MAX_RUNS, misplacedOption, planSweep, type SweepPlan } from './sweepPlan.js';
import { checkPrintable, printRuns } from './sweepPrint.js';
import { type MissingRun, printSweep, rankComparable } from './sweepTable.js';
import { trainRuns } from './sweepWorkers.js';

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
  {
    key: 'print',
    flag: '--print',
    description: 'train nothing: print a command line for each run still to be trained, for GNU parallel, xargs or a cluster',
    kind: flag,
  },
  { key: 'collect', flag: '--collect', description: 'train nothing: rank the runs that are done', kind: flag },
  { key: 'jobs', flag: '--jobs <count>', description: 'runs at a time', defaultText: 'one per core', kind: wholeNumber(1, 1024) },
  {
    ...THREADS_OPTION,
    description: 'threads of each run; auto: the cores divided by the runs at a time. Any number gives the same bytes',
  },
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
    ['backprop-ninja sweep --vary lr=0.1/0.2 --print | parallel --jobs 2', 'the same runs by another program; then rank them with sweep'],
  ],
  async run(context, trainWords: string[]) {
    const { io, options } = context;
    checkModes(context.given);
    const directory = resolve(io.cwd, options.out);
    const plan = planSweep(trainWords, options, io);
    const planned = plan.sweep.runs.length;
    if (planned < plan.asked) {
      io.stderr.write(
        `note: ${formatCount(plan.asked)} runs were asked for, but there are only ${formatCountOf(planned, 'combination')}\n`,
      );
    }
    const check = new SweepCheck(directory, plan);
    if (options.collect) return await collect(directory, plan, check, context);
    if (options.print) checkPrintable(plan.shared);
    makeSweepDirectory(directory);
    if (options.print) {
      const { sweep, shared } = openSweep(directory, plan, io);
      const { threads } = context.given;
      return await printRuns(directory, { sweep, shared: { ...shared, ...(threads && { threads }) } }, check, context);
    }
    const lock = await lockDirectory(directory, io.date().toISOString(), io);
    try {
      const { jobs, threads } = options;
      const toTrain = { ...openSweep(directory, plan, io), directory, lock, check, jobs, threads };
      const { results, refused, inUse, signal } = await trainRuns(toTrain, io);
      if (signal) {
        io.stderr.write(
          `${signal}: ${formatCount(results.length)} of ${formatCountOf(planned, 'run')} done in ${shortPath(directory, io)}; the same command resumes the sweep\n`,
        );
        return EXIT_SIGNAL[signal];
      }
      const missing = missingRuns(plan.sweep, results, refused).map((run) => ({ ...run, reason: `in use by ${inUse.get(run.run)}` }));
      const isRanked = await rankRuns({ directory, plan, results, refused, missing }, check, context);
      return isRanked && missing.length === 0 ? 0 : EXIT_NO;
    } finally {
      lock.release();
    }
  },
});

/** @throws UsageError if options of different modes are given */
function checkModes({
  print,
  collect,
  jobs,
  threads,
}: {
  print?: boolean;
  collect?: boolean;
  jobs?: number;
  threads?: number | 'auto';
}): void {
  if (print && collect) throw new UsageError('--print cannot be used with --collect: run the one, then the other');
  if (print && jobs !== undefined)
    throw new UsageError('--jobs cannot be used with --print', { hint: 'give it to the program that runs the commands' });
  if (!collect) return;
  if (jobs !== undefined) throw new UsageError('--jobs cannot be used with --collect, which trains nothing');
  if (threads !== undefined) throw new UsageError('--threads cannot be used with --collect, which trains nothing');
}

/** Ranks what is done, and writes nothing. @returns the exit code */
async function collect(directory: string, plan: SweepPlan, check: SweepCheck, context: CommandContext): Promise<number> {
  const shown = shortPath(directory, context.io);
  if (!existsSync(directory)) {
    throw new SystemError(`no sweep in ${shown}`, { hint: 'leave --collect out to train its runs, or give --print to print them' });
  }
  checkSweep(directory, plan.sweep, context.io);
  const { results } = findResults(directory, plan.sweep);
  const missing = missingRuns(plan.sweep, results, []).map((run) => ({ ...run, reason: 'not done' }));
  const isRanked = await rankRuns({ directory, plan, results, refused: [], missing }, check, context);
  return isRanked && results.length > 0 ? 0 : EXIT_NO;
}

/** The runs without a result. */
function missingRuns({ runs }: Sweep, results: readonly SweepResult[], refused: readonly DifferingRun[]): Omit<MissingRun, 'reason'>[] {
  const known = new Set([...results, ...refused].map(({ run }) => run));
  return runs.map((options, i) => ({ run: runName(i), options })).filter(({ run }) => !known.has(run));
}

interface RunsToRank {
  directory: string;
  plan: SweepPlan;
  results: readonly SweepResult[];
  refused: readonly DifferingRun[];
  missing: readonly MissingRun[];
}

/** Prints the ranking. @returns whether all results are in one ranking @throws NumericalError if every run diverged */
async function rankRuns(
  { directory, plan, results, refused, missing }: RunsToRank,
  check: SweepCheck,
  { io, json, printJson, paint }: CommandContext,
): Promise<boolean> {
  // In the order of the plan: runs end in any order.
  const { planned, differing } = await check.sort(results.toSorted((a, b) => Number(a.run) - Number(b.run)));
  differing.push(...refused);
  if (planned.length > 0 && missing.length === 0 && planned.every(({ valLoss }) => valLoss === null)) {
    throw new NumericalError('every run diverged', { hint: 'a lower --lr may help' });
  }
  if (check.programs.size > 1) io.stderr.write(`note: the runs were trained by ${[...check.programs].join(' and ')}\n`);
  const groups = rankComparable(planned);
  const { train, runs } = plan.sweep;
  if (json) {
    const ranked = groups.length === 1 ? groups[0].ranked : [];
    const splits = groups.length > 1 ? groups : [];
    printJson({ sweep: directory, train, asked: plan.asked, runs: runs.length, ranked, differing, missing, splits });
  } else printSweep({ groups, differing, missing, train }, io, await paint());
  return groups.length <= 1 && differing.length === 0;
}

/** Makes the directory hold the sweep, and the names if they came from a pipe. @returns it with the options that all runs share */
function openSweep(directory: string, { sweep, shared, names }: SweepPlan, io: IO): Pick<SweepPlan, 'sweep' | 'shared'> {
  if (!checkSweep(directory, sweep, io)) writeSweep(directory, sweep);
  return { sweep, shared: names ? { ...shared, data: keepNames(directory, names, () => false) } : shared };
}

/**
 * Whether the directory holds the sweep; false if it is empty, or none of the sweep's runs has started.
 * @throws UsageError if it holds another sweep
 * @throws FileContentError if the data set has changed since
 */
function checkSweep(directory: string, asked: Sweep, io: IO): boolean {
  const hint = 'name another directory with --out';
  const found = readSweep(directory, hint);
  if (!found) return false;
  if (!isSameSweep(found, asked)) {
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
  return true;
}
