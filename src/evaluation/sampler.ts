import type { RandomStream } from '../core/random.js';
import type { FloatArray } from '../core/tensor.js';
import { encode, vocabularyIndex } from '../data/dataset.js';
import { type Activations, createActivations, type Model } from '../network/arrays.js';
import { infer } from '../network/passes.js';

export const MAX_NAME_LENGTH = 100;

export interface SampleOptions {
  /** Divides the logits: below 1 bolder towards the likely, above 1 more varied, 0 always the likeliest. */
  temperature: number;
  /** Only the k likeliest characters may be drawn; undefined for all. */
  topK?: number;
  /** What every name begins with. */
  prefix: string;
}

export interface Sample {
  name: string;
  /** False if the name was cut at {@link MAX_NAME_LENGTH} characters because the model did not end it. */
  ended: boolean;
}

/** Draws names from a calibrated model, character by character until the boundary. */
export class Sampler {
  readonly #model: Model;
  readonly #vocabulary: readonly string[];
  readonly #indexOf: ReadonlyMap<string, number>;
  readonly #random: RandomStream;
  readonly #activations: Activations;

  constructor(model: Model, vocabulary: readonly string[], random: RandomStream) {
    this.#model = model;
    this.#vocabulary = vocabulary;
    this.#indexOf = vocabularyIndex(vocabulary);
    this.#random = random;
    this.#activations = createActivations(model, 1);
  }

  /** @throws RangeError if the prefix holds a character outside the vocabulary */
  sample({ temperature, topK = this.#vocabulary.length, prefix }: SampleOptions): Sample {
    const T = this.#model.config.context;
    const indices = encode(prefix, this.#indexOf).slice(0, -1);
    while (indices.length < MAX_NAME_LENGTH) {
      for (let t = 0; t < T; t++) this.#activations.Xb[t] = indices[indices.length - T + t] ?? 0;
      infer(this.#model, this.#activations, 1);
      const next = drawIndex(this.#activations.logits, temperature, topK, this.#random);
      if (next === 0) return { name: this.#spell(indices), ended: true };
      indices.push(next);
    }
    return { name: this.#spell(indices), ended: false };
  }

  #spell(indices: readonly number[]): string {
    return indices.map((index) => this.#vocabulary[index]).join('');
  }
}

/** An index drawn from softmax(logits / temperature) among the topK largest; equal logits go to the lower index first. */
export function drawIndex(logits: FloatArray, temperature: number, topK: number, random: RandomStream): number {
  const order = Array.from(logits.keys()).sort((a, b) => logits[b] - logits[a] || a - b);
  if (temperature === 0) return order[0];
  const weights = order.slice(0, topK).map((index) => Math.exp((logits[index] - logits[order[0]]) / temperature));
  let left = random() * weights.reduce((sum, weight) => sum + weight, 0);
  const drawn = weights.findIndex((weight) => {
    left -= weight;
    return left < 0;
  });
  return order[drawn === -1 ? 0 : drawn];
}
