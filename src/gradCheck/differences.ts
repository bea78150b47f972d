/** Derivatives of the lesson's tensors by differences, in float64: an entry is moved in place and restored. */

import type { FloatArray } from '../core/tensor.js';
import type { LessonValues, ValueName } from '../lesson/values.js';
import { type Measured, measureEntry } from './comparison.js';
import { measure } from './derivative.js';

/** What an array's derivative is measured of. */
export interface Outputs {
  /** Computes the outputs from the array as it is. */
  compute: () => ArrayLike<number>;
  /** The outputs before any entry is moved. */
  unmoved: ArrayLike<number>;
  /** Their gradients. */
  dout: ArrayLike<number>;
}

/** The smallest step, as a share of the largest: 16 halvings. */
const SMALLEST = 2 ** -16;

/**
 * The derivative with respect to an entry, of the sum of the outputs weighted with their gradients.
 * @param eps the largest step
 * @returns NaN if the outputs are not finite, however small the step
 */
export function derivativeAt(data: FloatArray, entry: number, { compute, unmoved, dout }: Outputs, eps: number): Measured {
  const x = data[entry];
  const steps = { first: eps, last: eps * SMALLEST, epsilon: Number.EPSILON, magnitude: Array.from(unmoved, Math.abs) };
  const found = measure(measureEntry(x, steps, dout), (shift) => {
    data[entry] = x + shift;
    return { t: data[entry] - x, values: compute() };
  });
  data[entry] = x;
  if (!found) return { right: Number.NaN, summed: 0, error: 0, agreed: false };
  const { right, summed, error, agreed } = found;
  return { right, summed, error, agreed };
}

/**
 * Caches the derivatives of one case by tensor and entry. Measuring them takes almost all the time of a check, and they do not depend on the
 * lines that are checked.
 */
export function remembering<Rest extends unknown[]>(
  measureOnce: (values: LessonValues, name: ValueName, entry: number, ...rest: Rest) => Measured,
): typeof measureOnce {
  const known = new Map<string, Measured>();
  return (values, name, entry, ...rest) => {
    const key = `${name} ${entry}`;
    const measured = known.get(key) ?? measureOnce(values, name, entry, ...rest);
    known.set(key, measured);
    return measured;
  };
}
