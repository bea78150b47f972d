export { columnMoments } from './batchNorm';
export { batchNormTanhBackward, batchNormTanhForward, batchNormTanhInference } from './batchNormTanh';
export { crossEntropyBackward, crossEntropyForward } from './crossEntropy';
export { embeddingBackward, embeddingForward } from './embedding';
export { embeddingTableBackward, embeddingTableForward } from './embeddingTable';
export { linearBackward, linearForward } from './linear';
export { adamUpdate, momentumUpdate, nesterovUpdate, scale, sgdUpdate, sumOfSquares } from './optimizer';
export { peakLoop } from './peak';

/** The first byte that the arena may use: below it are the constants. */
export function arenaStart(): usize {
  return __heap_base;
}
