/**
 * ml-fnn 5.0.0 (ml-js): the network, one export per activation of its hidden layer. The network is loaded from a model, since the constructor's
 * option `activation` always ends as tanh. Its step multiplies the gradients by -epsilon in place: with epsilon -1 they can be read after it.
 */

import { type Float64Tensor, fromLoss, type LayerContext } from 'backprop-ninja/gradcheck';
import Network from 'ml-fnn';
import { Matrix } from 'ml-matrix';

interface Inputs {
  x: Float64Tensor;
  W1: Float64Tensor;
  b1: Float64Tensor;
  W2: Float64Tensor;
  b2: Float64Tensor;
  labels: Int32Array;
}

function load(activation: string, activationParam: number, { W1, b1, W2, b2 }: Inputs) {
  const layer = (W: Float64Tensor, b: Float64Tensor) => ({
    model: 'Layer',
    activation,
    activationParam,
    regularization: 0,
    epsilon: -1,
    W: W.toArray(),
    b: b.toArray(),
  });
  const names = Object.fromEntries([...Array(W2.shape[1]).keys()].map((k) => [k, k]));
  return Network.load({ model: 'FNN', dicts: { inputs: names, outputs: names }, layers: [layer(W1, b1), layer(W2, b2)] });
}

/** The summed cross-entropy of n examples: softmax((f(x W1 + b1)) W2 + b2) against labels. */
const network = (activation: string, activationParam = 1) =>
  fromLoss(
    (inputs: Inputs, _context: LayerContext) => {
      const net = load(activation, activationParam, inputs);
      const x = new Matrix(inputs.x.toArray() as number[][]);
      const probabilities = net.propagate(x);
      const loss = -inputs.labels.reduce((sum, label, i) => sum + Math.log(probabilities.get(i, label)), 0);
      net.backpropagation(x, [...inputs.labels], probabilities);
      const [first, second] = net.model;
      const gradients = { W1: first.dW.to2DArray(), b1: first.db.to2DArray(), W2: second.dW.to2DArray(), b2: second.db.to2DArray() };
      return { loss, gradients };
    },
    {
      sizes: { n: [1, 3], d: [2, 4], hidden: [3, 5], units: [2, 4] },
      inputs: ({ n, d, hidden, units }, draw) => ({
        x: draw.normal(n, d),
        W1: draw.near(0, d, hidden),
        b1: draw.near(0, 1, hidden),
        W2: draw.normal(hidden, units),
        b2: draw.normal(1, units),
        labels: draw.index(n, units),
      }),
      constant: ['x'],
    },
  );

export const tanh = network('tanh');
export const identity = network('identity');
export const logistic = network('logistic');
export const arctan = network('arctan');
export const softsign = network('softsign');
export const relu = network('relu');
export const softplus = network('softplus');
export const bent = network('bent');
export const sinusoid = network('sinusoid');
export const sinc = network('sinc');
export const gaussian = network('gaussian');
export const parametricRelu = network('parametric-relu', 0.2);
export const exponentialElu = network('exponential-elu', 1);
export const softExponential = network('soft-exponential', 0.5);
