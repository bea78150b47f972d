/**
 * The inputs of each tensor, in the order of computation, for messages about the first tensor that is not finite. The table is written by
 * hand, because one layer call computes several tensors from different inputs; test/network/origins.test.ts compares it with the passes.
 */
import { blockName, hasBatchNorm, type ModelConfig, parameterNames } from './parameters.js';

/** A tensor and the tensors that it is computed from. */
export type Origin = readonly [tensor: string, inputs: readonly string[]];

/** The parameters, each from its gradient. */
export function updateOrigins(config: ModelConfig): Origin[] {
  return parameterNames(config).map((name) => [name, [`d${name}`]]);
}

/** The tensors of the forward pass, then of the backward pass. */
export function passOrigins(config: ModelConfig): Origin[] {
  const blocks = config.hidden.map((_, k) => k + 1);
  const isNormed = hasBatchNorm(config);
  const h = blockName(blocks.length, 'h');
  return [
    ...blocks.flatMap((K) => forwardOrigins(K, isNormed)),
    ['logits', [h, 'W2', 'b2']],
    ['probs', ['logits']],
    ['losses', ['logits']],
    ['dlogits', ['probs']],
    [`d${h}`, ['dlogits', 'W2']],
    ['dW2', [h, 'dlogits']],
    ['db2', ['dlogits']],
    ...blocks.reverse().flatMap((K) => backwardOrigins(K, isNormed)),
  ];
}

/** The forward pass of block K, counted from 1. */
function forwardOrigins(K: number, isNormed: boolean): Origin[] {
  const own = (tensor: string) => blockName(K, tensor);
  const linear: Origin = [own('hprebn'), [inputOf(K), own('W'), own('b')]];
  if (!isNormed) return [linear, [own('h'), [own('hprebn')]]];
  return [
    linear,
    [own('bnvar_inv'), [own('hprebn')]],
    [own('bnraw'), [own('hprebn'), own('bnvar_inv')]],
    [own('h'), [own('bnraw'), own('bngain'), own('bnbias')]],
  ];
}

/** The backward pass of block K, down to the gradient of its input. */
function backwardOrigins(K: number, isNormed: boolean): Origin[] {
  const own = (tensor: string) => blockName(K, tensor);
  const [dh, dhprebn] = [`d${own('h')}`, `d${own('hprebn')}`];
  const hidden: Origin[] = isNormed
    ? [
        [`d${own('bngain')}`, [dh, own('h'), own('bnraw')]],
        [`d${own('bnbias')}`, [dh, own('h')]],
        [dhprebn, [dh, own('h'), own('bnraw'), own('bnvar_inv'), own('bngain')]],
      ]
    : [[dhprebn, [dh, own('h')]]];
  return [...hidden, [`d${inputOf(K)}`, [dhprebn, own('W')]], [`d${own('W')}`, [inputOf(K), dhprebn]], [`d${own('b')}`, [dhprebn]]];
}

/** The input of block K: C through the embedding, or h of the block below. */
function inputOf(K: number): string {
  return K === 1 ? 'C' : blockName(K - 1, 'h');
}

/** The statistics of each block. Inputs that batch norm and tanh keep small are left out: h is between -1 and 1. */
export function calibrationOrigins(config: ModelConfig): Origin[] {
  if (!hasBatchNorm(config)) return [];
  return config.hidden.flatMap((_, k): Origin[] => {
    const inputs = [...(k === 0 ? ['C'] : []), blockName(k + 1, 'W'), blockName(k + 1, 'b')];
    return [
      [blockName(k + 1, 'bnmean'), inputs],
      [blockName(k + 1, 'bnvar'), inputs],
    ];
  });
}
