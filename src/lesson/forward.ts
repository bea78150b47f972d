import type { Tensor } from '../core/tensor.js';
import { type LessonBatch, type LessonParameters, type LessonValues, STEP_NAMES, type StepName } from './values.js';

/**
 * The forward pass in atomic steps, each easy to differentiate, as in "Becoming a backprop ninja" (makemore part 4).
 * Letters in shapes: n batch, T context length, E embedding width, H hidden units, V vocabulary.
 */
export const forwardLines: Record<StepName, (values: LessonValues) => Tensor> = {
  // Embedding
  emb: ({ C, Xb }) => C.gatherRows(Xb), // [n,T,E]
  embact: ({ emb, n }) => emb.view([n, emb.size / n]), // [n,T·E]

  // Linear
  hprebn: ({ embact, W1, b1 }) => embact.matmul(W1).add(b1), // [n,H]

  // Batch norm
  bnmeani: ({ hprebn, n }) => hprebn.sum(0, { keepdim: true }).mul(1 / n), // [1,H]
  bndiff: ({ hprebn, bnmeani }) => hprebn.sub(bnmeani), // [n,H]
  bndiff2: ({ bndiff }) => bndiff.pow(2), // [n,H]
  bnvar: ({ bndiff2, n }) => bndiff2.sum(0, { keepdim: true }).mul(1 / (n - 1)), // [1,H], n-1: Bessel's correction
  bnvar_inv: ({ bnvar }) => bnvar.add(1e-5).pow(-0.5), // [1,H]
  bnraw: ({ bndiff, bnvar_inv }) => bndiff.mul(bnvar_inv), // [n,H]
  hpreact: ({ bngain, bnraw, bnbias }) => bngain.mul(bnraw).add(bnbias), // [n,H]

  // Non-linearity
  h: ({ hpreact }) => hpreact.tanh(), // [n,H]

  // Linear
  logits: ({ h, W2, b2 }) => h.matmul(W2).add(b2), // [n,V]

  // Cross-entropy
  logit_maxes: ({ logits }) => logits.max(1, { keepdim: true }).values, // [n,1]
  norm_logits: ({ logits, logit_maxes }) => logits.sub(logit_maxes), // [n,V], at most 0: exp cannot overflow
  counts: ({ norm_logits }) => norm_logits.exp(), // [n,V]
  counts_sum: ({ counts }) => counts.sum(1, { keepdim: true }), // [n,1]
  counts_sum_inv: ({ counts_sum }) => counts_sum.pow(-1), // [n,1]
  probs: ({ counts, counts_sum_inv }) => counts.mul(counts_sum_inv), // [n,V]
  logprobs: ({ probs }) => probs.log(), // [n,V]
  loss: ({ logprobs, Yb }) => logprobs.pick(Yb).mean().neg(), // []
};

/**
 * The forward pass, step by step.
 * @returns the parameters, the batch, the 19 intermediates and the mean cross-entropy loss [] in nats, in the parameters' data type
 * @throws ShapeError if shapes do not fit, or an index of the batch is outside the vocabulary
 */
export function forward(parameters: LessonParameters, batch: LessonBatch): LessonValues {
  const values = { ...parameters, ...batch, n: batch.Xb.shape[0] } as LessonValues;
  for (const step of STEP_NAMES) values[step] = forwardLines[step](values);
  return values;
}
