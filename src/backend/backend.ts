import type * as batchNorm from '../layers/batchNorm.js';
import type * as crossEntropy from '../layers/crossEntropy.js';
import type * as embedding from '../layers/embedding.js';
import type * as linear from '../layers/linear.js';
import type * as tanh from '../layers/tanh.js';
import type * as optimizer from '../optimizer.js';
import type { FloatArray } from '../tensor.js';

/**
 * What the model runs on: arrays to compute in, and the layers that compute in them. The contract of each layer is the
 * function of the same name in layers/; a backend may round and add up in another order, never compute something else.
 * Arrays passed to a backend's layers are arrays that this backend allocated.
 */
export interface Backend {
  readonly name: string;
  /** A zeroed array of floats in the backend's own precision. */
  floats(size: number): FloatArray;
  /** A zeroed array for the indices of a batch. */
  ints(size: number): Int32Array;

  embeddingForward: typeof embedding.embeddingForward;
  embeddingBackward: typeof embedding.embeddingBackward;
  linearForward: typeof linear.linearForward;
  linearBackward: typeof linear.linearBackward;
  batchNormForward: typeof batchNorm.batchNormForward;
  batchNormBackward: typeof batchNorm.batchNormBackward;
  batchNormInference: typeof batchNorm.batchNormInference;
  tanhForward: typeof tanh.tanhForward;
  tanhBackward: typeof tanh.tanhBackward;
  crossEntropyForward: typeof crossEntropy.crossEntropyForward;
  crossEntropyBackward: typeof crossEntropy.crossEntropyBackward;
  sgdUpdate: typeof optimizer.sgdUpdate;
}
