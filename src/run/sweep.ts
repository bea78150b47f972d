/** A sweep's plan: the combinations of option values to train with, and the ranking of the results. */
import { UsageError } from '../core/errors.js';
import type { RandomStream } from '../core/random.js';

/** The values of one option: a list, or a range to sample from. */
export type Variation = { option: string; values: readonly string[] } | { option: string; range: Range };

/** `from` is below `to`. */
interface Range {
  from: number;
  to: number;
  /** Whether samples are whole numbers. */
  whole: boolean;
}

/** Option names without dashes, and their values as on the command line: `{ lr: '0.1' }`. */
export type OptionValues = Readonly<Record<string, string>>;

const VALUE_SEPARATOR = '/';
const RANGE = /^(\d+\.?\d*(?:e[+-]?\d+)?)\.\.(\d+\.?\d*(?:e[+-]?\d+)?)$/i;

/**
 * Parses the value of --vary: a list, `lr=0.05/0.1/0.2`, or a range, `lr=0.01..1`. A range between whole numbers gives whole numbers.
 * @throws UsageError if the text is neither, a value is empty or repeated, or the range does not increase
 */
export function parseVariation(text: string): Variation {
  const [, option, list] = /^(?:--)?([a-z][a-z0-9-]*)=(.+)$/.exec(text) ?? [];
  if (option === undefined)
    throw new UsageError(`--vary ${text}: expected an option and its values, for example lr=0.05/0.1/0.2 or lr=0.01..1`);
  const [, from, to] = RANGE.exec(list) ?? [];
  if (from !== undefined) {
    const range = { from: Number(from), to: Number(to), whole: /^\d+$/.test(from) && /^\d+$/.test(to) };
    if (!(range.from < range.to)) throw new UsageError(`--vary ${text}: the range must increase`);
    return { option, range };
  }
  const values = list.split(VALUE_SEPARATOR);
  if (values.includes('')) throw new UsageError(`--vary ${text}: a value is empty; values are separated by ${VALUE_SEPARATOR}`);
  if (new Set(values).size < values.length) throw new UsageError(`--vary ${text}: a value is repeated`);
  return { option, values };
}

/**
 * The number of combinations of the values.
 * @throws UsageError if an option has a range, which can only be sampled
 */
export function combinationsOf(variations: readonly Variation[]): number {
  return variations.reduce((product, variation) => {
    if ('values' in variation) return product * variation.values.length;
    throw new UsageError(`--vary ${variation.option} has a range, which a grid cannot cover`, {
      hint: 'set the number of random samples with --random',
    });
  }, 1);
}

/**
 * Every combination of the values; the first option varies slowest.
 * @throws UsageError if an option has a range, which can only be sampled
 */
export function gridOf(variations: readonly Variation[]): OptionValues[] {
  const count = combinationsOf(variations);
  const lists = variations.flatMap((variation) => ('values' in variation ? [variation] : []));
  return Array.from({ length: count }, (_, index) => {
    let rest = index;
    const chosen = lists.toReversed().map(({ option, values }) => {
      const value = values[rest % values.length];
      rest = Math.floor(rest / values.length);
      return [option, value] as const;
    });
    return Object.fromEntries(chosen.reverse());
  });
}

/** Random combinations without repetition: `count` of them, or fewer if the lists have no more. */
export function drawFrom(variations: readonly Variation[], count: number, random: RandomStream): OptionValues[] {
  const drawn = new Map<string, OptionValues>();
  // Lists alone may have fewer combinations. Many repetitions in a row end the search.
  for (let misses = 0; drawn.size < count && misses < MAX_MISSES; ) {
    const assignment = Object.fromEntries(variations.map((variation) => [variation.option, drawValue(variation, random)]));
    const key = JSON.stringify(assignment);
    misses = drawn.has(key) ? misses + 1 : 0;
    drawn.set(key, assignment);
  }
  return [...drawn.values()];
}

const MAX_MISSES = 1000;

function drawValue(variation: Variation, random: RandomStream): string {
  if ('values' in variation) return variation.values[Math.floor(random() * variation.values.length)];
  const { from, to, whole } = variation.range;
  const u = random();
  // Uniform in the logarithm, because ratios of rates and sizes matter; a range from 0 has no logarithm and is sampled uniformly.
  const x = from > 0 ? from * Math.exp(u * Math.log(to / from)) : to * u;
  if (whole) return String(Math.round(x));
  // Three significant digits, unless rounding would leave a narrow range.
  const rounded = Number(x.toPrecision(3));
  return String(rounded >= from && rounded <= to ? rounded : Number(x.toPrecision(7)));
}

/** The result of a run. */
export interface SweepResult {
  /** Name of the run's directory inside the sweep's directory. */
  run: string;
  options: OptionValues;
  /** Duration of the training; null if the run was interrupted and resumed. */
  seconds: number | null;
  /** Mean losses in nats; null if the run diverged. */
  trainLoss: number | null;
  valLoss: number | null;
}

/** Runs that differ only in their seeds. */
export interface Ranked {
  options: OptionValues;
  runs: readonly SweepResult[];
  /** Medians over the runs; null if one of the runs has no value. */
  valLoss: number | null;
  trainLoss: number | null;
  seconds: number | null;
}

/** The option whose values are repetitions of a run, not a choice. */
const REPETITION = 'seed';

/** Groups results that differ only in their seeds, and sorts them by median validation loss, smallest first, diverged runs last. */
export function rank(results: readonly SweepResult[]): Ranked[] {
  const groups = new Map<string, SweepResult[]>();
  for (const result of results) {
    const key = JSON.stringify(choices(result.options));
    const group = groups.get(key) ?? [];
    group.push(result);
    groups.set(key, group);
  }
  const ranked = [...groups.values()].map((runs) => ({
    options: choices(runs[0].options),
    runs,
    valLoss: medianOf(runs.map(({ valLoss }) => valLoss)),
    trainLoss: medianOf(runs.map(({ trainLoss }) => trainLoss)),
    seconds: medianOf(runs.map(({ seconds }) => seconds)),
  }));
  return ranked.sort((a, b) => (a.valLoss ?? Number.POSITIVE_INFINITY) - (b.valLoss ?? Number.POSITIVE_INFINITY));
}

function choices(options: OptionValues): OptionValues {
  return Object.fromEntries(Object.entries(options).filter(([option]) => option !== REPETITION));
}

/** The median; null if one of the values is. */
export function medianOf(values: readonly (number | null)[]): number | null {
  const sorted = values.filter((value) => value !== null).sort((a, b) => a - b);
  if (sorted.length < values.length) return null;
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
