import { copyExample, type Examples } from '../data/dataset.js';
import { type Activations, createActivations, type Model } from '../network/arrays.js';
import { infer, inferBlock, inferLinear, sumOf } from '../network/passes.js';

/** Examples that evaluation and calibration put through the network at a time. */
export const EVALUATION_BATCH = 256;

/** Evaluates a model over sets of examples of any size, in activations of its own: training's are never touched. */
export class Evaluator {
  readonly #model: Model;
  readonly #activations: Activations;

  constructor(model: Model) {
    this.#model = model;
    this.#activations = createActivations(model, EVALUATION_BATCH);
  }

  /** The mean loss over every example, in nats per character; NaN of none. Needs calibrated statistics. */
  loss(examples: Examples): number {
    const { backend, config } = this.#model;
    const a = this.#activations;
    let sum = 0;
    this.#eachChunk(examples, (n) => {
      infer(this.#model, a, n);
      backend.crossEntropyForward(a.losses, a.probs, a.logits, a.Yb, n, config.vocabulary);
      sum += sumOf(a.losses, n);
    });
    return sum / examples.count;
  }

  /**
   * Sets the statistics that evaluation and sampling use to the mean and the unbiased variance of hprebn over all the examples,
   * from the first block up: what a block is given depends on the statistics of those below it.
   */
  calibrate(examples: Examples): void {
    for (let k = 0; k < this.#model.blocks.length; k++) this.#calibrateBlock(examples, k);
  }

  /** The block k. Chunks are merged by the parallel rule of Chan, Golub and LeVeque (1979), in float64. */
  #calibrateBlock(examples: Examples, k: number): void {
    const { backend, blocks } = this.#model;
    const a = this.#activations;
    const { bnmean, bnvar, H } = blocks[k];
    const mean = new Float64Array(H);
    const squares = new Float64Array(H);
    let count = 0;
    this.#eachChunk(examples, (n) => {
      for (let below = 0; below < k; below++) inferBlock(this.#model, a, n, below);
      inferLinear(this.#model, a, n, k);
      // bnmean and bnvar hold the chunk's moments until they hold those of all chunks
      backend.columnMoments(bnmean, bnvar, a.blocks[k].hprebn, n, H);
      for (let j = 0; j < H; j++) {
        const difference = bnmean[j] - mean[j];
        squares[j] += bnvar[j] + (difference * difference * count * n) / (count + n);
        mean[j] += (difference * n) / (count + n);
      }
      count += n;
    });
    bnmean.set(mean);
    bnvar.set(squares.map((sum) => sum / (count - 1)));
  }

  #eachChunk(examples: Examples, visit: (n: number) => void): void {
    const { context: T } = this.#model.config;
    const { Xb, Yb } = this.#activations;
    for (let start = 0; start < examples.count; start += EVALUATION_BATCH) {
      const n = Math.min(EVALUATION_BATCH, examples.count - start);
      for (let i = 0; i < n; i++) copyExample(Xb, Yb, i, examples, start + i, T);
      visit(n);
    }
  }
}
