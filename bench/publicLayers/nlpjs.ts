/** @nlpjs/neural 4.25.0. Its perceptrons learn by trainPerceptron; with rate 1 and without momentum a change is minus the gradient. */
import { NeuralNetwork } from '@nlpjs/neural';
import { defineLayer, type Float64Tensor, type LayerContext } from 'backprop-ninja/gradcheck';

interface Inputs {
  x: Float64Tensor;
  weights: Float64Tensor;
  bias: number;
}

const TARGET = 0.9;

function perceptron({ x, weights, bias }: Inputs) {
  const network = new NeuralNetwork({ momentum: 0 });
  network.decayLearningRate = 1;
  const one = { id: 0, weights: Float64Array.from(weights.data), changes: new Float64Array(x.data.length), bias };
  const data: Record<string, number> = Object.fromEntries(x.data.entries());
  return { network, one, input: { keys: Object.keys(data), data } };
}

/** Half the squared error of one perceptron on one example. */
export const perceptronLoss = defineLayer({
  sizes: { d: [1, 2, 4] },
  inputs: ({ d }, draw) => ({ x: draw.normal(d), weights: draw.normal(d), bias: draw.normal() }),
  constant: ['x'],
  forward: (inputs: Inputs, _context: LayerContext) => {
    const { network, one, input } = perceptron(inputs);
    return (TARGET - network.runInputPerceptron(one, input)) ** 2 / 2;
  },
  backward: (dout: number, inputs: Inputs, _context: LayerContext) => {
    const { network, one, input } = perceptron(inputs);
    network.trainPerceptron(one, [{ input, output: { data: [TARGET] } }]);
    return {
      weights: one.weights.map((now, i) => -dout * (now - (inputs.weights.data[i] ?? 0))),
      bias: -dout * (one.bias - inputs.bias),
    };
  },
});
