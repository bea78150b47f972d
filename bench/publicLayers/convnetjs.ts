/** convnetjs 0.3.0, layer by layer. */

import type { Sizes } from 'backprop-ninja/gradcheck';
import convnetjs, { type Vol } from 'convnetjs';
import { CONVOLUTION_SIZES, DENSE_SIZES, lastClass, POOL_SIZES, someTargets, volumeLayers } from './volumeLayers.js';

const { plain, filtered, loss } = volumeLayers<Vol>({
  volume: (w, h, depth, values) => Object.assign(new convnetjs.Vol(w, h, depth, 0), { w: Float64Array.from(values) }),
  shape: ({ sx, sy, depth }) => [sy, sx, depth],
});

/** The sizes of a layer's input, as its constructor takes them. */
const from = ({ h, w, depth }: Sizes) => ({ in_sx: w, in_sy: h, in_depth: depth });

export const fullyConnected = filtered(
  (sizes) => new convnetjs.FullyConnLayer({ ...from(sizes), num_neurons: sizes.units }),
  ({ h, w, depth }) => [h * w * depth],
  DENSE_SIZES,
);
export const convolution = filtered(
  (sizes) => new convnetjs.ConvLayer({ ...from(sizes), sx: 2, sy: 3, filters: sizes.units }),
  ({ depth }) => [3, 2, depth],
  CONVOLUTION_SIZES,
);
export const convolutionStridePad = filtered(
  (sizes) => new convnetjs.ConvLayer({ ...from(sizes), sx: 3, filters: sizes.units, stride: 2, pad: 1 }),
  ({ depth }) => [3, 3, depth],
  CONVOLUTION_SIZES,
);
export const pool = plain((sizes) => new convnetjs.PoolLayer({ ...from(sizes), sx: 2, stride: 2 }), POOL_SIZES);
export const poolOverlappingPad = plain(
  (sizes) => new convnetjs.PoolLayer({ ...from(sizes), sx: 3, sy: 2, stride: 1, pad: 1 }),
  POOL_SIZES,
);
export const relu = plain((sizes) => new convnetjs.ReluLayer(from(sizes)));
export const sigmoid = plain((sizes) => new convnetjs.SigmoidLayer(from(sizes)));
export const tanh = plain((sizes) => new convnetjs.TanhLayer(from(sizes)));
export const maxout = plain((sizes) => new convnetjs.MaxoutLayer({ ...from(sizes), group_size: 2 }));
export const quadTransform = plain((sizes) => new convnetjs.QuadTransformLayer(from(sizes)), { h: [1, 2], w: [1, 3], depth: [2, 3] });
export const localResponseNormalization = plain(
  (sizes) => new convnetjs.LocalResponseNormalizationLayer({ ...from(sizes), k: 1, n: 3, alpha: 0.5, beta: 0.75 }),
  { h: [1, 2], w: [1, 3], depth: [1, 2, 4] },
);

const dropOut = (sizes: Sizes) => new convnetjs.DropoutLayer({ ...from(sizes), drop_prob: 0.3 });
export const dropout = plain(dropOut);
export const dropoutInEvaluation = plain(dropOut, undefined, false);

export const softmaxLoss = loss((sizes) => new convnetjs.SoftmaxLayer(from(sizes)), lastClass);
export const svmLoss = loss((sizes) => new convnetjs.SVMLayer(from(sizes)), lastClass);
export const regressionLoss = loss((sizes) => new convnetjs.RegressionLayer(from(sizes)), someTargets);
