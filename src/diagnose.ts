/** When numbers blow up: which tensor did so first, where, and from what. */
import { NumericalError } from './errors.js';
import { type Model, PARAMETER_NAMES, parameterShapes, type TrainingActivations } from './model.js';
import { type FloatArray, type Shape, showShape } from './tensor.js';
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
  return (PARAMETER_NAMES as readonly string[]).includes(name) || name.includes(KEPT_OF);
}

/** Between a tensor that the optimizer keeps and the parameter that the part of it belongs to: `v of W1`. */
const KEPT_OF = ' of ';

type MadeFrom = readonly [tensor: string, inputs: readonly string[]];

const MADE_BY_UPDATES: readonly MadeFrom[] = PARAMETER_NAMES.map((name) => [name, [`d${name}`]] as const);

/** What each tensor is computed from, in the order of computation: parameters by the update, then forward, then backward. */
const MADE_FROM: readonly MadeFrom[] = [
  ...MADE_BY_UPDATES,
  ['hprebn', ['C', 'W1', 'b1']],
  ['bnvar_inv', ['hprebn']],
  ['bnraw', ['hprebn', 'bnvar_inv']],
  ['h', ['bnraw', 'bngain', 'bnbias']],
  ['logits', ['h', 'W2', 'b2']],
  ['probs', ['logits']],
  ['losses', ['logits']],
  ['dlogits', ['probs']],
  ['dh', ['dlogits', 'W2']],
  ['dW2', ['h', 'dlogits']],
  ['db2', ['dlogits']],
  ['dbngain', ['dh', 'h', 'bnraw']],
  ['dbnbias', ['dh', 'h']],
  ['dhprebn', ['dh', 'h', 'bnraw', 'bnvar_inv', 'bngain']],
  ['dC', ['dhprebn', 'W1']],
  ['dW1', ['C', 'dhprebn']],
  ['db1', ['dhprebn']],
];

/** Of a training step. undefined if all is finite. @param kept what the optimizer keeps */
export function diagnose(model: Model, activations: TrainingActivations, kept: OptimizerState['tensors'] = {}): Diagnosis | undefined {
  const tensors = { ...modelTensors(model), ...activationTensors(model, activations) };
  return diagnoseUpdates(model, kept) ?? firstNonFinite(MADE_FROM, tensors);
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
  return firstNonFinite([...MADE_BY_UPDATES, ...order], tensors);
}

/** Of what the updates make, and the statistics that the parameters are calibrated with. undefined if all is finite. */
export function diagnoseModel(model: Model, kept: OptimizerState['tensors'] = {}): Diagnosis | undefined {
  const statistics: MadeFrom[] = [
    ['bnmean', ['C', 'W1', 'b1']],
    ['bnvar', ['C', 'W1', 'b1']],
  ];
  return diagnoseUpdates(model, kept) ?? firstNonFinite(statistics, modelTensors(model));
}

function firstNonFinite(order: typeof MADE_FROM, tensors: Record<string, NamedTensor>): Diagnosis | undefined {
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
export function isStepFinite(
  { flatParameters, flatGradients }: Model,
  { hprebn, bnvar_inv, bnraw, h, logits, dlogits, dh, dhprebn }: TrainingActivations,
): boolean {
  return [flatParameters, flatGradients, hprebn, bnvar_inv, bnraw, h, logits, dlogits, dh, dhprebn].every(allFinite);
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
  const { hidden: H, vocabulary: V } = config;
  const { n } = a;
  return {
    hprebn: { data: a.hprebn, shape: [n, H] },
    bnvar_inv: { data: a.bnvar_inv, shape: [1, H] },
    bnraw: { data: a.bnraw, shape: [n, H] },
    h: { data: a.h, shape: [n, H] },
    logits: { data: a.logits, shape: [n, V] },
    probs: { data: a.probs, shape: [n, V] },
    losses: { data: a.losses, shape: [n] },
    dlogits: { data: a.dlogits, shape: [n, V] },
    dh: { data: a.dh, shape: [n, H] },
    dhprebn: { data: a.dhprebn, shape: [n, H] },
  };
}

function modelTensors({ config, parameters, gradients, bnmean, bnvar }: Model): Record<string, NamedTensor> {
  const shapes = parameterShapes(config);
  const statistics: Shape = [1, config.hidden];
  const tensors: Record<string, NamedTensor> = { bnmean: { data: bnmean, shape: statistics }, bnvar: { data: bnvar, shape: statistics } };
  for (const name of PARAMETER_NAMES) {
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
