/** The right gradient of an input at a point, by differences: steps, limits, and how one entry is moved. */

import { ERRORS, largestSum, limitsOf, type MeasuredColumn, measureEntry, type Shares, sumOf } from '../comparison.js';
import { measureAsync, type OneSidedSteps, type Sample } from '../derivative.js';
import type { Calls, InputValue, Point } from './calls.js';
import type { Precision } from './report.js';
import { EPSILON } from './rounding.js';

/** Where derivatives are measured: an input at a point. */
export interface Measurement {
  calls: Calls;
  point: Point;
  input: InputValue;
  /** The gradients of the outputs, and the outputs. */
  dout: Float64Array;
  outputs: Float64Array;
  /** What the outputs round like: see {@link magnitudeOf}. */
  magnitude: Float64Array;
  /** The largest sum seen for this input at generic draws: see {@link Comparison.summed}. */
  scale?: number;
  /** What yours rounds to besides: gradients that are added to noise. */
  rounding?: number;
  precision: Precision;
}

/** What is compared: the layer's gradient of an input, all entries. */
export interface Claim extends Measurement {
  yours: Float64Array;
}

type Rules = Omit<OneSidedSteps, 'magnitude'> & Shares;

/**
 * Steps and limits. In float64, a gradient may be off by 4e-6 of what is summed: approximations of erf and rounded constants in right code reach
 * 1e-6; the smallest mistakes seen, a forgotten epsilon of 1e-5, are above 1e-5 at some draw.
 */
export const RULES: Record<Precision, Rules> = {
  float64: { first: 2 ** -10, last: 2 ** -26, epsilon: EPSILON.float64, settled: 1e-4, share: 4e-6, floor: 1e-6 },
  float32: { first: 2 ** -5, last: 2 ** -9, epsilon: EPSILON.float32, settled: 5e-2, share: 2e-4, floor: 1e-5 },
};
/** Saturated code rounds to 0 or to 1: a gradient below this share of what it is elsewhere may be 0, and the reverse. */
const SATURATED = 2 ** -40;
/** The error of a slope, as a share of it, from which nothing is known: batch norm of nearly equal rows loses 14 % in float32 by rounding alone. */
const LOST: Record<Precision, number> = { float64: 1 / ERRORS, float32: 1 };
/** A change of the outputs within the largest step, as a share of them, that is no rounding. */
const ABRUPT = 1e-3;

/** The right gradient at entries. */
interface MeasuredEntries {
  /** Positions, ascending; without those where f has no derivative that could be measured. */
  entries: Int32Array;
  right: Float64Array;
  limit: Float64Array;
  /** The derivatives of all outputs with respect to each entry. */
  slopes: readonly Float64Array[];
  /** The largest sum over outputs of |slope·dout|. */
  summed: number;
}

/** Measures the right gradient at the given entries. */
export async function measureEntries(at: Measurement, entries: Int32Array): Promise<MeasuredEntries> {
  const { input, dout, precision, scale = 0, rounding = 0 } = at;
  const columns: MeasuredColumn[] = [];
  const measured: number[] = [];
  for (const entry of entries) {
    const column = await measureAsync(measureEntry(input.data[entry], stepsOf(at), dout), alongEntry(at, entry));
    if (!column || isUnmeasured(column, at)) continue;
    columns.push(column);
    measured.push(entry);
  }
  return {
    entries: Int32Array.from(measured),
    right: Float64Array.from(columns, ({ right }) => right),
    limit: limitsOf(columns, RULES[precision], Math.max(SATURATED * scale, rounding)),
    slopes: columns.map(({ slope }) => slope),
    summed: largestSum(columns),
  };
}

/**
 * Whether the slope may be off by all of itself, because forward changes abruptly: a gradient of 0 would pass, and one of twice the size. Rounding
 * alone, as in a gradient that is 0, is no such change: it is tiny beside the outputs.
 */
function isUnmeasured({ error, summed }: MeasuredColumn, { outputs, dout, precision }: Measurement): boolean {
  const size = sumOf(outputs, (y, o) => Math.abs(y * dout[o]));
  const change = error * RULES[precision].first;
  return size > 0 && error > LOST[precision] * summed && change > ABRUPT * size;
}

export function stepsOf({ magnitude, precision }: Measurement) {
  return { ...RULES[precision], magnitude };
}

/** The outputs, with one entry shifted. */
export function alongEntry({ calls, point, input, outputs }: Measurement, entry: number): (shift: number) => Promise<Sample> {
  const x = input.data[entry];
  return async (shift) => {
    const moved = input.data.slice();
    moved[entry] = x + shift;
    const stored = storedEntry(input, moved, entry);
    const { data } = await calls.forward(point, new Map([[input.name, moved]]));
    return { t: stored - x, values: sameLength(data, outputs) };
  };
}

/** The entry as its container stores it. */
function storedEntry({ form }: InputValue, moved: Float64Array, entry: number): number {
  const tag = (form?.memory[0] as { [Symbol.toStringTag]?: string } | undefined)?.[Symbol.toStringTag];
  return tag === 'Float32Array' ? Math.fround(moved[entry]) : moved[entry];
}

/** Outputs of another length cannot be compared: not finite, so that the step is not used. */
export function sameLength(values: Float64Array, outputs: Float64Array): Float64Array {
  return values.length === outputs.length ? values : outputs.map(() => Number.NaN);
}
