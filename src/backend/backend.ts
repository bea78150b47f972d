import type { FloatArray } from '../core/tensor.js';
import type * as batchNorm from '../layers/batchNorm.js';
import type * as batchNormTanh from '../layers/batchNormTanh.js';
import type * as crossEntropy from '../layers/crossEntropy.js';
import type * as embedding from '../layers/embedding.js';
import type * as embeddingTable from '../layers/embeddingTable.js';
import type * as linear from '../layers/linear.js';
import type * as optimizer from '../layers/optimizer.js';

/** How much a model will ask of a backend: see arenaSize in model.ts. */
export interface ArenaSize {
  /** Arrays that will be allocated, and the floats and indices in them all together. */
  arrays: number;
  entries: number;
  /** Floats that a layer may use for itself while it runs. */
  workspace: number;
}

export type CreateBackend = (size: ArenaSize) => Backend;

/**
 * What the model runs on: arrays to compute in, and the layers that compute in them. The contract of each layer is the
 * function of the same name in layers/; a backend may round and add up in another order, never compute something else.
 * Arrays passed to a backend's layers are arrays that this backend allocated.
 */
export interface Backend {
  readonly name: string;
  /** A zeroed array of floats in the backend's own precision. */
  floats(size: number): FloatArray;
  /** A zeroed array of indices. */
  ints(size: number): Int32Array;

  embeddingForward: typeof embedding.embeddingForward;
  embeddingBackward: typeof embedding.embeddingBackward;
  embeddingTableForward: typeof embeddingTable.embeddingTableForward;
  embeddingTableBackward: typeof embeddingTable.embeddingTableBackward;
  linearForward: typeof linear.linearForward;
  linearBackward: typeof linear.linearBackward;
  batchNormTanhForward: typeof batchNormTanh.batchNormTanhForward;
  batchNormTanhBackward: typeof batchNormTanh.batchNormTanhBackward;
  batchNormTanhInference: typeof batchNormTanh.batchNormTanhInference;
  columnMoments: typeof batchNorm.columnMoments;
  crossEntropyForward: typeof crossEntropy.crossEntropyForward;
  crossEntropyBackward: typeof crossEntropy.crossEntropyBackward;
  sgdUpdate: typeof optimizer.sgdUpdate;
  momentumUpdate: typeof optimizer.momentumUpdate;
  nesterovUpdate: typeof optimizer.nesterovUpdate;
  adamUpdate: typeof optimizer.adamUpdate;
  scale: typeof optimizer.scale;
  sumOfSquares: typeof optimizer.sumOfSquares;

  /** Keeps the multipliers and adders of a SIMD backend as busy as can be: what its kernels are measured by. */
  peakLoop?(turns: number): void;
}
