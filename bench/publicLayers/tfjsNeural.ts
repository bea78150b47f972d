/** @tensorflow/tfjs 4.22.0, cpu backend: matrix products, convolutions, pools, normalisation, images. */
import * as tf from '@tensorflow/tfjs';
import { ofShape, ofShapes } from './tfOp.js';

type T1 = tf.Tensor1D;
type T2 = tf.Tensor2D;
type T3 = tf.Tensor3D;
type T4 = tf.Tensor4D;
type T5 = tf.Tensor5D;

const pair = <A extends tf.Tensor, B extends tf.Tensor>(x: number[], filter: number[], f: (x: A, filter: B) => tf.Tensor) =>
  ofShapes({ x, filter }, ({ x, filter }) => f(x as A, filter as B));

export const matMul = pair([2, 3], [3, 4], (a, b) => tf.matMul(a, b));
export const matMulTransposeB = pair([2, 3], [4, 3], (a, b) => tf.matMul(a, b, false, true));
export const matMulTransposeA = pair([3, 2], [3, 4], (a, b) => tf.matMul(a, b, true, false));
export const matMulTransposeBoth = pair([3, 2], [4, 3], (a, b) => tf.matMul(a, b, true, true));
export const matMulBatch = pair([2, 2, 3], [2, 3, 4], (a, b) => tf.matMul(a, b));
export const matMulBroadcast = pair([2, 2, 3], [1, 3, 4], (a, b) => tf.matMul(a, b));
export const dotVectors = pair([4], [4], (a, b) => tf.dot(a, b));
export const outerProduct = pair([2], [3], (a: T1, b: T1) => tf.outerProduct(a, b));

export const conv1d = pair([2, 5, 2], [3, 2, 3], (x: T3, filter: T3) => tf.conv1d(x, filter, 1, 'same'));
export const conv2d = pair([2, 4, 3, 2], [2, 3, 2, 3], (x: T4, filter: T4) => tf.conv2d(x, filter, 1, 'valid'));
export const conv2dSame = pair([1, 4, 5, 2], [3, 2, 2, 2], (x: T4, filter: T4) => tf.conv2d(x, filter, [2, 1], 'same'));
export const conv2dPad = pair([1, 4, 5, 1], [3, 3, 1, 2], (x: T4, filter: T4) => tf.conv2d(x, filter, 1, 1));
export const conv2dExplicitPad = pair([1, 3, 3, 1], [2, 2, 1, 2], (x: T4, filter: T4) =>
  tf.conv2d(x, filter, 1, [
    [0, 0],
    [1, 0],
    [0, 2],
    [0, 0],
  ]),
);
export const conv2dChannelsFirst = pair([1, 2, 4, 3], [2, 2, 2, 3], (x: T4, filter: T4) => tf.conv2d(x, filter, 1, 'same', 'NCHW'));
export const conv2dRoundingUp = pair([1, 4, 4, 1], [3, 3, 1, 1], (x: T4, filter: T4) => tf.conv2d(x, filter, 2, 0, 'NHWC', 1, 'ceil'));
export const conv2dDilated = pair([1, 5, 5, 1], [2, 2, 1, 1], (x: T4, filter: T4) => tf.conv2d(x, filter, 1, 'valid', 'NHWC', 2));
export const conv2dTranspose = pair([1, 2, 3, 2], [3, 2, 1, 2], (x: T4, filter: T4) =>
  tf.conv2dTranspose(x, filter, [1, 4, 6, 1], 2, 'same'),
);
export const depthwiseConv2d = pair([2, 4, 3, 2], [2, 3, 2, 2], (x: T4, filter: T4) => tf.depthwiseConv2d(x, filter, 1, 'same'));
export const depthwiseConv2dStride = pair([1, 5, 5, 2], [3, 3, 2, 1], (x: T4, filter: T4) => tf.depthwiseConv2d(x, filter, 2, 1));
export const depthwiseConv2dRoundingUp = pair([1, 4, 4, 1], [3, 3, 1, 1], (x: T4, filter: T4) =>
  tf.depthwiseConv2d(x, filter, 2, 0, 'NHWC', 1, 'ceil'),
);
export const separableConv2d = ofShapes(
  { x: [1, 4, 3, 2], depthwise: [2, 2, 2, 2], pointwise: [1, 1, 4, 3] },
  ({ x, depthwise, pointwise }) => tf.separableConv2d(x as T4, depthwise as T4, pointwise as T4, 1, 'valid'),
);
export const conv3d = pair([1, 3, 3, 2, 2], [2, 2, 2, 2, 2], (x: T5, filter: T5) => tf.conv3d(x, filter, 1, 'valid'));
export const conv3dSame = pair([1, 2, 3, 3, 1], [2, 3, 2, 1, 2], (x: T5, filter: T5) => tf.conv3d(x, filter, [1, 2, 1], 'same'));
export const conv3dTranspose = pair([1, 2, 2, 2, 1], [2, 2, 2, 1, 1], (x: T5, filter: T5) =>
  tf.conv3dTranspose(x, filter, [1, 4, 4, 4, 1], 2, 'same'),
);
export const dilation2d = pair([1, 4, 4, 2], [2, 2, 2], (x: T4, filter: T3) => tf.dilation2d(x, filter, 1, 'valid'));
export const dilation2dSame = pair([2, 3, 4, 1], [2, 3, 1], (x: T4, filter: T3) => tf.dilation2d(x, filter, 2, 'same'));

export const avgPool = ofShape([2, 4, 4, 2], (x) => tf.avgPool(x as T4, 2, 2, 'valid'));
export const avgPoolOverlapping = ofShape([1, 4, 5, 2], (x) => tf.avgPool(x as T4, [3, 2], 1, 'valid'));
export const avgPoolSame = ofShape([1, 3, 4, 1], (x) => tf.avgPool(x as T4, 2, 2, 'same'));
export const avgPoolPad = ofShape([1, 4, 4, 1], (x) => tf.avgPool(x as T4, 2, 2, 1));
export const avgPoolRoundingUp = ofShape([1, 4, 4, 1], (x) => tf.avgPool(x as T4, 3, 2, 0, 'ceil'));
export const maxPoolRoundingUp = ofShape([1, 4, 4, 1], (x) => tf.maxPool(x as T4, 3, 2, 0, 'ceil'));
export const avgPool3d = ofShape([1, 2, 4, 4, 2], (x) => tf.avgPool3d(x as T5, 2, 2, 'valid'));
export const avgPool3dSame = ofShape([1, 3, 2, 3, 1], (x) => tf.avgPool3d(x as T5, 2, 2, 'same'));
export const maxPool = ofShape([2, 4, 4, 2], (x) => tf.maxPool(x as T4, 2, 2, 'valid'));
export const maxPoolOverlapping = ofShape([1, 4, 5, 2], (x) => tf.maxPool(x as T4, [3, 2], 1, 'valid'));
export const maxPoolSame = ofShape([1, 3, 4, 1], (x) => tf.maxPool(x as T4, 2, 2, 'same'));
export const maxPoolPad = ofShape([1, 4, 4, 1], (x) => tf.maxPool(x as T4, 3, 2, 1));
export const maxPoolOfRepeated = ofShape([1, 2, 2, 1], (x) => tf.maxPool(tf.tile(x as T4, [1, 1, 2, 1]), [2, 4], 1, 'valid'));
export const maxPool3d = ofShape([1, 2, 4, 4, 2], (x) => tf.maxPool3d(x as T5, 2, 2, 'valid'));
export const maxPool3dSame = ofShape([1, 3, 2, 3, 1], (x) => tf.maxPool3d(x as T5, 2, 1, 'same'));
export const poolDilated = ofShape([1, 6, 6, 1], (x) => tf.pool(x as T4, 2, 'max', 'valid', 2, 1));

const statistics = (x: number[], depth: number[]) => ({ x, mean: depth, variance: depth, offset: depth, scale: depth });
const normalised = ({ x, mean, variance, offset, scale }: Record<string, tf.Tensor>) =>
  tf.batchNorm(x as tf.Tensor, mean as T1, tf.add(tf.square(variance as T1), 0.5), offset as T1, scale as T1);
export const batchNorm2d = ofShapes(statistics([4, 3], [3]), normalised);
export const batchNorm3d = ofShapes(statistics([2, 4, 3], [3]), normalised);
export const batchNorm4d = ofShapes(statistics([2, 2, 4, 3], [3]), normalised);
export const batchNormFullStatistics = ofShapes(statistics([2, 3], [2, 3]), normalised);
export const batchNormWithoutScale = ofShapes({ x: [4, 3], mean: [3], variance: [3] }, ({ x, mean, variance }) =>
  tf.batchNorm(x as T2, mean as T1, tf.add(tf.square(variance as T1), 0.5) as T1),
);

const lrn = (depth: number) => ofShape([1, 2, 1, depth], (x) => tf.localResponseNormalization(x as T4, 1, 1, 0.5, 0.75));
export const localResponseNormalizationDepth1 = lrn(1);
export const localResponseNormalization = lrn(5);

const resize = (from: number[], to: [number, number], alignCorners: boolean, halfPixelCenters: boolean) =>
  ofShape(from, (x) => tf.image.resizeBilinear(x as T4, to, alignCorners, halfPixelCenters));
const nearest = (from: number[], to: [number, number], alignCorners: boolean, halfPixelCenters: boolean) =>
  ofShape(from, (x) => tf.image.resizeNearestNeighbor(x as T4, to, alignCorners, halfPixelCenters));
export const resizeBilinearUp = resize([1, 3, 3, 2], [5, 4], false, false);
export const resizeBilinearDown = resize([1, 5, 5, 1], [2, 3], false, false);
export const resizeBilinearAlignCorners = resize([1, 3, 3, 1], [5, 4], true, false);
export const resizeBilinearHalfPixelUp = resize([1, 2, 2, 1], [4, 4], false, true);
export const resizeBilinearHalfPixelDown = resize([1, 5, 5, 1], [2, 3], false, true);
export const resizeBilinearNotSquare = resize([1, 2, 3, 1], [4, 6], false, false);
export const resizeNearestUp = nearest([1, 2, 3, 2], [5, 4], false, false);
export const resizeNearestDown = nearest([1, 5, 4, 1], [2, 3], false, false);
export const resizeNearestAlignCorners = nearest([1, 3, 2, 1], [5, 4], true, false);
export const resizeNearestHalfPixelUp = nearest([1, 3, 3, 1], [4, 4], false, true);
export const resizeNearestHalfPixelDown = nearest([1, 5, 4, 1], [2, 3], false, true);

export const fusedMatMul = ofShapes({ a: [2, 3], b: [3, 4], bias: [4] }, ({ a, b, bias }) =>
  tf.fused.matMul({ a: a as T2, b: b as T2, bias: bias as T1 }),
);
export const fusedMatMulTransposed = ofShapes({ a: [3, 2], b: [4, 3], bias: [4] }, ({ a, b, bias }) =>
  tf.fused.matMul({ a: a as T2, b: b as T2, transposeA: true, transposeB: true, bias: bias as T1 }),
);
export const fusedMatMulRelu = ofShapes({ a: [2, 3], b: [3, 4], bias: [4] }, ({ a, b, bias }) =>
  tf.fused.matMul({ a: a as T2, b: b as T2, bias: bias as T1, activation: 'relu' }),
);
export const fusedConv2d = ofShapes({ x: [2, 3, 3, 2], filter: [2, 2, 2, 3], bias: [3] }, ({ x, filter, bias }) =>
  tf.fused.conv2d({ x: x as T4, filter: filter as T4, strides: 1, pad: 'same', bias: bias as T1 }),
);
export const fusedDepthwiseConv2d = ofShapes({ x: [2, 3, 3, 2], filter: [2, 2, 2, 1], bias: [2] }, ({ x, filter, bias }) =>
  tf.fused.depthwiseConv2d({ x: x as T4, filter: filter as T4, strides: 1, pad: 'same', bias: bias as T1 }),
);
export const dropout = ofShape([3, 4], (x) => tf.dropout(x, 0.3, undefined, 7));
