/** Part (a): each of the 26 atomic gradients, alone and in the whole chain, against finite differences. */

import { randomStream } from '../core/random.js';
import { Tensor } from '../core/tensor.js';
import { type LessonCase, randomGradients } from '../lesson/case.js';
import { exercise1, GRADIENT_NAMES, type GradientLines } from '../lesson/exercise1.js';
import { forwardLines } from '../lesson/forward.js';
import {
  consumersOf,
  type GradientName,
  type LessonGradients,
  type LessonValues,
  stepsAfter,
  type ValueName,
  valueNamed,
} from '../lesson/values.js';
import type { Measured } from './comparison.js';
import { derivativeAt } from './differences.js';
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
      measured: (entry) => derivative(values, value, entry, upstream, options.eps),
      options,
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
  const gradientOf = runChain(values, lines);
  return GRADIENT_NAMES.map((name) => {
    const value = valueNamed(name);
    return judge({
      head: { part: 'atomic', witness: 'end-to-end differences', n, hidden: config.hidden, name },
      shape: values[value].shape,
      manual: () => gradientOf(name),
      measured: (entry) => derivative(values, value, entry, options.eps),
      options,
      structuralZero: isStructuralZero(name),
    });
  });
}

/** d(loss)/d(entry), by differences; recomputes only the steps that depend on the tensor. */
export function lossDerivative(values: LessonValues, name: ValueName, entry: number, eps: number): Measured {
  const steps = stepsAfter(name);
  const moved = { ...values };
  const compute = () => {
    for (const step of steps) moved[step] = forwardLines[step](moved);
    return moved.loss.data;
  };
  return derivativeAt(values[name].data, entry, { compute, unmoved: values.loss.data, dout: [1] }, eps);
}

/** d(Σ upstream·step)/d(entry), over the steps that read the tensor, by differences. */
export function localDerivative(values: LessonValues, name: ValueName, entry: number, upstream: LessonGradients, eps: number): Measured {
  const steps = consumersOf(name);
  const outputs = {
    compute: () => concatenated(steps.map((step) => forwardLines[step](values))),
    unmoved: concatenated(steps.map((step) => values[step])),
    dout: concatenated(steps.map((step) => (step === 'loss' ? LOSS_GRADIENT : upstream[`d${step}`]))),
  };
  return derivativeAt(values[name].data, entry, outputs, eps);
}

/** The gradient of the loss itself. */
const LOSS_GRADIENT = Tensor.of([1], [], 'float64');

function concatenated(tensors: readonly Tensor[]): Float64Array {
  const out = new Float64Array(tensors.reduce((size, tensor) => size + tensor.size, 0));
  let at = 0;
  for (const { data } of tensors) {
    out.set(data, at);
    at += data.length;
  }
  return out;
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
