/** The right gradient for other values: a factor left out or twice, another value in its place, and values at which yours is right. */

import type { Mistake } from '../report.js';
import type { Candidate, Evidence, Point } from './evidence.js';
import { norm } from './evidence.js';

/** What an input is replaced with. */
interface Replacement {
  mistake(name: string): Mistake;
  f(value: number, index: number, all: Float64Array): number;
}

const REPLACEMENTS: readonly Replacement[] = [
  {
    mistake: (name) => ({
      id: 'missing-factor',
      text: `the factor ${name} is missing: yours is the right gradient for ${name} = 1`,
      factor: name,
    }),
    f: () => 1,
  },
  {
    mistake: (name) => ({
      id: 'extra-factor',
      text: `the factor ${name} is there twice: yours is the right gradient for ${name}² in the place of ${name}`,
      factor: name,
    }),
    f: (value) => value * value,
  },
  otherValue(
    (name) => `-${name}`,
    (value) => -value,
  ),
  otherValue(
    (name) => `1/${name}`,
    (value) => 1 / value,
  ),
  otherValue(
    (name) => `1 - ${name}`,
    (value) => 1 - value,
  ),
  otherValue(
    (name) => `${name} reversed`,
    (_, index, all) => all[all.length - 1 - index],
  ),
];

function otherValue(what: (name: string) => string, f: Replacement['f']): Replacement {
  return { mistake: (name) => otherValueOf(name, what(name)), f };
}

function otherValueOf(name: string, what: string): Mistake {
  return { id: 'other-value', text: `you have ${what} where ${name} belongs: yours is the right gradient for that`, input: name };
}

/** The right gradient with one of the other inputs replaced. */
export function* replaced(evidence: Evidence): Iterable<Candidate> {
  const names = realInputs(evidence).filter((name) => name !== evidence.input);
  for (const [i, { mistake, f }] of REPLACEMENTS.entries()) {
    for (const name of names) {
      yield {
        mistake: mistake(name),
        predict: (point) => {
          const values = dataOf(point, name).map((value, index, all) => f(value, index, all as Float64Array));
          return values.every(Number.isFinite) ? point.rightWith(`${name} ${i}`, { inputs: { [name]: values } }) : undefined;
        },
      };
    }
  }
}

/** The right gradient with a matrix read in the order of its transpose: W[j·rows + i] for W[i·columns + j]. */
export function* transposed(evidence: Evidence): Iterable<Candidate> {
  const letters = Object.keys(evidence.points[0].witness.sizes);
  const rowCounts: ((point: Point, name: string) => number | undefined)[] = [
    (point, name) => (point.value(name)?.shape.length === 2 ? point.value(name)?.shape[0] : undefined),
    ...letters.map(
      (letter) =>
        ({ witness }: Point) =>
          witness.sizes[letter],
    ),
    (point, name) => Math.sqrt(dataOf(point, name).length),
  ];
  for (const name of realInputs(evidence).filter((one) => one !== evidence.input)) {
    for (const rowsOf of rowCounts) {
      yield {
        mistake: otherValueOf(name, `${name} transposed`),
        predict: (point) => {
          const data = dataOf(point, name);
          const rows = rowsOf(point, name) ?? Number.NaN;
          const columns = data.length / rows;
          if (!Number.isInteger(rows) || !Number.isInteger(columns)) return undefined;
          const values = data.map((_, at) => data[(at % columns) * rows + Math.floor(at / columns)]);
          return point.rightWith(`${name} transposed, ${rows} rows`, { inputs: { [name]: values } });
        },
      };
    }
  }
}

/** The right gradient with one value in the place of another one of the same size. */
export function* exchanged(evidence: Evidence): Iterable<Candidate> {
  const names = realInputs(evidence);
  const outputs = evidence.points[0].witness.outputs.map(({ name }) => name);
  for (const name of names) {
    for (const other of [...names, ...outputs]) {
      if (name === other || (name === evidence.input && outputs.includes(other))) continue;
      if (!evidence.points.every((point) => dataOf(point, name).length === dataOf(point, other).length)) continue;
      yield {
        mistake: otherValueOf(name, other),
        predict: (point) => point.rightWith(`${name} = ${other}`, { inputs: { [name]: dataOf(point, other) } }),
      };
    }
  }
}

/** Points at which both gradients are measured with another value. */
const CHECKED = 9;
/** Share of the difference, and of the gradient, that may be left. */
const LEFT = 1e-4;

/**
 * Yours is right where an input is 1 in every entry, and wrong elsewhere. Where it is right for every uniform value, as with a matrix that happens to
 * be symmetric, 1 is nothing special, unless the input is a gain by its name.
 */
export async function rightOnlyAtOne(evidence: Evidence): Promise<Mistake | null> {
  for (const name of realInputs(evidence)) {
    if (name === evidence.input || !(await isRightWith(evidence, name, 1))) continue;
    if (!isGain(evidence, name) && (await isRightWith(evidence, name, 2))) continue;
    const text = `yours is right only where ${name} is 1: it passes at that value, and at no other that was drawn`;
    return { id: 'right-only-at-gain-1', text, input: name, value: 1 };
  }
  return null;
}

/** Names that people give to gains. */
const GAIN = /gain|gamma|scale|weight|^[gw]$/i;

/** Whether an input is a gain by its name, and not a matrix: a number, or as long as a size. */
function isGain({ points }: Evidence, name: string): boolean {
  const isLong = (point: Point) => {
    const { length } = dataOf(point, name);
    const sizes = Object.values(point.witness.sizes);
    return sizes.length > 0 && length > 1 && !sizes.includes(length);
  };
  return GAIN.test(name) && !points.some((point) => (point.value(name)?.shape.length ?? 0) > 1 || isLong(point));
}

async function isRightWith(evidence: Evidence, name: string, value: number): Promise<boolean> {
  const passed: Point[] = [];
  for (const point of evidence.wrong.slice(0, CHECKED)) {
    const changes = { inputs: { [name]: dataOf(point, name).map(() => value) } };
    const right = await point.rightWith(`${name} = ${value}`, changes);
    const yours = await point.yoursWith(`${name} = ${value}`, changes);
    if (!right || !yours) continue;
    const difference = norm(yours.map((entry, k) => entry - right[k]));
    if (!(difference <= Math.max(LEFT * Math.min(point.miss, norm(right)), point.noise / 10))) return false;
    if (norm(right) > 1e-6 * norm(point.right)) passed.push(point);
  }
  return passed.length >= 3;
}

function realInputs({ points }: Evidence): string[] {
  const { inputs, indices } = points[0].witness;
  return inputs.map(({ name }) => name).filter((name) => !indices.includes(name));
}

function dataOf(point: Point, name: string): Float64Array {
  return point.value(name)?.data ?? new Float64Array();
}
