export { columnMoments } from './batchNorm';
export { batchNormTanhBackward, batchNormTanhForward, batchNormTanhInference } from './batchNormTanh';
export { crossEntropyBackward, crossEntropyForward } from './crossEntropy';
export { embeddingBackward, embeddingForward } from './embedding';
export { embeddingTableBackward, embeddingTableForward } from './embeddingTable';
export { linearBackward, linearForward } from './linear';
export { adamUpdate, momentumUpdate, scale, sgdUpdate, sumOfSquares } from './optimizer';
export { setPart } from './parts';
export { peakLoop } from './peak';
export { tanhBackward, tanhForward } from './tanh';

/** The first byte of the arena; the constants are below it. */
export function arenaStart(): usize {
  return __heap_base;
}
