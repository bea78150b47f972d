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
    return { option: variation.option, groups };
  });
  const shares = sharesOf(
    options.map(({ groups }) => groups),
    ranks,
  );
  const summaries = options.map(({ option, groups }, i) => summariseOption(option, groups, results, shares[i]));
  return {
    planned,
    done: results.length,
    diverged: results.filter(({ valLoss }) => valLoss === null).length,
    options: summaries.sort((a, b) => (b.share ?? -1) - (a.share ?? -1)),
    results: results
      .map(({ run, options: chosen, trainLoss, valLoss, seconds }, i) => ({
        run,
        options: { ...chosen },
        places: placesOf(i, options),
        trainLoss,
        valLoss,
        seconds,
      }))
      .sort((a, b) => (a.valLoss ?? Number.POSITIVE_INFINITY) - (b.valLoss ?? Number.POSITIVE_INFINITY)),
    shared,
  };
}

/** The runs of a value, or of an interval, by their places among the results. */
interface Group {
  value: string;
  runs: number[];
}

/** By option, the index of the group that a result is in. */
function placesOf(result: number, options: readonly { option: string; groups: readonly Group[] }[]): Record<string, number> {
  return Object.fromEntries(
    options.flatMap(({ option, groups }) => {
      const place = groups.findIndex(({ runs }) => runs.includes(result));
      return place === -1 ? [] : [[option, place]];
    }),
  );
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

function summariseOption(option: string, groups: readonly Group[], results: readonly SweepResult[], share: number | null): OptionSummary {
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
  return { option, values, share };
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
 * For each option, the share of the variance of the runs' ranks that lies between its groups, less what groups of this size explain by chance
 * (epsilon squared, as in Kelley 1935): 0 if the option explains no more than that. In a full grid, chance is what no option explains, so that
 * a small effect is seen beside a large one. Ranks, because a single diverged run would outweigh all others.
 */
function sharesOf(options: readonly (readonly Group[])[], ranks: readonly number[]): (number | null)[] {
  const n = ranks.length;
  const mean = ranks.reduce((sum, rank) => sum + rank, 0) / n;
  const total = ranks.reduce((sum, rank) => sum + (rank - mean) ** 2, 0);
  const between = (groups: readonly Group[]) =>
    groups.reduce((sum, { runs }) => sum + runs.length * (runs.reduce((own, i) => own + ranks[i], 0) / runs.length - mean) ** 2, 0);
  /** Variance that these options leave. */
  const rest = (known: readonly (readonly Group[])[]) =>
    known.reduce((left, groups) => left - between(groups), total) / (n - 1 - known.reduce((sum, groups) => sum + groups.length - 1, 0));
  const others = isGrid(options, n) ? rest(options) : undefined;
  return options.map((groups) => {
    if (groups.length < 2 || n <= groups.length || total === 0) return null;
    return Math.max(0, (between(groups) - (groups.length - 1) * (others ?? rest([groups]))) / total);
  });
}

/** Whether every two values of different options meet in as many runs, so that the effects of options add up, and something is left over. */
function isGrid(options: readonly (readonly Group[])[], n: number): boolean {
  const meet = (a: Group, b: Group) => a.runs.filter((i) => b.runs.includes(i)).length * n === a.runs.length * b.runs.length;
  const balanced = options.every((one, i) => options.slice(i + 1).every((other) => one.every((a) => other.every((b) => meet(a, b)))));
  return balanced && n - 1 > options.reduce((sum, groups) => sum + groups.length - 1, 0);
}
