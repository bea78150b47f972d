/** What a sweep trains: the combinations of option values, and how their results rank. */
import { UsageError } from '../core/errors.js';
import type { RandomStream } from '../core/random.js';

/** Values of one option: a list, or a range to draw from. */
export type Variation = { option: string; values: readonly string[] } | { option: string; range: Range };

interface Range {
  from: number;
  to: number;
  /** Whether whole numbers are drawn. */
  whole: boolean;
}

/** Option names, without their dashes, and their values, as on a command line. */
export type Assignment = Readonly<Record<string, string>>;

const VALUE_SEPARATOR = '/';
const RANGE = /^(\d+\.?\d*(?:e[+-]?\d+)?)\.\.(\d+\.?\d*(?:e[+-]?\d+)?)$/i;

/**
 * `lr=0.05/0.1/0.2` or `lr=0.01..1`. A range of whole numbers gives whole numbers.
 * @throws UsageError
 */
export function parseVariation(text: string): Variation {
  const [, option, list] = /^(?:--)?([a-z][a-z0-9-]*)=(.+)$/.exec(text) ?? [];
  if (option === undefined) throw new UsageError(`--vary ${text}: expected an option and its values, as lr=0.05/0.1/0.2 or lr=0.01..1`);
  const [, from, to] = RANGE.exec(list) ?? [];
  if (from !== undefined) {
    const range = { from: Number(from), to: Number(to), whole: /^\d+$/.test(from) && /^\d+$/.test(to) };
    if (!(range.from < range.to)) throw new UsageError(`--vary ${text}: the range must go up`);
    return { option, range };
  }
  const values = list.split(VALUE_SEPARATOR);
  if (values.includes('')) throw new UsageError(`--vary ${text}: a value is empty; values are separated by ${VALUE_SEPARATOR}`);
  if (new Set(values).size < values.length) throw new UsageError(`--vary ${text}: a value occurs twice`);
  return { option, values };
}

/**
 * Every combination of the values, the first option varying slowest.
 * @throws UsageError if an option has a range: those can only be drawn from
 */
export function gridOf(variations: readonly Variation[]): Assignment[] {
  let grid: Assignment[] = [{}];
  for (const variation of variations) {
    if ('range' in variation) {
      throw new UsageError(`--vary ${variation.option} has a range, which a grid cannot walk; say how many runs to draw with --random`);
    }
    grid = grid.flatMap((assignment) => variation.values.map((value) => ({ ...assignment, [variation.option]: value })));
  }
  return grid;
}

/** So many combinations drawn at random, none twice; fewer if lists have no more. */
export function drawFrom(variations: readonly Variation[], count: number, random: RandomStream): Assignment[] {
  const drawn = new Map<string, Assignment>();
  // With lists alone there may be fewer combinations: a run of draws that are all known ends it.
  for (let misses = 0; drawn.size < count && misses < MOST_MISSES; ) {
    const assignment = Object.fromEntries(variations.map((variation) => [variation.option, drawValue(variation, random)]));
    const key = JSON.stringify(assignment);
    misses = drawn.has(key) ? misses + 1 : 0;
    drawn.set(key, assignment);
  }
  return [...drawn.values()];
}

const MOST_MISSES = 1000;

function drawValue(variation: Variation, random: RandomStream): string {
  if ('values' in variation) return variation.values[Math.floor(random() * variation.values.length)];
  const { from, to, whole } = variation.range;
  const u = random();
  // Rates and sizes matter by their ratio: uniform in the logarithm, but for a range from 0, which has none.
  const x = from > 0 ? from * Math.exp(u * Math.log(to / from)) : to * u;
  if (whole) return String(Math.round(x));
  // Three digits, unless they would lead out of a narrow range.
  const rounded = Number(x.toPrecision(3));
  return String(rounded >= from && rounded <= to ? rounded : Number(x.toPrecision(7)));
}

/** What came of a run; its losses are missing where its numbers blew up. */
export interface SweepResult {
  /** The name of the run's directory in the sweep's. */
  run: string;
  options: Assignment;
  /** Of training; null if the run was stopped between. */
  seconds: number | null;
  trainLoss: number | null;
  valLoss: number | null;
}

/** Runs that differ in their seeds only. */
export interface Ranked {
  options: Assignment;
  runs: readonly SweepResult[];
  /** Medians; null where one of the runs has none. */
  valLoss: number | null;
  trainLoss: number | null;
  seconds: number | null;
}

/** The option that is no choice but a repetition. */
const REPEATS = 'seed';

/** Results by their validation losses, the smallest first; seeds together, those that blew up last. */
export function rank(results: readonly SweepResult[]): Ranked[] {
  const groups = new Map<string, SweepResult[]>();
  for (const result of results) {
    const key = JSON.stringify(choices(result.options));
    groups.set(key, [...(groups.get(key) ?? []), result]);
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

function choices(options: Assignment): Assignment {
  return Object.fromEntries(Object.entries(options).filter(([option]) => option !== REPEATS));
}

function medianOf(values: readonly (number | null)[]): number | null {
  const sorted = values.filter((value) => value !== null).sort((a, b) => a - b);
  if (sorted.length < values.length) return null;
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
