/** The Jacobian in the place of its transpose, and derivatives at another place than the input. */

import type { Mistake } from '../report.js';
import { spreadsOver } from './elementwise.js';
import type { Candidate, Evidence, Point, Prediction } from './evidence.js';

/** The Jacobian of an output as large as the input, multiplied by dout from the left where its transpose belongs. */
export async function jacobianForTranspose(evidence: Evidence): Promise<Mistake | null> {
  const mistake: Mistake = {
    id: 'jacobian-for-transpose',
    text: 'the Jacobian is in the place of its transpose: the sums run over its columns, and belong over its rows',
  };
  if (!(await evidence.isExplainedBy({ mistake, predict: push }))) return null;
  const gain = gainOutside(evidence);
  if (gain === undefined) return mistake;
  return {
    ...mistake,
    text: `${gain} is multiplied outside the sums, and belongs inside: the Jacobian is in the place of its transpose`,
    input: gain,
  };
}

/** The input that makes the Jacobian differ from its transpose: a factor of the outputs. */
function gainOutside(evidence: Evidence): string | undefined {
  const { points, wrong, input } = evidence;
  const spread = spreadsOver(evidence, points[0].witness.outputs[0].name).filter(({ name, isOutput }) => !isOutput && name !== input);
  return spread.find(({ factors }) => points.every((point, at) => !wrong.includes(point) || isSymmetric(point, factors(point, at))))?.name;
}

/** Whether the Jacobian is symmetric without a factor of each output. */
function isSymmetric({ jacobian, entries }: Point, gain: Float64Array): boolean {
  if (!jacobian) return false;
  let difference = 0;
  let size = 0;
  for (let o = 0; o < entries; o++) {
    for (let k = 0; k < entries; k++) {
      const slope = jacobian[o * entries + k] / gain[o];
      difference += (slope - jacobian[k * entries + o] / gain[k]) ** 2;
      size += slope ** 2;
    }
  }
  return difference <= 1e-10 * size;
}

/** jacobian · dout. */
function push({ jacobian, dout, entries }: Point): Prediction {
  if (!jacobian || dout.length !== entries) return undefined;
  const product = new Float64Array(entries);
  for (let o = 0; o < entries; o++) for (let k = 0; k < entries; k++) product[o] += jacobian[o * entries + k] * dout[k];
  return product;
}

/** The derivative with the output in the place of the input. */
export function* derivativeAtOutput({ points, input }: Evidence): Iterable<Candidate> {
  for (const { name } of points[0].witness.outputs) {
    if (!points.every((point) => point.value(name)?.data.length === point.witness.input.data.length)) continue;
    yield {
      mistake: {
        id: 'derivative-at-output',
        text: `the derivative is taken at the output${name === '' ? '' : ` ${name}`}, not at the input ${input}`,
      },
      predict: (point) => point.rightWith(`at ${name}`, { inputs: { [input]: point.value(name)?.data ?? new Float64Array() } }),
    };
  }
}

/** Activations of which the derivative is a polynomial of the output, with what they are the output of. */
const ACTIVATIONS = [
  { f: Math.tanh, inverse: Math.atanh, slope: (y: number) => 1 - y * y },
  { f: (x: number) => 1 / (1 + Math.exp(-x)), inverse: (y: number) => Math.log(y / (1 - y)), slope: (y: number) => y * (1 - y) },
];

/** The same for a layer that ends in tanh or a sigmoid, whatever comes before: dout is multiplied by the slope at another value. */
export function* slopeElsewhere({ points }: Evidence): Iterable<Candidate> {
  if (points[0].witness.outputs.length !== 1) return;
  for (const { f, inverse, slope } of ACTIVATIONS) {
    const at = (value: (y: number) => number) => (point: Point) => {
      const factors = point.output.map((y) => value(y) / slope(y));
      return factors.every(Number.isFinite) ? point.pull(() => point.dout.map((dout, o) => dout * factors[o])) : undefined;
    };
    const output = 'the derivative of the activation is taken at its output, not at its input';
    yield { mistake: { id: 'derivative-at-output', text: output }, predict: at((y) => slope(f(y))) };
    const input = 'the derivative of the activation is written in terms of its output, but you put its input into it';
    yield { mistake: { id: 'derivative-at-input', text: input }, predict: at((y) => slope(inverse(y))) };
  }
}

/** Degrees of the polynomials of the output that are tried as its derivative. */
const DEGREES = [1, 2, 3];

/** A derivative that is a polynomial of the output, 1 - y² or y(1 - y), with the input in the place of the output. */
export function* derivativeAtInput(evidence: Evidence): Iterable<Candidate> {
  const [output] = evidence.points[0].witness.outputs;
  const slopes = evidence.points.flatMap(slopesOf);
  if (slopes.length < 12) return;
  for (const degree of DEGREES) {
    const polynomial = fitted(slopes, degree);
    if (!polynomial) continue;
    yield {
      mistake: {
        id: 'derivative-at-input',
        text: `the derivative is written in terms of the output${output.name === '' ? '' : ` ${output.name}`}, but you put the input ${evidence.input} into it`,
      },
      predict: ({ witness: { input }, dout, right }) => {
        if (input.data.length !== dout.length || right.length !== dout.length) return undefined;
        return dout.map((value, i) => value * valueAt(polynomial, input.data[i]));
      },
    };
    return;
  }
}

/** Outputs and derivatives of a function that works entry by entry. */
function slopesOf({ jacobian, output, entries }: Point): [y: number, slope: number][] {
  if (!jacobian || output.length !== entries) return [];
  const slopes: [number, number][] = [];
  for (let o = 0; o < entries; o++) {
    for (let k = 0; k < entries; k++) if (k !== o && Math.abs(jacobian[o * entries + k]) > 1e-9) return [];
    slopes.push([output[o], jacobian[o * entries + o]]);
  }
  return slopes;
}

/** Coefficients of the polynomial through all points, if there is one. */
function fitted(points: readonly (readonly [number, number])[], degree: number): number[] | undefined {
  const size = degree + 1;
  const rows = Array.from({ length: size }, (_, i) => [
    ...Array.from({ length: size }, (__, j) => points.reduce((sum, [y]) => sum + y ** (i + j), 0)),
    points.reduce((sum, [y, slope]) => sum + slope * y ** i, 0),
  ]);
  const coefficients = solved(rows);
  return points.every(([y, slope]) => Math.abs(valueAt(coefficients, y) - slope) <= 1e-6 * (1 + Math.abs(slope)))
    ? coefficients
    : undefined;
}

/** Gaussian elimination with pivots. NaN where the equations depend on each other. */
function solved(rows: number[][]): number[] {
  const size = rows.length;
  for (let k = 0; k < size; k++) {
    const best = rows.reduce((most, row, i) => (i >= k && Math.abs(row[k]) > Math.abs(rows[most][k]) ? i : most), k);
    [rows[k], rows[best]] = [rows[best], rows[k]];
    for (let i = 0; i < size; i++) {
      if (i === k) continue;
      const factor = rows[i][k] / rows[k][k];
      for (let j = k; j <= size; j++) rows[i][j] -= factor * rows[k][j];
    }
  }
  return rows.map((row, k) => row[size] / row[k]);
}

function valueAt(coefficients: readonly number[], x: number): number {
  return coefficients.reduceRight((sum, coefficient) => sum * x + coefficient, 0);
}
