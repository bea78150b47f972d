import { type RandomStream, randomInteger, type StreamState, shuffle } from '../core/random.js';
import { type Batch, copyExample, type Examples } from './dataset.js';

/** The ways to draw a batch's examples: with replacement, or in shuffled epochs, which use each example once. */
export const SAMPLINGS = ['replacement', 'epochs'] as const;
export type Sampling = (typeof SAMPLINGS)[number];

/** Fills a batch with random examples, drawn with replacement. */
export function drawBatch(batch: Batch, examples: Examples, random: RandomStream): void {
  const { n, Yb } = batch;
  // All numbers first, in Yb: each depends on the one before, while the copies do not depend on each other.
  for (let i = 0; i < n; i++) Yb[i] = randomInteger(random, examples.count);
  for (let i = 0; i < n; i++) copyExample(batch, i, examples, Yb[i] >>> 0);
}

/** Draws batches in epochs: each epoch has every example once, in a new random order. A batch may span two epochs. */
export class Epochs {
  readonly #random: RandomStream;
  readonly #order: Uint32Array;
  /** Shuffled only when a batch is drawn, so that a state with 10^8 examples is restored at once. */
  #isShuffled = false;
  #position: number;
  #shuffledFrom: StreamState;

  /**
   * @param count the number of examples
   * @param random the stream, in its state before the order of the current epoch is drawn
   * @param drawn the number of examples already drawn, in all epochs together
   */
  constructor(count: number, random: RandomStream, drawn = 0) {
    this.#random = random;
    this.#order = new Uint32Array(count);
    this.#shuffledFrom = random.state();
    this.#position = drawn % count;
  }

  /** The stream's state before the order of the current epoch was drawn. With the number of drawn examples, it is enough to resume. */
  get state(): StreamState {
    return { ...this.#shuffledFrom };
  }

  /** Fills a batch with the next examples. */
  drawBatch(batch: Batch, examples: Examples): void {
    for (let i = 0; i < batch.n; i++) {
      if (!this.#isShuffled) this.#shuffle();
      copyExample(batch, i, examples, this.#order[this.#position++]);
      if (this.#position === this.#order.length) this.#endEpoch();
    }
  }

  #endEpoch(): void {
    this.#shuffledFrom = this.#random.state();
    this.#position = 0;
    this.#isShuffled = false;
  }

  /** Shuffles the natural order, so that the result depends only on the stream. */
  #shuffle(): void {
    const order = this.#order;
    for (let i = 0; i < order.length; i++) order[i] = i;
    shuffle(order, this.#random);
    this.#isShuffled = true;
  }
}
