import type { DType } from '../core/tensor.js';
import { columnMoments } from '../layers/batchNorm.js';
import { batchNormTanhBackward, batchNormTanhForward, batchNormTanhInference } from '../layers/batchNormTanh.js';
import { crossEntropyBackward, crossEntropyForward } from '../layers/crossEntropy.js';
import { embeddingBackward, embeddingForward } from '../layers/embedding.js';
import { embeddingTableBackward, embeddingTableForward, groupCharacters } from '../layers/embeddingTable.js';
import { areFinite } from '../layers/finite.js';
import { linearBackward, linearForward } from '../layers/linear.js';
import { adamUpdate, momentumUpdate, scale, sgdUpdate, sumOfSquares } from '../layers/optimizer.js';
import { tanhBackward, tanhForward } from '../layers/tanh.js';
import type { Backend } from './backend.js';

/**
 * The plain loops of layers/ on ordinary arrays: float64 for gradient checks, float32 for comparison with the kernels. Memory is not limited to
 * an arena. Use one precision per process where speed matters: V8 slows down functions that have seen both array types.
 */
export function createReferenceBackend(dtype: DType): Backend {
  const floats = (size: number) => (dtype === 'float64' ? new Float64Array(size) : new Float32Array(size));
  return {
    name: `reference ${dtype}`,
    floats,
    ints: (size) => new Int32Array(size),
    matrix: (rows, columns) => floats(rows * columns),
    matrixSize: (rows, columns) => rows * columns,
    rowsOf: (matrix, rows, columns) => (matrix.length === rows * columns ? matrix : matrix.subarray(0, rows * columns)),
    embeddingForward,
    embeddingBackward,
    groupCharacters,
    embeddingTableForward,
    embeddingTableBackward,
    linearForward,
    linearBackward,
    batchNormTanhForward,
    batchNormTanhBackward,
    batchNormTanhInference,
    tanhForward,
    tanhBackward,
    columnMoments,
    crossEntropyForward,
    crossEntropyBackward,
    sgdUpdate,
    momentumUpdate,
    adamUpdate,
    scale,
    sumOfSquares,
    areFinite,
  };
}
