/** The 26 lines of Exercise 1: the rule and formula behind each hint, and each gradient as a tree. */
import type { GradientName } from '../lesson/values.js';
import { RIGHT_SCATTERING } from './arrangements.js';
import { apply, epsilon, matmul, number, place, power, product, sum, total, transposed, upstream, value } from './expression.js';
import type { LineKnowledge } from './knowledge.js';

/** Exercise 1, in backward order. */
export const ATOMIC_LINES: Record<GradientName, LineKnowledge> = {
  dlogprobs: {
    formula: 'dlogprobs = -1/n at the targets Yb, 0 elsewhere',
    expression: product(number(-1, { n: -1 }), place('target')),
  },
  dprobs: {
    formula: 'dprobs = 1/probs · dlogprobs',
    expression: product(power(value('probs'), -1, 'log-derivative'), upstream('dlogprobs')),
  },
  dcounts_sum_inv: {
    formula: 'dcounts_sum_inv = Σ over the row of counts · dprobs',
    expression: sum('row', product(value('counts'), upstream('dprobs'))),
  },
  dcounts_sum: {
    formula: 'dcounts_sum = -counts_sum^(-2) · dcounts_sum_inv',
    expression: product(number(-1), power(value('counts_sum'), -2, 'power-derivative'), upstream('dcounts_sum_inv')),
  },
  dcounts: {
    formula: 'dcounts = counts_sum_inv · dprobs + dcounts_sum, broadcast along the row',
    expression: total({ probs: product(value('counts_sum_inv'), upstream('dprobs')), counts_sum: upstream('dcounts_sum') }),
  },
  dnorm_logits: {
    formula: 'dnorm_logits = counts · dcounts',
    expression: product(value('counts', 'exp-derivative'), upstream('dcounts')),
  },
  dlogit_maxes: {
    formula: 'dlogit_maxes = -Σ over the row of dnorm_logits',
    expression: sum('row', product(number(-1), upstream('dnorm_logits'))),
    zeroEndToEnd: true,
  },
  dlogits: {
    formula: 'dlogits = dnorm_logits + (dlogit_maxes at the row maximum, 0 elsewhere)',
    expression: total({ norm_logits: upstream('dnorm_logits'), logit_maxes: product(upstream('dlogit_maxes'), place('row-maximum')) }),
  },
  dh: {
    formula: 'dh = dlogits · W2ᵀ',
    expression: matmul(upstream('dlogits'), transposed(value('W2'))),
  },
  dW2: {
    formula: 'dW2 = hᵀ · dlogits',
    expression: matmul(transposed(value('h')), upstream('dlogits')),
  },
  db2: {
    formula: 'db2 = Σ over the batch of dlogits',
    expression: sum('batch', upstream('dlogits')),
  },
  dhpreact: {
    formula: 'dhpreact = (1 - h²) · dh',
    expression: product(apply('1 - x²', value('h'), 'tanh-derivative'), upstream('dh')),
  },
  dbngain: {
    formula: 'dbngain = Σ over the batch of bnraw · dhpreact',
    expression: sum('batch', product(value('bnraw'), upstream('dhpreact'))),
  },
  dbnraw: {
    formula: 'dbnraw = bngain · dhpreact',
    expression: product(value('bngain', 'gain'), upstream('dhpreact')),
  },
  dbnbias: {
    formula: 'dbnbias = Σ over the batch of dhpreact',
    expression: sum('batch', upstream('dhpreact')),
  },
  dbnvar_inv: {
    formula: 'dbnvar_inv = Σ over the batch of bndiff · dbnraw',
    expression: sum('batch', product(value('bndiff'), upstream('dbnraw'))),
  },
  dbnvar: {
    formula: 'dbnvar = -1/2 · (bnvar + 1e-5)^(-3/2) · dbnvar_inv',
    expression: product(number(-1 / 2), power(epsilon(value('bnvar')), -1.5, 'power-derivative'), upstream('dbnvar_inv')),
  },
  dbndiff2: {
    formula: 'dbndiff2 = 1/(n-1) · dbnvar, in every row',
    expression: product(number(1, { 'n-1': -1 }), upstream('dbnvar')),
  },
  dbndiff: {
    formula: 'dbndiff = bnvar_inv · dbnraw + 2 · bndiff · dbndiff2',
    expression: total({
      bnraw: product(value('bnvar_inv'), upstream('dbnraw')),
      bndiff2: product(number(2), value('bndiff'), upstream('dbndiff2')),
    }),
  },
  dbnmeani: {
    formula: 'dbnmeani = -Σ over the batch of dbndiff',
    expression: sum('batch', product(number(-1), upstream('dbndiff'))),
  },
  dhprebn: {
    formula: 'dhprebn = dbndiff + 1/n · dbnmeani',
    expression: total({ bndiff: upstream('dbndiff'), bnmeani: product(number(1, { n: -1 }), upstream('dbnmeani')) }),
  },
  dembact: {
    formula: 'dembact = dhprebn · W1ᵀ',
    expression: matmul(upstream('dhprebn'), transposed(value('W1'))),
  },
  dW1: {
    formula: 'dW1 = embactᵀ · dhprebn',
    expression: matmul(transposed(value('embact')), upstream('dhprebn')),
  },
  db1: {
    formula: 'db1 = Σ over the batch of dhprebn',
    expression: sum('batch', upstream('dhprebn')),
    zeroEndToEnd: true,
  },
  demb: {
    formula: 'demb = dembact, viewed as [n,T,E]',
    expression: { op: 'arranged', how: 'right', of: upstream('dembact') },
  },
  dC: {
    formula: 'dC[Xb[i,t]] += demb[i,t], from zeros',
    expression: { op: 'scattered', how: RIGHT_SCATTERING, of: upstream('demb') },
  },
};
