/** Curves over the steps of a training, as numbers: what a chart of them draws, says and lists. */

/** A value after a number of steps. Where it is not finite, or null, the curve is broken. */
export type CurvePoint = readonly [step: number, value: number | null];

export interface Curve {
  /** Different from those of the other curves of its chart. */
  name: string;
  /** In the order of the steps. */
  points: readonly CurvePoint[];
  /** A CSS colour. Default: the next one of the palette. */
  color?: string;
  dashed?: boolean;
  /** The points on both sides that are averaged for the line; as it is, it is drawn faint. Default: 0. */
  smooth?: number;
}

/** A horizontal line to compare the curves with. */
export interface Level {
  name: string;
  value: number;
}

/** All steps of the curves, in order. */
export function stepsOf(curves: readonly Curve[]): number[] {
  const steps = new Set<number>();
  for (const { points } of curves) for (const [step] of points) steps.add(step);
  return [...steps].sort((a, b) => a - b);
}

/** A value per step: null where the curve is broken, undefined where it has no point. */
export function valuesAt(steps: readonly number[], points: readonly CurvePoint[]): (number | null | undefined)[] {
  const byStep = new Map(points.map(([step, value]) => [step, isDrawn(value) ? value : null]));
  return steps.map((step) => byStep.get(step));
}

function isDrawn(value: number | null): value is number {
  return value !== null && Number.isFinite(value);
}

/** Each value as the mean of those around it, `reach` on both sides; fewer at the ends and where the curve is broken. */
export function smoothed(points: readonly CurvePoint[], reach: number): CurvePoint[] {
  return points.map(([step, value], i) => {
    if (!isDrawn(value)) return [step, null];
    const around = points
      .slice(Math.max(0, i - reach), i + reach + 1)
      .map(([, other]) => other)
      .filter(isDrawn);
    return [step, around.reduce((sum, other) => sum + other, 0) / around.length];
  });
}

/** The last point of a curve up to a step; undefined before its first one. */
export function pointUpTo(points: readonly CurvePoint[], step: number): CurvePoint | undefined {
  let [low, high] = [0, points.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle][0] <= step) low = middle + 1;
    else high = middle;
  }
  return points[low - 1];
}

export function valueText(value: number | null, format: (value: number) => string): string {
  return value === null ? 'not finite' : format(value);
}

/** Some of the steps, evenly, with the first and the last one. */
export function someOf(steps: readonly number[], most: number): number[] {
  if (steps.length <= most) return [...steps];
  return Array.from({ length: most }, (_, i) => steps[Math.round((i * (steps.length - 1)) / (most - 1))]);
}

/** Values that are drawn. */
function drawnValues(curves: readonly Curve[], levels: readonly Level[]): number[] {
  return [...curves.flatMap(({ points }) => points.map(([, value]) => value).filter(isDrawn)), ...levels.map(({ value }) => value)];
}

/** Ratio of the largest to the smallest value from which a logarithmic axis shows more than a linear one. */
const WIDE = 8;

/** Whether values differ so much that a logarithmic axis is needed to tell them apart; never if one is not positive. */
export function isWide(curves: readonly Curve[]): boolean {
  let [least, most] = [Number.POSITIVE_INFINITY, 0];
  for (const value of drawnValues(curves, [])) [least, most] = [Math.min(least, value), Math.max(most, value)];
  return least > 0 && most / least > WIDE;
}

/** Whether a logarithmic axis can show all values. */
export function isPositive(curves: readonly Curve[], levels: readonly Level[]): boolean {
  return drawnValues(curves, levels).every((value) => value > 0);
}

/** What the vertical axis shows at most and at least. */
interface Limits {
  highest?: number | undefined;
  least?: number | undefined;
}

/**
 * The ends of the vertical axis: all values, and some room around them.
 * @param limits values above `highest` are cut off, except on a logarithmic axis; `least` is shown in any case
 */
export function valueRange(curves: readonly Curve[], levels: readonly Level[], log: boolean, limits: Limits = {}): [number, number] {
  const { highest = Number.POSITIVE_INFINITY, least: shown } = limits;
  let [least, most] = [shown ?? Number.POSITIVE_INFINITY, shown ?? Number.NEGATIVE_INFINITY];
  for (const value of drawnValues(curves, levels)) [least, most] = [Math.min(least, value), Math.max(most, value)];
  if (least > most) return log ? [1, 10] : [0, 1];
  if (!log) most = Math.max(least, Math.min(most, highest));
  if (log) {
    const factor = Math.max(1.02, (most / least) ** 0.05);
    return [least / factor, most * factor];
  }
  const room = most > least ? 0.05 * (most - least) : Math.max(0.05 * Math.abs(most), 1e-3);
  return [least === shown ? least : least - room, most + room];
}
