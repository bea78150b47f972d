import { encode, vocabularyIndex } from '../data/dataset.js';

/** Added to every count, so that unseen characters keep a small probability. */
const SMOOTHING = 0.1;

/**
 * An n-gram model, the baseline for the network: the probability of a character after the order-1 characters before it is
 * (count + 0.1) / (count of the context + 0.1·V). Stores only n-grams that occur.
 */
export class NGram {
  readonly #order: number;
  readonly #indexOf: ReadonlyMap<string, number>;
  readonly #counts = new Map<string, Map<number, number>>();
  readonly #totals = new Map<string, number>();

  /**
   * @param names the training split
   * @param order 2 for bigrams, 4 for 4-grams
   * @throws RangeError if a character is not in the vocabulary
   */
  constructor(names: readonly string[], vocabulary: readonly string[], order: number) {
    this.#order = order;
    this.#indexOf = vocabularyIndex(vocabulary);
    for (const name of names) {
      this.#visit(name, (context, target) => {
        const counts = this.#counts.get(context) ?? new Map<number, number>();
        this.#counts.set(context, counts.set(target, (counts.get(target) ?? 0) + 1));
        this.#totals.set(context, (this.#totals.get(context) ?? 0) + 1);
      });
    }
  }

  /** The mean loss over all characters of the names and their ends, in nats per character; NaN for no names. */
  loss(names: readonly string[]): number {
    let sum = 0;
    let count = 0;
    for (const name of names) {
      this.#visit(name, (context, target) => {
        const seen = this.#counts.get(context)?.get(target) ?? 0;
        const total = this.#totals.get(context) ?? 0;
        sum -= Math.log((seen + SMOOTHING) / (total + SMOOTHING * this.#indexOf.size));
        count++;
      });
    }
    return sum / count;
  }

  #visit(name: string, visit: (context: string, target: number) => void): void {
    const indices = [...new Array<number>(this.#order - 1).fill(0), ...encode(name, this.#indexOf)];
    for (let i = this.#order - 1; i < indices.length; i++) visit(indices.slice(i - this.#order + 1, i).join(), indices[i]);
  }
}
