import type { Tensor } from '../core/tensor.js';

/**
 * Turns each row of logits [n,V] into probabilities [n,V]. The row maximum is subtracted first, so that exp cannot overflow.
 * It has its own file because a learner's file may import it, but not the solution that uses it.
 */
export function softmax(logits: Tensor): Tensor {
  const counts = logits.sub(logits.max(1, { keepdim: true }).values).exp();
  return counts.div(counts.sum(1, { keepdim: true }));
}
