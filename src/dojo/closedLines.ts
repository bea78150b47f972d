/** The lines of Exercises 2 and 3: the closed forms. */
import { Tensor } from '../core/tensor.js';
import { softmax } from '../lesson/softmax.js';
import { atMaximum, atTarget, type LineKnowledge, product, single, through, upstream } from './knowledge.js';

/** The closed forms of Exercises 2 and 3, as sums of branches. */
export const CLOSED_LINES: Record<'dlogits' | 'dhprebn', LineKnowledge> = {
  dlogits: {
    rule: 'For one example, loss = log Σ exp(logits) - the logit at the target. The derivative of the first term is the softmax, that of the second is -1 at the target. The mean divides by n.',
    formula: 'dlogits = (softmax(logits) - one-hot of Yb) / n',
    branches: [
      through(
        'softmax',
        single(
          ({ logits, n }) => softmax(logits).div(n),
          [{ id: 'softmax-over-batch' }, ({ logits, n }) => softmax(logits.T).T.div(n)],
          [
            { id: 'softmax-not-normalised' },
            ({ logits, n }) =>
              logits
                .sub(logits.max(1, { keepdim: true }).values)
                .exp()
                .div(n),
          ],
        ),
      ),
      through(
        'one-hot',
        single(
          (at) => atTarget(at).div(-at.n),
          [{ id: 'misplaced', found: 'row-maximum', expected: 'target' }, (at) => atMaximum(at).div(-at.n)],
        ),
      ),
    ],
  },
  dhprebn: {
    rule: 'hprebn reaches hpreact directly, through the mean and through the variance: three terms, with bngain · bnvar_inv / n factored out.',
    formula:
      'dhprebn = bngain · bnvar_inv / n · (n · dhpreact - Σ dhpreact - n/(n-1) · bnraw · Σ (dhpreact · bnraw)), with sums over the batch',
    branches: [
      through(
        'direct',
        product([
          { text: 'bngain', role: 'gain', value: ({ bngain }) => bngain },
          { text: 'bnvar_inv', value: ({ bnvar_inv }) => bnvar_inv },
          upstream('dhpreact'),
        ]),
      ),
      through(
        'mean',
        single(({ bngain, bnvar_inv, dhpreact, n }) =>
          Tensor.onesLike(dhpreact)
            .mul(bngain)
            .mul(bnvar_inv)
            .mul(dhpreact.sum(0, { keepdim: true }))
            .div(-n),
        ),
      ),
      through(
        'variance',
        single(({ bngain, bnvar_inv, bnraw, dhpreact, n }) =>
          bnraw
            .mul(bngain)
            .mul(bnvar_inv)
            .mul(dhpreact.mul(bnraw).sum(0, { keepdim: true }))
            .div(-(n - 1)),
        ),
      ),
    ],
    scaled: [
      { mistake: { id: 'factor-missing', factor: 'bngain', role: 'gain' }, by: ({ bngain }) => bngain.pow(-1) },
      { mistake: { id: 'factor-missing', factor: 'bnvar_inv' }, by: ({ bnvar_inv }) => bnvar_inv.pow(-1) },
      { mistake: { id: 'factor-squared', factor: 'bnvar_inv' }, by: ({ bnvar_inv }) => bnvar_inv },
      { mistake: { id: 'exchanged', found: 'bnvar', expected: 'bnvar_inv' }, by: ({ bnvar, bnvar_inv }) => bnvar.div(bnvar_inv) },
    ],
  },
};
