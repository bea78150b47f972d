/** Part (b): the closed forms of Exercises 2 and 3, against finite differences and against the atomic chain. */

import { largestMagnitude } from '../core/numbers.js';
import { randomStream } from '../core/random.js';
import type { Tensor } from '../core/tensor.js';
import { type LessonCase, randomTensor } from '../lesson/case.js';
import { type ClosedFormName, REPLACED_LINES } from '../lesson/closedTerms.js';
import { exercise1 } from '../lesson/exercise1.js';
import { exercise2 } from '../lesson/exercise2.js';
import { exercise3 } from '../lesson/exercise3.js';
import type { GradientName, LessonGradients, LessonValues, ValueName } from '../lesson/values.js';
import type { Measured } from './comparison.js';
import { derivativeAt, type Outputs } from './differences.js';
import type { CheckOptions } from './options.js';
import { type CheckRow, judge, type Witness } from './row.js';

/** A gradient in one expression, from the forward values and the gradient of the layer's output. */
export type ClosedForm = (at: LessonValues & Pick<LessonGradients, 'dhpreact'>) => Tensor;
export type ClosedForms = Record<ClosedFormName, ClosedForm>;

/** The solved exercises. */
export const SOLVED: ClosedForms = { dlogits: exercise2.dlogits, dhprebn: exercise3.dhprebn };

/**
 * Checks dlogits [n,V] and dhprebn [n,H], each in two rows: against differences and against the atomic chain.
 * @param forms the closed forms to check; by default the solved exercises
 * @param names the gradients to check; by default both
 * @param derivative measures a derivative. It does not depend on the forms, so a caller that checks many with the same options may cache its results.
 */
export function checkClosedForms(
  { n, config, values }: LessonCase,
  options: CheckOptions,
  forms: ClosedForms = SOLVED,
  names: readonly ClosedFormName[] = ['dlogits', 'dhprebn'],
  derivative: typeof closedDerivative = closedDerivative,
): CheckRow[] {
  const random = randomStream('grad-check', `${options.seed} closed forms ${n}`);
  const dhpreact = randomTensor(values.hpreact.shape, random);
  const outputs: Record<ClosedFormName, Outputs> = {
    dlogits: { compute: () => exercise2.loss(values).data, unmoved: values.loss.data, dout: [1] },
    dhprebn: { compute: () => exercise3.hpreact(values).data, unmoved: values.hpreact.data, dout: dhpreact.data },
  };
  const chain = {
    dlogits: alongChain(values, {}, REPLACED_LINES.dlogits).dlogits,
    dhprebn: alongChain(values, { dhpreact }, REPLACED_LINES.dhprebn).dhprebn,
  };
  return names.flatMap((name) => {
    const value = name === 'dlogits' ? 'logits' : 'hprebn';
    const row = (witness: Witness, measured: (entry: number) => Measured) =>
      judge({
        head: { part: 'closed-forms', witness, n, hidden: config.hidden, name },
        shape: values[value].shape,
        manual: () => forms[name]({ ...values, dhpreact }),
        measured,
        options,
      });
    const { data } = chain[name];
    const largest = largestMagnitude(data);
    return [
      row('local differences', (entry) => derivative(values, value, entry, outputs[name], options.eps)),
      row('atomic chain', (entry) => ({ right: data[entry], summed: largest, error: 0, agreed: true })),
    ];
  });
}

/** The derivative of the outputs of cross-entropy or batch norm with respect to an entry of their input, by differences. */
export function closedDerivative(values: LessonValues, name: ValueName, entry: number, outputs: Outputs, eps: number): Measured {
  return derivativeAt(values[name].data, entry, outputs, eps);
}

/** The gradients along a part of the chain, from the gradient of the part's output. */
function alongChain(values: LessonValues, upstream: Partial<LessonGradients>, chain: readonly GradientName[]): LessonGradients {
  const at = { ...values, ...upstream } as LessonValues & LessonGradients;
  for (const name of chain) at[name] = exercise1[name](at);
  return at;
}
