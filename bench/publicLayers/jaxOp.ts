/** Specifications for functions of jax-js, in its float64 on the cpu backend (its WebAssembly has exp and others in float32): forward is the function, backward its vector-Jacobian product by vjp. */
import './float16.js';
import { runInNewContext } from 'node:vm';
import { defaultDevice, init, type Array as JaxArray, numpy as np, vjp } from '@jax-js/jax';
import { type Draw, defineLayer, type Float64Tensor, type SizeChoices, type Sizes } from 'backprop-ninja/gradcheck';
import { DOMAINS, type Domain } from './domains.js';

await init('cpu');
defaultDevice('cpu');

type Inputs = Record<string, Float64Tensor>;
type Values = { data: Float64Array; shape: readonly number[] };
/** A function of the inputs in their order. It uses up its arguments, so that one that is needed twice is taken as `x.ref` first. */
type Operation = (...inputs: JaxArray[]) => JaxArray;

/** Where Float64Array has taken its place, another realm still has a Float32Array. */
const RealFloat32Array = runInNewContext('Float32Array') as Float32ArrayConstructor;

/** Runs jax-js with a real Float32Array: it tells its float64 from its float32 by the class of an array. */
function withFloat32<T>(run: () => T): T {
  const before = globalThis.Float32Array;
  globalThis.Float32Array = RealFloat32Array;
  try {
    return run();
  } finally {
    globalThis.Float32Array = before;
  }
}

const toJax = ({ data, shape }: Values) => np.array(Float64Array.from(data), { shape: [...shape], dtype: np.float64 });

/** An input as a part of a larger array. An array of equal numbers would become a constant of the program, with other derivatives at 0. */
function inputToJax({ data, shape }: Values): JaxArray {
  const other = (data[0] ?? 0) + 1;
  return np
    .array(Float64Array.of(...data, other), { dtype: np.float64 })
    .slice([0, data.length])
    .reshape([...shape]);
}

/** The values, which the array does not survive. */
function valuesOf(y: JaxArray): Values {
  const { shape } = y;
  return { data: Float64Array.from(y.dataSync()), shape };
}

function operation(sizes: SizeChoices, inputs: (sizes: Sizes, draw: Draw) => Inputs, f: Operation) {
  return defineLayer({
    sizes,
    inputs,
    forward: (inputs) => withFloat32(() => valuesOf(f(...Object.values(inputs).map(inputToJax)))),
    backward: (dout, inputs) =>
      withFloat32(() => {
        const [y, pullback] = vjp(f, Object.values(inputs).map(inputToJax) as never);
        y.dispose();
        const gradients = (pullback as unknown as (dout: JaxArray) => JaxArray[])(toJax(dout));
        return Object.fromEntries(Object.keys(inputs).map((name, i) => [name, valuesOf(gradients[i] as JaxArray)]));
      }),
  });
}

const MATRIX = { n: [1, 2], d: [3] };

/** A function of one matrix x [n, d], with entries in its domain. */
export const ofMatrix = (f: Operation, domain: Domain = 'normal') =>
  operation(
    MATRIX,
    ({ n, d }, draw) => {
      const x = draw.normal(n, d);
      x.data.set(x.data.map(DOMAINS[domain]));
      return { x };
    },
    f,
  );

/** A function of inputs of these shapes. */
export const ofShapes = (shapes: Record<string, number[]>, f: Operation) =>
  operation({}, (_sizes, draw) => Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, draw.normal(...shape)])), f);

/** A function of one x of this shape. */
export const ofShape = (shape: number[], f: Operation) => ofShapes({ x: shape }, f);
