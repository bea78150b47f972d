/** toygrad 2.6.0, layer by layer. */

import type { Sizes } from 'backprop-ninja/gradcheck';
import { Layers, Tensor } from 'toygrad';
import { CONVOLUTION_SIZES, DENSE_SIZES, lastClass, POOL_SIZES, someTargets, volumeLayers } from './volumeLayers.js';

const { plain, filtered, loss } = volumeLayers<Tensor>({
  volume: (w, h, depth, values) => new Tensor(w, h, depth, [...values]),
  shape: ({ sx, sy, sz }) => [sy, sx, sz],
});

const input = ({ h, w, depth }: Sizes) => new Layers.Input({ sx: w, sy: h, sz: depth });

export const dense = filtered(
  (sizes) => new Layers.Dense({ filters: sizes.units }, input(sizes)),
  ({ h, w, depth }) => [h * w * depth],
  DENSE_SIZES,
);
export const convolution = filtered(
  (sizes) => new Layers.Conv({ sx: 2, sy: 3, filters: sizes.units, stride: 1, pad: 0 }, input(sizes)),
  ({ depth }) => [3, 2, depth],
  CONVOLUTION_SIZES,
);
export const convolutionStridePad = filtered(
  (sizes) => new Layers.Conv({ sx: 3, filters: sizes.units, stride: 2, pad: 1 }, input(sizes)),
  ({ depth }) => [3, 3, depth],
  CONVOLUTION_SIZES,
);
export const pool = plain((sizes) => new Layers.Pool({ sx: 2, stride: 2 }, input(sizes)), POOL_SIZES);
export const poolOverlappingPad = plain((sizes) => new Layers.Pool({ sx: 3, sy: 2, stride: 1, pad: 1 }, input(sizes)), POOL_SIZES);
export const leakyRelu = plain((sizes) => new Layers.LeakyRelu({}, input(sizes)));
export const relu = plain((sizes) => new Layers.Relu({}, input(sizes)));
export const sigmoid = plain((sizes) => new Layers.Sigmoid({}, input(sizes)));
export const tanh = plain((sizes) => new Layers.Tanh({}, input(sizes)));
export const maxout = plain((sizes) => new Layers.Maxout({ sx: 2 }, input(sizes)));

const dropOut = (sizes: Sizes) => new Layers.Dropout({ probability: 0.3 }, input(sizes));
export const dropout = plain(dropOut);
export const dropoutInEvaluation = plain(dropOut, undefined, false);

export const softmaxLoss = loss((sizes) => new Layers.Softmax({}, input(sizes)), lastClass);
export const regressionLoss = loss((sizes) => new Layers.Regression({}, input(sizes)), someTargets);
