/** The bank for Exercise 1: mistakes that people make in each of the 26 lines. */
import { Tensor } from '../core/tensor.js';
import type { GradientLine } from '../lesson/exercise1.js';
import type { GradientName } from '../lesson/values.js';
import { hot, type PlantedMistake, reversedContexts, viewedTransposed } from './mutant.js';

const KEEP = { keepdim: true };
/** A shift of all logits does not change the softmax: dnorm_logits sums to zero in each row, so dlogit_maxes is 0. */
const MAXES = 'dlogit_maxes is 0 end to end';
/** A shift of a column does not change batch norm: dhprebn sums to zero over the batch. */
const SHIFT = 'dhprebn sums to 0 over the batch end to end';

/** The mistakes by line, and by name within the line. */
export const ATOMIC_MISTAKES: Record<GradientName, Record<string, PlantedMistake<GradientLine>>> = {
  dlogprobs: {
    'sign-forgotten': {
      mistake: 'sign forgotten',
      expected: [{ id: 'scaled', by: '-1' }],
      planted: ({ logprobs, Yb, n }) => hot(Yb, logprobs).div(n),
    },
    'no-division-by-n': {
      mistake: 'no division by n',
      expected: [{ id: 'scaled', by: 'n', expected: '-1/n' }],
      planted: ({ logprobs, Yb }) => hot(Yb, logprobs).neg(),
    },
    'n-minus-1-for-n': {
      mistake: 'n - 1 instead of n',
      expected: [{ id: 'scaled', by: 'n/(n-1)', expected: '-1/n' }],
      planted: ({ logprobs, Yb, n }) => hot(Yb, logprobs).div(-(n - 1)),
    },
    'at-the-maximum-not-at-the-target': {
      mistake: 'at the maximum, not at the target',
      expected: [{ id: 'misplaced', found: 'row-maximum', expected: 'target' }],
      planted: ({ logprobs, n }) => hot(logprobs.max(1).indices, logprobs).div(-n),
    },
    everywhere: {
      mistake: 'everywhere, not only at the target',
      expected: [{ id: 'misplaced', found: 'everywhere', expected: 'target' }],
      planted: ({ logprobs, n }) => Tensor.onesLike(logprobs).div(-n),
    },
  },
  dprobs: {
    'derivative-of-the-logarithm-left-out': {
      mistake: 'derivative of the logarithm left out',
      expected: [{ id: 'factor-missing', factor: '1/probs', role: 'log-derivative' }],
      planted: ({ dlogprobs }) => dlogprobs,
    },
    'times-probs-for-divided-by': {
      mistake: 'multiplied by probs, not divided',
      expected: [{ id: 'multiplied', by: 'probs' }],
      planted: ({ probs, dlogprobs }) => probs.mul(dlogprobs),
    },
    'derivative-from-the-output': {
      mistake: 'derivative at the output',
      expected: [{ id: 'exchanged', found: '1/logprobs', expected: '1/probs', confusion: 'derivative-at-output' }],
      planted: ({ logprobs, dlogprobs }) => logprobs.pow(-1).mul(dlogprobs),
    },
    'gradient-above-left-out': {
      mistake: 'gradient above left out',
      expected: [{ id: 'factor-missing', factor: 'dlogprobs', role: 'gradient-above' }],
      planted: ({ probs }) => probs.pow(-1),
    },
    squared: {
      mistake: 'divided by probs²',
      expected: [{ id: 'exchanged', found: 'probs^(-2)', expected: '1/probs' }],
      planted: ({ probs, dlogprobs }) => probs.pow(-2).mul(dlogprobs),
    },
  },
  dcounts_sum_inv: {
    'sum-over-the-row-forgotten': {
      mistake: 'sum over the row forgotten',
      expected: [{ id: 'not-summed', over: 'row', found: [32, 27], expected: [32, 1] }],
      planted: ({ counts, dprobs }) => counts.mul(dprobs),
    },
    'averaged-over-the-row': {
      mistake: 'averaged over the row',
      expected: [{ id: 'scaled', by: '1/V', mean: 'row' }],
      planted: ({ counts, dprobs }) => counts.mul(dprobs).mean(1, KEEP),
    },
    'summed-over-the-batch': {
      mistake: 'summed over the batch',
      expected: [{ id: 'summed-over', instead: 'batch', over: 'row', found: [1, 27], expected: [32, 1] }],
      planted: ({ counts, dprobs }) => counts.mul(dprobs).sum(0, KEEP),
    },
    'counts-left-out': {
      mistake: 'counts left out',
      expected: [{ id: 'factor-missing', factor: 'counts' }],
      planted: ({ dprobs }) => dprobs.sum(1, KEEP),
    },
    'shape-n-for-n-1': {
      mistake: 'shape [n] instead of [n,1]',
      expected: [{ id: 'reshaped', found: [32], expected: [32, 1], keepdim: 'missing' }],
      planted: ({ counts, dprobs }) => counts.mul(dprobs).sum(1),
    },
    'another-gradient-above': {
      mistake: 'dlogprobs instead of dprobs',
      expected: [{ id: 'exchanged', found: 'dlogprobs', expected: 'dprobs' }],
      planted: ({ counts, dlogprobs }) => counts.mul(dlogprobs).sum(1, KEEP),
    },
  },
  dcounts_sum: {
    'sign-forgotten': {
      mistake: 'sign forgotten',
      expected: [{ id: 'scaled', by: '-1' }],
      planted: ({ counts_sum, dcounts_sum_inv }) => counts_sum.pow(-2).mul(dcounts_sum_inv),
    },
    'power-minus-1-for-minus-2': {
      mistake: 'power -1 instead of -2',
      expected: [{ id: 'wrong-power', base: 'counts_sum', found: '-1', expected: '-2', same: 'counts_sum_inv' }],
      planted: ({ counts_sum, dcounts_sum_inv }) => counts_sum.pow(-1).neg().mul(dcounts_sum_inv),
    },
    'gradient-above-left-out': {
      mistake: 'gradient above left out',
      expected: [{ id: 'factor-missing', factor: 'dcounts_sum_inv', role: 'gradient-above' }],
      planted: ({ counts_sum }) => counts_sum.pow(-2).neg(),
    },
  },
  dcounts: {
    'branch-through-counts-sum-forgotten': {
      mistake: 'branch through counts_sum forgotten',
      expected: [{ id: 'branch-missing', branch: 'counts_sum' }],
      planted: ({ counts_sum_inv, dprobs }) => counts_sum_inv.mul(dprobs),
    },
    'branch-through-probs-forgotten': {
      mistake: 'branch through probs forgotten',
      expected: [{ id: 'branch-missing', branch: 'probs' }],
      planted: ({ counts, dcounts_sum }) => Tensor.onesLike(counts).mul(dcounts_sum),
    },
    'branch-through-counts-sum-twice': {
      mistake: 'branch through counts_sum twice',
      expected: [{ id: 'scaled', by: '2', branch: 'counts_sum' }],
      planted: ({ counts_sum_inv, dprobs, dcounts_sum }) => counts_sum_inv.mul(dprobs).add(dcounts_sum).add(dcounts_sum),
    },
    'sum-taken-for-a-mean': {
      mistake: 'sum treated as a mean',
      expected: [{ id: 'scaled', by: '1/V', branch: 'counts_sum' }],
      planted: ({ counts_sum_inv, counts, dprobs, dcounts_sum }) => counts_sum_inv.mul(dprobs).add(dcounts_sum.div(counts.shape[1])),
    },
    'branches-multiplied-not-added': {
      mistake: 'branches multiplied, not added',
      expected: [{ id: 'branches-multiplied' }],
      planted: ({ counts_sum_inv, dprobs, dcounts_sum }) => counts_sum_inv.mul(dprobs).mul(dcounts_sum),
    },
    'sum-for-its-inverse': {
      mistake: 'sum instead of its inverse',
      expected: [{ id: 'exchanged', found: 'counts_sum', expected: 'counts_sum_inv', branch: 'probs' }],
      planted: ({ counts_sum, dprobs, dcounts_sum }) => counts_sum.mul(dprobs).add(dcounts_sum),
    },
    'branch-through-counts-sum-alone-not-broadcast': {
      mistake: 'branch through counts_sum alone, not broadcast',
      expected: [
        { id: 'branch-missing', branch: 'probs' },
        { id: 'not-broadcast', over: 'row', found: [32, 1], expected: [32, 27] },
      ],
      planted: ({ dcounts_sum }) => dcounts_sum,
    },
    'factor-on-both-branches': {
      mistake: 'counts_sum_inv times both branches',
      expected: [{ id: 'factor-extra', factor: 'counts_sum_inv', shared: true, branch: 'counts_sum' }],
      planted: ({ counts_sum_inv, dprobs, dcounts_sum }) => dprobs.add(dcounts_sum).mul(counts_sum_inv),
    },
  },
  dnorm_logits: {
    'derivative-of-exp-left-out': {
      mistake: 'derivative of exp left out',
      expected: [{ id: 'factor-missing', factor: 'counts', role: 'exp-derivative' }],
      planted: ({ dcounts }) => dcounts,
    },
    'derivative-from-the-input': {
      mistake: 'derivative at the input',
      expected: [{ id: 'exchanged', found: 'norm_logits', expected: 'counts', confusion: 'input-for-output' }],
      planted: ({ norm_logits, dcounts }) => norm_logits.mul(dcounts),
    },
    'gradient-above-left-out': {
      mistake: 'gradient above left out',
      expected: [{ id: 'factor-missing', factor: 'dcounts', role: 'gradient-above' }],
      planted: ({ counts }) => counts,
    },
    'exp-twice': {
      mistake: 'exp twice',
      expected: [{ id: 'exchanged', found: 'exp(counts)', expected: 'counts', confusion: 'exp-twice' }],
      planted: ({ counts, dcounts }) => counts.exp().mul(dcounts),
    },
    'added-not-multiplied': {
      mistake: 'added, not multiplied',
      expected: [{ id: 'factors-added', a: 'counts', b: 'dcounts' }],
      planted: ({ counts, dcounts }) => counts.add(dcounts),
    },
  },
  dlogit_maxes: {
    'sign-forgotten': {
      mistake: 'sign forgotten',
      expected: [{ id: 'scaled', by: '-1' }],
      planted: ({ dnorm_logits }) => dnorm_logits.sum(1, KEEP),
      invisibleEndToEnd: MAXES,
    },
    'averaged-over-the-row': {
      mistake: 'averaged over the row',
      expected: [{ id: 'scaled', by: '1/V', mean: 'row' }],
      planted: ({ dnorm_logits }) => dnorm_logits.neg().mean(1, KEEP),
      invisibleEndToEnd: MAXES,
    },
    'sum-over-the-row-forgotten': {
      mistake: 'sum over the row forgotten',
      expected: [{ id: 'not-summed', over: 'row', found: [32, 27], expected: [32, 1] }],
      planted: ({ dnorm_logits }) => dnorm_logits.neg(),
    },
    'shape-n-for-n-1': {
      mistake: 'shape [n] instead of [n,1]',
      expected: [{ id: 'reshaped', found: [32], expected: [32, 1], keepdim: 'missing' }],
      planted: ({ dnorm_logits }) => dnorm_logits.neg().sum(1),
    },
  },
  dlogits: {
    'branch-through-the-maximum-forgotten': {
      mistake: 'branch through the maximum forgotten',
      expected: [{ id: 'branch-missing', branch: 'logit_maxes' }, { id: 'hidden-by-true-gradients' }],
      planted: ({ dnorm_logits }) => dnorm_logits,
      invisibleEndToEnd: MAXES,
    },
    'maximums-gradient-to-every-logit': {
      mistake: "maximum's gradient given to every logit",
      expected: [
        { id: 'misplaced', found: 'everywhere', expected: 'row-maximum', branch: 'logit_maxes' },
        { id: 'hidden-by-true-gradients' },
      ],
      planted: ({ dnorm_logits, dlogit_maxes }) => dnorm_logits.add(dlogit_maxes),
      invisibleEndToEnd: MAXES,
    },
    'maximums-gradient-to-the-target': {
      mistake: "maximum's gradient given to the target",
      expected: [{ id: 'misplaced', found: 'target', expected: 'row-maximum', branch: 'logit_maxes' }, { id: 'hidden-by-true-gradients' }],
      planted: ({ Yb, logits, dnorm_logits, dlogit_maxes }) => dnorm_logits.add(hot(Yb, logits).mul(dlogit_maxes)),
      invisibleEndToEnd: MAXES,
    },
    'direct-branch-forgotten': {
      mistake: 'direct branch forgotten',
      expected: [{ id: 'branch-missing', branch: 'norm_logits' }],
      planted: ({ logits, dlogit_maxes }) => hot(logits.max(1).indices, logits).mul(dlogit_maxes),
    },
  },
  dh: {
    sign: {
      mistake: 'wrong sign',
      expected: [{ id: 'scaled', by: '-1' }],
      planted: ({ W2, dlogits }) => dlogits.matmul(W2.T).neg(),
    },
    'w2-not-transposed': {
      mistake: 'W2 not transposed',
      expected: [],
      planted: ({ W2, dlogits }) => dlogits.matmul(W2),
    },
    'w2-viewed-for-transposed': {
      mistake: 'W2 viewed, not transposed',
      expected: [{ id: 'viewed', value: 'W2' }],
      planted: ({ W2, dlogits }) => dlogits.matmul(viewedTransposed(W2)),
    },
    'divided-by-n': {
      mistake: 'divided by n',
      expected: [{ id: 'scaled', by: '1/n' }],
      planted: ({ W2, dlogits, n }) => dlogits.matmul(W2.T).div(n),
    },
    'one-step-too-far': {
      mistake: '1 - h² too much',
      expected: [{ id: 'factor-extra', factor: '1 - h²' }],
      planted: ({ h, W2, dlogits }) => dlogits.matmul(W2.T).mul(h.pow(2).neg().add(1)),
    },
  },
  dW2: {
    'averaged-over-the-batch': {
      mistake: 'averaged over the batch',
      expected: [{ id: 'scaled', by: '1/n' }],
      planted: ({ h, dlogits, n }) => h.T.matmul(dlogits).div(n),
    },
    transposed: {
      mistake: 'transposed',
      expected: [{ id: 'transposed', found: [27, 64], expected: [64, 27] }],
      planted: ({ h, dlogits }) => dlogits.T.matmul(h),
    },
    'hpreact-for-h': {
      mistake: 'hpreact instead of h',
      expected: [{ id: 'exchanged', found: 'hpreact', expected: 'h' }],
      planted: ({ hpreact, dlogits }) => hpreact.T.matmul(dlogits),
    },
    'h-viewed-for-transposed': {
      mistake: 'h viewed, not transposed',
      expected: [{ id: 'viewed', value: 'h' }],
      planted: ({ h, dlogits }) => viewedTransposed(h).matmul(dlogits),
    },
    'value-for-its-gradient': {
      mistake: 'logits instead of dlogits',
      expected: [{ id: 'exchanged', found: 'logits', expected: 'dlogits' }],
      planted: ({ h, logits }) => h.T.matmul(logits),
    },
  },
  db2: {
    'averaged-over-the-batch': {
      mistake: 'averaged over the batch',
      expected: [{ id: 'scaled', by: '1/n', mean: 'batch' }],
      planted: ({ dlogits }) => dlogits.mean(0),
    },
    'sum-forgotten': {
      mistake: 'sum forgotten',
      expected: [{ id: 'not-summed', over: 'batch', found: [32, 27], expected: [27] }],
      planted: ({ dlogits }) => dlogits,
    },
    'summed-over-the-row': {
      mistake: 'summed over the row',
      expected: [{ id: 'summed-over', instead: 'row', over: 'batch', found: [32], expected: [27] }],
      planted: ({ dlogits }) => dlogits.sum(1),
    },
    'shape-1-v-for-v': {
      mistake: 'shape [1,V] instead of [V]',
      expected: [{ id: 'reshaped', found: [1, 27], expected: [27], keepdim: 'extra' }],
      planted: ({ dlogits }) => dlogits.sum(0, KEEP),
    },
    'only-the-last-example': {
      mistake: 'only the last example counts',
      expected: [{ id: 'kept', over: 'batch', kept: 'last' }],
      planted: ({ n, dlogits }) => Tensor.of(dlogits.data.slice((n - 1) * dlogits.shape[1]), [dlogits.shape[1]], dlogits.dtype),
    },
  },
  dhpreact: {
    '1-minus-h-for-1-minus-h2': {
      mistake: '1 - h instead of 1 - h²',
      expected: [{ id: 'exchanged', found: '1 - h', expected: '1 - h²' }],
      planted: ({ h, dh }) => h.neg().add(1).mul(dh),
    },
    'derivative-of-tanh-left-out': {
      mistake: 'derivative of tanh left out',
      expected: [{ id: 'factor-missing', factor: '1 - h²', role: 'tanh-derivative' }],
      planted: ({ dh }) => dh,
    },
    'derivative-from-the-input': {
      mistake: 'derivative at the input',
      expected: [{ id: 'exchanged', found: '1 - hpreact²', expected: '1 - h²', confusion: 'derivative-at-input' }],
      planted: ({ hpreact, dh }) => hpreact.pow(2).neg().add(1).mul(dh),
    },
    '1-plus-h2-for-1-minus-h2': {
      mistake: '1 + h² instead of 1 - h²',
      expected: [{ id: 'exchanged', found: '1 + h²', expected: '1 - h²' }],
      planted: ({ h, dh }) => h.pow(2).add(1).mul(dh),
    },
    'gradient-above-left-out': {
      mistake: 'gradient above left out',
      expected: [{ id: 'factor-missing', factor: 'dh', role: 'gradient-above' }],
      planted: ({ h }) => h.pow(2).neg().add(1),
    },
    parenthesis: {
      mistake: '1 - h² · dh',
      expected: [{ id: 'parentheses', found: '1 - h² · dh', expected: '(1 - h²) · dh' }],
      planted: ({ h, dh }) => h.pow(2).mul(dh).neg().add(1),
    },
  },
  dbngain: {
    'bnraw-left-out': {
      mistake: 'bnraw left out',
      expected: [{ id: 'factor-missing', factor: 'bnraw' }],
      planted: ({ dhpreact }) => dhpreact.sum(0, KEEP),
    },
    'hpreact-for-bnraw': {
      mistake: 'hpreact instead of bnraw',
      expected: [{ id: 'exchanged', found: 'hpreact', expected: 'bnraw' }],
      planted: ({ hpreact, dhpreact }) => hpreact.mul(dhpreact).sum(0, KEEP),
    },
    'averaged-over-the-batch': {
      mistake: 'averaged over the batch',
      expected: [{ id: 'scaled', by: '1/n', mean: 'batch' }],
      planted: ({ bnraw, dhpreact }) => bnraw.mul(dhpreact).mean(0, KEEP),
    },
    'sum-forgotten': {
      mistake: 'sum forgotten',
      expected: [{ id: 'not-summed', over: 'batch', found: [32, 64], expected: [1, 64] }],
      planted: ({ bnraw, dhpreact }) => bnraw.mul(dhpreact),
    },
    'shape-h-for-1-h': {
      mistake: 'shape [H] instead of [1,H]',
      expected: [{ id: 'reshaped', found: [64], expected: [1, 64], keepdim: 'missing' }],
      planted: ({ bnraw, dhpreact }) => bnraw.mul(dhpreact).sum(0),
    },
  },
  dbnraw: {
    'gain-forgotten': {
      mistake: 'gain forgotten',
      expected: [{ id: 'factor-missing', factor: 'bngain', role: 'gain' }],
      planted: ({ dhpreact }) => dhpreact,
    },
    'divided-by-the-gain': {
      mistake: 'divided by the gain',
      expected: [{ id: 'divided', by: 'bngain' }],
      planted: ({ bngain, dhpreact }) => dhpreact.div(bngain),
    },
    'bias-for-gain': {
      mistake: 'bias instead of gain',
      expected: [{ id: 'exchanged', found: 'bnbias', expected: 'bngain' }],
      planted: ({ bnbias, dhpreact }) => bnbias.mul(dhpreact),
    },
    'gradient-above-left-out': {
      mistake: 'gradient above left out',
      expected: [
        { id: 'factor-missing', factor: 'dhpreact', role: 'gradient-above' },
        { id: 'not-broadcast', over: 'batch', found: [1, 64], expected: [32, 64] },
      ],
      planted: ({ bngain }) => bngain,
    },
    'own-tensor-as-a-factor': {
      mistake: 'bnraw as a third factor',
      expected: [{ id: 'factor-extra', factor: 'bnraw' }],
      planted: ({ bngain, bnraw, dhpreact }) => bngain.mul(bnraw).mul(dhpreact),
    },
  },
  dbnbias: {
    'averaged-over-the-batch': {
      mistake: 'averaged over the batch',
      expected: [{ id: 'scaled', by: '1/n', mean: 'batch' }],
      planted: ({ dhpreact }) => dhpreact.mean(0, KEEP),
    },
    'times-the-gain': {
      mistake: 'times the gain',
      expected: [{ id: 'factor-extra', factor: 'bngain', role: 'gain' }],
      planted: ({ bngain, dhpreact }) => bngain.mul(dhpreact).sum(0, KEEP),
    },
    'shape-h-for-1-h': {
      mistake: 'shape [H] instead of [1,H]',
      expected: [{ id: 'reshaped', found: [64], expected: [1, 64], keepdim: 'missing' }],
      planted: ({ dhpreact }) => dhpreact.sum(0),
    },
  },
  dbnvar_inv: {
    'bnraw-for-bndiff': {
      mistake: 'bnraw instead of bndiff',
      expected: [{ id: 'exchanged', found: 'bnraw', expected: 'bndiff' }],
      planted: ({ bnraw, dbnraw }) => bnraw.mul(dbnraw).sum(0, KEEP),
    },
    'averaged-over-the-batch': {
      mistake: 'averaged over the batch',
      expected: [{ id: 'scaled', by: '1/n', mean: 'batch' }],
      planted: ({ bndiff, dbnraw }) => bndiff.mul(dbnraw).mean(0, KEEP),
    },
    'shape-h-for-1-h': {
      mistake: 'shape [H] instead of [1,H]',
      expected: [{ id: 'reshaped', found: [64], expected: [1, 64], keepdim: 'missing' }],
      planted: ({ bndiff, dbnraw }) => bndiff.mul(dbnraw).sum(0),
    },
  },
  dbnvar: {
    'sign-forgotten': {
      mistake: 'sign forgotten',
      expected: [{ id: 'scaled', by: '-1' }],
      planted: ({ bnvar, dbnvar_inv }) => bnvar.add(1e-5).pow(-1.5).mul(0.5).mul(dbnvar_inv),
    },
    'factor-1-2-forgotten': {
      mistake: 'factor 1/2 forgotten',
      expected: [{ id: 'scaled', by: '2', expected: '-1/2' }],
      planted: ({ bnvar, dbnvar_inv }) => bnvar.add(1e-5).pow(-1.5).neg().mul(dbnvar_inv),
    },
    'power-minus-1-2-for-minus-3-2': {
      mistake: 'power -1/2 instead of -3/2',
      expected: [{ id: 'wrong-power', base: '(bnvar + 1e-5)', found: '-1/2', expected: '-3/2', same: 'bnvar_inv' }],
      planted: ({ bnvar, dbnvar_inv }) => bnvar.add(1e-5).pow(-0.5).mul(-0.5).mul(dbnvar_inv),
    },
    'epsilon-forgotten': {
      mistake: 'epsilon forgotten',
      expected: [{ id: 'epsilon-missing' }],
      planted: ({ bnvar, dbnvar_inv }) => bnvar.pow(-1.5).mul(-0.5).mul(dbnvar_inv),
    },
    'epsilon-added-behind-the-power': {
      mistake: 'epsilon added outside the power',
      expected: [{ id: 'epsilon-outside' }],
      planted: ({ bnvar, dbnvar_inv }) => bnvar.pow(-1.5).add(1e-5).mul(-0.5).mul(dbnvar_inv),
    },
    'gradient-above-left-out': {
      mistake: 'gradient above left out',
      expected: [{ id: 'factor-missing', factor: 'dbnvar_inv', role: 'gradient-above' }],
      planted: ({ bnvar }) => bnvar.add(1e-5).pow(-1.5).mul(-0.5),
    },
    'other-epsilon': {
      mistake: 'epsilon 1e-3',
      expected: [{ id: 'epsilon-other', found: '0.001' }],
      planted: ({ bnvar, dbnvar_inv }) => bnvar.add(1e-3).pow(-1.5).mul(-0.5).mul(dbnvar_inv),
    },
  },
  dbndiff2: {
    'n-for-n-minus-1': {
      mistake: 'n instead of n - 1',
      expected: [{ id: 'scaled', by: '(n-1)/n', expected: '1/(n-1)' }],
      planted: ({ bndiff2, n, dbnvar }) => Tensor.onesLike(bndiff2).mul(dbnvar.div(n)),
    },
    'divided-by-n-plus-1': {
      mistake: 'divided by n + 1',
      expected: [{ id: 'scaled', by: '(n-1)/(n+1)', expected: '1/(n-1)' }],
      planted: ({ bndiff2, n, dbnvar }) => Tensor.onesLike(bndiff2).mul(dbnvar.div(n + 1)),
    },
    'not-broadcast-over-the-batch': {
      mistake: 'not broadcast over the batch',
      expected: [{ id: 'not-broadcast', over: 'batch', found: [1, 64], expected: [32, 64] }],
      planted: ({ n, dbnvar }) => dbnvar.div(n - 1),
    },
  },
  dbndiff: {
    'branch-through-the-variance-forgotten': {
      mistake: 'branch through the variance forgotten',
      expected: [{ id: 'branch-missing', branch: 'bndiff2' }],
      planted: ({ bnvar_inv, dbnraw }) => bnvar_inv.mul(dbnraw),
    },
    'direct-branch-forgotten': {
      mistake: 'direct branch forgotten',
      expected: [{ id: 'branch-missing', branch: 'bnraw' }],
      planted: ({ bndiff, dbndiff2 }) => bndiff.mul(2).mul(dbndiff2),
    },
    'branch-through-the-variance-twice': {
      mistake: 'branch through the variance twice',
      expected: [{ id: 'scaled', by: '2', expected: '2', branch: 'bndiff2' }],
      planted: ({ bndiff, bnvar_inv, dbnraw, dbndiff2 }) => bnvar_inv.mul(dbnraw).add(bndiff.mul(4).mul(dbndiff2)),
    },
    'factor-2-forgotten': {
      mistake: 'factor 2 forgotten',
      expected: [{ id: 'scaled', by: '1/2', expected: '2', branch: 'bndiff2' }],
      planted: ({ bndiff, bnvar_inv, dbnraw, dbndiff2 }) => bnvar_inv.mul(dbnraw).add(bndiff.mul(dbndiff2)),
    },
    'bnraw-for-bndiff': {
      mistake: 'bnraw instead of bndiff',
      expected: [
        {
          id: 'either',
          of: [
            [{ id: 'exchanged', found: 'bnraw', expected: 'bndiff', branch: 'bndiff2' }],
            [{ id: 'factor-extra', factor: 'bnvar_inv', shared: true, branch: 'bndiff2' }],
          ],
        },
      ],
      planted: ({ bnraw, bnvar_inv, dbnraw, dbndiff2 }) => bnvar_inv.mul(dbnraw).add(bnraw.mul(2).mul(dbndiff2)),
    },
    'branches-multiplied-not-added': {
      mistake: 'branches multiplied, not added',
      expected: [{ id: 'branches-multiplied' }],
      planted: ({ bndiff, bnvar_inv, dbnraw, dbndiff2 }) => bnvar_inv.mul(dbnraw).mul(bndiff.mul(2).mul(dbndiff2)),
    },
    'function-for-its-derivative': {
      mistake: 'bndiff² instead of 2 · bndiff',
      expected: [{ id: 'exchanged', found: 'bndiff²', expected: '2 · bndiff', confusion: 'function-for-derivative', branch: 'bndiff2' }],
      planted: ({ bndiff, bnvar_inv, dbnraw, dbndiff2 }) => bnvar_inv.mul(dbnraw).add(bndiff.pow(2).mul(dbndiff2)),
    },
  },
  dbnmeani: {
    'sign-forgotten': {
      mistake: 'sign forgotten',
      expected: [{ id: 'scaled', by: '-1' }],
      planted: ({ dbndiff }) => dbndiff.sum(0, KEEP),
    },
    'averaged-over-the-batch': {
      mistake: 'averaged over the batch',
      expected: [{ id: 'scaled', by: '1/n', mean: 'batch' }],
      planted: ({ dbndiff }) => dbndiff.neg().mean(0, KEEP),
    },
    // The lecture's own solution has this shape.
    'shape-h-for-1-h': {
      mistake: 'shape [H] instead of [1,H]',
      expected: [{ id: 'reshaped', found: [64], expected: [1, 64], keepdim: 'missing' }],
      planted: ({ dbndiff }) => dbndiff.neg().sum(0),
    },
    'sign-forgotten-shape-h-for-1-h': {
      mistake: 'sign forgotten, shape [H] instead of [1,H]',
      expected: [
        { id: 'scaled', by: '-1' },
        { id: 'reshaped', found: [64], expected: [1, 64], keepdim: 'missing' },
      ],
      planted: ({ dbndiff }) => dbndiff.sum(0),
    },
  },
  dhprebn: {
    'branch-through-the-mean-forgotten': {
      mistake: 'branch through the mean forgotten',
      expected: [{ id: 'branch-missing', branch: 'bnmeani' }],
      planted: ({ dbndiff }) => dbndiff,
    },
    'branch-through-the-mean-twice': {
      mistake: 'branch through the mean twice',
      expected: [{ id: 'scaled', by: '2', expected: '1/n', branch: 'bnmeani' }],
      planted: ({ n, dbndiff, dbnmeani }) => dbndiff.add(dbnmeani.mul(2 / n)),
    },
    'no-division-by-n': {
      mistake: 'no division by n',
      expected: [{ id: 'scaled', by: 'n', expected: '1/n', branch: 'bnmeani' }],
      planted: ({ dbndiff, dbnmeani }) => dbndiff.add(dbnmeani),
    },
    'n-minus-1-for-n': {
      mistake: 'n - 1 instead of n',
      expected: [{ id: 'scaled', by: 'n/(n-1)', expected: '1/n', branch: 'bnmeani' }],
      planted: ({ n, dbndiff, dbnmeani }) => dbndiff.add(dbnmeani.mul(1 / (n - 1))),
    },
    'direct-branch-forgotten': {
      mistake: 'direct branch forgotten',
      expected: [{ id: 'branch-missing', branch: 'bndiff' }],
      planted: ({ n, hprebn, dbnmeani }) => Tensor.onesLike(hprebn).mul(dbnmeani.div(n)),
    },
  },
  dembact: {
    sign: {
      mistake: 'wrong sign',
      expected: [{ id: 'scaled', by: '-1' }],
      planted: ({ W1, dhprebn }) => dhprebn.matmul(W1.T).neg(),
    },
    'w1-viewed-for-transposed': {
      mistake: 'W1 viewed, not transposed',
      expected: [{ id: 'viewed', value: 'W1' }],
      planted: ({ W1, dhprebn }) => dhprebn.matmul(viewedTransposed(W1)),
    },
  },
  dW1: {
    'averaged-over-the-batch': {
      mistake: 'averaged over the batch',
      expected: [{ id: 'scaled', by: '1/n' }],
      planted: ({ embact, dhprebn, n }) => embact.T.matmul(dhprebn).div(n),
    },
    transposed: {
      mistake: 'transposed',
      expected: [{ id: 'transposed', found: [64, 30], expected: [30, 64] }],
      planted: ({ embact, dhprebn }) => dhprebn.T.matmul(embact),
    },
    'hpreact-gradient-for-hprebn-gradient': {
      mistake: 'dhpreact instead of dhprebn',
      expected: [{ id: 'exchanged', found: 'dhpreact', expected: 'dhprebn', confusion: 'batch-norm-skipped' }],
      planted: ({ embact, dhpreact }) => embact.T.matmul(dhpreact),
    },
  },
  db1: {
    sign: {
      mistake: 'wrong sign',
      expected: [{ id: 'scaled', by: '-1' }],
      planted: ({ dhprebn }) => dhprebn.sum(0).neg(),
      invisibleEndToEnd: SHIFT,
    },
    'averaged-over-the-batch': {
      mistake: 'averaged over the batch',
      expected: [{ id: 'scaled', by: '1/n', mean: 'batch' }],
      planted: ({ dhprebn }) => dhprebn.mean(0),
      invisibleEndToEnd: SHIFT,
    },
    'hpreact-gradient-for-hprebn-gradient': {
      mistake: 'dhpreact instead of dhprebn',
      expected: [{ id: 'exchanged', found: 'dhpreact', expected: 'dhprebn', confusion: 'batch-norm-skipped' }],
      planted: ({ dhpreact }) => dhpreact.sum(0),
    },
    'shape-1-h-for-h': {
      mistake: 'shape [1,H] instead of [H]',
      expected: [{ id: 'reshaped', found: [1, 64], expected: [64], keepdim: 'extra' }],
      planted: ({ dhprebn }) => dhprebn.sum(0, KEEP),
    },
  },
  demb: {
    'contexts-in-reversed-order': {
      mistake: 'contexts in reverse order',
      expected: [{ id: 'rearranged', how: 'contexts-reversed' }],
      planted: ({ emb, dembact }) => reversedContexts(dembact.view(emb.shape)),
    },
    'transposed-before-the-view': {
      mistake: 'transposed before the view',
      expected: [{ id: 'rearranged', how: 'transposed-first' }],
      planted: ({ emb, dembact }) => dembact.T.view(emb.shape),
    },
    'not-viewed': {
      mistake: 'not viewed',
      expected: [{ id: 'reshaped', found: [32, 30], expected: [32, 3, 10] }],
      planted: ({ dembact }) => dembact,
    },
  },
  dC: {
    'assigned-not-added': {
      mistake: 'assigned, not added',
      expected: [{ id: 'scattered', repeated: 'last' }],
      planted: ({ C, Xb, demb }) => {
        const dC = Tensor.zerosLike(C);
        Xb.data.forEach((index, row) => {
          for (let e = 0; e < C.shape[1]; e++) dC.data[index * C.shape[1] + e] = demb.data[row * C.shape[1] + e];
        });
        return dC;
      },
    },
    'contexts-in-reversed-order': {
      mistake: 'contexts in reverse order',
      expected: [{ id: 'rearranged', how: 'contexts-reversed' }],
      planted: ({ C, Xb, demb }) => Tensor.zerosLike(C).scatterAddRows(Xb, reversedContexts(demb)),
    },
    'averaged-over-the-batch': {
      mistake: 'averaged over the batch',
      expected: [{ id: 'scaled', by: '1/n' }],
      planted: ({ C, Xb, demb, n }) => Tensor.zerosLike(C).scatterAddRows(Xb, demb.div(n)),
    },
    'starts-from-c': {
      mistake: 'starts from C',
      expected: [{ id: 'scattered', start: 'C' }],
      planted: ({ C, Xb, demb }) => C.clone().scatterAddRows(Xb, demb),
    },
  },
};
