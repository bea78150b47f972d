/**
 * Exercise 1: backpropagate through every atomic step.
 *
 * Each line computes one gradient from the forward values and the gradients above it. The comment above a line shows the
 * forward lines that read the tensor. Three rules are enough for the whole pass:
 *
 * - a gradient has the shape of its tensor;
 * - where the forward pass broadcasts a tensor, its gradient is summed over the broadcast dimension;
 * - where the forward pass uses a tensor several times, its gradient is the sum over all uses.
 *
 * Source: Exercise 1 of "Becoming a backprop ninja" (Andrej Karpathy, makemore part 4).
 */
import { Tensor } from '../core/tensor.js';
import type { GradientName, LessonGradients, LessonValues } from './values.js';

/** One line of Exercise 1: a gradient from the forward values and the gradients of the steps that read the tensor. */
export type GradientLine = (at: LessonValues & LessonGradients) => Tensor;
/** A line for each of the 26 gradients. */
export type GradientLines = Record<GradientName, GradientLine>;

/** The 26 lines, solved, in backward order. */
export const exercise1: GradientLines = {
  // loss = -mean of logprobs at Yb
  dlogprobs: ({ logprobs, Yb, n }) => Tensor.oneHot(Yb, logprobs.shape[1], logprobs.dtype).div(-n),

  // logprobs = log(probs)
  dprobs: ({ probs, dlogprobs }) => probs.pow(-1).mul(dlogprobs),

  // probs = counts · counts_sum_inv, broadcast along the row
  dcounts_sum_inv: ({ counts, dprobs }) => counts.mul(dprobs).sum(1, { keepdim: true }),

  // counts_sum_inv = counts_sum^(-1)
  dcounts_sum: ({ counts_sum, dcounts_sum_inv }) => counts_sum.pow(-2).neg().mul(dcounts_sum_inv),

  // probs = counts · counts_sum_inv
  // counts_sum = row sum of counts
  dcounts: ({ counts_sum_inv, dprobs, dcounts_sum }) => counts_sum_inv.mul(dprobs).add(dcounts_sum),

  // counts = exp(norm_logits)
  dnorm_logits: ({ counts, dcounts }) => counts.mul(dcounts),

  // norm_logits = logits - logit_maxes, broadcast along the row
  dlogit_maxes: ({ dnorm_logits }) => dnorm_logits.neg().sum(1, { keepdim: true }),

  // norm_logits = logits - logit_maxes
  // logit_maxes = row maximum of logits
  dlogits: ({ logits, dnorm_logits, dlogit_maxes }) =>
    dnorm_logits.add(Tensor.oneHot(logits.max(1).indices, logits.shape[1]).mul(dlogit_maxes)),

  // logits = h W2 + b2
  dh: ({ W2, dlogits }) => dlogits.matmul(W2.T),
  dW2: ({ h, dlogits }) => h.T.matmul(dlogits),
  db2: ({ dlogits }) => dlogits.sum(0),

  // h = tanh(hpreact)
  dhpreact: ({ h, dh }) => h.pow(2).neg().add(1).mul(dh),

  // hpreact = bngain · bnraw + bnbias, both broadcast over the batch
  dbngain: ({ bnraw, dhpreact }) => bnraw.mul(dhpreact).sum(0, { keepdim: true }),
  dbnraw: ({ bngain, dhpreact }) => bngain.mul(dhpreact),
  dbnbias: ({ dhpreact }) => dhpreact.sum(0, { keepdim: true }),

  // bnraw = bndiff · bnvar_inv, broadcast over the batch
  dbnvar_inv: ({ bndiff, dbnraw }) => bndiff.mul(dbnraw).sum(0, { keepdim: true }),

  // bnvar_inv = (bnvar + 1e-5)^(-1/2)
  dbnvar: ({ bnvar, dbnvar_inv }) => bnvar.add(1e-5).pow(-1.5).mul(-0.5).mul(dbnvar_inv),

  // bnvar = sum of bndiff2 over the batch / (n-1)
  dbndiff2: ({ bndiff2, n, dbnvar }) => Tensor.onesLike(bndiff2).mul(dbnvar.mul(1 / (n - 1))),

  // bnraw = bndiff · bnvar_inv
  // bndiff2 = bndiff²
  dbndiff: ({ bndiff, bnvar_inv, dbnraw, dbndiff2 }) => bnvar_inv.mul(dbnraw).add(bndiff.mul(2).mul(dbndiff2)),

  // bndiff = hprebn - bnmeani, broadcast over the batch
  dbnmeani: ({ dbndiff }) => dbndiff.neg().sum(0, { keepdim: true }),

  // bndiff = hprebn - bnmeani
  // bnmeani = sum of hprebn over the batch / n
  dhprebn: ({ n, dbndiff, dbnmeani }) => dbndiff.add(dbnmeani.mul(1 / n)),

  // hprebn = embact W1 + b1
  dembact: ({ W1, dhprebn }) => dhprebn.matmul(W1.T),
  dW1: ({ embact, dhprebn }) => embact.T.matmul(dhprebn),
  db1: ({ dhprebn }) => dhprebn.sum(0),

  // embact = emb, viewed as [n,T·E]
  demb: ({ emb, dembact }) => dembact.view(emb.shape),

  // emb = rows of C at Xb: a row that is used several times gets the sum of its gradients
  dC: ({ C, Xb, demb }) => Tensor.zerosLike(C).scatterAddRows(Xb, demb),
};

/** The names of the 26 gradients, in backward order. */
export const GRADIENT_NAMES = Object.keys(exercise1) as GradientName[];

/**
 * The whole backward pass, line by line.
 * @param values a forward pass, as `forward` returns it
 * @returns the 26 gradients of the loss, each with the shape and data type of its tensor
 */
export function backward(values: LessonValues, lines: GradientLines = exercise1): LessonGradients {
  const at = { ...values } as LessonValues & LessonGradients;
  for (const name of GRADIENT_NAMES) at[name] = lines[name](at);
  return Object.fromEntries(GRADIENT_NAMES.map((name) => [name, at[name]])) as LessonGradients;
}
