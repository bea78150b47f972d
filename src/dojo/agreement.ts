import { difference, largestMagnitude } from '../core/numbers.js';
import { sameShape, type Tensor } from '../core/tensor.js';
import type { GradientName, LessonGradients } from '../lesson/values.js';

/** Relative to the largest entry, in float64: the same line on the same numbers gives the same bits, except for the sign of 0. */
const ALIKE = 1e-12;

/**
 * Whether a gradient of a backward pass with a mistake is the right one, except for rounding.
 * @param right the right backward pass
 */
export function agrees(name: GradientName, found: Tensor, right: LessonGradients): boolean {
  const expected = right[name];
  if (!sameShape(expected.shape, found.shape)) return false;
  const { maxAbs, largest } = difference(found.data, expected.data);
  return maxAbs <= ALIKE * Math.max(largest, scaleAbove(name, right));
}

/** db1 and dlogit_maxes are sums of terms that cancel: rounding is relative to these terms. */
function scaleAbove(name: GradientName, right: LessonGradients): number {
  const summed = { db1: right.dhprebn, dlogit_maxes: right.dnorm_logits }[name as string];
  return summed ? largestMagnitude(summed.data) * summed.shape[0] : 0;
}
