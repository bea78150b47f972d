import type { BatchNormBlock, Model } from '../../src/network/arrays.js';

/** The blocks of a network that has batch norm. */
export function batchNormBlocks({ blocks }: Pick<Model, 'blocks'>): BatchNormBlock[] {
  return blocks.map((block) => {
    if (block.norm !== 'batch') throw new Error('a network without batch norm');
    return block;
  });
}
