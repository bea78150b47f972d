/** Exercise 4: the whole backward pass in one go, and the training loop on it. */

import { Tensor } from '../core/tensor.js';
import { LESSON_PARAMETER_NAMES, type LessonParameterName } from '../network/parameters.js';
import { defaultSwitchStep, stepRate } from '../training/schedule.js';
import { exercise2 } from './exercise2.js';
import { exercise3, normalise } from './exercise3.js';
import type { Batch, Gradients, Parameters, Values } from './values.js';

type Trace = Parameters & Batch & Pick<Values, 'n' | 'emb' | 'embact' | 'bnraw' | 'bnvar_inv' | 'h' | 'logits' | 'loss'>;
type ParameterGradients = Pick<Gradients, `d${LessonParameterName}`>;

/** The forward pass with the closed forms: only what the backward pass reads is kept. */
export function forward(parameters: Parameters, { Xb, Yb }: Batch): Trace {
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

/** The backward pass, every gradient by hand. */
export function backward(trace: Trace): ParameterGradients {
  const { C, Xb, W1, W2, emb, embact, bnraw, h } = trace;
  // loss = cross-entropy(logits, Yb)
  const dlogits = exercise2.dlogits(trace);
  // logits = h W2 + b2
  const dh = dlogits.matmul(W2.T);
  const dW2 = h.T.matmul(dlogits);
  const db2 = dlogits.sum(0);
  // h = tanh(hpreact)
  const dhpreact = h.pow(2).neg().add(1).mul(dh);
  // hpreact = batch norm(hprebn, bngain, bnbias)
  const dbngain = bnraw.mul(dhpreact).sum(0, { keepdim: true });
  const dbnbias = dhpreact.sum(0, { keepdim: true });
  const dhprebn = exercise3.dhprebn({ ...trace, dhpreact });
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
 * The lesson's training loop: the given rate for half of the steps, then a tenth of it. The parameters passed in stay as they are.
 * @param drawBatch the batch of a step counted from 0
 * @returns the trained parameters and the loss before each update
 */
export function train(
  initial: Parameters,
  drawBatch: (step: number) => Batch,
  steps: number,
  learningRate: number,
): { parameters: Parameters; losses: number[] } {
  const parameters = { ...initial };
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    const trace = forward(parameters, drawBatch(step));
    const gradients = backward(trace);
    const rate = stepRate(step, defaultSwitchStep(steps), learningRate);
    for (const name of LESSON_PARAMETER_NAMES) parameters[name] = parameters[name].sub(gradients[`d${name}`].mul(rate));
    losses.push(trace.loss.item());
  }
  return { parameters, losses };
}
