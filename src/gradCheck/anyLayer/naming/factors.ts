/** Constant factors: the right gradient, or dout, times a number or an expression of the sizes. */

import type { Mistake } from '../report.js';
import { type Evidence, norm, type Point } from './evidence.js';
import { numberText, scalarTerms, sizeTerms, type Term } from './terms.js';

/** A factor with its value at each point, and how a person writes it. */
export interface Factor {
  text: string;
  /** What the factor is an expression of. */
  of: 'number' | 'sizes' | 'input';
}

/** The right gradient times a constant. */
export function constantFactor(evidence: Evidence): Mistake | null {
  const factor = factorOf(evidence, ({ right }) => right);
  if (!factor) return null;
  const { text, of } = factor;
  if (text === '0') return null;
  if (of === 'input' && /^1?\/?[\p{L}_]\w*$/u.test(text)) return scalarFactor(text);
  return { id: 'constant-factor', text: `yours is ${text} times the right gradient`, factor: text };
}

function scalarFactor(text: string): Mistake {
  const missing = text.startsWith('1/');
  const name = missing ? text.slice(2) : text;
  return missing
    ? { id: 'missing-factor', text: `the factor ${name} is missing: yours times ${name} is the right gradient`, factor: name }
    : { id: 'extra-factor', text: `yours is ${name} times the right gradient`, factor: name };
}

/** The constant factor of a base in yours; undefined if there is none. A constant may depend on the sizes, but not on the draw. */
export function factorOf(evidence: Evidence, base: (point: Point) => Float64Array | undefined): Factor | undefined {
  const bases = evidence.points.map(base);
  const fits = evidence.points.map((point, i) => fitted(point, bases[i]));
  const known = fits.flatMap((value, i) => (value === undefined ? [] : [i]));
  if (fits.some((value) => value !== undefined && Number.isNaN(value))) return undefined;
  if (!evidence.areEnough(known.map((i) => evidence.points[i]).filter(({ isWrong }) => isWrong))) return undefined;
  const holds = ({ values }: Term) => known.every((i) => evidence.points[i].agrees(scaled(bases[i] as Float64Array, values[i])));
  return recognise(evidence, fits, holds);
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

function recognise({ points, axes }: Evidence, fits: readonly (number | undefined)[], holds: (term: Term) => boolean): Factor | undefined {
  const typical = mostExact(points, fits);
  const same = constant(typical, points.length);
  const simple = SIMPLE.map((value) => constant(value, points.length)).find(holds);
  if (simple) return { text: simple.text, of: 'number' };
  const { letters, dimensions } = sizeTerms(axes);
  const sizes = letters().find(holds);
  if (sizes) return { text: sizes.text, of: 'sizes' };
  const scalar = scalarTerms(points).find(holds);
  if (scalar) return { text: scalar.text, of: 'input' };
  if (holds(same)) return { text: same.text, of: 'number' };
  const other = dimensions().find(holds) ?? timesNumber(letters(), points, fits).find(holds);
  return other && { text: other.text, of: 'sizes' };
}

/** Expressions of the letters times a number that nothing at the point explains: alpha/r with an alpha of the layer's own. */
function timesNumber(terms: readonly Term[], points: readonly Point[], fits: readonly (number | undefined)[]): Term[] {
  const at = fits.indexOf(mostExact(points, fits));
  // More than one operator explains too much.
  const single = terms.filter(({ text }) => (text.match(/[·/√]/g) ?? []).length <= 1);
  return single.map(({ text, values }) => {
    const number = (fits[at] as number) / values[at];
    return {
      text: /^1\//.test(text) ? `${numberText(number)}${text.slice(1)}` : `${numberText(number)}·${text}`,
      values: values.map((value) => number * value),
    };
  });
}

/** Factors that nobody writes as sizes, even if there is only one size. */
const SIMPLE = [0, 1, -1, 2, 0.5, -2, -0.5];

function constant(value: number, points: number): Term {
  return { text: numberText(value), values: Array.from({ length: points }, () => value) };
}

/** The fit where noise is the smallest share of what is fitted. */
function mostExact(points: readonly Point[], fits: readonly (number | undefined)[]): number {
  let best = Number.NaN;
  let least = Number.POSITIVE_INFINITY;
  for (const [i, { noise, right }] of points.entries()) {
    const value = fits[i];
    if (value === undefined || noise / norm(right) >= least) continue;
    least = noise / norm(right);
    best = value;
  }
  return best;
}

function scaled(values: Float64Array, factor: number): Float64Array {
  return values.map((value) => value * factor);
}
