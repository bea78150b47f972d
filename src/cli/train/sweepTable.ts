/** The results of a sweep, for people. */

import { extentOf } from '../../core/numbers.js';
import { flagName, type OptionRow } from '../../core/optionRow.js';
import { shellWord } from '../../core/text.js';
import { type OptionValues, type Ranked, rank, type SweepResult } from '../../run/sweep.js';
import { DATA_OPTIONS } from '../../training/options.js';
import type { Paint } from '../terminal/colors.js';
import { type Align, formatCountOf, formatLoss, formatTable } from '../terminal/format.js';
import { commandName, type IO } from '../terminal/io.js';
import type { DifferingRun } from './sweepCheck.js';
import { asArguments } from './sweepPlan.js';

/** Runs whose losses can be compared: they have the same data, split in the same way. */
export interface ComparableRuns {
  /** The values of the varied options that decide the split. */
  split: OptionValues;
  ranked: Ranked[];
}

/** The names of the options that decide the split, without dashes. */
const SPLIT_OPTIONS: readonly string[] = DATA_OPTIONS.map((row: OptionRow) => flagName(row).replace(/^--/, ''));

/** Groups results by their split, and ranks each group. */
export function rankComparable(results: readonly SweepResult[]): ComparableRuns[] {
  const groups = new Map<string, { split: OptionValues; results: SweepResult[] }>();
  for (const result of results) {
    const split = Object.fromEntries(Object.entries(result.options).filter(([option]) => SPLIT_OPTIONS.includes(option)));
    const key = JSON.stringify(split);
    const group = groups.get(key) ?? { split, results: [] };
    group.results.push(result);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ split, results }) => ({ split, ranked: rank(results) }));
}

/** A row names at most this many run directories; for more, it gives their number. */
const MAX_NAMES = 3;
/** At most this many runs that are not in the ranking are listed. */
const MAX_LISTED = 20;

/** A run without a result. */
export interface MissingRun {
  run: string;
  options: OptionValues;
  reason: string;
}

interface SweepToPrint {
  groups: readonly ComparableRuns[];
  differing: readonly DifferingRun[];
  missing: readonly MissingRun[];
  /** The options that all runs share, as typed. */
  train: readonly string[];
}

/** The ranking, or a ranking per split, and the runs that are not in it. */
export function printSweep({ groups, differing, missing, train }: SweepToPrint, io: IO, paint: Paint): void {
  const lines = groups.flatMap(({ split, ranked }) => [
    '',
    ...(groups.length > 1 ? [paint.bold(`with ${asArguments(split).join(' ')}:`)] : []),
    ...tableOf(ranked, paint),
  ]);
  const [first] = groups;
  if (groups.length === 1) {
    const again = [
      `${commandName(io)} train`,
      ...train.map((word) => shellWord(word)),
      ...asArguments(typicalRun(first.ranked[0]).options),
    ];
    lines.push('', `to repeat the first: ${again.join(' ')}`);
  } else if (groups.length > 1) {
    const names = Object.keys(first.split).map((option) => `--${option}`);
    lines.push('', paint.red(`not ranked together: ${names.join(' and ')} changes which names are held out, so losses cannot be compared`));
  }
  const others = [...differingLines(differing, paint), ...missingLines(missing)];
  io.stdout.write(`${[...lines, ...others].join('\n')}\n`);
}

function differingLines(differing: readonly DifferingRun[], paint: Paint): string[] {
  if (differing.length === 0) return [];
  const which = differing.length === 1 ? 'it is not the run' : 'they are not the runs';
  return ['', paint.red(`not ranked, because ${which} of this sweep:`), ...listOf(differing, ({ problems }) => problems.join('; '))];
}

function missingLines(missing: readonly MissingRun[]): string[] {
  if (missing.length === 0) return [];
  return [
    '',
    `not ranked, because ${missing.length === 1 ? 'it has' : 'they have'} no result yet:`,
    ...listOf(missing, ({ reason }) => reason),
  ];
}

/** The first runs of a list, a line each. */
function listOf<Run extends { run: string; options: OptionValues }>(runs: readonly Run[], what: (run: Run) => string): string[] {
  const more = runs.length - MAX_LISTED;
  return [
    ...runs.slice(0, MAX_LISTED).map((run) => `  ${run.run} (${asArguments(run.options).join(' ')}): ${what(run)}`),
    ...(more > 0 ? [`  and ${formatCountOf(more, 'other run')}`] : []),
  ];
}

function tableOf(ranked: readonly Ranked[], paint: Paint): string[] {
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
  return [paint.dim(title), ...lines];
}

/** The run whose loss is nearest to the median. */
function typicalRun({ runs, valLoss }: Ranked): SweepResult {
  const distance = (run: SweepResult) => Math.abs((run.valLoss ?? Number.POSITIVE_INFINITY) - (valLoss ?? 0));
  return runs.reduce((nearest, run) => (distance(run) < distance(nearest) ? run : nearest));
}

function show(value: number | null, text: (value: number) => string, missing: string): string {
  return value === null ? missing : text(value);
}
