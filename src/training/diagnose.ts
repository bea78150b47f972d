/** When numbers blow up: which tensor did so first, where, and from what. */
import { NumericalError } from '../core/errors.js';
import { type FloatArray, type Shape, showShape } from '../core/tensor.js';
import type { Model, TrainingActivations } from '../network/model.js';
import {
  blockName,
  isParameterName,
  type ModelConfig,
  parameterNames,
  parameterShapes,
  statisticNames,
  statisticShapes,
} from '../network/parameters.js';
import { type OptimizerState, partsOf } from './updater.js';

export interface Entry {
  tensor: string;
  index: number[];
  value: number;
}

/** The first tensor, in the order of computation, that has an entry which is not finite; and the largest entries of what it is made from. */
export interface Diagnosis extends Entry {
  inputs: Entry[];
}

/** A loss, activation, gradient or parameter is not finite. */
export class NonFiniteError extends NumericalError {
  /** Counted from 0: the steps done before. */
  readonly step: number;
  readonly diagnosis: Diagnosis | undefined;

  constructor(step: number, loss: number, diagnosis: Diagnosis | undefined) {
    super(diagnosis ? `step ${step}: ${describe(diagnosis)}` : `step ${step}: the loss is ${loss}`);
    this.step = step;
    this.diagnosis = diagnosis;
  }
}

function describe({ tensor, index, value, inputs }: Diagnosis): string {
  const largest = inputs.map((input) => `${showEntry(input)} = ${input.value}`).join(', ');
  const origin = isMadeByUpdates(tensor)
    ? `since an update before it; the largest gradient of the last one: ${largest}`
    : `all that is computed before it is finite; the largest that it is made from: ${largest}`;
  return `${showEntry({ tensor, index })} is ${value}, ${origin}`;
}

function showEntry({ tensor, index }: Pick<Entry, 'tensor' | 'index'>): string {
  return `${tensor}${showShape(index)}`;
}

function isMadeByUpdates(name: string): boolean {
  return isParameterName(name) || name.includes(KEPT_OF);
}

/** Between a tensor that the optimizer keeps and the parameter that the part of it belongs to: `v of W1`. */
const KEPT_OF = ' of ';

type MadeFrom = readonly [tensor: string, inputs: readonly string[]];

function madeByUpdates(config: ModelConfig): MadeFrom[] {
  return parameterNames(config).map((name) => [name, [`d${name}`]]);
}

/** What each tensor is computed from, in the order of computation: parameters by the update, then forward, then backward. */
function madeFrom(config: ModelConfig): MadeFrom[] {
  const blocks = config.hidden.map((_, k) => k + 1);
  const h = blockName(blocks.length, 'h');
  return [
    ...madeByUpdates(config),
    ...blocks.flatMap(madeForward),
    ['logits', [h, 'W2', 'b2']],
    ['probs', ['logits']],
    ['losses', ['logits']],
    ['dlogits', ['probs']],
    [`d${h}`, ['dlogits', 'W2']],
    ['dW2', [h, 'dlogits']],
    ['db2', ['dlogits']],
    ...blocks.reverse().flatMap(madeBackward),
  ];
}

/** In block K. */
function madeForward(K: number): MadeFrom[] {
  const own = (tensor: string) => blockName(K, tensor);
  const input = K === 1 ? 'C' : blockName(K - 1, 'h');
  return [
    [own('hprebn'), [input, own('W'), own('b')]],
    [own('bnvar_inv'), [own('hprebn')]],
    [own('bnraw'), [own('hprebn'), own('bnvar_inv')]],
    [own('h'), [own('bnraw'), own('bngain'), own('bnbias')]],
  ];
}

/** In block K, down to the gradient of its input: C's, or that of the block below. */
function madeBackward(K: number): MadeFrom[] {
  const own = (tensor: string) => blockName(K, tensor);
  const [dh, dhprebn] = [`d${own('h')}`, `d${own('hprebn')}`];
  const input = K === 1 ? 'C' : blockName(K - 1, 'h');
  return [
    [`d${own('bngain')}`, [dh, own('h'), own('bnraw')]],
    [`d${own('bnbias')}`, [dh, own('h')]],
    [dhprebn, [dh, own('h'), own('bnraw'), own('bnvar_inv'), own('bngain')]],
    [`d${input}`, [dhprebn, own('W')]],
    [`d${own('W')}`, [input, dhprebn]],
    [`d${own('b')}`, [dhprebn]],
  ];
}

/** A block's statistics: of what comes in, h is within -1 and 1. */
function madeByCalibration({ hidden }: ModelConfig): MadeFrom[] {
  return hidden.flatMap((_, k): MadeFrom[] => {
    const inputs = [...(k === 0 ? ['C'] : []), blockName(k + 1, 'W'), blockName(k + 1, 'b')];
    return [
      [blockName(k + 1, 'bnmean'), inputs],
      [blockName(k + 1, 'bnvar'), inputs],
    ];
  });
}

/** Of a training step. undefined if all is finite. @param kept what the optimizer keeps */
export function diagnose(model: Model, activations: TrainingActivations, kept: OptimizerState['tensors'] = {}): Diagnosis | undefined {
  const tensors = { ...modelTensors(model), ...activationTensors(model, activations) };
  return diagnoseUpdates(model, kept) ?? firstNonFinite(madeFrom(model.config), tensors);
}

/** Of what the updates make: the parameters, then what the optimizer keeps. undefined if all is finite. */
function diagnoseUpdates(model: Model, kept: OptimizerState['tensors']): Diagnosis | undefined {
  const tensors = modelTensors(model);
  const order = Object.entries(kept).flatMap(([name, tensor]) =>
    Object.entries(partsOf(tensor, model)).map(([parameter, data]): MadeFrom => {
      const part = name + KEPT_OF + parameter;
      tensors[part] = { data, shape: tensors[parameter].shape };
      return [part, [`d${parameter}`]];
    }),
  );
  return firstNonFinite([...madeByUpdates(model.config), ...order], tensors);
}

/** Of what the updates make, and the statistics that the parameters are calibrated with. undefined if all is finite. */
export function diagnoseModel(model: Model, kept: OptimizerState['tensors'] = {}): Diagnosis | undefined {
  return diagnoseUpdates(model, kept) ?? firstNonFinite(madeByCalibration(model.config), modelTensors(model));
}

function firstNonFinite(order: readonly MadeFrom[], tensors: Record<string, NamedTensor>): Diagnosis | undefined {
  for (const [name, inputs] of order) {
    const { data, shape } = tensors[name];
    const at = data.findIndex((x) => !Number.isFinite(x));
    if (at !== -1) {
      return { tensor: name, index: indexOf(at, shape), value: data[at], inputs: inputs.map((input) => largestOf(input, tensors[input])) };
    }
  }
  return undefined;
}

/** Whether every entry of the parameters, their gradients and the activations is finite. */
export function isStepFinite({ flatParameters, flatGradients }: Model, { blocks, logits, dlogits }: TrainingActivations): boolean {
  const ofBlocks = blocks.flatMap(({ hprebn, bnvar_inv, bnraw, h, dh, dhprebn }) => [hprebn, bnvar_inv, bnraw, h, dh, dhprebn]);
  return [flatParameters, flatGradients, ...ofBlocks, logits, dlogits].every(allFinite);
}

/** 0·x is 0, but for Inf and NaN, of which it is NaN. */
export function allFinite(values: FloatArray): boolean {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += 0 * values[i];
  return sum === 0;
}

interface NamedTensor {
  data: FloatArray;
  shape: Shape;
}

function activationTensors({ config }: Model, a: TrainingActivations): Record<string, NamedTensor> {
  const { hidden, vocabulary: V } = config;
  const { n } = a;
  const ofBlocks = a.blocks.flatMap(({ hprebn, bnvar_inv, bnraw, h, dh, dhprebn }, k): [string, NamedTensor][] => {
    const [own, H] = [(tensor: string) => blockName(k + 1, tensor), hidden[k]];
    return [
      [own('hprebn'), { data: hprebn, shape: [n, H] }],
      [own('bnvar_inv'), { data: bnvar_inv, shape: [1, H] }],
      [own('bnraw'), { data: bnraw, shape: [n, H] }],
      [own('h'), { data: h, shape: [n, H] }],
      [`d${own('h')}`, { data: dh, shape: [n, H] }],
      [`d${own('hprebn')}`, { data: dhprebn, shape: [n, H] }],
    ];
  });
  return {
    ...Object.fromEntries(ofBlocks),
    logits: { data: a.logits, shape: [n, V] },
    probs: { data: a.probs, shape: [n, V] },
    losses: { data: a.losses, shape: [n] },
    dlogits: { data: a.dlogits, shape: [n, V] },
  };
}

function modelTensors({ config, parameters, gradients, statistics }: Model): Record<string, NamedTensor> {
  const shapes = parameterShapes(config);
  const ofStatistics = statisticShapes(config);
  const tensors: Record<string, NamedTensor> = {};
  for (const name of statisticNames(config)) tensors[name] = { data: statistics[name], shape: ofStatistics[name] };
  for (const name of parameterNames(config)) {
    tensors[name] = { data: parameters[name], shape: shapes[name] };
    tensors[`d${name}`] = { data: gradients[name], shape: shapes[name] };
  }
  return tensors;
}

function indexOf(at: number, shape: Shape): number[] {
  const index: number[] = [];
  for (const size of [...shape].reverse()) {
    index.unshift(at % size);
    at = Math.floor(at / size);
  }
  return index;
}

/** The entry of the largest magnitude; NaN counts as larger than any. */
function largestOf(tensor: string, { data, shape }: NamedTensor): Entry {
  const size = (x: number) => (Number.isNaN(x) ? Number.POSITIVE_INFINITY : Math.abs(x));
  let at = 0;
  for (let i = 1; i < data.length; i++) if (size(data[i]) > size(data[at])) at = i;
  return { tensor, index: indexOf(at, shape), value: data[at] };
}
