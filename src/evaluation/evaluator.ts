import type { Pace } from '../backend/pace.js';
import { complete, type Job } from '../core/job.js';
import { copyExample, type Examples } from '../data/dataset.js';
import { type Activations, type BatchNormBlock, createActivations, type Model } from '../network/arrays.js';
import { parameterCount } from '../network/parameters.js';
import { inferBlockCalls, inferLossCalls, LARGE_PASS, type LayerCalls, linearCalls, sumOf } from '../network/passes.js';
import { checkFinite } from './checkFinite.js';

/** The batch size of evaluation and calibration. */
export const EVALUATION_BATCH = 256;

/**
 * Computes losses and batch norm statistics over any number of examples. It has its own activations, so it can be used between
 * training steps.
 */
export class Evaluator {
  readonly #model: Model;
  readonly #activations: Activations;
  /** P */
  readonly #parameters: number;
  /** The paces of the losses, and of the statistics of each block. */
  readonly #lossPace: Pace | undefined;
  readonly #blockPaces: readonly (Pace | undefined)[];
  /** Examples times parameters since the last yield. */
  #sinceYield = 0;

  /** @throws RangeError if the model's backend has no room for activations of {@link EVALUATION_BATCH} contexts */
  constructor(model: Model) {
    this.#model = model;
    this.#activations = createActivations(model, EVALUATION_BATCH);
    this.#parameters = parameterCount(model.config);
    const { backend, blocks } = model;
    this.#lossPace = backend.newPace?.();
    this.#blockPaces = blocks.map(() => backend.newPace?.());
  }

  /**
   * The mean loss over all examples, in nats per character; NaN for no examples. Needs calibrated statistics.
   * @throws NumericalError if a number is not finite; the message names the tensor
   */
  loss(examples: Examples): number {
    return complete(this.lossInParts(examples));
  }

  /** {@link loss} in parts. */
  *lossInParts(examples: Examples): Job<number> {
    const a = this.#activations;
    const calls = inferLossCalls(this.#model, a, EVALUATION_BATCH);
    let sum = 0;
    for (const n of this.#chunks(examples, this.#lossPace)) {
      yield* this.#inParts(n === EVALUATION_BATCH ? calls : inferLossCalls(this.#model, a, n), n);
      checkFinite(this.#model, a, n, 'losses');
      sum += sumOf(a.losses, n);
    }
    return sum / examples.count;
  }

  /**
   * Sets the statistics used in evaluation and sampling to the mean and the unbiased variance of hprebn over all examples. It goes
   * from the first block up, because the input of a block depends on the statistics of the blocks below. Without batch norm it does nothing.
   * @param examples at least 2, usually the training split
   */
  calibrate(examples: Examples): void {
    complete(this.calibrateInParts(examples));
  }

  /** {@link calibrate} in parts. Abandoned, it leaves statistics without a meaning. */
  *calibrateInParts(examples: Examples): Job<void> {
    for (const [k, block] of this.#model.blocks.entries()) if (block.norm === 'batch') yield* this.#calibrateBlock(examples, block, k);
  }

  /** Calibrates block k. Chunks are merged in float64 with the parallel algorithm of Chan, Golub and LeVeque (1979). */
  *#calibrateBlock(examples: Examples, { bnmean, bnvar, H }: BatchNormBlock, k: number): Job<void> {
    const { backend } = this.#model;
    const a = this.#activations;
    const mean = new Float64Array(H);
    const squares = new Float64Array(H);
    let count = 0;
    for (const n of this.#chunks(examples, this.#blockPaces[k])) {
      for (let below = 0; below < k; below++) yield* this.#inParts(inferBlockCalls(this.#model, a, n, below), n);
      yield* this.#inParts(linearCalls(this.#model, a, n, k), n);
      // bnmean and bnvar hold the moments of each chunk in turn, and at the end those of all chunks
      backend.columnMoments(bnmean, bnvar, a.blocks[k].hprebn, n, H);
      for (let j = 0; j < H; j++) {
        const difference = bnmean[j] - mean[j];
        squares[j] += bnvar[j] + (difference * difference * count * n) / (count + n);
        mean[j] += (difference * n) / (count + n);
      }
      count += n;
    }
    bnmean.set(mean);
    bnvar.set(squares.map((sum) => sum / (count - 1)));
  }

  /** Copies the examples to the batch, up to {@link EVALUATION_BATCH} at a time, and yields their number. */
  *#chunks(examples: Examples, pace: Pace | undefined): Generator<number> {
    const batch = this.#activations;
    for (let start = 0; start < examples.count; start += EVALUATION_BATCH) {
      const n = Math.min(EVALUATION_BATCH, examples.count - start);
      let isTypical = false;
      pace?.begin();
      try {
        for (let i = 0; i < n; i++) copyExample(batch, i, examples, start + i);
        yield n;
        isTypical = n === EVALUATION_BATCH;
      } finally {
        pace?.end(isTypical);
      }
    }
  }

  /** Yields after each call of a large pass, and after some small ones. */
  *#inParts(calls: LayerCalls, n: number): Job<void> {
    const size = n * this.#parameters;
    for (const call of calls) {
      call();
      if (size > LARGE_PASS) yield;
    }
    this.#sinceYield += size;
    if (this.#sinceYield <= LARGE_PASS) return;
    this.#sinceYield = 0;
    yield;
  }
}
