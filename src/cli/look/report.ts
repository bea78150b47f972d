import { realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import { FileContentError, namingFile, SystemError, UsageError } from '../../core/errors.js';
import { flag, text } from '../../core/kinds.js';
import { flagName, type OptionRow } from '../../core/optionRow.js';
import { showPath } from '../../core/text.js';
import { checkOutput, writeOutput } from '../../node/outputFile.js';
import { isReportFile, readReport } from '../../node/pageFile.js';
import { REPORT } from '../../node/paths.js';
import { CHECKPOINT_FILE, findCheckpoint, findRunDirectory } from '../../node/runDirectory.js';
import { findResults, isSweep, readSweep } from '../../node/sweepDirectory.js';
import { fillReport, type ReportData } from '../../run/reportData.js';
import { reportText } from '../../run/reportSummary.js';
import { summariseSweep } from '../../run/sweepSummary.js';
import { type CommandContext, defineCommand } from '../command.js';
import { THREADS_OPTION, withKernels } from '../kernels.js';
import { EXIT_SIGNAL } from '../terminal/exitCodes.js';
import type { IO, StopSignal } from '../terminal/io.js';
import { inTurns, type Turns } from '../terminal/turns.js';
import { TRAIN_OPTIONS } from '../train/trainOptions.js';
import { inputsOf } from './exportOptions.js';
import { checkPage, showPage } from './pageOutput.js';
import { loadReportedRun, type ReportedRunOptions } from './reportedRun.js';

const OPTIONS = [
  {
    key: 'out',
    flag: '--out <file>',
    description: 'write the report to this file',
    defaultText: 'report.html in the directory of the run or the sweep; for several runs, in the current one',
    kind: text,
  },
  { key: 'data', flag: '--data <file>', description: 'data set', defaultText: "the run's own", kind: text },
  { key: 'force', flag: '--force', description: 'replace a file that exists', kind: flag },
  { key: 'print', flag: '--print', description: 'print the path of the report, and open nothing', kind: flag },
  THREADS_OPTION,
] as const satisfies readonly OptionRow[];

type ReportContext = CommandContext<(typeof OPTIONS)[number]>;

/** The name of a report's file. */
export const REPORT_FILE = 'report.html';

export const report = defineCommand({
  description:
    'Writes a report as one HTML file that needs no network, and opens it: losses beside n-grams, curves, samples, what the network looks like ' +
    'from inside, what doctor finds, and the command that repeats the run. Several runs are compared; of a sweep, it says which option mattered.',
  arguments: [{ name: '[runs...]', description: "run directories or checkpoints, or a sweep's directory", defaultText: 'runs/latest' }],
  options: OPTIONS,
  examples: [
    ['backprop-ninja report', 'the newest run'],
    ['backprop-ninja report runs/0001 runs/0002 --out compared.html', 'two runs beside each other'],
    ['backprop-ninja report sweep', 'a sweep: the median loss for each value of each option'],
  ],
  async run(context: ReportContext, names: string[]) {
    const { io, options } = context;
    const sources = findSources(names, options.data, io);
    const file = outputOf(sources, options, io);
    const empty = readReport();
    const { data, signal } = await withKernels(options.threads, io, (createBackend) =>
      inTurns(io, async (turns) => ({
        data: await gather(sources, { data: options.data, createBackend }, turns, io),
        signal: turns.signal,
      })),
    );
    if (!data) return EXIT_SIGNAL[signal as StopSignal];
    writeReport(file, empty, data);
    await showPage(file, { open: !options.print, json: context.json }, context);
    return 0;
  },
});

/** Writes the report's file, as a whole. */
export function writeReport(file: string, empty: string, data: ReportData): void {
  const html = namingFile(REPORT, () => fillReport(empty, data, reportText(data)));
  writeOutput(file, new TextEncoder().encode(html));
}

/** What a report is about: runs, by the paths of their checkpoints, or a sweep's directory. */
type Sources = { runs: readonly string[] } | { sweep: string };

function findSources(names: readonly string[], data: string | undefined, io: IO): Sources {
  if (names.length === 1) {
    const directory = directoryOf(names[0], io);
    if (directory !== undefined && isSweep(directory)) {
      if (data !== undefined)
        throw new UsageError('--data goes with one run: the runs of a sweep have their results', { hint: 'leave it out' });
      return { sweep: directory };
    }
  }
  if (names.length > 1 && data !== undefined) {
    throw new UsageError('--data goes with one run: several runs have their own data sets', { hint: 'leave it out' });
  }
  const runs = names.length === 0 ? [findCheckpoint(io.cwd)] : names.map((name) => refuseSweep(name, io) ?? findCheckpoint(io.cwd, name));
  const twice = runs.findIndex((run, i) => runs.findIndex((other) => realpathSync(other) === realpathSync(run)) !== i);
  if (twice !== -1) throw new UsageError(`${showPath(names[twice])} is named twice`, { hint: 'name each run once' });
  return { runs };
}

/** @throws UsageError if a sweep is named beside runs */
function refuseSweep(name: string, io: IO): undefined {
  const directory = directoryOf(name, io);
  if (directory === undefined || !isSweep(directory)) return;
  throw new UsageError(`${showPath(name)} is a sweep, and a report is about runs or about one sweep`, {
    hint: 'name its runs, or the sweep alone',
  });
}

/** The directory of this name; undefined if it is something else. */
function directoryOf(name: string, io: IO): string | undefined {
  try {
    return findRunDirectory(io.cwd, name);
  } catch (error) {
    if (error instanceof UsageError || error instanceof SystemError) return undefined;
    throw error;
  }
}

/** Checks where the report is written, before the work begins. */
function outputOf(sources: Sources, { out, data, force = false }: ReportContext['options'], io: IO): string {
  const inputs = [REPORT, ...('runs' in sources ? sources.runs.flatMap((run) => inputsOf(run, data, io)) : [])];
  if (out !== undefined) return checkPage(out, { force, inputs }, io);
  const directory = 'sweep' in sources ? sources.sweep : sources.runs.length > 1 ? io.cwd : realpathSync(dirname(sources.runs[0]));
  const own = join(directory, REPORT_FILE);
  // A report that was written here before is replaced, as the files of a run are.
  checkOutput(own, { option: 'the report', force: force || isReportFile(own), inputs });
  return own;
}

/** What a report is made with. */
type Means = Pick<ReportedRunOptions, 'data' | 'createBackend'>;

/** @returns undefined if a signal came first */
async function gather(sources: Sources, means: Means, turns: Turns, io: IO): Promise<ReportData | undefined> {
  if ('sweep' in sources) return gatherSweep(sources.sweep, means, turns, io);
  const runs = await loadAll(sources.runs, means, turns, io);
  return runs && { runs, sweep: null, live: false };
}

async function loadAll(paths: readonly string[], means: Means, turns: Turns, io: IO): Promise<ReportData['runs'] | undefined> {
  const runs: ReportData['runs'] = [];
  const names = runNames(paths, io.cwd);
  for (const [i, path] of paths.entries()) {
    const run = await loadReportedRun(path, { ...means, name: names[i], withNetwork: paths.length === 1 }, turns, io);
    if (!run) return undefined;
    runs.push(run);
  }
  return runs;
}

/**
 * A name for each run: that of its directory. Where it is not the only one, as much of the path as it takes, below the working directory, and
 * the checkpoint's name; where that is not enough, a number.
 * @param paths the checkpoints
 */
export function runNames(paths: readonly string[], cwd: string): string[] {
  const short = paths.map((path) => basename(realpathSync(dirname(path))));
  const longer = paths.map((path) => namesFor(path, cwd));
  const most = Math.max(...longer.map(({ length }) => length));
  const isOnly = (names: readonly string[], i: number) => names.filter((name) => name === names[i]).length === 1;
  let names = short;
  for (let k = 0; k < most; k++)
    names = names.map((name, i, all) => (isOnly(all, i) ? name : (longer[i].at(Math.min(k, longer[i].length - 1)) as string)));
  return names.map((name, i) => {
    const before = names.slice(0, i).filter((other) => other === name).length;
    return before === 0 ? name : `${name} (${before + 1})`;
  });
}

/** What a run can be called, longer and longer. A path outside the working directory says nothing of where it is. */
function namesFor(path: string, cwd: string): string[] {
  const directory = realpathSync(dirname(path));
  const file = basename(path, '.safetensors');
  const suffix = basename(path) === CHECKPOINT_FILE ? '' : ` (${file})`;
  const inside = relative(realpathSync(cwd), directory).split(sep);
  const parts = inside[0] === '..' || isAbsolute(inside[0]) ? [] : inside;
  return [basename(directory), ...parts.map((_, i) => parts.slice(parts.length - 1 - i).join('/')).slice(1)].map(
    (name) => `${name}${suffix}`,
  );
}

/** The runs of a sweep that get curves: as many as there are colours. */
const MOST_CURVES = 6;

async function gatherSweep(directory: string, { createBackend }: Means, turns: Turns, io: IO): Promise<ReportData | undefined> {
  const plan = readSweep(directory, 'run the sweep again, in another directory');
  const { results } = plan ? findResults(directory, plan) : { results: [] };
  if (!plan || results.length === 0) {
    throw new SystemError(`no run of the sweep in ${showPath(directory)} is done`, { hint: 'run it to its end, or wait' });
  }
  const { vary, train, runs: planned } = plan;
  const sweep = summariseSweep({ vary, planned: planned.length, shared: sharedOf(train) }, results);
  const runs: ReportData['runs'] = [];
  for (const { run: name } of sweep.results.slice(0, MOST_CURVES)) {
    try {
      const path = join(directory, name, CHECKPOINT_FILE);
      const run = await loadReportedRun(path, { name, data: undefined, withNetwork: false, createBackend }, turns, io);
      if (!run) return undefined;
      runs.push(run);
    } catch (error) {
      // The results are in the sweep's own file: a run that was deleted has no curve.
      if (!(error instanceof SystemError || error instanceof FileContentError)) throw error;
    }
  }
  return { runs, sweep, live: false };
}

/** The options of train that take a file. */
const FILE_FLAGS = TRAIN_OPTIONS.filter(({ flag = '' }: OptionRow) => flag.endsWith(' <file>')).map(flagName);

/** The options that all runs share. In the place of files is FILE. */
function sharedOf(words: readonly string[]): string {
  const shown = words.map((word, i) => {
    if (FILE_FLAGS.includes(words[i - 1])) return 'FILE';
    const [flag] = word.split('=');
    return flag !== word && FILE_FLAGS.includes(flag) ? `${flag} FILE` : word;
  });
  return shown.join(' ');
}
