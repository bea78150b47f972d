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
  readonly #entries = new Map<number, number>();
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
    yield* this.#visit(names, (entry, context) => {
      sum -= Math.log((this.#counts[entry] + SMOOTHING) / (this.#totals[context] + SMOOTHING * this.#characters));
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
    const key = context * this.#characters + target;
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const entry = this.#counts.push(0) - 1;
    this.#entries.set(key, entry);
    this.#next.push(this.#numberOf([...this.#contexts[context], target].slice(1)));
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
