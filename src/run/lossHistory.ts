import type { MetricsRecord } from './records.js';

/** A point of a curve. */
export type CurvePoint = [step: number, value: number];

/** Points of each curve, at most. */
const MOST = 1024;

/** A curve in bounded memory: once there are too many points, two neighbours become their mean, at the step of the second. */
class ThinnedCurve {
  #points: CurvePoint[] = [];
  /** Added points that each kept point is the mean of. */
  #share = 1;
  #sum = 0;
  #count = 0;
  #step = 0;

  add(step: number, value: number): void {
    this.#step = step;
    this.#sum += value;
    this.#count++;
    if (this.#count < this.#share) return;
    this.#points.push([step, this.#sum / this.#count]);
    this.#sum = 0;
    this.#count = 0;
    if (this.#points.length < MOST) return;
    const mean = (i: number) => (this.#points[i - 1][1] + this.#points[i][1]) / 2;
    this.#points = this.#points.flatMap(([step], i) => (i % 2 === 1 ? [[step, mean(i)] satisfies CurvePoint] : []));
    this.#share *= 2;
  }

  get points(): CurvePoint[] {
    return this.#count === 0 ? this.#points : [...this.#points, [this.#step, this.#sum / this.#count]];
  }
}

/** The loss curves of a run as its records come in, for drawing: at most 1,024 points each, whatever its length. */
export class LossHistory {
  readonly #train = new ThinnedCurve();
  readonly #val = new ThinnedCurve();
  /** The last validation loss, in nats. */
  lastVal: number | undefined;

  add(record: MetricsRecord): void {
    if ('loss' in record) this.#train.add(record.step, record.loss);
    else if ('valLoss' in record) {
      this.#val.add(record.step, record.valLoss);
      this.lastVal = record.valLoss;
    }
  }

  /** Batch losses. */
  get train(): readonly CurvePoint[] {
    return this.#train.points;
  }

  /** Losses over the validation names. */
  get val(): readonly CurvePoint[] {
    return this.#val.points;
  }
}
