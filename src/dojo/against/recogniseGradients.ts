/** Finds a mistake of the forward pass in the gradients of a file, where it does not hold the forward values that would show it. */
import { difference, largestMagnitude } from '../../core/numbers.js';
import { sameShape, type Tensor } from '../../core/tensor.js';
import { backward, exercise1, GRADIENT_NAMES } from '../../lesson/exercise1.js';
import type { GradientName, LessonGradients, LessonValues } from '../../lesson/values.js';
import { ATOMIC_LINES } from '../atomicLines.js';
import type { Pass } from './pass.js';
import { attempt, candidates, type RecognisedCause } from './recogniseForward.js';
import { FLOAT32 } from './rounding.js';

export type FileGradients = Readonly<Partial<Record<GradientName, Tensor>>>;

/** A mistake of the forward pass makes at least this many lines wrong by themselves. Fewer are mistakes in the lines. */
const LEAST_LINES = 3;
/** From this many wrong lines on, a third of all, it is more likely that the inputs are not those of the lines. */
const DOUBTFUL_LINES = 6;
/** A line is right within this share of its largest entry. Exact limits are not needed to count lines. */
const CLOSE = { float32: 3e-5, float64: 1e-8 };
/** Above this product of examples and entries of W1, the passes of the search take too long. */
const LARGEST = 2 ** 20;

/**
 * The mistake with which most lines are right given what they were fed; 'inputs' where most are wrong, and none explains it.
 * @param valuesIn the forward values of a pass; undefined if they are not usable
 */
export function recogniseInGradients(
  pass: Pass,
  gradients: FileGradients,
  valuesIn: (pass: Pass) => LessonValues | undefined,
): RecognisedCause | 'inputs' | undefined {
  const names = GRADIENT_NAMES.filter((name) => gradients[name] !== undefined && !ATOMIC_LINES[name].zeroEndToEnd);
  const close = pass.parts.precision === FLOAT32 ? CLOSE.float32 : CLOSE.float64;
  const wrongIn = (values: LessonValues | undefined) => (values ? wrongLines(values, gradients, names, close) : Number.POSITIVE_INFINITY);
  // With values that are not usable, no more than all lines can be wrong: what explains few of them is no cause.
  const before = Math.min(wrongIn(valuesIn(pass)), names.length);
  const { W1, Xb } = pass.parts.inputs;
  const seen = names.find((name) => name !== 'dlogprobs');
  if (before < LEAST_LINES || seen === undefined || W1.size * Xb.shape[0] > LARGEST) return undefined;
  const valueIn = (other: Pass) => backward(other.at)[seen];
  let best: RecognisedCause | undefined;
  let least = Math.min(before - LEAST_LINES, before / 3);
  for (const cause of candidates({ step: 'loss', found: gradients[seen] as Tensor, valueIn }, pass, gradients)) {
    const wrong = wrongIn(valuesIn(pass.with(cause.parts)));
    if (wrong < least || (best === undefined && wrong === least)) [best, least] = [cause, wrong];
  }
  return best ?? (before >= Math.max(DOUBTFUL_LINES, names.length / 3) ? 'inputs' : undefined);
}

/** How many gradients are neither right with these forward values nor what their lines give with the file's gradients above them. */
function wrongLines(values: LessonValues, gradients: FileGradients, names: readonly GradientName[], close: number): number {
  const truth = attempt(() => backward(values));
  if (truth === undefined) return Number.POSITIVE_INFINITY;
  const at = { ...values, ...truth, ...gradients } as LessonValues & LessonGradients;
  return names.filter((name) => {
    const found = gradients[name] as Tensor;
    return [truth[name], attempt(() => exercise1[name](at))].every((expected) => {
      if (expected === undefined || !sameShape(expected.shape, found.shape)) return true;
      return !(difference(found.data, expected.data).maxAbs <= close * largestMagnitude(expected.data));
    });
  }).length;
}
