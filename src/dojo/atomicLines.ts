/** The 26 lines of Exercise 1: the rule and formula behind each hint, and each gradient as a tree. */
import type { GradientName } from '../lesson/values.js';
import { RIGHT_SCATTERING } from './arrangements.js';
import { apply, epsilon, matmul, number, place, power, product, sum, total, transposed, upstream, value } from './expression.js';
import type { LineKnowledge } from './knowledge.js';

/** Exercise 1, in backward order. */
export const ATOMIC_LINES: Record<GradientName, LineKnowledge> = {
  dlogprobs: {
    rule: 'The loss is minus the mean of n entries: one from each row, at the target. The other entries do not affect it.',
    formula: 'dlogprobs = -1/n at the targets Yb, 0 elsewhere',
    expression: product(number(-1, { n: -1 }), place('target')),
  },
  dprobs: {
    rule: 'The derivative of log x is 1/x, entry by entry, times the gradient above.',
    formula: 'dprobs = 1/probs · dlogprobs',
    expression: product(power(value('probs'), -1, 'log-derivative'), upstream('dlogprobs')),
  },
  dcounts_sum_inv: {
    rule: 'In a product, the gradient of each factor is the other factor times the gradient above. counts_sum_inv [n,1] was broadcast along the row: sum along the row.',
    formula: 'dcounts_sum_inv = Σ over the row of counts · dprobs',
    expression: sum('row', product(value('counts'), upstream('dprobs'))),
  },
  dcounts_sum: {
    rule: 'The derivative of x^(-1) is -x^(-2), times the gradient above.',
    formula: 'dcounts_sum = -counts_sum^(-2) · dcounts_sum_inv',
    expression: product(number(-1), power(value('counts_sum'), -2, 'power-derivative'), upstream('dcounts_sum_inv')),
  },
  dcounts: {
    rule: 'counts is used twice, in probs and in counts_sum: add both gradients. A sum passes its gradient to every entry that it adds.',
    formula: 'dcounts = counts_sum_inv · dprobs + dcounts_sum, broadcast along the row',
    expression: total({ probs: product(value('counts_sum_inv'), upstream('dprobs')), counts_sum: upstream('dcounts_sum') }),
  },
  dnorm_logits: {
    rule: 'The derivative of exp is exp itself: multiply its output, counts, by the gradient above.',
    formula: 'dnorm_logits = counts · dcounts',
    expression: product(value('counts', 'exp-derivative'), upstream('dcounts')),
  },
  dlogit_maxes: {
    rule: 'logit_maxes [n,1] is subtracted from every entry of its row: a minus sign, and a sum along the row.',
    formula: 'dlogit_maxes = -Σ over the row of dnorm_logits',
    expression: sum('row', product(number(-1), upstream('dnorm_logits'))),
    zeroEndToEnd: true,
  },
  dlogits: {
    rule: 'logits is used twice: directly, and through its row maximum. The maximum passes its gradient to the entry that is the maximum, and to no other.',
    formula: 'dlogits = dnorm_logits + (dlogit_maxes at the row maximum, 0 elsewhere)',
    expression: total({ norm_logits: upstream('dnorm_logits'), logit_maxes: product(upstream('dlogit_maxes'), place('row-maximum')) }),
  },
  dh: {
    rule: 'The gradient of each factor of a matrix product is the gradient above times the transpose of the other factor, in the order that fits the shapes.',
    formula: 'dh = dlogits · W2ᵀ',
    expression: matmul(upstream('dlogits'), transposed(value('W2'))),
  },
  dW2: {
    rule: 'The gradient of each factor of a matrix product is the gradient above times the transpose of the other factor, in the order that fits the shapes. It already sums over the batch.',
    formula: 'dW2 = hᵀ · dlogits',
    expression: matmul(transposed(value('h')), upstream('dlogits')),
  },
  db2: {
    rule: 'b2 [V] was broadcast over the batch: sum over the batch.',
    formula: 'db2 = Σ over the batch of dlogits',
    expression: sum('batch', upstream('dlogits')),
  },
  dhpreact: {
    rule: 'The derivative of tanh, in terms of its output, is 1 - h², times the gradient above.',
    formula: 'dhpreact = (1 - h²) · dh',
    expression: product(apply('1 - x²', value('h'), 'tanh-derivative'), upstream('dh')),
  },
  dbngain: {
    rule: 'bngain [1,H] multiplies bnraw and was broadcast over the batch: the other factor times the gradient above, summed over the batch.',
    formula: 'dbngain = Σ over the batch of bnraw · dhpreact',
    expression: sum('batch', product(value('bnraw'), upstream('dhpreact'))),
  },
  dbnraw: {
    rule: 'In a product, the gradient of each factor is the other factor times the gradient above. bnraw was not broadcast, so there is no sum.',
    formula: 'dbnraw = bngain · dhpreact',
    expression: product(value('bngain', 'gain'), upstream('dhpreact')),
  },
  dbnbias: {
    rule: 'bnbias [1,H] is added to every row: sum over the batch.',
    formula: 'dbnbias = Σ over the batch of dhpreact',
    expression: sum('batch', upstream('dhpreact')),
  },
  dbnvar_inv: {
    rule: 'bnvar_inv [1,H] multiplies bndiff and was broadcast over the batch: the other factor times the gradient above, summed over the batch.',
    formula: 'dbnvar_inv = Σ over the batch of bndiff · dbnraw',
    expression: sum('batch', product(value('bndiff'), upstream('dbnraw'))),
  },
  dbnvar: {
    rule: 'The derivative of (x + eps)^(-1/2) is -1/2 (x + eps)^(-3/2), times the gradient above; eps stays inside the power.',
    formula: 'dbnvar = -1/2 · (bnvar + 1e-5)^(-3/2) · dbnvar_inv',
    expression: product(number(-1 / 2), power(epsilon(value('bnvar')), -1.5, 'power-derivative'), upstream('dbnvar_inv')),
  },
  dbndiff2: {
    rule: 'A sum passes its gradient to every entry that it adds; the factor 1/(n-1) stays. dbnvar [1,H] is broadcast to [n,H].',
    formula: 'dbndiff2 = 1/(n-1) · dbnvar, in every row',
    expression: product(number(1, { 'n-1': -1 }), upstream('dbnvar')),
  },
  dbndiff: {
    rule: 'bndiff is used twice, in bnraw and in its square bndiff2: add both gradients. The derivative of x² is 2x.',
    formula: 'dbndiff = bnvar_inv · dbnraw + 2 · bndiff · dbndiff2',
    expression: total({
      bnraw: product(value('bnvar_inv'), upstream('dbnraw')),
      bndiff2: product(number(2), value('bndiff'), upstream('dbndiff2')),
    }),
  },
  dbnmeani: {
    rule: 'bnmeani [1,H] is subtracted from every row: a minus sign, and a sum over the batch.',
    formula: 'dbnmeani = -Σ over the batch of dbndiff',
    expression: sum('batch', product(number(-1), upstream('dbndiff'))),
  },
  dhprebn: {
    rule: 'hprebn is used twice, in bndiff and in the mean bnmeani, which takes 1/n of every row: add both gradients.',
    formula: 'dhprebn = dbndiff + 1/n · dbnmeani',
    expression: total({ bndiff: upstream('dbndiff'), bnmeani: product(number(1, { n: -1 }), upstream('dbnmeani')) }),
  },
  dembact: {
    rule: 'The gradient of each factor of a matrix product is the gradient above times the transpose of the other factor, in the order that fits the shapes.',
    formula: 'dembact = dhprebn · W1ᵀ',
    expression: matmul(upstream('dhprebn'), transposed(value('W1'))),
  },
  dW1: {
    rule: 'The gradient of each factor of a matrix product is the gradient above times the transpose of the other factor, in the order that fits the shapes.',
    formula: 'dW1 = embactᵀ · dhprebn',
    expression: matmul(transposed(value('embact')), upstream('dhprebn')),
  },
  db1: {
    rule: 'b1 [H] was broadcast over the batch: sum over the batch.',
    formula: 'db1 = Σ over the batch of dhprebn',
    expression: sum('batch', upstream('dhprebn')),
    zeroEndToEnd: true,
  },
  demb: {
    rule: 'A view changes only the shape: view the gradient in the old shape.',
    formula: 'demb = dembact, viewed as [n,T,E]',
    expression: { op: 'arranged', how: 'right', of: upstream('dembact') },
  },
  dC: {
    rule: 'emb copies rows of C: add each row of demb to the row of dC that it came from. A row of C that is used several times gets the sum of all its gradients.',
    formula: 'dC[Xb[i,t]] += demb[i,t], from zeros',
    expression: { op: 'scattered', how: RIGHT_SCATTERING, of: upstream('demb') },
  },
};
