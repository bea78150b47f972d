import * as batchNorm from '../layers/batchNorm.js';
import * as crossEntropy from '../layers/crossEntropy.js';
import * as embedding from '../layers/embedding.js';
import * as linear from '../layers/linear.js';
import * as tanh from '../layers/tanh.js';
import { sgdUpdate } from '../optimizer.js';
import type { DType } from '../tensor.js';
import type { Backend } from './backend.js';

/**
 * The layers as they are written in layers/, on plain arrays: float32 to train with, float64 to check against.
 * Use one precision in a process that should be fast: V8 slows down functions that have seen both array types.
 */
export function createReferenceBackend(dtype: DType): Backend {
  return {
    name: `reference ${dtype}`,
    floats: (size) => (dtype === 'float64' ? new Float64Array(size) : new Float32Array(size)),
    ints: (size) => new Int32Array(size),
    ...embedding,
    ...linear,
    ...batchNorm,
    ...tanh,
    ...crossEntropy,
    sgdUpdate,
  };
}
