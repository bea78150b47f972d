/** What the records of a run draw: a quantity over its steps. */
import { isMatrix } from '../network/parameters.js';
import type { MetricsRecord } from './records.js';

/** A point of a curve. */
export type CurvePoint = [step: number, value: number];

/** Points of a curve that is only drawn, at most. */
const MOST = 1024;

/** A curve in bounded memory: once there are too many points, two neighbours become their mean, at the step of the second. */
export class ThinnedCurve {
  readonly #most: number;
  #points: CurvePoint[] = [];
  /** Added points that each kept point is the mean of. */
  #share = 1;
  #sum = 0;
  #count = 0;
  /** The point that was added last, and the lowest one. */
  last: CurvePoint | undefined;
  lowest: CurvePoint | undefined;

  constructor(most: number) {
    this.#most = most;
  }

  add(step: number, value: number): void {
    this.last = [step, value];
    if (!this.lowest || value < this.lowest[1]) this.lowest = this.last;
    this.#sum += value;
    this.#count++;
    if (this.#count < this.#share) return;
    this.#points.push([step, this.#sum / this.#count]);
    this.#sum = 0;
    this.#count = 0;
    if (this.#points.length < this.#most) return;
    const mean = (i: number) => (this.#points[i - 1][1] + this.#points[i][1]) / 2;
    this.#points = this.#points.flatMap(([step], i) => (i % 2 === 1 ? [[step, mean(i)] satisfies CurvePoint] : []));
    this.#share *= 2;
  }

  get points(): readonly CurvePoint[] {
    if (!this.last || this.#count === 0) return this.#points;
    return [...this.#points, [this.last[0], this.#sum / this.#count]];
  }
}

/** What can be drawn. */
export const QUANTITIES = ['loss', 'train', 'val', 'rate', 'update', 'saturation', 'gradient'] as const;
export type Quantity = (typeof QUANTITIES)[number];

/** The values of a record, by the name of their curve. */
function valuesIn(record: MetricsRecord, what: Quantity): (readonly [curve: string, value: number | null])[] {
  if ('loss' in record) {
    if (what === 'rate') return [['rate', record.rate]];
    return what === 'loss' || what === 'train' ? [['training', record.loss]] : [];
  }
  if ('valLoss' in record) return what === 'loss' || what === 'val' ? [['validation', record.valLoss]] : [];
  if (!('diagnostics' in record)) return [];
  const { blocks, parameters, gradientNorm } = record.diagnostics;
  if (what === 'gradient') return [['gradient', gradientNorm]];
  if (what === 'saturation') return blocks.map(({ saturated }, i) => [`block ${i + 1}`, saturated]);
  if (what !== 'update') return [];
  // The ratio of vectors, such as biases, says little.
  const matrices = Object.entries(parameters).filter(([name]) => isMatrix(name));
  return matrices.map(([name, { updateToData }]) => [name, updateToData === null ? null : Math.log10(updateToData)]);
}

/** The curves of one quantity as the records of a run come in: of `update`, log10 of update:data of each matrix. */
export class RunCurves {
  readonly #what: Quantity;
  readonly #most: number;
  /** By name, such as training and validation, in the order of their first points. */
  readonly curves = new Map<string, ThinnedCurve>();

  /** @param most points of each curve, at most; infinite keeps all of them */
  constructor(what: Quantity, most = MOST) {
    this.#what = what;
    this.#most = most;
  }

  add(record: MetricsRecord): void {
    for (const [name, value] of valuesIn(record, this.#what)) {
      if (value === null || !Number.isFinite(value)) continue;
      const curve = this.curves.get(name) ?? new ThinnedCurve(this.#most);
      this.curves.set(name, curve);
      curve.add(record.step, value);
    }
  }
}
