/** Factors that differ from entry to entry: an input, an output or a function of it, once too often or missing. */

import type { PointValue } from '../witness.js';
import { spreads } from './broadcast.js';
import type { Candidate, Evidence, Point, Prediction } from './evidence.js';

/** The name of an output that has none. */
const OUTPUT = 'y';

/** A function of a value, as a programmer writes it. */
interface Form {
  text(name: string): string;
  f(value: number): number;
  /** For outputs only: what is left of a derivative that is written in terms of the output. */
  outputsOnly?: boolean;
  /** For inputs, where it is missing only: the derivative of a gate. */
  slope?: boolean;
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

const FORMS: readonly Form[] = [
  { text: (x) => x, f: (x) => x },
  { text: (x) => `(1 - ${x})`, f: (x) => 1 - x },
  { text: (x) => `${x}²`, f: (x) => x * x },
  { text: (x) => `√${x}`, f: Math.sqrt },
  { text: (x) => `(1 - ${x}²)`, f: (x) => 1 - x * x, outputsOnly: true },
  { text: (x) => `${x}(1 - ${x})`, f: (x) => x * (1 - x), outputsOnly: true },
  { text: (x) => `(1 + ${x})`, f: (x) => 1 + x, outputsOnly: true },
  { text: (x) => `|${x}|`, f: Math.abs },
  { text: (x) => `the sign of ${x}`, f: Math.sign },
  { text: (x) => `sigmoid(${x})`, f: sigmoid, slope: true },
  { text: (x) => `(1 - sigmoid(${x}))`, f: (x) => 1 - sigmoid(x), slope: true },
  { text: (x) => `sigmoid(${x})(1 - sigmoid(${x}))`, f: (x) => sigmoid(x) * (1 - sigmoid(x)), slope: true },
  { text: (x) => `(1 - tanh(${x})²)`, f: (x) => 1 - Math.tanh(x) ** 2, slope: true },
  { text: (x) => `exp(${x})`, f: Math.exp, slope: true },
];

/** The right gradient times a value, or over it; or the right gradient for dout times a value, or over it. */
export function* entryFactors(evidence: Evidence): Iterable<Candidate> {
  const places = [...outside(evidence), ...inside(evidence)];
  for (const form of FORMS) {
    for (const { name, isOutput, times, over, sentences } of places) {
      if (isOutput ? form.slope : form.outputsOnly) continue;
      const factor = form.text(name === '' ? OUTPUT : name);
      const note = name === '' ? ` (${OUTPUT} is the output)` : '';
      const { extra, missing } = sentences(factor);
      if (!form.slope)
        yield { mistake: { id: 'extra-factor', text: extra + note, factor }, predict: (point, at) => times(point, at, form.f) };
      yield { mistake: { id: 'missing-factor', text: missing + note, factor }, predict: (point, at) => over(point, at, form.f) };
    }
  }
  if (new Set(evidence.points.flatMap(slopesOf)).size <= FEW_SLOPES) return;
  const twice = 'the derivative is multiplied in twice: yours is the right gradient times the derivative';
  yield { mistake: { id: 'extra-factor', text: twice, factor: 'the derivative' }, predict: slopeTwice };
}

/** A function made of so few straight lines has slopes that are powers of each other by chance: 0, 0.01, 0.1, 1. */
const FEW_SLOPES = 4;

/** The slopes of a function that works entry by entry, rounded. */
function slopesOf({ jacobian, entries, dout }: Point): string[] {
  if (!jacobian || dout.length !== entries) return [];
  return Array.from({ length: entries }, (_, k) => jacobian[k * entries + k].toPrecision(6));
}

/** The square of the derivative of a function that works entry by entry, times dout. */
function slopeTwice({ jacobian, entries, dout, right }: Point): Prediction {
  if (!jacobian || dout.length !== entries) return undefined;
  return right.map((value, k) => value * jacobian[k * entries + k]);
}

/** A place for a value as a factor. */
interface Place {
  name: string;
  isOutput: boolean;
  times(point: Point, at: number, f: (value: number) => number): Prediction;
  over(point: Point, at: number, f: (value: number) => number): Prediction;
  sentences(factor: string): { extra: string; missing: string };
}

/** Factors of the gradient itself. */
function outside(evidence: Evidence): Place[] {
  return spreadsOver(evidence, evidence.input).map(({ name, isOutput, factors }) => ({
    name,
    isOutput,
    times: (point, at, f) => {
      const values = factors(point, at);
      return point.right.map((right, k) => right * f(values[entryOf(point, k)]));
    },
    over: (point, at, f) => {
      const values = factors(point, at);
      return divided(point, (k) => f(values[entryOf(point, k)]));
    },
    sentences: (factor) => ({
      extra: `a factor ${factor} too many: yours is ${factor} times the right gradient`,
      missing: `the factor ${factor} is missing: ${factor} times yours is the right gradient`,
    }),
  }));
}

/** Factors of dout, inside the sums. */
function inside(evidence: Evidence): Place[] {
  const { outputs } = evidence.points[0].witness;
  if (outputs.length !== 1) return [];
  return spreadsOver(evidence, outputs[0].name).map(({ name, isOutput, factors }) => ({
    name,
    isOutput,
    times: (point, at, f) => {
      const values = factors(point, at);
      return point.pull(() => point.dout.map((dout, o) => dout * f(values[o])));
    },
    over: (point, at, f) => {
      const values = factors(point, at);
      const divisors = values.map(f);
      return divisors.some((divisor) => Math.abs(divisor) < TINY)
        ? undefined
        : point.pull(() => point.dout.map((dout, o) => dout / divisors[o]));
    },
    sentences: (factor) => ({
      extra: `a factor ${factor} too many: yours is the right gradient for dout times ${factor}`,
      missing: `the factor ${factor} is missing: yours is the right gradient for dout over ${factor}`,
    }),
  }));
}

const TINY = 1e-9;

/** The right gradient over a factor. Where the factor is 0, so is the right gradient, and says nothing about yours. */
function divided({ right, yours, entries, witness }: Point, divisor: (k: number) => number): Prediction {
  const divisors = right.map((_, k) => divisor(k));
  const zeros = divisors.filter((value) => Math.abs(value) < TINY).length;
  if (2 * zeros > entries) return undefined;
  return right.map((value, k) => {
    if (Math.abs(divisors[k]) >= TINY) return value / divisors[k];
    return Math.abs(value) <= witness.limit[k] ? yours[k] : Number.NaN;
  });
}

function entryOf({ witness: { complete, entries } }: Point, k: number): number {
  return complete ? k : entries[k];
}

/** A value, one entry for every position of another array. */
interface Spread {
  name: string;
  isOutput: boolean;
  /** The value at every position of the target. */
  factors(point: Point, at: number): Float64Array;
}

/** Ways to spread each real value over the axes of a target. */
export function spreadsOver({ axes, points }: Evidence, target: string): Spread[] {
  const { inputs, outputs, indices } = points[0].witness;
  const real = inputs.filter(({ name }) => !indices.includes(name));
  const seen = new Set<string>();
  const spread = (value: PointValue, isOutput: boolean): Spread[] =>
    axes.views(value.name).flatMap((small) =>
      axes.views(target).flatMap((large) =>
        spreads(small, large).flatMap(({ positions }) => {
          const tables = points.map((_, at) => positions(at));
          const key = `${value.name}:${tables.map((table) => table.join()).join(';')}`;
          if (seen.has(key)) return [];
          seen.add(key);
          const factors = (point: Point, at: number) => {
            const { data } = point.value(value.name) as PointValue;
            return Float64Array.from(tables[at], (position) => data[position]);
          };
          return [{ name: value.name, isOutput, factors }];
        }),
      ),
    );
  return [...real.flatMap((value) => spread(value, false)), ...outputs.flatMap((value) => spread(value, true))];
}
