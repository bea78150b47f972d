/** @tensorflow/tfjs 4.22.0, cpu backend: losses. */
import * as tf from '@tensorflow/tfjs';
import { ofShapes } from './tfOp.js';

const SHAPES = { labels: [2, 3], predictions: [2, 3] };
const probability = (x: tf.Tensor) => tf.sigmoid(x);
const loss = (f: (labels: tf.Tensor, predictions: tf.Tensor) => tf.Tensor) =>
  ofShapes(SHAPES, ({ labels, predictions }) => f(labels as tf.Tensor, predictions as tf.Tensor));

export const absoluteDifference = loss((labels, predictions) => tf.losses.absoluteDifference(labels, predictions));
export const cosineDistance = loss((labels, predictions) => tf.losses.cosineDistance(labels, predictions, 1));
export const hingeLoss = loss((labels, predictions) => tf.losses.hingeLoss(labels, predictions));
export const huberLoss = loss((labels, predictions) => tf.losses.huberLoss(labels, predictions, undefined, 0.7));
export const logLoss = loss((labels, predictions) => tf.losses.logLoss(probability(labels), probability(predictions)));
export const meanSquaredError = loss((labels, predictions) => tf.losses.meanSquaredError(labels, predictions));
export const meanSquaredErrorWeighted = loss((labels, predictions) =>
  tf.losses.meanSquaredError(labels, predictions, tf.tensor2d([[2], [0]])),
);
export const sigmoidCrossEntropy = loss((labels, predictions) => tf.losses.sigmoidCrossEntropy(probability(labels), predictions));

const ONE_HOT = () =>
  tf.tensor2d([
    [0, 1, 0],
    [1, 0, 0],
  ]);
export const softmaxCrossEntropy = ofShapes({ logits: [2, 3] }, ({ logits }) =>
  tf.losses.softmaxCrossEntropy(ONE_HOT(), logits as tf.Tensor),
);
export const softmaxCrossEntropySmoothed = ofShapes({ logits: [2, 3] }, ({ logits }) =>
  tf.losses.softmaxCrossEntropy(ONE_HOT(), logits as tf.Tensor, undefined, 0.1),
);
export const softmaxCrossEntropyOfLabels = ofShapes({ labels: [2, 3], logits: [2, 3] }, ({ labels, logits }) =>
  tf.losses.softmaxCrossEntropy(tf.softmax(labels as tf.Tensor), logits as tf.Tensor),
);
export const softmaxCrossEntropyOfUnnormalisedLabels = ofShapes({ logits: [2, 3] }, ({ logits }) =>
  tf.losses.softmaxCrossEntropy(tf.mul(ONE_HOT(), 2), logits as tf.Tensor),
);
