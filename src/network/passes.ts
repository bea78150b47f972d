/** The network forward and backward, as flat lists of layer calls. */
import { type Backend, SUMMED_IN_TURN } from '../backend/backend.js';
import type { FloatArray } from '../core/tensor.js';
import type { Activations, Block, Model, TrainingActivations, TrainingBlockActivations } from './arrays.js';

/** The layer calls of a pass, in order. A caller that must stay responsive can do something else between two of them. */
export type LayerCalls = readonly (() => void)[];

/**
 * n·P, examples times parameters, from which a forward pass is worth doing in parts: about 1 ms in the kernels. Yielding more often would cost
 * more than it gains.
 */
export const LARGE_PASS = 2 ** 24;

export function runCalls(calls: LayerCalls): void {
  for (const call of calls) call();
}

/**
 * The forward pass of training, on the batch in `a.Xb` and `a.Yb`; batch norm, if the network has it, uses the statistics of the batch.
 * @returns the mean loss of the batch, in nats
 */
export function forward(model: Model, a: TrainingActivations): number {
  runCalls(forwardCalls(model, a));
  return batchLoss(a);
}

/** The backward pass after {@link forward}: overwrites all gradients of the model and of the activations. */
export function backward(model: Model, a: TrainingActivations): void {
  runCalls(backwardCalls(model, a));
}

/** The layer calls of {@link forward}; {@link batchLoss} is its result. */
export function forwardCalls(model: Model, a: TrainingActivations): LayerCalls {
  const { backend, blocks } = model;
  const { n } = a;
  return [
    ...blocks.flatMap((block, k) => {
      const hidden = hiddenForward(backend, block, a.blocks[k], n);
      return block.norm === 'none' ? [...linearCalls(model, a, n, k), hidden] : inTurn(backend, linearCalls(model, a, n, k), hidden);
    }),
    ...lossCalls(model, a, n),
  ];
}

/** The calls, and one more that needs no other thread to have done the last of them: see Backend.inTurn. */
function inTurn(backend: Backend, calls: LayerCalls, next: () => void): LayerCalls {
  const last = calls[calls.length - 1];
  if (!backend.inTurn) return [...calls, next];
  return [...calls.slice(0, -1), () => backend.inTurn?.(last, next)];
}

/** Logits and losses from h of the last block. */
function lossCalls(model: Model, a: Activations, n: number): LayerCalls {
  const { backend, config } = model;
  const logits = logitCalls(model, a, n);
  const losses = () => backend.crossEntropyForward(a.losses, a.probs, a.logits, a.Yb, n, config.vocabulary);
  return logits.length === 1 && config.vocabulary < SUMMED_IN_TURN ? inTurn(backend, logits, losses) : [...logits, losses];
}

/** h from hprebn, in training. */
function hiddenForward(backend: Backend, block: Block, { h, hprebn, bnraw, bnvar_inv }: TrainingBlockActivations, n: number): () => void {
  const { H } = block;
  if (block.norm === 'none' || !bnraw || !bnvar_inv) return () => backend.tanhForward(h, hprebn, backend.matrixSize(n, H));
  const { bngain, bnbias } = block.parameters;
  return () => backend.batchNormTanhForward(h, bnraw, bnvar_inv, hprebn, bngain, bnbias, n, H);
}

/** dhprebn from dh, with the gradients of batch norm. */
function hiddenBackward(backend: Backend, block: Block, a: TrainingBlockActivations, n: number): () => void {
  const { H } = block;
  const { dhprebn, dh, h, bnraw, bnvar_inv } = a;
  if (block.norm === 'none' || !bnraw || !bnvar_inv) return () => backend.tanhBackward(dhprebn, dh, h, backend.matrixSize(n, H));
  const { parameters: p, gradients: d } = block;
  return () => backend.batchNormTanhBackward(dhprebn, d.bngain, d.bnbias, dh, h, bnraw, bnvar_inv, p.bngain, n, H);
}

/** The mean loss of the batch after the calls of the forward pass, in nats. */
export function batchLoss({ losses, n }: TrainingActivations): number {
  return sumOf(losses, n) / n;
}

/** The layer calls of {@link backward}. */
export function backwardCalls(model: Model, a: TrainingActivations): LayerCalls {
  const { backend, config, blocks, parameters, gradients } = model;
  const { vocabulary: V } = config;
  const { n } = a;
  const last = blocks.length - 1;
  const { W2, b2 } = gradients;
  const calls = [() => backend.crossEntropyBackward(a.dlogits, a.probs, a.Yb, n, V)];
  let linear = () => backend.linearBackward(a.blocks[last].dh, W2, b2, a.dlogits, a.blocks[last].h, parameters.W2, n, blocks[last].H, V);
  for (let k = last; k >= 0; k--) {
    const { I, H, norm, parameters: p, gradients: d } = blocks[k];
    const { dhprebn } = a.blocks[k];
    const hidden = hiddenBackward(backend, blocks[k], a.blocks[k], n);
    calls.push(...(norm === 'none' ? [linear, hidden] : inTurn(backend, [linear], hidden)));
    if (k > 0) linear = () => backend.linearBackward(a.blocks[k - 1].dh, d.W, d.b, dhprebn, a.blocks[k - 1].h, p.W, n, I, H);
  }
  return [...calls, ...inputBackwardCalls(model, a)];
}

/** dC, dW1 and db1 from dhprebn of the first block. */
function inputBackwardCalls({ backend, config, blocks, parameters, gradients }: Model, a: TrainingActivations): LayerCalls {
  const { C, W1 } = parameters;
  const { C: dC, W1: dW1, b1: db1 } = gradients;
  const { n, input } = a;
  const { dhprebn } = a.blocks[0];
  if ('table' in input) {
    return [() => backend.embeddingTableBackward(dC, dW1, db1, input.table, dhprebn, C, W1, input.groups, n, input.sizes)];
  }
  const { context: T, embedding: E, vocabulary: V } = config;
  const { I, H } = blocks[0];
  return [
    () => backend.linearBackward(input.demb, dW1, db1, dhprebn, input.emb, W1, n, I, H),
    () => backend.embeddingBackward(dC, input.demb, a.Xb, n * T, E, V),
  ];
}

/**
 * The layer calls that compute `a.logits` of the first n contexts in `a.Xb`, with calibrated statistics: no context influences another.
 * @param n at most `a.n`
 */
export function inferCalls(model: Model, a: Activations, n: number): LayerCalls {
  return [...inferHiddenCalls(model, a, n), ...logitCalls(model, a, n)];
}

/** The layer calls that compute `a.losses` of the first n examples in `a.Xb` and `a.Yb`, otherwise as {@link inferCalls}. */
export function inferLossCalls(model: Model, a: Activations, n: number): LayerCalls {
  return [...inferHiddenCalls(model, a, n), ...lossCalls(model, a, n)];
}

/** h of all blocks for the first n contexts, with calibrated statistics. */
function inferHiddenCalls(model: Model, a: Activations, n: number): LayerCalls {
  return model.blocks.flatMap((_, k) => inferBlockCalls(model, a, n, k));
}

/** hprebn and h of block k, counted from 0, for the first n contexts, with calibrated statistics. They read h of the block below. */
export function inferBlockCalls(model: Model, a: Activations, n: number, k: number): LayerCalls {
  const { backend } = model;
  const block = model.blocks[k];
  const { h, hprebn } = a.blocks[k];
  const linear = linearCalls(model, a, n, k);
  if (block.norm === 'none') return [...linear, () => backend.tanhForward(h, hprebn, backend.matrixSize(n, block.H))];
  const { H, parameters: p, bnmean, bnvar } = block;
  return inTurn(backend, linear, () => backend.batchNormTanhInference(h, hprebn, bnmean, bnvar, p.bngain, p.bnbias, n, H));
}

/** hprebn of block k, counted from 0, for the first n contexts. The first block reads the characters, the others h of the block below. */
export function linearCalls({ backend, blocks, config, parameters }: Model, a: Activations, n: number, k: number): LayerCalls {
  const { I, H } = blocks[k];
  const { W, b } = blocks[k].parameters;
  const { hprebn } = a.blocks[k];
  const { input } = a;
  if (k > 0) return rowCalls(backend, { out: hprebn, x: a.blocks[k - 1].h, W, b }, n, I, H);
  if ('table' in input) {
    return [
      () => backend.groupCharacters(input.groups, a.Xb, n, input.sizes.T, input.sizes.D),
      () => backend.embeddingTableForward(hprebn, input.table, parameters.C, W, b, input.groups, n, input.sizes),
    ];
  }
  return [
    () => backend.embeddingForward(input.emb, parameters.C, a.Xb, n * config.context, config.embedding),
    ...rowCalls(backend, { out: hprebn, x: input.emb, W, b }, n, I, H),
  ];
}

/** The logits from h of the last block. */
function logitCalls({ backend, config, parameters }: Model, a: Activations, n: number): LayerCalls {
  const { hidden, vocabulary: V } = config;
  const last = hidden.length - 1;
  const { W2: W, b2: b } = parameters;
  return rowCalls(backend, { out: a.logits, x: a.blocks[last].h, W, b }, n, hidden[last], V);
}

/** The most multiplications in a call of a forward layer: about 40 ms in the kernels. */
const MOST = 2 ** 29;

/** out = x W + b. A large one is cut into groups of rows, which do not influence each other. */
function rowCalls(
  backend: Backend,
  { out, x, W, b }: Record<'out' | 'x' | 'W' | 'b', FloatArray>,
  n: number,
  I: number,
  O: number,
): LayerCalls {
  const most = Math.max(1, Math.floor(MOST / (I * O)));
  if (n <= most) return [() => backend.linearForward(out, x, W, b, n, I, O)];
  return Array.from({ length: Math.ceil(n / most) }, (_, part) => {
    const from = part * most;
    return () => backend.linearForward(out, x, W, b, n, I, O, from, Math.min(n, from + most));
  });
}

/** The sum of the first n entries. */
export function sumOf(values: FloatArray, n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += values[i];
  return sum;
}
