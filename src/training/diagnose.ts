/** Diagnoses numbers that blow up: the first tensor that is not finite, the entry, and the tensors it was computed from. */
import { NumericalError } from '../core/errors.js';
import { allFinite, indexAt, indexOfLargest } from '../core/numbers.js';
import { showShape } from '../core/tensor.js';
import {
  activationTensors,
  type Model,
  modelTensors,
  type NamedTensor,
  parameterViews,
  type TrainingActivations,
} from '../network/arrays.js';
import { calibrationOrigins, type Origin, passOrigins, updateOrigins } from '../network/origins.js';
import { isParameterName } from '../network/parameters.js';
import type { OptimizerState } from './updater.js';

/** One entry of a tensor, with its index per dimension. */
export interface TensorEntry {
  tensor: string;
  index: number[];
  value: number;
}

/** The first entry that is NaN or infinite, in the order of computation, and the largest entry of each tensor it was computed from. */
export interface Diagnosis extends TensorEntry {
  inputs: TensorEntry[];
}

/** A loss, activation, gradient, parameter or tensor of the optimizer state is NaN or infinite. */
export class NonFiniteError extends NumericalError {
  /** Steps completed before the failure. */
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
    ? `set by an earlier update; largest gradient of the last one: ${largest}`
    : `everything computed before it is finite; largest entries it is computed from: ${largest}`;
  return `${showEntry({ tensor, index })} is ${value}, ${origin}`;
}

function showEntry({ tensor, index }: Pick<TensorEntry, 'tensor' | 'index'>): string {
  return `${tensor}${showShape(index)}`;
}

function isMadeByUpdates(name: string): boolean {
  return isParameterName(name) || name.includes(STATE_OF);
}

/** Joins the name of an optimizer tensor with that of a parameter, for the part that belongs to it: `v of W1`. */
const STATE_OF = ' of ';

/**
 * The first entry of a training step that is not finite, or undefined. Changes nothing.
 * @param optimizerTensors the tensors of the optimizer state
 */
export function diagnose(
  model: Model,
  activations: TrainingActivations,
  optimizerTensors: OptimizerState['tensors'] = {},
): Diagnosis | undefined {
  const tensors = { ...modelTensors(model), ...activationTensors(model, activations) };
  return diagnoseUpdates(model, optimizerTensors) ?? firstNonFinite(passOrigins(model.config), tensors);
}

/** The first entry of the parameters, the optimizer state and the calibrated statistics that is not finite, or undefined. */
export function diagnoseModel(model: Model, optimizerTensors: OptimizerState['tensors'] = {}): Diagnosis | undefined {
  return diagnoseUpdates(model, optimizerTensors) ?? firstNonFinite(calibrationOrigins(model.config), modelTensors(model));
}

/** The first entry of the parameters, then of the optimizer state, that is not finite, or undefined. */
function diagnoseUpdates(model: Model, optimizerTensors: OptimizerState['tensors']): Diagnosis | undefined {
  const tensors = modelTensors(model);
  const order = Object.entries(optimizerTensors).flatMap(([name, flat]) =>
    Object.entries(parameterViews(flat, model.config)).map(([parameter, data]): Origin => {
      const part = name + STATE_OF + parameter;
      tensors[part] = { data, shape: tensors[parameter].shape };
      return [part, [`d${parameter}`]];
    }),
  );
  return firstNonFinite([...updateOrigins(model.config), ...order], tensors);
}

function firstNonFinite(order: readonly Origin[], tensors: Record<string, NamedTensor>): Diagnosis | undefined {
  for (const [name, inputs] of order) {
    const at = tensors[name].data.findIndex((x) => !Number.isFinite(x));
    if (at === -1) continue;
    return { ...entryAt(name, tensors[name], at), inputs: inputs.map((input) => largestOf(input, tensors[input])) };
  }
  return undefined;
}

function largestOf(name: string, tensor: NamedTensor): TensorEntry {
  return entryAt(name, tensor, indexOfLargest(tensor.data));
}

function entryAt(tensor: string, { data, shape }: NamedTensor, at: number): TensorEntry {
  return { tensor, index: indexAt(at, shape), value: data[at] };
}

/** Whether all parameters, gradients and activations are finite. Skips probs and losses, because the loss shows them. */
export function isStepFinite(model: Model, { n, blocks, logits, dlogits }: TrainingActivations): boolean {
  const { backend, flatParameters, flatGradients } = model;
  return (
    [flatParameters, flatGradients, logits, dlogits].every(allFinite) &&
    blocks.every(({ bnvar_inv, ...matrices }, k) => {
      const { H } = model.blocks[k];
      return (!bnvar_inv || allFinite(bnvar_inv)) && Object.values(matrices).every((matrix) => backend.areFinite(matrix, n, H));
    })
  );
}
