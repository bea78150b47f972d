import { type RandomStream, randomInteger, type StreamState, shuffle } from '../core/random.js';
import { copyExample, type Examples } from './dataset.js';

/** How a batch's examples are drawn: with replacement, or in shuffled epochs, which use each example once. */
export const SAMPLINGS = ['replacement', 'epochs'] as const;
export type Sampling = (typeof SAMPLINGS)[number];

/** Fills Xb [n,T] and Yb [n] with examples drawn at random, with replacement. */
export function drawBatch(Xb: Int32Array, Yb: Int32Array, examples: Examples, random: RandomStream, n: number, T: number): void {
  for (let i = 0; i < n; i++) {
    copyExample(Xb, Yb, i, examples, randomInteger(random, examples.count), T);
  }
}

/** Batches of a fresh shuffle of all examples in each epoch: every example once, and a batch may reach from one epoch into the next. */
export class Epochs {
  readonly #random: RandomStream;
  readonly #order: Uint32Array;
  #position: number;
  #shuffledFrom: StreamState;

  /**
   * @param count of the examples
   * @param random stands where the current epoch's order is drawn from
   * @param drawn examples drawn before, in all epochs together
   */
  constructor(count: number, random: RandomStream, drawn = 0) {
    this.#random = random;
    this.#order = new Uint32Array(count);
    this.#shuffledFrom = this.#shuffle();
    this.#position = drawn % count;
  }

  /** Where the stream stood before the current epoch's order was drawn: with the number of examples drawn, all that there is to know. */
  get state(): StreamState {
    return { ...this.#shuffledFrom };
  }

  /** Fills Xb [n,T] and Yb [n]. */
  drawBatch(Xb: Int32Array, Yb: Int32Array, examples: Examples, n: number, T: number): void {
    for (let i = 0; i < n; i++) {
      copyExample(Xb, Yb, i, examples, this.#order[this.#position++], T);
      if (this.#position === this.#order.length) this.#startEpoch();
    }
  }

  #startEpoch(): void {
    this.#shuffledFrom = this.#shuffle();
    this.#position = 0;
  }

  /** From the natural order, so that the order depends on the stream alone. Returns where the stream stood before. */
  #shuffle(): StreamState {
    const before = this.#random.state();
    const order = this.#order;
    for (let i = 0; i < order.length; i++) order[i] = i;
    shuffle(order, this.#random);
    return before;
  }
}
