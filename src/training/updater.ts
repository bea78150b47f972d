/** How a run's parameters are updated: the optimizer with what it keeps from step to step, clipping before it, weight decay with it. */
import type { FloatArray } from '../core/tensor.js';
import type { Model } from '../network/model.js';

export const OPTIMIZERS = ['sgd', 'momentum', 'nesterov', 'adam', 'adamw'] as const;
export type OptimizerName = (typeof OPTIMIZERS)[number];

/** The optimizers, each with the settings that it has. */
export type OptimizerConfig =
  | { name: 'sgd' }
  | { name: 'momentum'; momentum: number }
  | { name: 'nesterov'; momentum: number }
  | { name: 'adam'; beta1: number; beta2: number; epsilon: number }
  | { name: 'adamw'; beta1: number; beta2: number; epsilon: number; weightDecay: WeightDecay };

/** Of all weight matrices, or of the parameters that are named. */
export type WeightDecay = number | Readonly<Record<string, number>>;

/** The parameters that are named in it. */
export function decayedNames(decay: WeightDecay): string[] {
  return typeof decay === 'number' ? [] : Object.keys(decay);
}

/** As it is given on the command line. */
export function showDecay(decay: WeightDecay): string {
  if (typeof decay === 'number') return String(decay);
  return Object.entries(decay)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
}

/** What each optimizer keeps from step to step: tensors [P], laid out like the parameters. */
export const OPTIMIZER_TENSORS: Readonly<Record<OptimizerName, readonly string[]>> = {
  sgd: [],
  momentum: ['velocity'],
  nesterov: ['velocity'],
  adam: ['m', 'v'],
  adamw: ['m', 'v'],
};

/** beta1^t and beta2^t after t steps, as products: Math.pow is not the same to the last bit in every Node. */
export interface Powers {
  beta1: number;
  beta2: number;
}

/** Where an optimizer stands. */
export interface OptimizerState {
  /** By the names in {@link OPTIMIZER_TENSORS}. */
  tensors: Readonly<Record<string, FloatArray>>;
  /** Of Adam and AdamW; null of the others. */
  powers: Powers | null;
}

/** The part of a tensor [P] that belongs to each parameter, by the parameters' names. */
export function partsOf(tensor: FloatArray, { flatParameters, parameters }: Model): Record<string, FloatArray> {
  const part = ([name, { byteOffset, length }]: [string, FloatArray]) => {
    const start = (byteOffset - flatParameters.byteOffset) / flatParameters.BYTES_PER_ELEMENT;
    return [name, tensor.subarray(start, start + length)] as const;
  };
  return Object.fromEntries(Object.entries(parameters).map(part));
}

export function hasPowers({ name }: OptimizerConfig): boolean {
  return name === 'adam' || name === 'adamw';
}

/** Unless they are named, only weight matrices decay; embeddings, biases and the batch norm's gains do not. */
function isWeightMatrix(parameter: string): boolean {
  return /^(W1|W2|blocks\.\d+\.W)$/.test(parameter);
}

/** The decay of a parameter. */
export function decayOf(decay: WeightDecay, parameter: string): number {
  if (typeof decay === 'number') return isWeightMatrix(parameter) ? decay : 0;
  return decay[parameter] ?? 0;
}

export class Updater {
  readonly #model: Model;
  readonly #config: OptimizerConfig;
  readonly #clip: number | undefined;
  /** What the optimizer keeps, as it is now. */
  readonly tensors: Readonly<Record<string, FloatArray>>;
  readonly #powers: Powers | null;
  readonly #decays: readonly { weights: FloatArray; decay: number }[];

  /**
   * Allocates what the optimizer keeps: for a step that was never made, or as it was after another.
   * @param clip the largest norm that the gradients of all parameters together may have
   */
  constructor(model: Model, config: OptimizerConfig, clip?: number, from?: OptimizerState) {
    this.#model = model;
    this.#config = config;
    this.#clip = clip;
    const keep = (name: string) => {
      const tensor = model.backend.floats(model.flatParameters.length);
      if (from) tensor.set(from.tensors[name]);
      return [name, tensor] as const;
    };
    this.tensors = Object.fromEntries(OPTIMIZER_TENSORS[config.name].map(keep));
    this.#powers = hasPowers(config) ? { ...(from?.powers ?? { beta1: 1, beta2: 1 }) } : null;
    const weightDecay = 'weightDecay' in config ? config.weightDecay : 0;
    const decays = Object.entries(model.parameters).map(([name, weights]) => ({ weights, decay: decayOf(weightDecay, name) }));
    this.#decays = decays.filter(({ decay }) => decay > 0);
  }

  /** A copy, which does not move on with the updates. */
  get state(): OptimizerState {
    const tensors = Object.fromEntries(Object.entries(this.tensors).map(([name, tensor]) => [name, tensor.slice()]));
    return { tensors, powers: this.#powers && { ...this.#powers } };
  }

  /** One step from the model's gradients, which clipping may scale in place. */
  update(rate: number): void {
    if (this.#clip !== undefined) clipGradients(this.#model, this.#clip);
    const { backend, flatParameters: p, flatGradients: dp } = this.#model;
    const { velocity } = this.tensors;
    const config = this.#config;
    if (config.name === 'sgd') backend.sgdUpdate(p, dp, rate, p.length);
    else if (config.name === 'momentum') backend.momentumUpdate(p, velocity, dp, rate, config.momentum, p.length);
    else if (config.name === 'nesterov') backend.nesterovUpdate(p, velocity, dp, rate, config.momentum, p.length);
    else {
      for (const { weights, decay } of this.#decays) backend.scale(weights, 1 - rate * decay, weights.length);
      this.#adam(rate, config);
    }
  }

  /**
   * p -= rate · (m / (1 - beta1^t)) / (sqrt(v) / s + epsilon) with s = sqrt(1 - beta2^t): the corrections for a start at 0. Both sides of
   * the fraction are multiplied by s, which leaves one division to each entry.
   */
  #adam(rate: number, { beta1, beta2, epsilon }: { beta1: number; beta2: number; epsilon: number }): void {
    const { backend, flatParameters: p, flatGradients: dp } = this.#model;
    const { m, v } = this.tensors;
    const powers = this.#powers as Powers;
    powers.beta1 *= beta1;
    powers.beta2 *= beta2;
    const s = Math.sqrt(1 - powers.beta2);
    backend.adamUpdate(p, m, v, dp, (rate * s) / (1 - powers.beta1), beta1, beta2, epsilon * s, p.length);
  }
}

/** Scales the gradients down to a norm of `clip`, all parameters together, if theirs is larger: PyTorch's clip_grad_norm_. */
function clipGradients({ backend, flatGradients }: Model, clip: number): void {
  const norm = Math.sqrt(backend.sumOfSquares(flatGradients, flatGradients.length));
  const factor = clip / (norm + 1e-6);
  if (factor < 1) backend.scale(flatGradients, factor, flatGradients.length);
}
