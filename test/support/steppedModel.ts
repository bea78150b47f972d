import { createReferenceBackend } from '../../src/backend/reference.js';
import { normal, randomInteger, randomStream } from '../../src/core/random.js';
import type { FloatArray } from '../../src/core/tensor.js';
import { createModel, createTrainingActivations, type Model, type TrainingActivations } from '../../src/network/arrays.js';
import { initialise } from '../../src/network/initialise.js';
import { parameterNames } from '../../src/network/parameters.js';
import { backward, forward } from '../../src/network/passes.js';

/** A small network, and the batch size of its step. */
export const CONFIG = { context: 2, embedding: 3, hidden: [5], vocabulary: 7 };
const N = 4;

/** A model after one step in which everything is finite, and its tensors by name. */
export function stepped(hidden: readonly number[] = CONFIG.hidden) {
  const model = createModel(createReferenceBackend('float32'), { ...CONFIG, hidden });
  initialise(model, 1);
  const random = randomStream('grad-check', 'diagnose');
  for (let i = 0; i < model.flatParameters.length; i++) model.flatParameters[i] += 0.1 * normal(random);
  const activations = createTrainingActivations(model, N);
  for (const ints of [activations.Xb, activations.Yb]) for (let i = 0; i < ints.length; i++) ints[i] = randomInteger(random, 7);
  forward(model, activations);
  backward(model, activations);
  return { model, activations, tensors: tensorsOf(model, activations) };
}

function tensorsOf({ config, parameters, gradients }: Model, activations: TrainingActivations): Record<string, FloatArray> {
  const { logits, probs, losses, dlogits } = activations;
  const ofGradients = Object.fromEntries(parameterNames(config).map((name) => [`d${name}`, gradients[name]]));
  const ofBlocks = activations.blocks.flatMap(({ dh, dhprebn, ...forward }, k) => {
    const prefix = k === 0 ? '' : `blocks.${k + 1}.`;
    const named = Object.entries(forward).map(([name, data]) => [prefix + name, data] as const);
    return [...named, [`d${prefix}h`, dh] as const, [`d${prefix}hprebn`, dhprebn] as const];
  });
  return { ...parameters, ...ofGradients, ...Object.fromEntries(ofBlocks), logits, probs, losses, dlogits };
}

export type Order = readonly (readonly [tensor: string, shape: number[], inputs: string[]])[];

/** Every tensor in the order of computation, with its shape and the tensors it is computed from. */
export const ORDER: Order = [
  ['C', [7, 3], ['dC']],
  ['W1', [6, 5], ['dW1']],
  ['b1', [5], ['db1']],
  ['bngain', [1, 5], ['dbngain']],
  ['bnbias', [1, 5], ['dbnbias']],
  ['W2', [5, 7], ['dW2']],
  ['b2', [7], ['db2']],
  ['hprebn', [4, 5], ['C', 'W1', 'b1']],
  ['bnvar_inv', [1, 5], ['hprebn']],
  ['bnraw', [4, 5], ['hprebn', 'bnvar_inv']],
  ['h', [4, 5], ['bnraw', 'bngain', 'bnbias']],
  ['logits', [4, 7], ['h', 'W2', 'b2']],
  ['probs', [4, 7], ['logits']],
  ['losses', [4], ['logits']],
  ['dlogits', [4, 7], ['probs']],
  ['dh', [4, 5], ['dlogits', 'W2']],
  ['dW2', [5, 7], ['h', 'dlogits']],
  ['db2', [7], ['dlogits']],
  ['dbngain', [1, 5], ['dh', 'h', 'bnraw']],
  ['dbnbias', [1, 5], ['dh', 'h']],
  ['dhprebn', [4, 5], ['dh', 'h', 'bnraw', 'bnvar_inv', 'bngain']],
  ['dC', [7, 3], ['dhprebn', 'W1']],
  ['dW1', [6, 5], ['C', 'dhprebn']],
  ['db1', [5], ['dhprebn']],
];

/** The same for blocks of 5 and 2 units. */
export const DEEP_ORDER: Order = [
  ...ORDER.slice(0, 5),
  ['blocks.2.W', [5, 2], ['dblocks.2.W']],
  ['blocks.2.b', [2], ['dblocks.2.b']],
  ['blocks.2.bngain', [1, 2], ['dblocks.2.bngain']],
  ['blocks.2.bnbias', [1, 2], ['dblocks.2.bnbias']],
  ['W2', [2, 7], ['dW2']],
  ...ORDER.slice(6, 11),
  ['blocks.2.hprebn', [4, 2], ['h', 'blocks.2.W', 'blocks.2.b']],
  ['blocks.2.bnvar_inv', [1, 2], ['blocks.2.hprebn']],
  ['blocks.2.bnraw', [4, 2], ['blocks.2.hprebn', 'blocks.2.bnvar_inv']],
  ['blocks.2.h', [4, 2], ['blocks.2.bnraw', 'blocks.2.bngain', 'blocks.2.bnbias']],
  ['logits', [4, 7], ['blocks.2.h', 'W2', 'b2']],
  ...ORDER.slice(12, 15),
  ['dblocks.2.h', [4, 2], ['dlogits', 'W2']],
  ['dW2', [2, 7], ['blocks.2.h', 'dlogits']],
  ['db2', [7], ['dlogits']],
  ['dblocks.2.bngain', [1, 2], ['dblocks.2.h', 'blocks.2.h', 'blocks.2.bnraw']],
  ['dblocks.2.bnbias', [1, 2], ['dblocks.2.h', 'blocks.2.h']],
  ['dblocks.2.hprebn', [4, 2], ['dblocks.2.h', 'blocks.2.h', 'blocks.2.bnraw', 'blocks.2.bnvar_inv', 'blocks.2.bngain']],
  ['dh', [4, 5], ['dblocks.2.hprebn', 'blocks.2.W']],
  ['dblocks.2.W', [5, 2], ['h', 'dblocks.2.hprebn']],
  ['dblocks.2.b', [2], ['dblocks.2.hprebn']],
  ...ORDER.slice(18),
];

const casesOf = (order: Order, hidden: readonly number[]) =>
  order.map(([tensor, shape, inputs], at) => {
    const shapeOf = (name: string) => (order.find(([other]) => other === name) as Order[number])[1];
    return { H: hidden.join(','), hidden, order, tensor, shape, inputs, at, shapeOf };
  });
export const TENSORS = [...casesOf(ORDER, [5]), ...casesOf(DEEP_ORDER, [5, 2])];

/** The index of an entry, by counting row by row. */
export function countedIndex(entry: number, shape: number[]): number[] {
  const index = shape.map(() => 0);
  for (let i = 0; i < entry; i++) {
    let axis = shape.length - 1;
    while (++index[axis] === shape[axis]) index[axis--] = 0;
  }
  return index;
}
