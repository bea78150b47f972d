/** @tensorflow/tfjs 4.22.0, cpu backend: operations that move entries. */
import * as tf from '@tensorflow/tfjs';
import { ofMatrix, ofShape, ofShapes } from './tfOp.js';

const CUBE = [2, 3, 4];
const pair = (a: number[], b: number[], f: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor) =>
  ofShapes({ a, b }, ({ a, b }) => f(a as tf.Tensor, b as tf.Tensor));

export const concatAxis0 = pair([2, 3], [1, 3], (a, b) => tf.concat([a, b], 0));
export const concatAxis1 = pair([2, 3], [2, 2], (a, b) => tf.concat([a, b], 1));
export const stack = pair([2, 3], [2, 3], (a, b) => tf.stack([a, b], 1));
export const unstack = ofMatrix((x) => tf.addN(tf.unstack(x, 1).map((part, i) => tf.mul(part, i + 1))));
export const split = ofShape([2, 5], (x) => {
  const [a, b] = tf.split(x, [2, 3], 1) as [tf.Tensor, tf.Tensor];
  return tf.concat([tf.mul(b, 2), a], 1);
});
export const slice = ofShape(CUBE, (x) => tf.slice(x, [0, 1, 1], [2, 2, 2]));
export const pad = ofShape([2, 3], (x) =>
  tf.pad(x, [
    [1, 0],
    [2, 1],
  ]),
);
export const mirrorPadReflect = ofShape([2, 3], (x) =>
  tf.mirrorPad(
    x,
    [
      [1, 0],
      [2, 1],
    ],
    'reflect',
  ),
);
export const mirrorPadSymmetric = ofShape([2, 3], (x) =>
  tf.mirrorPad(
    x,
    [
      [1, 0],
      [2, 1],
    ],
    'symmetric',
  ),
);
export const reverse = ofShape(CUBE, (x) => tf.reverse(x, [0, 2]));
export const tile = ofShape([2, 3], (x) => tf.tile(x, [3, 2]));
export const tileRank3 = ofShape(CUBE, (x) => tf.tile(x, [2, 1, 3]));
export const tileRank5 = ofShape([1, 2, 1, 2, 1], (x) => tf.tile(x, [2, 1, 2, 1, 1]));
export const transpose = ofMatrix((x) => tf.transpose(x));
export const transposePermutation = ofShape(CUBE, (x) => tf.transpose(x, [2, 0, 1]));
export const reshape = ofShape(CUBE, (x) => tf.reshape(x, [4, 6]));
export const expandDims = ofMatrix((x) => tf.expandDims(x, 1));
export const broadcastTo = ofShape([2, 1], (x) => tf.broadcastTo(x, [3, 2, 4]));
export const gather = ofShape([4, 3], (x) => tf.gather(x, tf.tensor1d([2, 0, 2, 3, 2], 'int32')));
export const gatherAxis1 = ofShape(CUBE, (x) => tf.gather(x, tf.tensor1d([2, 0, 2], 'int32'), 1));
export const gatherMatrixOfIndices = ofShape([4, 3], (x) =>
  tf.gather(
    x,
    tf.tensor2d(
      [
        [1, 0],
        [1, 3],
      ],
      [2, 2],
      'int32',
    ),
  ),
);
export const gatherBatch = ofShape([2, 4], (x) =>
  tf.gather(
    x,
    tf.tensor2d(
      [
        [1, 0, 1],
        [3, 3, 2],
      ],
      [2, 3],
      'int32',
    ),
    1,
    1,
  ),
);
export const gatherBatchOfMatrices = ofShape([2, 4, 3], (x) =>
  tf.gather(
    x,
    tf.tensor2d(
      [
        [1, 0, 1],
        [3, 3, 2],
      ],
      [2, 3],
      'int32',
    ),
    1,
    1,
  ),
);
export const gatherLastAxisOfBatch = ofShape([2, 4, 3], (x) =>
  tf.gather(
    x,
    tf.tensor2d(
      [
        [1, 0],
        [2, 2],
      ],
      [2, 2],
      'int32',
    ),
    2,
    1,
  ),
);
export const unsortedSegmentSum = ofShape([5, 2], (x) => tf.unsortedSegmentSum(x, tf.tensor1d([1, 0, 1, 2, 1], 'int32'), 4));
export const spaceToBatchND = ofShape([1, 3, 2, 2], (x) =>
  tf.spaceToBatchND(
    x,
    [2, 2],
    [
      [1, 0],
      [0, 2],
    ],
  ),
);
export const batchToSpaceND = ofShape([4, 2, 2, 1], (x) =>
  tf.batchToSpaceND(
    x,
    [2, 2],
    [
      [1, 0],
      [0, 1],
    ],
  ),
);
