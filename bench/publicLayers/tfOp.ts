/** Specifications for operations of TensorFlow.js: forward is the operation, backward its gradient by tf.grads. */
import * as tf from '@tensorflow/tfjs';
import { type Draw, defineLayer, type Float64Tensor, type SizeChoices, type Sizes } from 'backprop-ninja/gradcheck';
import { DOMAINS, type Domain } from './domains.js';

tf.enableProdMode(); // no advice on stderr
tf.setBackend('cpu');

type Inputs = Record<string, Float64Tensor>;
type Values = { data: ArrayLike<number>; shape: readonly number[] };
type Operation = (x: Record<string, tf.Tensor>) => tf.Tensor;

const toTf = ({ data, shape }: Values) => tf.tensor(Array.from(data), [...shape], 'float32');
/** The values, also whole ones, as real numbers: float32, or float64 where Float64Array takes the place of Float32Array. */
const valuesOf = (y: tf.Tensor): Values => ({ data: Float32Array.from(y.dataSync()), shape: y.shape });

/** Runs with the tensors freed afterwards. */
function tidy<T>(run: () => T): T {
  tf.engine().startScope();
  try {
    return run();
  } finally {
    tf.engine().endScope();
  }
}

function operation(sizes: SizeChoices, inputs: (sizes: Sizes, draw: Draw) => Inputs, f: Operation) {
  return defineLayer({
    sizes,
    inputs,
    forward: (inputs) => tidy(() => valuesOf(f(Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, toTf(value)]))))),
    backward: (dout, inputs) =>
      tidy(() => {
        const names = Object.keys(inputs);
        const call = (...values: tf.Tensor[]) => f(Object.fromEntries(values.map((value, i) => [names[i], value])));
        const gradients = tf.grads(call)(Object.values(inputs).map(toTf), toTf(dout));
        return Object.fromEntries(gradients.map((gradient, i) => [names[i], valuesOf(gradient)]));
      }),
  });
}

const MATRIX = { n: [1, 2], d: [3, 4] };

/** An operation on one matrix x [n, d], with entries in its domain. */
export const ofMatrix = (f: (x: tf.Tensor2D) => tf.Tensor, domain: Domain = 'normal') =>
  operation(
    MATRIX,
    ({ n, d }, draw) => {
      const x = draw.normal(n, d);
      x.data.set(x.data.map(DOMAINS[domain]));
      return { x };
    },
    ({ x }) => f(x as tf.Tensor2D),
  );

/** An operation on inputs of these shapes. */
export const ofShapes = (shapes: Record<string, number[]>, f: Operation) =>
  operation({}, (_sizes, draw) => Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, draw.normal(...shape)])), f);

/** An operation on one x of this shape. */
export const ofShape = (shape: number[], f: (x: tf.Tensor) => tf.Tensor) => ofShapes({ x: shape }, ({ x }) => f(x as tf.Tensor));
