/** What explanations are tried on: the points where a gradient is wrong, and the test that an explanation must pass. */

import type { Mistake } from '../report.js';
import type { Changes, Experiment, PointValue, Witness } from '../witness.js';
import { Axes } from './axes.js';

/** The share of the difference, as a norm, that an explanation may leave: it explains more than 99.9 %. */
const LEFT = 1e-3;
/** An explanation must hold at this many draws. */
const LEAST_DRAWS = 3;
/** A difference below this many limits shows nothing: the limit would let other explanations pass. */
const CLEAR = 20;
/** The matrix of a backward pass is measured with up to this many calls. */
const MOST_CALLS = 200;

/** An explanation: the mistake, and the gradient that it predicts at a point. Undefined where it predicts nothing. */
export interface Candidate {
  mistake: Mistake;
  /** @param at position of the point in the evidence */
  predict(point: Point, at: number): Prediction | Promise<Prediction>;
}
export type Prediction = Float64Array | undefined;

/** A witness, with what explanations are computed from. */
export class Point {
  readonly witness: Witness;
  /** Yours and the right gradient, at the entries that were compared. */
  readonly yours: Float64Array;
  readonly right: Float64Array;
  /** The gradients of all outputs, and the outputs, one after another. */
  readonly dout: Float64Array;
  readonly output: Float64Array;
  /** |yours - right|, and the same for the limits. */
  readonly miss: number;
  readonly noise: number;
  readonly #experiment: Experiment;
  #own: Promise<Float64Array | undefined> | undefined;
  readonly #measured = new Map<string, Promise<Prediction>>();

  constructor(witness: Witness, experiment: Experiment) {
    this.witness = witness;
    this.yours = witness.yours;
    this.right = witness.right;
    this.dout = joined(witness.dout);
    this.output = joined(witness.outputs);
    this.miss = distance(this.yours, this.right, this.right);
    this.noise = Math.sqrt(witness.limit.reduce((sum, limit) => sum + (Number.isFinite(limit) ? limit * limit : 0), 0));
    this.#experiment = experiment;
    this.jacobian = this.#reliableJacobian();
  }

  /** d output / d entry, row by row; undefined if it was not kept or, at a kink, does not give the right gradient. */
  readonly jacobian: Float64Array | undefined;

  /** Whether yours is clearly wrong here. */
  get isWrong(): boolean {
    return this.miss > CLEAR * this.noise;
  }

  /** Whether an entry is wrong. */
  isWrongAt(k: number): boolean {
    return Math.abs(this.yours[k] - this.right[k]) > this.witness.limit[k];
  }

  /** Numbers of wrong entries, and of those whose right gradient is not 0, inside and outside a region. */
  counts(isInside: (k: number) => boolean): Record<'wrong' | 'known', Record<'inside' | 'outside', number>> {
    const counts = { wrong: { inside: 0, outside: 0 }, known: { inside: 0, outside: 0 } };
    this.right.forEach((right, k) => {
      const side = isInside(k) ? 'inside' : 'outside';
      if (this.isWrongAt(k)) counts.wrong[side]++;
      if (Math.abs(right) > this.witness.limit[k]) counts.known[side]++;
    });
    return counts;
  }

  /** The same point, with yours - right in the place of yours: for terms that were added. */
  differing(): Point {
    const yours = this.yours.map((value, k) => value - this.right[k]);
    return new Point({ ...this.witness, yours, right: this.right.map((value) => 0 * value) }, this.#experiment);
  }

  /** Number of entries of the gradient. */
  get entries(): number {
    return this.right.length;
  }

  /** Whether yours is what an explanation predicts. */
  agrees(prediction: Float64Array): boolean {
    return this.isNear(this.yours, prediction);
  }

  /** Whether two gradients differ by less than an explanation may leave. */
  isNear(one: Float64Array, other: Float64Array): boolean {
    if (one.length !== this.entries || other.length !== this.entries) return false;
    return distance(one, other, this.right) <= Math.max(LEFT * this.miss, this.noise);
  }

  /**
   * Σ over outputs of jacobian · dout.
   * @param changed makes dout. It is not called for a large point, whose Jacobian was not kept.
   */
  pull(changed: () => Float64Array): Prediction {
    const { jacobian, entries } = this;
    if (!jacobian) return undefined;
    const dout = changed();
    const gradient = new Float64Array(entries);
    for (let o = 0; o < dout.length; o++) {
      if (dout[o] === 0) continue;
      for (let k = 0; k < entries; k++) gradient[k] += jacobian[o * entries + k] * dout[o];
    }
    return gradient;
  }

  /** The same over those pairs of an output and an entry that `keeps` says. */
  pullOf(keeps: (output: number, entry: number) => boolean): Prediction {
    const { jacobian, entries, dout } = this;
    if (!jacobian) return undefined;
    const gradient = new Float64Array(entries);
    for (let o = 0; o < dout.length; o++) {
      for (let k = 0; k < entries; k++) if (keeps(o, k)) gradient[k] += jacobian[o * entries + k] * dout[o];
    }
    return gradient;
  }

  /** The right gradient with other values. Measured once per key. */
  rightWith(key: string, changes: Changes, of?: string): Promise<Prediction> {
    return this.#remember(`right ${of ?? ''} ${key}`, () => this.#experiment.right(this.witness, changes, of));
  }

  /** Yours with other values. Measured once per key. */
  yoursWith(key: string, changes: Changes, of?: string): Promise<Prediction> {
    return this.#remember(`yours ${of ?? ''} ${key}`, () => this.#experiment.yours(this.witness, changes, of));
  }

  /** The outputs with other values. */
  outputsWith(changes: Changes): Promise<Prediction> {
    return this.#experiment.outputs(this.witness, changes);
  }

  #remember(key: string, measure: () => Promise<Prediction>): Promise<Prediction> {
    const known = this.#measured.get(key) ?? measure();
    this.#measured.set(key, known);
    return known;
  }

  /** The matrix of your backward pass, d yours[k] / d dout[o] at o·entries + k; undefined if it is not linear, or large. */
  own(): Promise<Float64Array | undefined> {
    this.#own ??= this.#measureOwn();
    return this.#own;
  }

  async #measureOwn(): Promise<Float64Array | undefined> {
    const { dout, entries, yours } = this;
    if (dout.length > MOST_CALLS) return undefined;
    const matrix = new Float64Array(dout.length * entries);
    const sum = new Float64Array(entries);
    for (let o = 0; o < dout.length; o++) {
      const unit = new Float64Array(dout.length);
      unit[o] = 1;
      const row = await this.#experiment.yours(this.witness, { dout: unit });
      if (row?.length !== entries) return undefined;
      matrix.set(row, o * entries);
      for (let k = 0; k < entries; k++) sum[k] += row[k] * dout[o];
    }
    return distance(sum, yours, this.right) <= Math.max(1e-6 * norm(yours), this.noise) ? matrix : undefined;
  }

  #reliableJacobian(): Float64Array | undefined {
    const { jacobian, complete } = this.witness;
    if (!jacobian || !complete || jacobian.length !== this.dout.length * this.entries) return undefined;
    const product = new Float64Array(this.entries);
    this.dout.forEach((d, o) => {
      for (let k = 0; k < this.entries; k++) product[k] += jacobian[o * this.entries + k] * d;
    });
    return distance(product, this.right, this.right) <= Math.max(LEFT * this.miss, this.noise) ? jacobian : undefined;
  }

  /** What the layer returned, in its own length. */
  get returned(): Float64Array {
    return this.witness.returned ?? this.yours;
  }

  /** A value of the point by name: an input or an output. */
  value(name: string): PointValue | undefined {
    return [...this.witness.inputs, ...this.witness.outputs].find((value) => value.name === name);
  }

  /** The entries that were compared, of an array in the input's form. */
  sample(whole: Float64Array): Float64Array {
    return this.witness.complete ? whole : Float64Array.from(this.witness.entries, (entry) => whole[entry]);
  }
}

/** All points. Those that reject most explanations at the least cost come first. */
export class Evidence {
  readonly input: string;
  readonly points: readonly Point[];
  readonly axes: Axes;

  constructor(input: string, points: readonly Point[]) {
    this.input = input;
    this.points = [...points].sort((a, b) => cost(a) - cost(b));
    this.axes = new Axes(this.points);
  }

  get wrong(): Point[] {
    return this.points.filter(({ isWrong }) => isWrong);
  }

  /** The same evidence about other gradients of the layer, one per point. */
  of(points: readonly Point[]): Evidence {
    return new Evidence(this.input, points);
  }

  /** Whether the explanation holds at every size, over at least three draws. */
  async isExplainedBy({ predict }: Candidate): Promise<boolean> {
    const explained: Point[] = [];
    for (const [at, point] of this.points.entries()) {
      const prediction = await predict(point, at);
      if (prediction === undefined) continue;
      if (!point.agrees(prediction)) return false;
      if (point.isWrong) explained.push(point);
    }
    return this.areEnough(explained);
  }

  /** Whether these points are three draws, and at least one at every size where the gradient is wrong. Where only a sample is known, none is needed. */
  areEnough(points: readonly Point[]): boolean {
    const sizes = new Set(points.map(sizesOf));
    return points.length >= LEAST_DRAWS && this.wrong.every((point) => sizes.has(sizesOf(point)) || !point.witness.complete);
  }

  /** Whether most entries that are wrong at one draw are wrong at all draws of these sizes: a place is wrong, not a label or an index that was drawn. */
  isWrongInTheSamePlaces(): boolean {
    const first = new Map<string, Point>();
    return this.wrong.every((point) => {
      const other = first.get(sizesOf(point)) ?? point;
      first.set(sizesOf(point), other);
      const both = point.counts((k) => other.isWrongAt(k)).wrong;
      return point.entries !== other.entries || both.outside <= both.inside / 4;
    });
  }

  /** The first explanation that holds. */
  async first(candidates: Iterable<Candidate>): Promise<Mistake | null> {
    for (const candidate of candidates) if (await this.isExplainedBy(candidate)) return candidate.mistake;
    return null;
  }
}

function sizesOf({ witness }: Point): string {
  return JSON.stringify([witness.sizes, witness.train]);
}

/** Small points are cheap, but one or two entries, or one output, reject little. */
function cost({ entries, dout, isWrong }: Point): number {
  return entries * dout.length + (isWrong ? 0 : 1e9) + (entries < 4 || dout.length < 2 ? 1e6 : 0);
}

function joined(values: readonly PointValue[]): Float64Array {
  return Float64Array.from(values.flatMap(({ data }) => Array.from(data)));
}

/** |a - b| over the entries where the right gradient is known. */
function distance(a: Float64Array, b: Float64Array, right: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < right.length; k++) if (!Number.isNaN(right[k])) sum += (a[k] - b[k]) ** 2;
  return Math.sqrt(sum);
}

/** The Euclidean length. */
export function norm(values: Float64Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}
