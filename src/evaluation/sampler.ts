import { complete, type Job } from '../core/job.js';
import type { RandomStream } from '../core/random.js';
import type { FloatArray } from '../core/tensor.js';
import { isBlank } from '../core/text.js';
import { type CodePointTable, codePointTable, encode } from '../data/vocabulary.js';
import { type Activations, createActivations, type Model } from '../network/arrays.js';
import { inferCalls, type LayerCalls, runCalls } from '../network/passes.js';
import { checkFinite } from './checkFinite.js';
import { contextOf } from './nextCharacter.js';

/** Names are cut at this number of characters. */
export const MAX_NAME_LENGTH = 100;

/** Blank names in a row, after which the next one is made visible. */
const MAX_TRIES = 100;

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
  readonly #table: CodePointTable;
  readonly #random: RandomStream;
  readonly #activations: Activations;
  readonly #infer: LayerCalls;

  /** @throws RangeError if the model's backend has no room for activations of one context */
  constructor(model: Model, vocabulary: readonly string[], random: RandomStream) {
    this.#model = model;
    this.#vocabulary = vocabulary;
    this.#table = codePointTable(vocabulary);
    this.#random = random;
    this.#activations = createActivations(model, 1);
    this.#infer = inferCalls(model, this.#activations, 1);
  }

  /**
   * Samples one name. A blank one, which a network may give although it has seen none, is drawn again; where that is not enough, the name
   * begins with the likeliest characters that are visible.
   * @throws RangeError if a character of the prefix is not in the vocabulary
   * @throws NumericalError if a number is not finite; the message names the tensor
   */
  sample(options: SampleOptions): Sample {
    return complete(this.sampleInParts(options));
  }

  /** {@link sample} in parts. */
  *sampleInParts(options: SampleOptions): Job<Sample> {
    const isFixed = options.temperature === 0 || options.topK === 1;
    for (let tries = isFixed ? 1 : MAX_TRIES; tries > 0; tries--) {
      const sample = yield* this.#draw(options, 'may be blank');
      if (!isBlank(sample.name)) return sample;
      yield;
    }
    return yield* this.#draw(options, 'begins visibly');
  }

  /** The probability that a name ends before its first character, at this temperature and with these likeliest characters; 0 with a prefix. */
  emptyProbability({ temperature, topK = this.#vocabulary.length, prefix }: SampleOptions): number {
    if (prefix !== '') return 0;
    const { order, weights } = rankedWeights(this.#logitsAfter([]), temperature, topK);
    const at = order.indexOf(0);
    return at < weights.length ? weights[at] / weights.reduce((sum, weight) => sum + weight, 0) : 0;
  }

  *#draw({ temperature, topK = this.#vocabulary.length, prefix }: SampleOptions, kind: 'may be blank' | 'begins visibly'): Job<Sample> {
    const indices = encode(prefix, this.#table);
    while (indices.length < MAX_NAME_LENGTH) {
      const logits = this.#logitsAfter(indices);
      const mustShow = kind === 'begins visibly' && isBlank(this.#spell(indices));
      const next = drawIndex(mustShow ? this.#visibleOnly(logits) : logits, temperature, topK, this.#random);
      if (next === 0) return { name: this.#spell(indices), ended: true };
      indices.push(next);
      yield;
    }
    return { name: this.#spell(indices), ended: false };
  }

  /** The logits of the next character. */
  #logitsAfter(indices: readonly number[]): FloatArray {
    const T = this.#model.config.context;
    for (const [t, index] of contextOf(indices, T).entries()) this.#activations.Xb[t] = index;
    runCalls(this.#infer);
    checkFinite(this.#model, this.#activations, 1, 'logits');
    return this.#activations.logits;
  }

  /** The logits without the boundary, and without blank characters if there are others. */
  #visibleOnly(logits: FloatArray): FloatArray {
    const hasVisible = this.#vocabulary.slice(1).some((character) => !isBlank(character));
    return logits.map((logit, index) =>
      index === 0 || (hasVisible && isBlank(this.#vocabulary[index])) ? Number.NEGATIVE_INFINITY : logit,
    );
  }

  #spell(indices: readonly number[]): string {
    return indices.map((index) => this.#vocabulary[index]).join('');
  }
}

/** Draws an index from softmax(logits / temperature) over the topK largest logits; of equal logits, the lower index ranks first. */
export function drawIndex(logits: FloatArray, temperature: number, topK: number, random: RandomStream): number {
  const { order, weights } = rankedWeights(logits, temperature, topK);
  if (temperature === 0) return order[0];
  let left = random() * weights.reduce((sum, weight) => sum + weight, 0);
  const drawn = weights.findIndex((weight) => {
    left -= weight;
    return left < 0;
  });
  return order[drawn === -1 ? 0 : drawn];
}

/** The indices from the largest logit down, and exp(logit / temperature) of the first topK, up to a common factor. */
function rankedWeights(logits: FloatArray, temperature: number, topK: number): { order: number[]; weights: number[] } {
  const order = Array.from(logits.keys()).sort((a, b) => logits[b] - logits[a] || a - b);
  if (temperature === 0) return { order, weights: [1] };
  return { order, weights: order.slice(0, topK).map((index) => Math.exp((logits[index] - logits[order[0]]) / temperature)) };
}
