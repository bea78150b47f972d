/**
 * Exercise 2: backpropagate through cross-entropy in one expression.
 *
 * For one example with target y, loss = log(Σ exp(logits[v])) - logits[y]. The derivative of the logarithm of the sum is
 * exp(logits[v]) / Σ = softmax(logits)[v], that of the other term is -1 at y and 0 elsewhere. The mean over the
 * batch divides by n.
 */
import { Tensor } from '../core/tensor.js';
import { softmax } from './softmax.js';
import type { Values } from './values.js';

type Given = Pick<Values, 'logits' | 'Yb' | 'n'>;

export const exercise2 = {
  /** The mean cross-entropy [] by log-sum-exp: no probability is formed whose logarithm could be that of 0. */
  loss: ({ logits, Yb }: Given): Tensor => {
    const { values: logit_maxes } = logits.max(1, { keepdim: true });
    const norm_logits = logits.sub(logit_maxes);
    return norm_logits.exp().sum(1).log().sub(norm_logits.pick(Yb)).mean();
  },

  /** dlogits [n,V] = (softmax - one-hot) / n */
  dlogits: ({ logits, Yb, n }: Given): Tensor => softmax(logits).sub(Tensor.oneHot(Yb, logits.shape[1])).div(n),
};
