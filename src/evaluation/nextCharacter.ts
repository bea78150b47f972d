/** What a network expects after some characters. */
import { createReferenceBackend } from '../backend/reference.js';
import type { FloatArray, Tensor } from '../core/tensor.js';
import { type Activations, createActivations, createModel, type Model } from '../network/arrays.js';
import type { ModelConfig } from '../network/parameters.js';
import { inferCalls, type LayerCalls, runCalls } from '../network/passes.js';
import { checkFinite } from './checkFinite.js';

/** A network in the plain loops of layers/, for one context at a time: it needs no kernels. */
export class NextCharacter {
  readonly #model: Model;
  readonly #activations: Activations;
  readonly #infer: LayerCalls;

  /**
   * @param tensors all parameters, and the calibrated statistics of batch norm, by name
   * @throws RangeError if one is missing, or has another size
   */
  constructor(config: ModelConfig, tensors: Readonly<Record<string, Pick<Tensor, 'data'>>>) {
    this.#model = createModel(createReferenceBackend('float32'), config);
    for (const [name, data] of Object.entries({ ...this.#model.parameters, ...this.#model.statistics })) {
      const given = tensors[name]?.data;
      if (given?.length !== data.length) throw new RangeError(`${name} has ${given?.length ?? 'no'} entries, expected ${data.length}`);
      data.set(given);
    }
    this.#activations = createActivations(this.#model, 1);
    this.#infer = inferCalls(this.#model, this.#activations, 1);
  }

  /**
   * The probability of each character, and of the end at index 0, after a prefix: all of it, from the beginning of the name.
   * @param prefix vocabulary indices
   * @returns [V]
   * @throws NumericalError if a number is not finite; the message names the tensor
   */
  after(prefix: readonly number[]): FloatArray {
    const { config, backend } = this.#model;
    const { Xb, Yb, losses, probs, logits } = this.#activations;
    for (const [t, index] of contextOf(prefix, config.context).entries()) Xb[t] = index;
    runCalls(this.#infer);
    checkFinite(this.#model, this.#activations, 1, 'logits');
    backend.crossEntropyForward(losses, probs, logits, Yb, 1, config.vocabulary);
    return probs.slice();
  }
}

/** The last T indices of a prefix; before its beginning are boundaries, 0. */
export function contextOf(prefix: readonly number[], T: number): number[] {
  return Array.from({ length: T }, (_, t) => prefix[prefix.length - T + t] ?? 0);
}
