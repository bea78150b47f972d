/** Parameter updates: gradient clipping, weight decay, and the optimizer with its state. */
import type { FloatArray } from '../core/tensor.js';
import { createOptimizerTensors, type Model } from '../network/arrays.js';
import { isWeightMatrix } from '../network/parameters.js';

/** The names of the optimizers. */
export const OPTIMIZERS = ['sgd', 'momentum', 'nesterov', 'adam', 'adamw'] as const;
export type OptimizerName = (typeof OPTIMIZERS)[number];

/** The optimizers with their settings; the names and meanings are those of torch.optim. */
export type OptimizerConfig =
  | { name: 'sgd' }
  | { name: 'momentum'; momentum: number }
  | { name: 'nesterov'; momentum: number }
  | { name: 'adam'; beta1: number; beta2: number; epsilon: number }
  | { name: 'adamw'; beta1: number; beta2: number; epsilon: number; weightDecay: WeightDecay };

/** One value for all weight matrices, or a value per parameter name. */
export type WeightDecay = number | Readonly<Record<string, number>>;

/** The parameters that a weight decay names. */
export function decayedNames(decay: WeightDecay): string[] {
  return typeof decay === 'number' ? [] : Object.keys(decay);
}

/** A weight decay as `--weight-decay` takes it: 0.1, or W1=0.1,W2=0.2. */
export function showDecay(decay: WeightDecay): string {
  if (typeof decay === 'number') return String(decay);
  return Object.entries(decay)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
}

/** The optimizer state of each optimizer: the names of its tensors [P], which have the layout of the parameters. */
export const OPTIMIZER_TENSORS: Readonly<Record<OptimizerName, readonly string[]>> = {
  sgd: [],
  momentum: ['velocity'],
  nesterov: ['velocity'],
  adam: ['m', 'v'],
  adamw: ['m', 'v'],
};

/** beta1^t and beta2^t after t steps, as running products: the last bit of Math.pow differs between Node versions. */
export interface BetaPowers {
  beta1: number;
  beta2: number;
}

/** Everything that an optimizer keeps from one step to the next. */
export interface OptimizerState {
  /** The tensors [P] named in `OPTIMIZER_TENSORS`. */
  tensors: Readonly<Record<string, FloatArray>>;
  /** The powers for Adam and AdamW; null for the others. */
  powers: BetaPowers | null;
}

/** Whether the optimizer state has {@link BetaPowers}. */
export function hasPowers({ name }: OptimizerConfig): boolean {
  return name === 'adam' || name === 'adamw';
}

/** The weight decay of one parameter. One number for all applies to weight matrices only, not to embeddings, biases and gains. */
export function decayOf(decay: WeightDecay, parameter: string): number {
  if (typeof decay === 'number') return isWeightMatrix(parameter) ? decay : 0;
  return decay[parameter] ?? 0;
}

/** Updates the parameters of a model from its gradients. */
export class Updater {
  readonly #model: Model;
  readonly #config: OptimizerConfig;
  readonly #clip: number | undefined;
  /** The live tensors [P] of the optimizer state. */
  readonly tensors: Readonly<Record<string, FloatArray>>;
  readonly #powers: BetaPowers | null;
  readonly #decays: readonly { weights: FloatArray; decay: number }[];

  /**
   * Allocates the optimizer state.
   * @param clip the largest norm of all gradients together; without it, gradients are not clipped
   * @param from the state to resume from; without it, the optimizer starts from zeros
   * @throws RangeError if the model's backend has no room for the optimizer state
   */
  constructor(model: Model, config: OptimizerConfig, clip?: number, from?: OptimizerState) {
    this.#model = model;
    this.#config = config;
    this.#clip = clip;
    this.tensors = createOptimizerTensors(model, OPTIMIZER_TENSORS[config.name]);
    if (from) for (const [name, tensor] of Object.entries(this.tensors)) tensor.set(from.tensors[name]);
    this.#powers = hasPowers(config) ? { ...(from?.powers ?? { beta1: 1, beta2: 1 }) } : null;
    const weightDecay = 'weightDecay' in config ? config.weightDecay : 0;
    const decays = Object.entries(model.parameters).map(([name, weights]) => ({ weights, decay: decayOf(weightDecay, name) }));
    this.#decays = decays.filter(({ decay }) => decay > 0);
  }

  /** A copy of the optimizer state. */
  get state(): OptimizerState {
    const tensors = Object.fromEntries(Object.entries(this.tensors).map(([name, tensor]) => [name, tensor.slice()]));
    return { tensors, powers: this.#powers && { ...this.#powers } };
  }

  /**
   * One update with this learning rate. Clipping scales the model's gradients in place.
   * @returns whether the gradients were clipped
   */
  update(rate: number): boolean {
    const clipped = this.#clip !== undefined && clipGradients(this.#model, this.#clip);
    const { backend, flatParameters: p, flatGradients: dp } = this.#model;
    const { velocity } = this.tensors;
    const config = this.#config;
    if (config.name === 'sgd') backend.sgdUpdate(p, dp, rate, p.length);
    else if ('momentum' in config) {
      backend.momentumUpdate(p, velocity, dp, rate, config.momentum, config.name === 'nesterov', p.length);
    } else {
      for (const { weights, decay } of this.#decays) backend.scale(weights, 1 - rate * decay, weights.length);
      this.#adam(rate, config);
    }
    return clipped;
  }

  /**
   * p -= rate · (m / (1 - beta1^t)) / (sqrt(v) / s + epsilon) with s = sqrt(1 - beta2^t): m and v are corrected for their start at 0.
   * Multiplying numerator and denominator by s leaves one division per entry.
   */
  #adam(rate: number, { beta1, beta2, epsilon }: { beta1: number; beta2: number; epsilon: number }): void {
    const { backend, flatParameters: p, flatGradients: dp } = this.#model;
    const { m, v } = this.tensors;
    const powers = this.#powers as BetaPowers;
    powers.beta1 *= beta1;
    powers.beta2 *= beta2;
    const s = Math.sqrt(1 - powers.beta2);
    backend.adamUpdate(p, m, v, dp, (rate * s) / (1 - powers.beta1), beta1, beta2, epsilon * s, p.length);
  }
}

/** Scales all gradients together down to the norm `clip` if their norm is larger, as PyTorch's clip_grad_norm_ does. @returns whether it is */
function clipGradients({ backend, flatGradients }: Model, clip: number): boolean {
  const norm = Math.sqrt(backend.sumOfSquares(flatGradients, flatGradients.length));
  const factor = clip / (norm + 1e-6);
  const isLarger = factor < 1;
  if (isLarger) backend.scale(flatGradients, factor, flatGradients.length);
  return isLarger;
}
