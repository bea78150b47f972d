/** The network forward and backward, as flat lists of layer calls. */
import type { FloatArray } from '../core/tensor.js';
import { groupCharacters } from '../layers/embeddingTable.js';
import type { Activations, Model, TrainingActivations } from './arrays.js';

/**
 * The forward pass of training, on the batch in `a.Xb` and `a.Yb`; batch norm uses the statistics of the batch.
 * @returns the mean loss of the batch, in nats
 */
export function forward(model: Model, a: TrainingActivations): number {
  const { backend, config, blocks } = model;
  const { n } = a;
  for (let k = 0; k < blocks.length; k++) {
    const { H, parameters } = blocks[k];
    const { h, bnraw, bnvar_inv, hprebn } = a.blocks[k];
    inferLinear(model, a, n, k);
    backend.batchNormTanhForward(h, bnraw, bnvar_inv, hprebn, parameters.bngain, parameters.bnbias, n, H);
  }
  inferLogits(model, a, n);
  backend.crossEntropyForward(a.losses, a.probs, a.logits, a.Yb, n, config.vocabulary);
  return sumOf(a.losses, n) / n;
}

/** The backward pass after {@link forward}: overwrites all gradients of the model and of the activations. */
export function backward(model: Model, a: TrainingActivations): void {
  const { backend, config, blocks, parameters, gradients } = model;
  const { vocabulary: V } = config;
  const { n } = a;
  const last = blocks.length - 1;
  backend.crossEntropyBackward(a.dlogits, a.probs, a.Yb, n, V);
  backend.linearBackward(a.blocks[last].dh, gradients.W2, gradients.b2, a.dlogits, a.blocks[last].h, parameters.W2, n, blocks[last].H, V);
  for (let k = last; k >= 0; k--) {
    const { I, H, parameters: p, gradients: d } = blocks[k];
    const { dhprebn, dh, h, bnraw, bnvar_inv } = a.blocks[k];
    backend.batchNormTanhBackward(dhprebn, d.bngain, d.bnbias, dh, h, bnraw, bnvar_inv, p.bngain, n, H);
    if (k > 0) backend.linearBackward(a.blocks[k - 1].dh, d.W, d.b, dhprebn, a.blocks[k - 1].h, p.W, n, I, H);
  }
  inputBackward(model, a);
}

/** dC, dW1 and db1 from dhprebn of the first block. */
function inputBackward({ backend, config, blocks, parameters, gradients }: Model, a: TrainingActivations): void {
  const { C, W1 } = parameters;
  const { C: dC, W1: dW1, b1: db1 } = gradients;
  const { n, input } = a;
  const { dhprebn } = a.blocks[0];
  if ('table' in input) {
    backend.embeddingTableBackward(dC, dW1, db1, input.table, dhprebn, C, W1, input.groups, n, input.sizes);
  } else {
    const { context: T, embedding: E, vocabulary: V } = config;
    const { I, H } = blocks[0];
    backend.linearBackward(input.demb, dW1, db1, dhprebn, input.emb, W1, n, I, H);
    backend.embeddingBackward(dC, input.demb, a.Xb, n * T, E, V);
  }
}

/**
 * Computes `a.logits` of the first n contexts in `a.Xb`, with calibrated statistics: no context influences another.
 * @param n at most `a.n`
 */
export function infer(model: Model, a: Activations, n: number): void {
  for (let k = 0; k < model.blocks.length; k++) inferBlock(model, a, n, k);
  inferLogits(model, a, n);
}

/** hprebn and h of block k, counted from 0, for the first n contexts, with calibrated statistics. Reads h of the block below. */
export function inferBlock(model: Model, a: Activations, n: number, k: number): void {
  const { H, parameters, bnmean, bnvar } = model.blocks[k];
  const { h, hprebn } = a.blocks[k];
  inferLinear(model, a, n, k);
  model.backend.batchNormTanhInference(h, hprebn, bnmean, bnvar, parameters.bngain, parameters.bnbias, n, H);
}

/** hprebn of block k, counted from 0, for the first n contexts. The first block reads the characters, the others h of the block below. */
export function inferLinear({ backend, blocks, config, parameters }: Model, a: Activations, n: number, k: number): void {
  const { I, H } = blocks[k];
  const { W, b } = blocks[k].parameters;
  const { hprebn } = a.blocks[k];
  const { input } = a;
  if (k > 0) {
    backend.linearForward(hprebn, a.blocks[k - 1].h, W, b, n, I, H);
  } else if ('table' in input) {
    groupCharacters(input.groups, a.Xb, n, input.sizes.T, input.sizes.D);
    backend.embeddingTableForward(hprebn, input.table, parameters.C, W, b, input.groups, n, input.sizes);
  } else {
    backend.embeddingForward(input.emb, parameters.C, a.Xb, n * config.context, config.embedding);
    backend.linearForward(hprebn, input.emb, W, b, n, I, H);
  }
}

/** The logits from h of the last block. */
function inferLogits({ backend, config, parameters }: Model, a: Activations, n: number): void {
  const { hidden, vocabulary: V } = config;
  const last = hidden.length - 1;
  backend.linearForward(a.logits, a.blocks[last].h, parameters.W2, parameters.b2, n, hidden[last], V);
}

/** The sum of the first n entries. */
export function sumOf(values: FloatArray, n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += values[i];
  return sum;
}
