import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { FileContentError, SystemError, UsageError } from '../../core/errors.js';
import type { Job } from '../../core/job.js';
import { choice, flag, wholeNumber } from '../../core/kinds.js';
import { extentOf } from '../../core/numbers.js';
import { metricsLines } from '../../node/metricsFile.js';
import { CHECKPOINT_FILE, findRunDirectory, METRICS_FILE, readRunFile } from '../../node/runDirectory.js';
import { sweepRuns } from '../../node/sweepDirectory.js';
import { type CurvePoint, QUANTITIES, type Quantity, RunCurves, type ThinnedCurve } from '../../run/runCurves.js';
import { defineCommand } from '../command.js';
import type { Paint } from '../terminal/colors.js';
import { EXIT_SIGNAL } from '../terminal/exitCodes.js';
import { columnsThatFit, formatCount, formatCountOf, formatLoss, formatTable, widthOf, wrapText } from '../terminal/format.js';
import { type IO, type StopSignal, shortPath } from '../terminal/io.js';
import { BOTH, plotCurves } from '../terminal/plot.js';
import { Status } from '../terminal/status.js';
import { inTurns } from '../terminal/turns.js';
import { loadWidths } from '../terminal/width.js';

const MAX_STEPS = 1_000_000_000;

/** Draws the records of runs: of one run the training and the validation loss, of several their validation losses. */
export const plot = defineCommand({
  description: 'Draws the losses of runs, finished or in training, or what else they recorded, in the terminal.',
  arguments: [{ name: '[runs...]', description: "run directories, or a sweep's", defaultText: 'runs/latest' }],
  options: [
    {
      key: 'what',
      flag: '--what <quantity>',
      description:
        'loss: training and validation; train or val: one of them; rate: learning rate; update: log10 of update:data of each matrix; ' +
        'saturation: share of |h| > 0.97; gradient: its norm',
      defaultText: 'loss for one run; val for several, or train if they have one validation loss each',
      kind: choice(QUANTITIES),
    },
    { key: 'from', flag: '--from <step>', description: 'leave out the steps before', kind: wholeNumber(0, MAX_STEPS), default: 0 },
    { key: 'log', flag: '--log', description: 'logarithmic scale', kind: flag },
  ],
  examples: [
    ['backprop-ninja plot', 'training and validation loss of the newest run'],
    ['backprop-ninja plot runs/0001 runs/0002 --from 1000', 'the validation losses of two runs, without their start'],
    ['backprop-ninja plot --what update', 'how far each update moves the weights, beside the rule of thumb'],
    ['backprop-ninja plot sweep', 'all runs of a sweep, the best first'],
  ],
  async run({ io, json, options, printJson, paint }, names: string[]) {
    const runs = findRuns(names, io);
    const { from, log = false } = options;
    const asked = options.what ?? 'loss';
    const { read: found, signal } = await inTurns(io, async (turns) => {
      const status = new Status(io);
      const read: RunOnPlot[] = [];
      const job = readAll(runs, new Reader(asked, from, json ? Number.POSITIVE_INFINITY : undefined), read);
      const done = await turns.run(job, () => status.update(() => `reading the records, ${formatCountOf(read.length, 'run')} done`));
      status.clear();
      return { read: done && read, signal: turns.signal };
    });
    if (!found) return EXIT_SIGNAL[signal as StopSignal];
    const { what, curves } = options.what === undefined && runs.length > 1 ? oneLossEach(found) : { what: asked, curves: found };
    tellOfFlaws(curves, what, io);
    if (json) printJson(jsonOf(what, curves));
    else await print({ what, log, runs: curves }, io, await paint());
    return 0;
  },
});

/** A run to draw. */
interface NamedRun {
  /** As the user would type it, with the options that a sweep gave it. */
  name: string;
  directory: string;
  isOfSweep: boolean;
}

interface RunOnPlot extends NamedRun {
  /** The steps that it is trained for; undefined if that is not known. */
  steps: number | undefined;
  /** Whether its numbers diverged in its last session. */
  diverged: boolean;
  curves: RunCurves['curves'];
  /** The last step of what was asked for that --from leaves out. */
  before: number | undefined;
  /** Numbers, from 1, of lines that are no records. */
  flawed: number[];
  isImported: boolean;
}

function findRuns(names: readonly string[], io: IO): NamedRun[] {
  if (names.length === 0) return [namedRun(findRunDirectory(io.cwd), io)];
  const found = names.flatMap((name) => {
    const directory = findRunDirectory(io.cwd, name);
    const runs = sweepRuns(directory);
    if (!runs) return [namedRun(directory, io)];
    if (runs.length === 0) throw new FileContentError(`${shortPath(directory, io)}: no run of this sweep has begun`);
    return runs.map(({ directory, options }) => {
      const values = Object.entries(options).map(([option, value]) => `${option}=${value}`);
      return { name: [shortPath(directory, io), ...values].join(' '), directory, isOfSweep: true };
    });
  });
  return [...new Map(found.map((run) => [run.directory, run])).values()];
}

function namedRun(directory: string, io: IO): NamedRun {
  return { name: shortPath(directory, io), directory, isOfSweep: false };
}

function* readAll(runs: readonly NamedRun[], reader: Reader, read: RunOnPlot[]): Job<true> {
  for (const run of runs) read.push(yield* reader.read(run));
  return true;
}

/** Of several runs one curve each: the validation losses, unless every run has been evaluated once only. */
function oneLossEach(runs: readonly RunOnPlot[]): { what: Quantity; curves: RunOnPlot[] } {
  const isVal = runs.some(({ curves }) => (curves.get('validation')?.points.length ?? 0) > 1);
  const kept = isVal ? 'validation' : 'training';
  const curves = runs.map((run) => ({ ...run, curves: new Map([...run.curves].filter(([name]) => name === kept)) }));
  return { what: isVal ? 'val' : 'train', curves };
}

class Reader {
  readonly #what: Quantity;
  readonly #from: number;
  readonly #most: number | undefined;

  constructor(what: Quantity, from: number, most: number | undefined) {
    this.#what = what;
    this.#from = from;
    this.#most = most;
  }

  *read(run: NamedRun): Job<RunOnPlot> {
    const curves = new RunCurves(this.#what, this.#most);
    const left = new RunCurves(this.#what);
    const flawed: number[] = [];
    for (const line of metricsLines(join(run.directory, METRICS_FILE))) {
      if ('record' in line) {
        (line.record.step >= this.#from ? curves : left).add(line.record);
      } else if ('flaw' in line) flawed.push(line.number);
      // A last line without its end is being written.
      yield;
    }
    const last = [...left.curves.values()].flatMap((curve) => curve.last?.[0] ?? []);
    const before = last.length === 0 ? undefined : Math.max(...last);
    return { ...run, ...aboutRun(run.directory), curves: curves.curves, before, flawed };
  }
}

/** What run.json says about a run, as far as it can be read. */
function aboutRun(directory: string): Pick<RunOnPlot, 'steps' | 'diverged' | 'isImported'> {
  try {
    const { config, diverged }: Record<string, unknown> = readRunFile(join(directory, CHECKPOINT_FILE)) ?? {};
    const { steps, imported } = (config ?? {}) as Record<string, unknown>;
    return { steps: typeof steps === 'number' ? steps : undefined, diverged: diverged !== undefined, isImported: imported === true };
  } catch (error) {
    if (error instanceof FileContentError) return { steps: undefined, diverged: false, isImported: false };
    throw error;
  }
}

const MOST_SHOWN = 5;

/** Says what cannot be drawn. @throws if nothing can, as whyEmpty says */
function tellOfFlaws(runs: readonly RunOnPlot[], what: Quantity, io: IO): void {
  for (const { directory, flawed } of runs) {
    if (flawed.length === 0) continue;
    const shown = flawed.slice(0, MOST_SHOWN).join(', ') + (flawed.length > MOST_SHOWN ? ', …' : '');
    const file = shortPath(join(directory, METRICS_FILE), io);
    io.stderr.write(`note: ${file}: skipped ${formatCountOf(flawed.length, 'line')} that cannot be read: ${shown}\n`);
  }
  const empty = runs.filter(({ curves }) => curves.size === 0);
  const isNothing = empty.length === runs.length;
  for (const [i, run] of empty.entries()) {
    const reason = whyEmpty(run, what);
    if (isNothing && i === empty.length - 1) throw reason;
    io.stderr.write(`note: ${reason.message}\n`);
  }
}

/** A UsageError if --from leaves out all, a SystemError if there is no file, else a FileContentError. */
function whyEmpty({ name, isImported, directory, before, diverged }: RunOnPlot, what: Quantity): Error {
  if (isImported) return new FileContentError(`${name}: its weights were imported, so there is no training to draw`);
  if (!existsSync(join(directory, METRICS_FILE))) return new SystemError(`${name}: there is no ${METRICS_FILE}`);
  if (before !== undefined)
    return new UsageError(`${name}: --from is beyond step ${formatCount(before)}, the last one with --what ${what}`);
  if (diverged) return new FileContentError(`${name}: its numbers diverged before anything was recorded for --what ${what}`);
  return new FileContentError(`${name}: nothing is recorded yet for --what ${what}`);
}

function jsonOf(what: Quantity, runs: readonly RunOnPlot[]) {
  return {
    what,
    runs: runs.map(({ directory, name, steps, diverged, curves, flawed }) => ({
      run: directory,
      name,
      steps: steps ?? null,
      diverged,
      curves: [...curves].map(([name, { points }]) => ({ name, points })),
      skippedLines: flawed,
    })),
  };
}

const TITLES: Record<Quantity, string> = {
  loss: 'loss in nats per character',
  train: 'training loss in nats per character',
  val: 'validation loss in nats per character',
  rate: 'learning rate',
  update: 'log10 of update:data; the rule of thumb is -3',
  saturation: 'share of |h| > 0.97',
  gradient: 'norm of the gradient, before clipping',
};

/** log10 of update:data that a learning rate should give. */
const UPDATE_LEVEL = -3;

/** One curve with its row in the legend. */
interface Drawn {
  run: RunOnPlot;
  name: string;
  curve: ThinnedCurve;
}

const TWO_MARKS = '·o';
const MARKS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

interface Picture {
  what: Quantity;
  log: boolean;
  runs: readonly RunOnPlot[];
}

async function print({ what, log, runs }: Picture, io: IO, paint: Paint): Promise<void> {
  const drawn = limited(ordered(runs), io);
  const marks = drawn.length <= TWO_MARKS.length ? TWO_MARKS : MARKS;
  await loadWidths(...runs.map(({ name }) => name));
  const { stdout } = io;
  const legend = legendOf(drawn, marks, what, widthOf(stdout), paint);
  const scaled = drawn.map(({ curve }, i) => ({ mark: marks[i], points: log ? logarithmic(curve.points, what) : curve.points }));
  if (scaled.every(({ points }) => points.length === 0)) throw new UsageError('--log has nothing to draw: no value is above 0');
  const title = wrapText(`${TITLES[what]}${log ? ', logarithmic' : ''}`, widthOf(stdout)).map((line) => paint.bold(line));
  const lines = plotCurves(scaled, {
    width: stdout.columns,
    height: stdout.isTTY ? heightIn(stdout.rows - legend.length - title.length - 2) : HEIGHTS.most,
    showX: (step) => `step ${formatCount(step)}`,
    showY: (y) => (log ? String(Number((10 ** y).toPrecision(3))) : showValue(y, what, scaled)),
    ...(what === 'update' && { level: UPDATE_LEVEL }),
  });
  stdout.write(`${[...title, ...lines, '', ...legend].join('\n')}\n`);
}

/** Lines of a plot: odd, so that the lowest y is in line with the other labels. */
const HEIGHTS = { least: 9, most: 21 };

function heightIn(lines: number): number {
  return Math.max(HEIGHTS.least, Math.min(HEIGHTS.most, lines - (1 - (lines % 2))));
}

/** The curves; those of a sweep's runs by their last values, the lowest first. */
function ordered(runs: readonly RunOnPlot[]): Drawn[] {
  const drawn = runs.flatMap((run) => [...run.curves].map(([name, curve]) => ({ run, name, curve })));
  if (!runs.every(({ isOfSweep }) => isOfSweep)) return drawn;
  const last = ({ curve }: Drawn) => curve.last?.[1] ?? Number.POSITIVE_INFINITY;
  return drawn.sort((a, b) => last(a) - last(b));
}

function limited(drawn: readonly Drawn[], io: IO): readonly Drawn[] {
  if (drawn.length <= MARKS.length) return drawn;
  io.stderr.write(`note: the first ${MARKS.length} of ${formatCount(drawn.length)} curves are drawn\n`);
  return drawn.slice(0, MARKS.length);
}

function logarithmic(points: readonly CurvePoint[], what: Quantity): CurvePoint[] {
  if (what === 'update') throw new UsageError('--log cannot be used with --what update, which is logarithmic');
  return points.flatMap(([step, value]): CurvePoint[] => (value > 0 ? [[step, Math.log10(value)]] : []));
}

/** Labels of an axis have as many digits as it takes to tell them apart. */
function showValue(y: number, what: Quantity, curves: readonly { points: readonly CurvePoint[] }[]): string {
  if (what === 'update') return y.toFixed(1);
  if (what === 'saturation') return `${(100 * y).toFixed(1)} %`;
  const [least, most] = extentOf(curves.flatMap(({ points }) => points.map(([, value]) => value)));
  const digits = most > least ? Math.max(2, Math.min(8, 1 - Math.floor(Math.log10(most - least)))) : 4;
  return y.toFixed(digits);
}

function showLast(value: number, what: Quantity): string {
  if (what === 'update') return value.toFixed(2);
  if (what === 'saturation') return `${(100 * value).toFixed(1)} %`;
  return what === 'rate' ? String(Number(value.toPrecision(3))) : formatLoss(value);
}

const COLUMNS = [
  { title: '', align: 'left', leaves: 0 },
  { title: 'run', align: 'left', leaves: 0 },
  { title: 'curve', align: 'left', leaves: 1 },
  { title: 'last', align: 'right', leaves: 0 },
  { title: 'lowest', align: 'right', leaves: 3 },
  { title: 'at step', align: 'right', leaves: 4 },
  { title: 'steps', align: 'right', leaves: 2 },
] as const;

function legendOf(drawn: readonly Drawn[], marks: string, what: Quantity, width: number, paint: Paint): string[] {
  const rows = drawn.map(({ run, name, curve: { last, lowest } }, i) => {
    const [step, value] = last ?? [0, Number.NaN];
    const [at, least] = lowest ?? [0, Number.NaN];
    const of = run.steps !== undefined && step < run.steps ? ` of ${formatCount(run.steps)}` : '';
    const steps = `${formatCount(step)}${of}${run.diverged ? ', diverged' : ''}`;
    return [marks[i], run.name, name, showLast(value, what), showLast(least, what), formatCount(at), steps];
  });
  const cells = [COLUMNS.map(({ title }) => title as string), ...rows];
  const shown = columnsThatFit(cells, COLUMNS, width);
  const [head, ...lines] = formatTable(
    cells.map((row) => shown.map((column) => row[column])),
    shown.map((column) => COLUMNS[column].align),
  );
  return [paint.dim(head), ...lines, ...(drawn.length > 1 ? [paint.dim(`${BOTH}  several curves`)] : [])];
}
