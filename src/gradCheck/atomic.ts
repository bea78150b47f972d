/** Part (a): each of the 26 atomic gradients, alone and in the whole chain, against finite differences. */

import { randomStream } from '../core/random.js';
import type { Tensor } from '../core/tensor.js';
import { type LessonCase, randomGradients } from '../lesson/case.js';
import { exercise1, GRADIENT_NAMES, type GradientLines } from '../lesson/exercise1.js';
import { forwardLines } from '../lesson/forward.js';
import {
  consumersOf,
  type GradientName,
  type LessonGradients,
  type LessonValues,
  type StepName,
  type ValueName,
  valueNamed,
} from '../lesson/values.js';
import { bendingLength, centralDifference, chooseEntries, stepsAfter } from './differences.js';
import type { CheckOptions } from './options.js';
import { type CheckRow, isStructuralZero, judge } from './row.js';

/**
 * Checks each gradient line alone. The steps that read the tensor get independent random upstream gradients, and the line must be the
 * derivative of their weighted sum (a vector-Jacobian product). A mistake in one line fails one row. The true upstream gradients would
 * hide some mistakes: they sum to zero at b1 and at logit_maxes.
 * @param lines the lines to check; by default the solved exercise
 * @param names the gradients to check; by default all 26
 * @param derivative measures a derivative. It does not depend on the lines, so a caller that checks many may cache its results.
 */
export function checkLocally(
  { n, config, values }: LessonCase,
  options: CheckOptions,
  lines: GradientLines = exercise1,
  names: readonly GradientName[] = GRADIENT_NAMES,
  derivative: typeof localDerivative = localDerivative,
): CheckRow[] {
  const random = randomStream('grad-check', `${options.seed} upstream ${n}`);
  return names.map((name) => {
    const value = valueNamed(name);
    const upstream = randomGradients(values, random);
    return judge({
      head: { part: 'atomic', witness: 'local differences', n, hidden: config.hidden, name },
      shape: values[value].shape,
      manual: () => lines[name]({ ...values, ...upstream }),
      entries: chooseEntries(values[value].size, options.entries, random),
      numerical: (entry) => derivative(values, value, entry, upstream, options.eps),
      tolerance: options.tolerance,
    });
  });
}

/**
 * Checks the whole chain with the true upstream gradients: it moves each entry and measures the change of the loss.
 * @param lines the lines to check; by default the solved exercise
 * @param derivative measures d(loss)/d(entry). It depends on the values alone, so a caller that checks many sets of lines may cache its results.
 */
export function checkEndToEnd(
  { n, config, values }: LessonCase,
  options: CheckOptions,
  lines: GradientLines = exercise1,
  derivative: typeof lossDerivative = lossDerivative,
): CheckRow[] {
  const random = randomStream('grad-check', `${options.seed} entries ${n}`);
  const gradientOf = runChain(values, lines);
  return GRADIENT_NAMES.map((name) => {
    const value = valueNamed(name);
    return judge({
      head: { part: 'atomic', witness: 'end-to-end differences', n, hidden: config.hidden, name },
      shape: values[value].shape,
      manual: () => gradientOf(name),
      entries: chooseEntries(values[value].size, options.entries, random),
      numerical: (entry) => derivative(values, value, entry, options.eps),
      tolerance: options.tolerance,
      structuralZero: isStructuralZero(name),
    });
  });
}

/** d(loss)/d(entry) by central differences; recomputes only the steps that depend on the tensor. */
export function lossDerivative(values: LessonValues, name: ValueName, entry: number, eps: number): number {
  const steps = stepsAfter(name);
  const moved = { ...values };
  return centralDifference(values[name].data, entry, eps * bendingLength(name, entry, values), () => {
    for (const step of steps) moved[step] = forwardLines[step](moved);
    return moved.loss.data[0];
  });
}

/** d(Σ upstream·step)/d(entry), over the steps that read the tensor. Summing changes of the steps makes unmoved entries cancel exactly. */
export function localDerivative(values: LessonValues, name: ValueName, entry: number, upstream: LessonGradients, eps: number): number {
  const steps = consumersOf(name);
  return centralDifference(values[name].data, entry, eps * bendingLength(name, entry, values), () =>
    steps.reduce((sum, step) => sum + weightedChange(forwardLines[step](values), values, step, upstream), 0),
  );
}

function weightedChange(moved: Tensor, values: LessonValues, step: StepName, upstream: LessonGradients): number {
  const still = values[step].data;
  if (step === 'loss') return moved.data[0] - still[0];
  const weights = upstream[`d${step}`].data;
  let sum = 0;
  for (let i = 0; i < still.length; i++) sum += weights[i] * (moved.data[i] - still[i]);
  return sum;
}

/** The chain's gradients by name. Asking for a line that threw throws its error again; asking for a later one throws 'not reached'. */
function runChain(values: LessonValues, lines: GradientLines): (name: GradientName) => Tensor {
  const at = { ...values } as LessonValues & LessonGradients;
  for (const [position, name] of GRADIENT_NAMES.entries()) {
    try {
      at[name] = lines[name](at);
    } catch (error) {
      return (asked) => {
        if (GRADIENT_NAMES.indexOf(asked) < position) return at[asked];
        throw asked === name ? error : new Error(`not reached: ${name} threw an error`);
      };
    }
  }
  return (asked) => at[asked];
}
