/** neataptic 1.4.7. Its activation functions give the derivative at the input when called with `true`; its networks learn by Node.propagate. */

import { defineLayer, type Float64Tensor, fromActivation, type LayerContext } from 'backprop-ninja/gradcheck';
import neataptic from 'neataptic';

const { architect, methods } = neataptic;

const of = (name: string) => {
  const f = methods.activation[name];
  if (!f) throw new Error(`neataptic has no activation ${name}.`);
  return fromActivation(
    (x) => f(x),
    (x) => f(x, true),
    { of: 'input' },
  );
};

export const logistic = of('LOGISTIC');
export const tanh = of('TANH');
export const identity = of('IDENTITY');
export const step = of('STEP');
export const relu = of('RELU');
export const softsign = of('SOFTSIGN');
export const sinusoid = of('SINUSOID');
export const gaussian = of('GAUSSIAN');
export const bentIdentity = of('BENT_IDENTITY');
export const bipolar = of('BIPOLAR');
export const bipolarSigmoid = of('BIPOLAR_SIGMOID');
export const hardTanh = of('HARD_TANH');
export const absolute = of('ABSOLUTE');
export const inverse = of('INVERSE');
export const selu = of('SELU');

interface Weights {
  x: Float64Tensor;
  weights: Float64Tensor;
  biases: Float64Tensor;
}

const RATE = 0.3;

/** A perceptron d - hidden - units with these weights: connections in the order of its list, biases of the nodes behind the inputs. */
function perceptron({ d, hidden, units }: LayerContext['sizes'], { weights, biases }: Weights) {
  const network = new architect.Perceptron(d, hidden, units);
  network.connections.forEach((connection, i) => {
    connection.weight = weights.data[i] ?? 0;
  });
  network.nodes.slice(d).forEach((node, i) => {
    node.bias = biases.data[i] ?? 0;
  });
  return network;
}

const row = (x: Float64Tensor, i: number) => [
  ...x.data.slice((i * x.data.length) / (x.shape[0] ?? 1), ((i + 1) * x.data.length) / (x.shape[0] ?? 1)),
];
const target = (length: number, i: number) => Array.from({ length }, (_, j) => ((i + j) % 2 ? 0.8 : 0.1));

/**
 * The summed cross-entropy of a perceptron with logistic units, whose gradient at the output is activation - target, as propagate has it.
 * The weights are small: the cost clamps outputs below 1e-15. Its gradients are the changes of the weights over the rate: after all examples (`online` false), or after each (true: n is 1).
 */
const network = (online: boolean) =>
  defineLayer({
    sizes: { n: online ? [1] : [1, 3], d: [2, 4], hidden: [3, 5], units: [1, 2] },
    inputs: ({ n, d, hidden, units }, draw) => ({
      x: draw.near(1, n, d),
      weights: draw.near(0, d * hidden + hidden * units),
      biases: draw.near(0, hidden + units),
    }),
    constant: ['x'],
    forward: (inputs: Weights, { sizes }: LayerContext) => {
      const net = perceptron(sizes, inputs);
      let sum = 0;
      for (let i = 0; i < sizes.n; i++)
        sum += sizes.units * methods.cost.CROSS_ENTROPY(target(sizes.units, i), net.activate(row(inputs.x, i)));
      return sum;
    },
    backward: (dout: number, inputs: Weights, { sizes }: LayerContext) => {
      const net = perceptron(sizes, inputs);
      for (let i = 0; i < sizes.n; i++) {
        net.activate(row(inputs.x, i));
        net.propagate(RATE, 0, online, target(sizes.units, i));
      }
      const nodes = net.nodes.slice(sizes.d);
      const change = (now: number, then: number | undefined, pending: number) => (-dout * (online ? now - (then ?? 0) : pending)) / RATE;
      return {
        weights: net.connections.map(({ weight, totalDeltaWeight }, i) => change(weight, inputs.weights.data[i], totalDeltaWeight)),
        biases: nodes.map(({ bias, totalDeltaBias }, i) => change(bias, inputs.biases.data[i], totalDeltaBias)),
      };
    },
  });

export const perceptronBatch = network(false);
export const perceptronOnline = network(true);
