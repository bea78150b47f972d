/** What a sweep found: the validation loss by the values of each option, and which option mattered. */
import type { SweepSummary } from './reportData.js';
import { medianOf, parseVariation, type SweepResult } from './sweep.js';

/** A sampled range is shown in this many intervals. */
const INTERVALS = 4;

type OptionSummary = SweepSummary['options'][number];

/**
 * @param vary the variations, as on the command line
 * @param planned the number of planned runs
 * @param shared the options of train that all runs share, as typed
 */
export function summariseSweep(
  { vary, planned, shared }: { vary: readonly string[]; planned: number; shared: string },
  results: readonly SweepResult[],
): SweepSummary {
  const ranks = ranksOf(results.map(({ valLoss }) => valLoss ?? Number.POSITIVE_INFINITY));
  const options = vary.map((text) => {
    const variation = parseVariation(text);
    const groups = 'range' in variation ? intervalsOf(variation.option, results) : valuesOf(variation.option, variation.values, results);
    return summariseOption(variation.option, groups, results, ranks);
  });
  return {
    planned,
    done: results.length,
    diverged: results.filter(({ valLoss }) => valLoss === null).length,
    options: options.sort((a, b) => (b.share ?? -1) - (a.share ?? -1)),
    results: [...results]
      .sort((a, b) => (a.valLoss ?? Number.POSITIVE_INFINITY) - (b.valLoss ?? Number.POSITIVE_INFINITY))
      .map(({ run, options: chosen, trainLoss, valLoss, seconds }) => ({ run, options: { ...chosen }, trainLoss, valLoss, seconds })),
    shared,
  };
}

/** The runs of a value, or of an interval, by their places among the results. */
interface Group {
  value: string;
  runs: number[];
}

function valuesOf(option: string, values: readonly string[], results: readonly SweepResult[]): Group[] {
  return values
    .map((value) => ({ value, runs: results.flatMap(({ options }, i) => (options[option] === value ? [i] : [])) }))
    .filter(({ runs }) => runs.length > 0);
}

/** Intervals with about equally many runs. Runs of one value stay together. */
function intervalsOf(option: string, results: readonly SweepResult[]): Group[] {
  const valueAt = (i: number) => Number(results[i].options[option]);
  const sorted = results.map((_, i) => i).sort((a, b) => valueAt(a) - valueAt(b));
  const groups: number[][] = [];
  for (const [k, i] of sorted.entries()) {
    const last = groups.at(-1);
    const isNext = Math.floor((k * INTERVALS) / sorted.length) > Math.floor(((k - 1) * INTERVALS) / sorted.length);
    if (last && (!isNext || valueAt(i) === valueAt(last[last.length - 1]))) last.push(i);
    else groups.push([i]);
  }
  return groups.map((runs) => ({ value: intervalText(runs.map((i) => results[i].options[option] as string)), runs }));
}

function intervalText(values: readonly string[]): string {
  const [first, last] = [values[0], values[values.length - 1]];
  return first === last ? first : `${first} to ${last}`;
}

function summariseOption(
  option: string,
  groups: readonly Group[],
  results: readonly SweepResult[],
  ranks: readonly number[],
): OptionSummary {
  const values = groups.map(({ value, runs }) => {
    const losses = runs.map((i) => results[i].valLoss);
    const found = losses.filter((loss) => loss !== null);
    const diverged = losses.length - found.length;
    // A diverged run is worse than every loss. As the median, it has no number.
    const median = medianOf(losses.map((loss) => loss ?? Number.POSITIVE_INFINITY));
    return {
      value,
      runs: runs.length,
      diverged,
      median: median !== null && Number.isFinite(median) ? median : null,
      least: found.length > 0 ? Math.min(...found) : null,
    };
  });
  return { option, values, share: shareOf(groups, ranks) };
}

/** Ranks from 1; equal values share the mean of theirs. */
function ranksOf(values: readonly number[]): number[] {
  return values.map((value) => {
    const below = values.filter((other) => other < value).length;
    const equal = values.filter((other) => other === value).length;
    return below + (equal + 1) / 2;
  });
}

/**
 * The share of the variance of the runs' ranks that lies between the groups, corrected for what groups of this size explain by chance (epsilon
 * squared, as in Kelley 1935): 0 if the option explains no more than that. Ranks, because a single diverged run would outweigh all others.
 */
function shareOf(groups: readonly Group[], ranks: readonly number[]): number | null {
  const [n, k] = [ranks.length, groups.length];
  if (k < 2 || n <= k) return null;
  const mean = ranks.reduce((sum, rank) => sum + rank, 0) / n;
  const total = ranks.reduce((sum, rank) => sum + (rank - mean) ** 2, 0);
  if (total === 0) return null;
  const within = groups.reduce((sum, { runs }) => {
    const own = runs.reduce((s, i) => s + ranks[i], 0) / runs.length;
    return sum + runs.reduce((s, i) => s + (ranks[i] - own) ** 2, 0);
  }, 0);
  return Math.max(0, 1 - within / (n - k) / (total / (n - 1)));
}
