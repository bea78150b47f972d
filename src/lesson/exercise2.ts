/**
 * Exercise 2: backpropagate through cross-entropy in one expression.
 *
 * For one example with target y, loss = log(Σ exp(logits[v])) - logits[y]. The derivative of the first term with respect
 * to logits[v] is exp(logits[v]) / Σ = softmax(logits)[v]; that of the second is -1 at y and 0 elsewhere. The mean over
 * the batch divides both by n.
 *
 * Source: Exercise 2 of "Becoming a backprop ninja" (Andrej Karpathy, makemore part 4).
 */
import { Tensor } from '../core/tensor.js';
import { softmax } from './softmax.js';
import type { LessonValues } from './values.js';

type CrossEntropyInputs = Pick<LessonValues, 'logits' | 'Yb' | 'n'>;

/** The closed forms of cross-entropy, solved. */
export const exercise2 = {
  /** The mean cross-entropy [] in nats, from log-sum-exp: it stays finite where a probability would round to 0. */
  loss: ({ logits, Yb }: CrossEntropyInputs): Tensor => {
    const { values: logit_maxes } = logits.max(1, { keepdim: true });
    const norm_logits = logits.sub(logit_maxes);
    return norm_logits.exp().sum(1).log().sub(norm_logits.pick(Yb)).mean();
  },

  /** dlogits [n,V] = (softmax - one-hot) / n */
  dlogits: ({ logits, Yb, n }: CrossEntropyInputs): Tensor => softmax(logits).sub(Tensor.oneHot(Yb, logits.shape[1])).div(n),
};
