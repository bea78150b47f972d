/** synaptic 1.1.4. Squashing functions give the derivative at the input when called with `true`; its networks learn by propagate. */

import { defineLayer, type Float64Tensor, fromActivation, type LayerContext } from 'backprop-ninja/gradcheck';
import synaptic from 'synaptic';

const { Architect, Neuron, Trainer } = synaptic;

const of = (f: (x: number, derivative?: boolean) => number) =>
  fromActivation(
    (x) => f(x),
    (x) => f(x, true),
    { of: 'input' },
  );

export const logistic = of(Neuron.squash.LOGISTIC);
export const tanh = of(Neuron.squash.TANH);
export const identity = of(Neuron.squash.IDENTITY);
export const hlim = of(Neuron.squash.HLIM);
export const relu = of(Neuron.squash.RELU);

interface Weights {
  x: Float64Tensor;
  weights: Float64Tensor;
  biases: Float64Tensor;
}

const RATE = 0.3;
const TARGET = [0.8, 0.1];

/** A perceptron d - hidden - units with these weights, and lists of its connections and of its neurons behind the inputs. */
function perceptron({ d, hidden, units }: LayerContext['sizes'], { weights, biases }: Weights) {
  const network = new Architect.Perceptron(d, hidden, units);
  network.setOptimize(false);
  const neurons = [...network.layers.hidden, network.layers.output].flatMap((layer) => layer.list);
  const connections = neurons.flatMap((neuron) => Object.values(neuron.connections.inputs));
  connections.forEach((connection, i) => {
    connection.weight = weights.data[i] ?? 0;
  });
  neurons.forEach((neuron, i) => {
    neuron.bias = biases.data[i] ?? 0;
  });
  return { network, connections, neurons };
}

/**
 * The summed cross-entropy of a perceptron with logistic units on one example, whose gradient at the output is activation - target, as propagate
 * has it. Its gradients are the changes of the weights over the rate.
 */
export const perceptronOnline = defineLayer({
  sizes: { d: [2, 4], hidden: [3, 5], units: [1, 2] },
  inputs: ({ d, hidden, units }, draw) => ({
    x: draw.near(1, d),
    weights: draw.near(0, d * hidden + hidden * units),
    biases: draw.near(0, hidden + units),
  }),
  constant: ['x'],
  forward: (inputs: Weights, { sizes }: LayerContext) =>
    Trainer.cost.CROSS_ENTROPY(TARGET.slice(0, sizes.units), perceptron(sizes, inputs).network.activate([...inputs.x.data])),
  backward: (dout: number, inputs: Weights, { sizes }: LayerContext) => {
    const { network, connections, neurons } = perceptron(sizes, inputs);
    network.activate([...inputs.x.data]);
    network.propagate(RATE, TARGET.slice(0, sizes.units));
    return {
      weights: connections.map(({ weight }, i) => (-dout * (weight - (inputs.weights.data[i] ?? 0))) / RATE),
      biases: neurons.map(({ bias }, i) => (-dout * (bias - (inputs.biases.data[i] ?? 0))) / RATE),
    };
  },
});
