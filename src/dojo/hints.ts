/** The hints for a line, in steps that each add something: the kind of rule, the rule on the line's tensors, the formula. */
import type { GradientName } from '../lesson/values.js';
import type { ExerciseLine } from './exercises.js';

export const HINT_STEPS = ['kind', 'rule', 'formula'] as const;
export type HintStep = (typeof HINT_STEPS)[number];

/** The kinds of rules. None names a tensor. */
const KINDS = {
  entrywise: 'A function of each entry on its own. Multiply the gradient above by the derivative of the function, entry by entry.',
  product: 'A product, entry by entry. Multiply the gradient above by the other factor.',
  'broadcast-product':
    'A product with a tensor that was broadcast. Multiply the gradient above by the other factor, and sum over the dimension that was broadcast.',
  'matrix-product':
    'A matrix product. So is its gradient: of the gradient above and the other factor, one of them transposed. Only one order has the right shape.',
  added:
    'A tensor that is added, and was broadcast. The gradient above passes through, and is summed over the dimension that was broadcast.',
  subtracted:
    'A tensor that is subtracted, and was broadcast. The gradient above passes through with the other sign, and is summed over the dimension that was broadcast.',
  sum: 'A sum. Each entry that it adds gets the gradient of the sum, times the factor that the sum is multiplied by.',
  'two-uses': 'The tensor is used twice. Work out the gradient of each use alone, then add the two.',
  choice: 'A mean of chosen entries. Each chosen entry has the same effect on the mean, and the other entries have none.',
  view: 'A view changes the shape and nothing else. The same is true on the way back.',
  lookup:
    'A table, of which rows were copied. Each copy sends its gradient back to its row, and a row that was copied several times adds them up.',
  'cross-entropy':
    'Take one example. Write its loss as a function of its logits, simplify it on paper, and only then differentiate. The mean over the examples comes last.',
  'batch-norm': 'Take one column. The gradient arrives in three ways: directly, through the mean, and through the variance. Add them.',
} as const;

interface Hint {
  kind: keyof typeof KINDS;
  rule: string;
}

const ATOMIC: Record<GradientName, Hint> = {
  dlogprobs: {
    kind: 'choice',
    rule: 'The chosen entries are those at the targets Yb, one in each of the n rows. The loss is minus their mean.',
  },
  dprobs: { kind: 'entrywise', rule: 'The derivative of log x is 1/x. Here x is probs.' },
  dcounts_sum_inv: {
    kind: 'broadcast-product',
    rule: 'The other factor is counts. counts_sum_inv [n,1] was broadcast along the row: sum along the row, with keepdim.',
  },
  dcounts_sum: { kind: 'entrywise', rule: 'The derivative of x^(-1) is -x^(-2). Here x is counts_sum.' },
  dcounts: {
    kind: 'two-uses',
    rule: 'In probs, the other factor is counts_sum_inv. In counts_sum, every entry of a row gets the gradient of the sum of its row.',
  },
  dnorm_logits: { kind: 'entrywise', rule: 'The derivative of exp is exp itself. The forward pass has computed it: counts.' },
  dlogit_maxes: {
    kind: 'subtracted',
    rule: 'logit_maxes [n,1] is subtracted from every entry of its row: sum along the row, with keepdim.',
  },
  dlogits: {
    kind: 'two-uses',
    rule: 'In norm_logits, every entry passes its gradient through. In logit_maxes, only the largest entry of each row was used: it gets the gradient of the maximum, and the others get 0.',
  },
  dh: {
    kind: 'matrix-product',
    rule: 'The other factor is W2. dlogits [n,V] and W2 [H,V] give [n,H] if W2 is transposed and comes second.',
  },
  dW2: {
    kind: 'matrix-product',
    rule: 'The other factor is h. h [n,H] and dlogits [n,V] give [H,V] if h is transposed and comes first. The product sums over the batch by itself.',
  },
  db2: { kind: 'added', rule: 'b2 [V] is added to each of the n rows: sum over the batch, without keepdim.' },
  dhpreact: { kind: 'entrywise', rule: 'The derivative of tanh is 1 - y², where y is its output. Here y is h.' },
  dbngain: {
    kind: 'broadcast-product',
    rule: 'The other factor is bnraw. bngain [1,H] was broadcast over the batch: sum over the batch, with keepdim.',
  },
  dbnraw: { kind: 'product', rule: 'The other factor is bngain. bnraw [n,H] was not broadcast, so nothing is summed.' },
  dbnbias: { kind: 'added', rule: 'bnbias [1,H] is added to each of the n rows: sum over the batch, with keepdim.' },
  dbnvar_inv: {
    kind: 'broadcast-product',
    rule: 'The other factor is bndiff. bnvar_inv [1,H] was broadcast over the batch: sum over the batch, with keepdim.',
  },
  dbnvar: {
    kind: 'entrywise',
    rule: 'The derivative of (x + eps)^(-1/2) is -1/2 (x + eps)^(-3/2). Here x is bnvar, and eps, 1e-5, stays inside the power.',
  },
  dbndiff2: {
    kind: 'sum',
    rule: 'bnvar adds the n rows and divides by n - 1. Its gradient [1,H] goes to every row: broadcast it to [n,H].',
  },
  dbndiff: {
    kind: 'two-uses',
    rule: 'In bnraw, the other factor is bnvar_inv. In bndiff2, the tensor is squared: the derivative of x² is 2x.',
  },
  dbnmeani: {
    kind: 'subtracted',
    rule: 'bnmeani [1,H] is subtracted from each of the n rows: sum over the batch, with keepdim.',
  },
  dhprebn: {
    kind: 'two-uses',
    rule: 'In bndiff, every entry passes its gradient through. The mean bnmeani takes 1/n of each row: every row gets 1/n of its gradient.',
  },
  dembact: {
    kind: 'matrix-product',
    rule: 'The other factor is W1. dhprebn [n,H] and W1 [T·E,H] give [n,T·E] if W1 is transposed and comes second.',
  },
  dW1: {
    kind: 'matrix-product',
    rule: 'The other factor is embact. embact [n,T·E] and dhprebn [n,H] give [T·E,H] if embact is transposed and comes first. The product sums over the batch by itself.',
  },
  db1: { kind: 'added', rule: 'b1 [H] is added to each of the n rows: sum over the batch, without keepdim.' },
  demb: { kind: 'view', rule: 'embact [n,T·E] holds the entries of emb in the same order. Give the gradient the shape of emb again.' },
  dC: {
    kind: 'lookup',
    rule: 'emb[i,t] is a copy of row Xb[i,t] of C. Start from zeros in the shape of C, and add each row of the gradient above at its index: scatterAddRows does that, in PyTorch index_add_.',
  },
};

/** The lines of Exercises 2 and 3, which Exercise 4 has too. */
const CLOSED = {
  exercise2: {
    kind: 'cross-entropy',
    rule: 'The loss of an example is log Σ exp(logits) - the logit at its target. The derivative of log Σ exp is the softmax.',
  },
  exercise3: {
    kind: 'batch-norm',
    rule: 'All three have the factor bngain · bnvar_inv. Directly: dhpreact. Through the mean: minus the mean of dhpreact over the batch. Through the variance: in proportion to bnraw and to the sum of dhpreact · bnraw over the batch, divided by n - 1.',
  },
} as const satisfies Record<string, Hint>;

/** The steps of the hints for a line, in order. */
export function hintsFor({ name, source, knowledge }: ExerciseLine): Record<HintStep, string> {
  const { kind, rule } = source === 'exercise1' ? ATOMIC[name] : CLOSED[source];
  return { kind: KINDS[kind], rule, formula: knowledge.formula.replace(`${name} = `, '') };
}
