/**
 * The closed forms of Exercises 2 and 3 as sums of terms. Each term is what one use of a tensor adds to the atomic gradients, after most
 * of its factors have cancelled.
 */
import { largestMagnitude } from '../core/numbers.js';
import { Tensor } from '../core/tensor.js';
import { exercise2 } from './exercise2.js';
import { exercise3 } from './exercise3.js';
import { softmax } from './softmax.js';
import type { GradientName, LessonGradients, LessonValues } from './values.js';

type ValuesAndGradients = LessonValues & LessonGradients;
/** The gradients with a closed form: Exercise 2's and Exercise 3's. */
export type ClosedFormName = 'dlogits' | 'dhprebn';

/** One term of a closed form. */
export interface ClosedTerm {
  label: string;
  formula: string;
  /** In the shape of the gradient. */
  value: Tensor;
  /** The atomic lines on the way, in backward order. */
  atomic: readonly GradientName[];
  /** What the term is, and what cancels in it. */
  text: string;
}

/** A sum that is 0 for any parameters, except for rounding. */
export interface VanishingSum {
  formula: string;
  /** Why it is 0. */
  text: string;
  /** The sums: one for each row [n], or for each unit [H]. */
  sums: Tensor;
  /** Largest magnitude of a sum, and of an entry that is summed. */
  largest: number;
  largestEntry: number;
}

/** A closed form beside the atomic lines. */
export interface ClosedTerms {
  formula: string;
  /** The gradient by the closed form. */
  value: Tensor;
  /** The atomic lines that the closed form replaces, in backward order. */
  atomic: readonly GradientName[];
  /** They add up to the gradient. */
  terms: readonly ClosedTerm[];
  vanishes: readonly VanishingSum[];
}

/** The atomic lines that each closed form replaces, in backward order. */
export const REPLACED_LINES: Record<ClosedFormName, readonly GradientName[]> = {
  dlogits: ['dlogprobs', 'dprobs', 'dcounts_sum_inv', 'dcounts_sum', 'dcounts', 'dnorm_logits', 'dlogit_maxes', 'dlogits'],
  dhprebn: ['dbnraw', 'dbnvar_inv', 'dbnvar', 'dbndiff2', 'dbndiff', 'dbnmeani', 'dhprebn'],
};

/**
 * The terms of dlogits [n,V] or dhprebn [n,H].
 * @param at a forward pass and its backward pass
 */
export function closedTerms(at: ValuesAndGradients, name: ClosedFormName): ClosedTerms {
  return name === 'dlogits' ? crossEntropyTerms(at) : batchNormTerms(at);
}

function crossEntropyTerms(at: ValuesAndGradients): ClosedTerms {
  const { logits, Yb, n } = at;
  const value = exercise2.dlogits(at);
  const target: ClosedTerm = {
    label: 'at the target',
    formula: '-one-hot of Yb / n',
    value: Tensor.oneHot(Yb, logits.shape[1], logits.dtype).div(-n),
    atomic: ['dlogprobs', 'dprobs', 'dcounts', 'dnorm_logits', 'dlogits'],
    text: 'A higher logit of the target raises its count. Log, division and exp cancel: 1/probs · counts_sum_inv · counts = 1. What is left is -1/n at the target.',
  };
  const row: ClosedTerm = {
    label: 'through the sum of the row',
    formula: 'softmax(logits) / n',
    value: softmax(logits).div(n),
    atomic: ['dlogprobs', 'dprobs', 'dcounts_sum_inv', 'dcounts_sum', 'dcounts', 'dnorm_logits', 'dlogits'],
    text: "A higher logit raises the sum of its row and so lowers the target's probability. The probability itself cancels: counts · 1/probs at the target is counts_sum. What is left is counts / counts_sum, the softmax, divided by n.",
  };
  const rowSums = vanishing(value, 'row', {
    formula: 'Σ over the row of dlogits = 0',
    text: 'The softmax of a row sums to 1, and so does the one-hot: a shift of a whole row does not change the loss.',
  });
  const maxes = vanishing(at.dnorm_logits, 'row', {
    formula: 'dlogit_maxes = -Σ over the row of dnorm_logits = 0',
    text: 'The row maximum only shifts the row, so nothing flows back through it: dlogits is dnorm_logits.',
  });
  return {
    formula: 'dlogits = (softmax(logits) - one-hot of Yb) / n',
    value,
    atomic: REPLACED_LINES.dlogits,
    terms: [row, target],
    vanishes: [rowSums, maxes],
  };
}

function batchNormTerms(at: ValuesAndGradients): ClosedTerms {
  const { bngain, bnvar_inv, bnraw, bndiff, dhpreact, n } = at;
  const scale = bngain.mul(bnvar_inv);
  const value = exercise3.dhprebn(at);
  const direct: ClosedTerm = {
    label: 'directly',
    formula: 'bngain · bnvar_inv · dhpreact',
    value: scale.mul(dhpreact),
    atomic: ['dbnraw', 'dbndiff', 'dhprebn'],
    text: 'An entry of hprebn moves hpreact of its own example, with mean and variance as they are.',
  };
  const mean: ClosedTerm = {
    label: 'through the mean',
    formula: '-bngain · bnvar_inv / n · Σ dhpreact',
    value: Tensor.zerosLike(dhpreact).sub(scale.div(n).mul(dhpreact.sum(0))),
    atomic: ['dbnraw', 'dbndiff', 'dbnmeani', 'dhprebn'],
    text: 'An entry of hprebn moves the mean of its unit by 1/n, and with it all examples. Only the direct term is summed to dbnmeani: the variance term sums to 0 over the batch.',
  };
  const variance: ClosedTerm = {
    label: 'through the variance',
    formula: '-bngain · bnvar_inv / (n-1) · bnraw · Σ (dhpreact · bnraw)',
    value: scale
      .div(-(n - 1))
      .mul(bnraw)
      .mul(dhpreact.mul(bnraw).sum(0)),
    atomic: ['dbnraw', 'dbnvar_inv', 'dbnvar', 'dbndiff2', 'dbndiff', 'dhprebn'],
    text: 'An entry of hprebn moves the variance of its unit, and with it the scale of all examples. The 2 of the square and the -1/2 of the root leave -1, and two of the three factors bnvar_inv turn bndiff into bnraw, twice.',
  };
  const batchSums = vanishing(value, 'batch', {
    formula: 'Σ over the batch of dhprebn = 0',
    text: 'A shift of a unit for all examples moves its mean as far, so the loss does not change. That is why db1 is 0.',
  });
  const varianceSums = vanishing(variance.value, 'batch', {
    formula: 'Σ over the batch of the variance term = 0',
    text: 'It is bnraw times a constant, and bnraw sums to 0: so nothing flows to the mean through the variance.',
  });
  const differences = vanishing(bndiff, 'batch', {
    formula: 'Σ over the batch of bndiff = 0',
    text: 'These are differences from their own mean.',
  });
  return {
    formula:
      'dhprebn = bngain · bnvar_inv / n · (n · dhpreact - Σ dhpreact - n/(n-1) · bnraw · Σ (dhpreact · bnraw)), with sums over the batch',
    value,
    atomic: REPLACED_LINES.dhprebn,
    terms: [direct, mean, variance],
    vanishes: [batchSums, varianceSums, differences],
  };
}

function vanishing(entries: Tensor, over: 'row' | 'batch', said: Pick<VanishingSum, 'formula' | 'text'>): VanishingSum {
  const sums = entries.sum(over === 'row' ? 1 : 0);
  return { ...said, sums, largest: largestMagnitude(sums.data), largestEntry: largestMagnitude(entries.data) };
}
