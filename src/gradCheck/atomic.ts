/** Part (a): each of the 26 atomic gradients, alone and in the chain, against differences. */

import { type RandomStream, randomStream } from '../core/random.js';
import type { Tensor } from '../core/tensor.js';
import { type LessonCase, randomTensor } from '../lesson/case.js';
import { exercise1, GRADIENT_NAMES, type GradientLines } from '../lesson/exercise1.js';
import { forwardLines } from '../lesson/forward.js';
import { consumersOf, type GradientName, type Gradients, type StepName, type ValueName, type Values } from '../lesson/values.js';
import { bendingLength, centralDifference, chooseEntries, stepsAfter } from './differences.js';
import type { CheckOptions } from './options.js';
import { type CheckRow, isStructuralZero, judge } from './row.js';

/**
 * Each gradient line by itself: the steps that read the tensor are given random upstream gradients, independent of each
 * other, and the line must be the derivative of their weighted sum. A mistake in one line makes one row fail; the
 * true upstream gradients would hide some (they sum to zero before b1 and before logit_maxes).
 */
export function checkLocally(
  given: LessonCase,
  options: CheckOptions,
  lines: GradientLines = exercise1,
  names: readonly GradientName[] = GRADIENT_NAMES,
): CheckRow[] {
  const random = randomStream('grad-check', `${options.seed} upstream ${given.n}`);
  return names.map((name) => {
    const value = valueNamed(name);
    const upstream = randomUpstream(given.values, random);
    const entries = chooseEntries(given.values[value].size, options.entries, random);
    return judge(
      { part: 'atomic', witness: 'local differences', n: given.n, hidden: given.config.hidden, name },
      given.values[value].shape,
      () => lines[name]({ ...given.values, ...upstream }),
      entries,
      (entry) => localDerivative(given.values, value, entry, upstream, options.eps),
      options.tolerance,
    );
  });
}

/** The whole chain with the true upstream gradients, each tensor moved and the loss watched. */
export function checkEndToEnd(given: LessonCase, options: CheckOptions, lines: GradientLines = exercise1): CheckRow[] {
  const random = randomStream('grad-check', `${options.seed} entries ${given.n}`);
  const gradientOf = runChain(given.values, lines);
  return GRADIENT_NAMES.map((name) => {
    const value = valueNamed(name);
    const entries = chooseEntries(given.values[value].size, options.entries, random);
    return judge(
      { part: 'atomic', witness: 'end-to-end differences', n: given.n, hidden: given.config.hidden, name },
      given.values[value].shape,
      () => gradientOf(name),
      entries,
      (entry) => lossDerivative(given.values, value, entry, options.eps),
      options.tolerance,
      isStructuralZero(name),
    );
  });
}

/** d(loss)/d(entry) by differences, recomputing the steps that depend on the value. */
export function lossDerivative(values: Values, name: ValueName, entry: number, eps: number): number {
  const steps = stepsAfter(name);
  const moved = { ...values };
  return centralDifference(values[name].data, entry, eps * bendingLength(name, entry, values), () => {
    for (const step of steps) moved[step] = forwardLines[step](moved);
    return moved.loss.data[0];
  });
}

/** d(Σ upstream·step)/d(entry) over the steps that read the value. Steps are summed as changes, so that what stays cancels exactly. */
function localDerivative(values: Values, name: ValueName, entry: number, upstream: Gradients, eps: number): number {
  const steps = consumersOf(name);
  return centralDifference(values[name].data, entry, eps * bendingLength(name, entry, values), () =>
    steps.reduce((sum, step) => sum + weightedChange(forwardLines[step](values), values, step, upstream), 0),
  );
}

function weightedChange(moved: Tensor, values: Values, step: StepName, upstream: Gradients): number {
  const still = values[step].data;
  if (step === 'loss') return moved.data[0] - still[0];
  const weights = upstream[`d${step}`].data;
  let sum = 0;
  for (let i = 0; i < still.length; i++) sum += weights[i] * (moved.data[i] - still[i]);
  return sum;
}

/** Random gradients for every tensor: a line that reads one it should not is wrong by itself. */
function randomUpstream(values: Values, random: RandomStream): Gradients {
  return Object.fromEntries(GRADIENT_NAMES.map((name) => [name, randomTensor(values[valueNamed(name)].shape, random)])) as Gradients;
}

/** The value that a gradient belongs to: C for dC. */
function valueNamed(name: GradientName): ValueName {
  return name.slice(1) as ValueName;
}

/** The chain's gradients by name. Where a line threw, asking for it throws the same, and those after it were not reached. */
function runChain(values: Values, lines: GradientLines): (name: GradientName) => Tensor {
  const at = { ...values } as Values & Gradients;
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
