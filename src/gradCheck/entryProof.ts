/**
 * One entry of a gradient against the definition of a derivative: the loss at x + ε and at x - ε, and their difference quotient
 * (loss(x + ε) - loss(x - ε)) / 2ε. Its error falls with ε² until rounding, which grows with 1/ε, hides the change of the loss.
 */
import type { DType } from '../core/tensor.js';
import { gradientNamed, type LessonGradients, type LessonValues, VALUE_NAMES, type ValueName } from '../lesson/values.js';
import { entryLoss } from './entryLoss.js';

/** The difference quotient with one ε. Where a loss is not finite (log of 0 or of a negative number), quotient and error are not finite either. */
export interface Quotient {
  eps: number;
  /** The loss at x + eps and at x - eps, in nats. */
  plus: number;
  minus: number;
  quotient: number;
  /** |quotient - gradient|, as a share of what {@link relativeTo} names. */
  error: number;
}

/** What an error is a share of: the gradient's magnitude, or 1 where the gradient is 0 except for rounding. */
export type RelativeTo = 'gradient' | 'one';

/** The difference quotient beside the gradient that the backward pass computes. */
export interface Nudge extends Quotient {
  /** The loss with the entry as it is. */
  loss: number;
  gradient: number;
  relativeTo: RelativeTo;
}

/** The errors of the quotient by ε, ascending, and what they say. */
export interface ErrorCurve {
  dtype: DType;
  gradient: number;
  relativeTo: RelativeTo;
  points: Quotient[];
  /** The ε with the least error, neighbours considered, and this error. Undefined if no loss is finite. */
  best: number | undefined;
  bestError: number | undefined;
  /** Below this ε, rounding makes the error more than ten times the least. Undefined if it does not grow there. */
  noiseBelow: number | undefined;
  /** Above this ε, curvature makes the error more than ten times the least. Undefined if the loss bends too little, as where it is linear. */
  curvatureAbove: number | undefined;
  /** From this ε on, a loss is not finite. */
  notFiniteFrom: number | undefined;
}

/** A gradient below this is rounding: the true one is 0. */
const ZERO = 1e-12;
const POINTS_PER_DECADE = 6;
/** The exponent of ten of the smallest ε, and the rounding of a number: no error below it means anything. */
const PRECISIONS: Record<DType, { first: number; rounding: number }> = {
  float64: { first: -12, rounding: 2 ** -53 },
  float32: { first: -8, rounding: 2 ** -24 },
};
/** How many times the least error counts as grown. */
const GROWN = 10;
/** Neighbours on each side that an error is compared with: a quotient may be right by chance. */
const NEIGHBOURS = 2;

/**
 * Moves one entry by ±eps, in the precision of the values. An intermediate is moved alone: the tensors before it keep their values.
 * @param values a forward pass; it is not changed
 * @param gradients its backward pass
 * @param entry the row-major position in the tensor
 */
export function nudge(values: LessonValues, gradients: LessonGradients, name: ValueName, entry: number, eps: number): Nudge {
  const gradient = gradients[gradientNamed(name)].data[entry];
  const quotient = quotientOf(entryLoss(values, name, entry), values[name].data[entry], gradient);
  return { loss: values.loss.item(), gradient, relativeTo: relativeTo(gradient), ...quotient(eps) };
}

/**
 * The errors of the quotient for ε up to 1. n 32, H 64: at most 50 ms, for C; 15 for W1.
 * @param gradients the backward pass in float64, which is the reference for both precisions
 * @param options dtype: the precision in which the losses are computed
 */
export function errorCurve(
  values: LessonValues,
  gradients: LessonGradients,
  name: ValueName,
  entry: number,
  { dtype }: { dtype: DType },
): ErrorCurve {
  const given = inPrecision(values, dtype);
  const gradient = gradients[gradientNamed(name)].data[entry];
  const quotient = quotientOf(entryLoss(given, name, entry), given[name].data[entry], gradient);
  const { first, rounding } = PRECISIONS[dtype];
  const count = -first * POINTS_PER_DECADE + 1;
  const points = Array.from({ length: count }, (_, k) => quotient(10 ** (first + k / POINTS_PER_DECADE)));
  return { dtype, gradient, relativeTo: relativeTo(gradient), points, ...readCurve(points, rounding) };
}

function quotientOf(lossAt: (x: number) => number, x: number, gradient: number): (eps: number) => Quotient {
  const scale = relativeTo(gradient) === 'gradient' ? Math.abs(gradient) : 1;
  return (eps) => {
    const [plus, minus] = [lossAt(x + eps), lossAt(x - eps)];
    const quotient = (plus - minus) / (2 * eps);
    return { eps, plus, minus, quotient, error: Math.abs(quotient - gradient) / scale };
  };
}

/** Where the error is least, and from where on it has grown on either side. */
function readCurve(points: readonly Quotient[], rounding: number): Omit<ErrorCurve, 'dtype' | 'gradient' | 'relativeTo' | 'points'> {
  const typical = points.map((_, k) => typicalError(points, k));
  const levels = typical.map((error) => Math.max(error, rounding));
  let at = -1;
  for (let k = 0; k < levels.length; k++) if (levels[k] <= (levels[at] ?? Number.POSITIVE_INFINITY)) at = k;
  const notFiniteFrom = points.find(({ plus, minus }) => !Number.isFinite(plus - minus))?.eps;
  const grown = (k: number) => levels[k] > GROWN * levels[at];
  return {
    best: points[at]?.eps,
    bestError: typical[at],
    noiseBelow: points.findLast((_, k) => k < at && grown(k))?.eps,
    curvatureAbove: points.find((_, k) => k > at && grown(k))?.eps,
    notFiniteFrom,
  };
}

/** The median of the error and its neighbours'; NaN where the error is not finite. */
function typicalError(points: readonly Quotient[], k: number): number {
  if (!Number.isFinite(points[k].error)) return Number.NaN;
  const near = points.slice(Math.max(0, k - NEIGHBOURS), k + NEIGHBOURS + 1).map(({ error }) => error);
  const sorted = near.filter(Number.isFinite).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

function relativeTo(gradient: number): RelativeTo {
  return Math.abs(gradient) < ZERO ? 'one' : 'gradient';
}

/** The values rounded to a precision. */
export function inPrecision(values: LessonValues, dtype: DType): LessonValues {
  const out = { ...values };
  for (const name of [...VALUE_NAMES, 'loss'] as const) out[name] = values[name].to(dtype);
  return out;
}
