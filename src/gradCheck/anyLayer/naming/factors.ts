/** Constant factors: the right gradient, or dout, times a number or an expression of the sizes. */

import type { Mistake } from '../report.js';
import { type Evidence, norm, type Point } from './evidence.js';
import { numberText, scalarTerms, sizeTerms, type Term } from './terms.js';

/** The right gradient times a constant, or times an input that is a single number. */
export function constantFactor(evidence: Evidence): Mistake | null {
  const factor = factorOf(evidence, ({ right }) => right);
  if (!factor) return null;
  const { text, role = 'constant-factor', name = text } = factor;
  if (role === 'missing-factor')
    return { id: role, text: `the factor ${name} is missing: ${name} times yours is the right gradient`, factor: name };
  return { id: role, text: `yours is ${text} times the right gradient`, factor: name };
}

/** The constant factor of a base in yours; undefined if there is none. A constant may depend on the sizes, but not on the draw. */
export function factorOf(evidence: Evidence, base: (point: Point) => Float64Array | undefined): Term | undefined {
  const bases = evidence.points.map(base);
  const fits = evidence.points.map((point, i) => fitted(point, bases[i]));
  const known = fits.flatMap((value, i) => (value === undefined ? [] : [i]));
  if (fits.some((value) => value !== undefined && Number.isNaN(value))) return undefined;
  if (!evidence.areEnough(known.map((i) => evidence.points[i]).filter(({ isWrong }) => isWrong))) return undefined;
  const holds = ({ values }: Term) => known.every((i) => evidence.points[i].agrees(scaled(bases[i] as Float64Array, values[i])));
  return recognise(evidence, mostExact(evidence.points, fits, bases), holds);
}

/** The best factor at one point; NaN if none explains it, undefined if the base is 0 there. */
function fitted(point: Point, base: Float64Array | undefined): number | undefined {
  if (!base || base.length !== point.entries) return Number.NaN;
  const known = base.map((value, k) => (Number.isNaN(point.right[k]) ? 0 : value));
  const size = norm(known);
  if (!(size > point.noise)) return point.agrees(known) ? undefined : Number.NaN;
  const factor = known.reduce((sum, value, k) => sum + (value === 0 ? 0 : (value * point.yours[k]) / size), 0) / size;
  return point.agrees(scaled(base, factor)) ? factor : Number.NaN;
}

/** @param exact the point whose fit is the most exact */
function recognise(
  { points, axes }: Evidence,
  { factor, exact }: { factor: number; exact: number },
  holds: (term: Term) => boolean,
): Term | undefined {
  const same = constant(factor, points.length);
  const simple = SIMPLE.map((value) => constant(value, points.length)).find(holds);
  if (simple) return simple;
  const { letters, dimensions } = sizeTerms(axes);
  const sizes = letters();
  const one = sizes.find(holds) ?? scalarTerms(points).find(holds) ?? [same].find(holds);
  return one ?? dimensions().find(holds) ?? sizes.flatMap((term) => timesNumber(term, factor / term.values[exact])).find(holds);
}

/** An expression of one letter times a number that nothing at the point explains: alpha/r with an alpha of the layer's own. */
function timesNumber({ text, values }: Term, number: number): Term[] {
  // More than one operator explains too much.
  if ((text.match(/[·/√]/g) ?? []).length > 1) return [];
  const written = /^1\//.test(text) ? `${numberText(number)}${text.slice(1)}` : `${numberText(number)}·${text}`;
  return [{ text: written, values: values.map((value) => number * value) }];
}

/** Factors that nobody writes as sizes, even if there is only one size. */
const SIMPLE = [1, -1, 2, 0.5, -2, -0.5];

function constant(value: number, points: number): Term {
  return { text: numberText(value), values: Array.from({ length: points }, () => value) };
}

/** The fit where noise is the smallest share of what is fitted, and its point. */
function mostExact(
  points: readonly Point[],
  fits: readonly (number | undefined)[],
  bases: readonly (Float64Array | undefined)[],
): { factor: number; exact: number } {
  let best = { factor: Number.NaN, exact: 0 };
  let least = Number.POSITIVE_INFINITY;
  for (const [exact, { noise }] of points.entries()) {
    const factor = fits[exact];
    const share = noise / norm(bases[exact]?.filter((entry) => !Number.isNaN(entry)) ?? new Float64Array());
    if (factor === undefined || !(share < least)) continue;
    least = share;
    best = { factor, exact };
  }
  return best;
}

function scaled(values: Float64Array, factor: number): Float64Array {
  return values.map((value) => value * factor);
}
