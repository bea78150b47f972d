/**
 * Exercise 4: the whole backward pass with the closed forms of Exercises 2 and 3, and a training loop that uses it.
 *
 * Source: Exercise 4 of "Becoming a backprop ninja" (Andrej Karpathy, makemore part 4).
 */

import { Tensor } from '../core/tensor.js';
import { LESSON_PARAMETER_NAMES, type LessonParameterName } from '../network/parameters.js';
import { defaultSwitchStep, stepRate } from '../training/schedule.js';
import { exercise2 } from './exercise2.js';
import { exercise3, normalise } from './exercise3.js';
import type { LessonBatch, LessonGradients, LessonParameters, LessonValues } from './values.js';

/** The tensors that the backward pass reads, and the loss. */
type SavedValues = LessonParameters &
  LessonBatch &
  Pick<LessonValues, 'n' | 'emb' | 'embact' | 'bnraw' | 'bnvar_inv' | 'h' | 'logits' | 'loss'>;
type ParameterGradients = Pick<LessonGradients, `d${LessonParameterName}`>;

/**
 * The forward pass with the closed forms; it keeps only the tensors that the backward pass reads.
 * @throws ShapeError if shapes do not fit, or an index of the batch is outside the vocabulary
 */
export function forward(parameters: LessonParameters, { Xb, Yb }: LessonBatch): SavedValues {
  const { C, W1, b1, bngain, bnbias, W2, b2 } = parameters;
  const n = Xb.shape[0];
  const emb = C.gatherRows(Xb);
  const embact = emb.view([n, -1]);
  const hprebn = embact.matmul(W1).add(b1);
  const { bnraw, bnvar_inv } = normalise({ hprebn, n });
  const h = bngain.mul(bnraw).add(bnbias).tanh();
  const logits = h.matmul(W2).add(b2);
  const loss = exercise2.loss({ logits, Yb, n });
  return { ...parameters, Xb, Yb, n, emb, embact, bnraw, bnvar_inv, h, logits, loss };
}

/** The backward pass: the 7 gradients of the parameters, each with the shape of its parameter. */
export function backward(saved: SavedValues): ParameterGradients {
  const { C, Xb, W1, W2, emb, embact, bnraw, h } = saved;
  // loss = cross-entropy(logits, Yb)
  const dlogits = exercise2.dlogits(saved);
  // logits = h W2 + b2
  const dh = dlogits.matmul(W2.T);
  const dW2 = h.T.matmul(dlogits);
  const db2 = dlogits.sum(0);
  // h = tanh(hpreact)
  const dhpreact = h.pow(2).neg().add(1).mul(dh);
  // hpreact = batch norm(hprebn, bngain, bnbias)
  const dbngain = bnraw.mul(dhpreact).sum(0, { keepdim: true });
  const dbnbias = dhpreact.sum(0, { keepdim: true });
  const dhprebn = exercise3.dhprebn({ ...saved, dhpreact });
  // hprebn = embact W1 + b1
  const dembact = dhprebn.matmul(W1.T);
  const dW1 = embact.T.matmul(dhprebn);
  const db1 = dhprebn.sum(0);
  // embact = rows of C at Xb, viewed as [n,T·E]
  const demb = dembact.view(emb.shape);
  const dC = Tensor.zerosLike(C).scatterAddRows(Xb, demb);
  return { dC, dW1, db1, dbngain, dbnbias, dW2, db2 };
}

/**
 * The lesson's training loop with plain SGD: the full rate for the first half of the steps, a tenth of it after that. It leaves `initial`
 * unchanged.
 * @param drawBatch returns the batch of a step, counted from 0
 * @param steps number of updates
 * @param learningRate the rate of the first half
 * @returns the trained parameters, and for each step the loss in nats before its update
 */
export function train(
  initial: LessonParameters,
  drawBatch: (step: number) => LessonBatch,
  steps: number,
  learningRate: number,
): { parameters: LessonParameters; losses: number[] } {
  const parameters = { ...initial };
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    const saved = forward(parameters, drawBatch(step));
    const gradients = backward(saved);
    const rate = stepRate(step, defaultSwitchStep(steps), learningRate);
    for (const name of LESSON_PARAMETER_NAMES) parameters[name] = parameters[name].sub(gradients[`d${name}`].mul(rate));
    losses.push(saved.loss.item());
  }
  return { parameters, losses };
}
