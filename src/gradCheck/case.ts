import { forward } from '../lesson/forward.js';
import type { Batch, Parameters, Values } from '../lesson/values.js';
import { type ModelConfig, PARAMETER_NAMES, parameterShapes } from '../model.js';
import { normal, type RandomStream, randomInteger, randomStream } from '../random.js';
import { type Shape, sizeOf, Tensor } from '../tensor.js';

/** A network and a batch to check gradients on, in float64. */
export interface GradCheckCase {
  config: ModelConfig;
  n: number;
  parameters: Parameters;
  batch: Batch;
  /** The lesson's forward pass on them; no two values share their data. */
  values: Values;
}

/** The lesson's exercise network. */
export const LESSON_CONFIG: ModelConfig = { context: 3, embedding: 10, hidden: 64, vocabulary: 27 };

/**
 * Parameters drawn as in the lesson, which keeps them off the values that hide mistakes (a gain of exactly 1, W2 = 0),
 * and a batch in which a character occurs twice in one context and again in another.
 */
export function createCase(config: ModelConfig, n: number, seed: number | string): GradCheckCase {
  const random = randomStream('grad-check', `${seed} n ${n}`);
  const { context: T, embedding: E, vocabulary: V } = config;
  const shapes = parameterShapes(config);
  const scale = { C: 1, W1: 5 / 3 / Math.sqrt(T * E), b1: 0.1, bngain: 0.1, bnbias: 0.1, W2: 0.1, b2: 0.1 };
  const parameters = Object.fromEntries(
    PARAMETER_NAMES.map((name) => [name, randomTensor(shapes[name], random).mul(scale[name])]),
  ) as Parameters;
  parameters.bngain = parameters.bngain.add(1);
  const Xb = Int32Array.from({ length: n * T }, () => randomInteger(random, V));
  const Yb = Int32Array.from({ length: n }, () => randomInteger(random, V));
  Xb[T - 1] = Xb[0];
  Xb[(n - 1) * T] = Xb[0];
  const batch = { Xb: { data: Xb, shape: [n, T] }, Yb: { data: Yb, shape: [n] } };
  const values = forward(parameters, batch);
  values.embact = values.embact.clone();
  return { config, n, parameters, batch, values };
}

/** Standard normal entries, float64. */
export function randomTensor(shape: Shape, random: RandomStream): Tensor {
  return Tensor.of(
    Array.from({ length: sizeOf(shape) }, () => normal(random)),
    shape,
    'float64',
  );
}
