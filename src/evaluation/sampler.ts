import { complete, type Job } from '../core/job.js';
import type { RandomStream } from '../core/random.js';
import type { FloatArray } from '../core/tensor.js';
import { encode, vocabularyIndex } from '../data/dataset.js';
import { type Activations, createActivations, type Model } from '../network/arrays.js';
import { inferCalls, type LayerCalls, runCalls } from '../network/passes.js';
import { checkFinite } from './checkFinite.js';

/** Names are cut at this number of characters. */
export const MAX_NAME_LENGTH = 100;

/** Options of {@link Sampler.sample}. */
export interface SampleOptions {
  /** Divides the logits: below 1 favours likely characters, above 1 gives more variety, 0 always takes the most likely one. */
  temperature: number;
  /** Draws only from the k most likely characters. Default: all. */
  topK?: number;
  /** The first characters of the name; empty for none. */
  prefix: string;
}

/** A sampled name. */
export interface Sample {
  name: string;
  /** False if the name was cut because the model did not end it within {@link MAX_NAME_LENGTH} characters. */
  ended: boolean;
}

/** Samples names from a calibrated model, one character at a time until it draws the boundary. */
export class Sampler {
  readonly #model: Model;
  readonly #vocabulary: readonly string[];
  readonly #indexOf: ReadonlyMap<string, number>;
  readonly #random: RandomStream;
  readonly #activations: Activations;
  readonly #infer: LayerCalls;

  /** @throws RangeError if the model's backend has no room for activations of one context */
  constructor(model: Model, vocabulary: readonly string[], random: RandomStream) {
    this.#model = model;
    this.#vocabulary = vocabulary;
    this.#indexOf = vocabularyIndex(vocabulary);
    this.#random = random;
    this.#activations = createActivations(model, 1);
    this.#infer = inferCalls(model, this.#activations, 1);
  }

  /**
   * Samples one name.
   * @throws RangeError if a character of the prefix is not in the vocabulary
   * @throws NumericalError if a number is not finite; the message names the tensor
   */
  sample(options: SampleOptions): Sample {
    return complete(this.sampleInParts(options));
  }

  /** {@link sample} in parts. */
  *sampleInParts({ temperature, topK = this.#vocabulary.length, prefix }: SampleOptions): Job<Sample> {
    const T = this.#model.config.context;
    const indices = encode(prefix, this.#indexOf).slice(0, -1);
    while (indices.length < MAX_NAME_LENGTH) {
      for (let t = 0; t < T; t++) this.#activations.Xb[t] = indices[indices.length - T + t] ?? 0;
      runCalls(this.#infer);
      checkFinite(this.#model, this.#activations, 1, 'logits');
      const next = drawIndex(this.#activations.logits, temperature, topK, this.#random);
      if (next === 0) return { name: this.#spell(indices), ended: true };
      indices.push(next);
      yield;
    }
    return { name: this.#spell(indices), ended: false };
  }

  #spell(indices: readonly number[]): string {
    return indices.map((index) => this.#vocabulary[index]).join('');
  }
}

/** Draws an index from softmax(logits / temperature) over the topK largest logits; of equal logits, the lower index ranks first. */
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
