import type { DType } from '../core/tensor.js';
import { columnMoments } from '../layers/batchNorm.js';
import { batchNormTanhBackward, batchNormTanhForward, batchNormTanhInference } from '../layers/batchNormTanh.js';
import { crossEntropyBackward, crossEntropyForward } from '../layers/crossEntropy.js';
import { embeddingBackward, embeddingForward } from '../layers/embedding.js';
import { embeddingTableBackward, embeddingTableForward } from '../layers/embeddingTable.js';
import { linearBackward, linearForward } from '../layers/linear.js';
import { adamUpdate, momentumUpdate, nesterovUpdate, scale, sgdUpdate, sumOfSquares } from '../layers/optimizer.js';
import type { Backend } from './backend.js';

/**
 * The layers as they are written in layers/, on plain arrays: float64 to check against, float32 to compare kernels with.
 * Use one precision in a process that should be fast: V8 slows down functions that have seen both array types.
 */
export function createReferenceBackend(dtype: DType): Backend {
  return {
    name: `reference ${dtype}`,
    floats: (size) => (dtype === 'float64' ? new Float64Array(size) : new Float32Array(size)),
    ints: (size) => new Int32Array(size),
    embeddingForward,
    embeddingBackward,
    embeddingTableForward,
    embeddingTableBackward,
    linearForward,
    linearBackward,
    batchNormTanhForward,
    batchNormTanhBackward,
    batchNormTanhInference,
    columnMoments,
    crossEntropyForward,
    crossEntropyBackward,
    sgdUpdate,
    momentumUpdate,
    nesterovUpdate,
    adamUpdate,
    scale,
    sumOfSquares,
  };
}
