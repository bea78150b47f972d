import { complete, type Job } from '../core/job.js';
import { NameList } from '../data/nameList.js';

/** Added to every count, so that unseen characters keep a small probability. */
const SMOOTHING = 0.1;
/** Characters per part of a job: about 5 ms. */
const CHARACTERS_PER_PART = 100_000;

/**
 * An n-gram model, the baseline for the network: the probability of a character after the order-1 characters before it is
 * (count + 0.1) / (count of the context + 0.1·V).
 *
 * Contexts are numbered as they occur. An entry belongs to a context and a character that follows it; it knows the context after that
 * character, so that one look-up per character is enough.
 */
export class NGram {
  readonly #vocabulary: readonly string[];
  /** V */
  readonly #characters: number;
  /** The numbers of the contexts by their vocabulary indices, the indices, and how often each occurs. */
  readonly #numbers = new Map<string, number>();
  readonly #contexts: number[][] = [];
  readonly #totals: number[] = [];
  /** The entries by context · V + character, how often each occurs, and the context that follows. */
  readonly #entries = new Numbering();
  readonly #counts: number[] = [];
  readonly #next: number[] = [];
  readonly #start: number;

  /**
   * @param names the training split
   * @param order 2 for bigrams, 4 for 4-grams
   * @throws RangeError if a character is not in the vocabulary
   */
  constructor(names: Iterable<string>, vocabulary: readonly string[], order: number) {
    this.#vocabulary = vocabulary;
    this.#characters = vocabulary.length;
    this.#start = this.#numberOf(new Array<number>(order - 1).fill(0));
    complete(this.#count(names));
  }

  /** {@link NGram} in parts. */
  static *inParts(names: Iterable<string>, vocabulary: readonly string[], order: number): Job<NGram> {
    const model = new NGram([], vocabulary, order);
    yield* model.#count(names);
    return model;
  }

  /** The mean loss over all characters of the names and their ends, in nats per character; NaN for no names. */
  loss(names: Iterable<string>): number {
    return complete(this.lossInParts(names));
  }

  /** {@link loss} in parts. */
  *lossInParts(names: Iterable<string>): Job<number> {
    let sum = 0;
    let count = 0;
    // The logarithm of each known entry is computed once.
    const logprobs = new Float64Array(this.#counts.length).fill(Number.NaN);
    yield* this.#visit(names, (entry, context) => {
      let logprob = logprobs[entry] ?? Number.NaN;
      if (Number.isNaN(logprob)) {
        logprob = Math.log((this.#counts[entry] + SMOOTHING) / (this.#totals[context] + SMOOTHING * this.#characters));
        logprobs[entry] = logprob;
      }
      sum -= logprob;
      count++;
    });
    return sum / count;
  }

  *#count(names: Iterable<string>): Job<void> {
    yield* this.#visit(names, (entry, context) => {
      this.#counts[entry]++;
      this.#totals[context]++;
    });
  }

  /** @throws RangeError if a character is not in the vocabulary */
  *#visit(names: Iterable<string>, visit: (entry: number, context: number) => void): Job<void> {
    const text = NameList.of(names).textIn(this.#vocabulary);
    let context = this.#start;
    for (let at = 1; at < text.length; at++) {
      const entry = this.#entryOf(context, text[at]);
      visit(entry, context);
      context = text[at] === 0 ? this.#start : this.#next[entry];
      if (at % CHARACTERS_PER_PART === 0) yield;
    }
  }

  #entryOf(context: number, target: number): number {
    const entry = this.#entries.numberOf(context * this.#characters + target);
    if (entry === this.#counts.length) {
      this.#counts.push(0);
      this.#next.push(this.#numberOf([...this.#contexts[context], target].slice(1)));
    }
    return entry;
  }

  #numberOf(context: number[]): number {
    const key = context.join();
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.#contexts.length);
    this.#totals.push(0);
    return this.#contexts.push(context) - 1;
  }
}

/** Numbers different keys, whole numbers from 0 to 2^53, as they come: an open hash table, because a list may have 10^8 characters. */
class Numbering {
  #keys = new Float64Array(2 ** 10);
  /** From 1; 0 is an empty slot. */
  #numbers = new Int32Array(2 ** 10);
  #size = 0;

  /** The number of a key, from 0. A new key gets the next number. */
  numberOf(key: number): number {
    const slot = this.#slotOf(key);
    if (this.#numbers[slot] > 0) return this.#numbers[slot] - 1;
    this.#keys[slot] = key;
    this.#numbers[slot] = ++this.#size;
    if (2 * this.#size > this.#keys.length) this.#grow();
    return this.#size - 1;
  }

  #slotOf(key: number): number {
    const hash = Math.imul((key | 0) ^ Math.imul(key / 2 ** 32, 0x85ebca6b), 0x9e3779b1);
    const mask = this.#keys.length - 1;
    let slot = (hash ^ (hash >>> 15)) & mask;
    while (this.#numbers[slot] !== 0 && this.#keys[slot] !== key) slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const keys = this.#keys;
    const numbers = this.#numbers;
    this.#keys = new Float64Array(2 * keys.length);
    this.#numbers = new Int32Array(2 * keys.length);
    for (let old = 0; old < keys.length; old++) {
      if (numbers[old] === 0) continue;
      const slot = this.#slotOf(keys[old]);
      this.#keys[slot] = keys[old];
      this.#numbers[slot] = numbers[old];
    }
  }
}
