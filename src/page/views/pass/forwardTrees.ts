/** The forward lines as trees, for their pictures. The lines themselves are in src/lesson/forward.ts. */
import { apply, type Expression, epsilon, matmul, number, place, power, product, sum, value } from '../../../dojo/expression.js';
import type { StepName } from '../../../lesson/values.js';

/** Rows of a table at the indices of the batch: the one step that no gradient line has. */
export interface Gathered {
  op: 'gathered';
  of: Expression;
}

/** A sum that is no sum of branches: it is drawn in one line. */
const plus = (...terms: readonly Expression[]): Expression => ({ op: 'total', terms, branches: [] });
const minus = (of: Expression): Expression => product(number(-1), of);

export const FORWARD_TREES: Record<StepName, Expression | Gathered> = {
  emb: { op: 'gathered', of: value('C') },
  embact: { op: 'arranged', how: 'right', of: value('emb') },
  hprebn: plus(matmul(value('embact'), value('W1')), value('b1')),
  bnmeani: product(number(1, { n: -1 }), sum('batch', value('hprebn'))),
  bndiff: plus(value('hprebn'), minus(value('bnmeani'))),
  bndiff2: power(value('bndiff'), 2),
  bnvar: product(number(1, { 'n-1': -1 }), sum('batch', value('bndiff2'))),
  bnvar_inv: power(epsilon(value('bnvar')), -0.5),
  bnraw: product(value('bndiff'), value('bnvar_inv')),
  hpreact: plus(product(value('bngain'), value('bnraw')), value('bnbias')),
  h: apply('tanh', value('hpreact')),
  logits: plus(matmul(value('h'), value('W2')), value('b2')),
  logit_maxes: apply('maximum over the row', value('logits')),
  norm_logits: plus(value('logits'), minus(value('logit_maxes'))),
  counts: apply('exp', value('norm_logits')),
  counts_sum: sum('row', value('counts')),
  counts_sum_inv: power(value('counts_sum'), -1),
  probs: product(value('counts'), value('counts_sum_inv')),
  logprobs: apply('log', value('probs')),
  loss: product(number(-1, { n: -1 }), sum('all', product(place('target'), value('logprobs')))),
};
