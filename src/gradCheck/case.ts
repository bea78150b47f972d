import { forward } from '../lesson/forward.js';
import type { Batch, Parameters, Values } from '../lesson/values.js';
import { initialScales, type ModelConfig, PARAMETER_NAMES, parameterShapes } from '../model.js';
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
 * and a batch in which a character occurs twice in one context and again in another, different one.
 *
 * @param leastVariance columns of W1 are drawn again until bnvar is at least this in each. Float32 needs that: where two rows
 * differ by 0.003 only, 1 / standard deviation turns the last bit of hprebn into the fourth digit of bnraw.
 */
export function createCase(config: ModelConfig, n: number, seed: number | string, leastVariance = 0): GradCheckCase {
  const random = randomStream('grad-check', `${seed} n ${n}`);
  const batch = drawContexts(config, n, random);
  const parameters = drawParameters(config, random);
  let values = forward(parameters, batch);
  for (
    let round = 0;
    round < MAX_ROUNDS && redrawColumns(parameters.W1, initialScales(config).W1, values.bnvar, leastVariance, random);
    round++
  ) {
    values = forward(parameters, batch);
  }
  values.embact = values.embact.clone();
  return { config, n, parameters, batch, values };
}

/** Enough for any batch whose contexts differ: a column is spread too little about once in twenty. */
const MAX_ROUNDS = 100;

function drawContexts({ context: T, vocabulary: V }: ModelConfig, n: number, random: RandomStream): Batch {
  const Xb = Int32Array.from({ length: n * T }, () => randomInteger(random, V));
  const Yb = Int32Array.from({ length: n }, () => randomInteger(random, V));
  if (T > 1) Xb[(n - 1) * T] = Xb[0];
  // The first contexts end differently: of two equal ones in three, batch norm's backward pass would leave almost nothing.
  for (let i = 0; i < Math.min(n, 3); i++) Xb[i * T + T - 1] = (Xb[0] + i) % V;
  return { Xb: { data: Xb, shape: [n, T] }, Yb: { data: Yb, shape: [n] } };
}

function drawParameters(config: ModelConfig, random: RandomStream): Parameters {
  const shapes = parameterShapes(config);
  const scales = initialScales(config);
  const parameters = Object.fromEntries(
    PARAMETER_NAMES.map((name) => [name, randomTensor(shapes[name], random).mul(scales[name])]),
  ) as Parameters;
  parameters.bngain = parameters.bngain.add(1);
  return parameters;
}

/** Whether there were columns to draw again. */
function redrawColumns(W1: Tensor, scale: number, bnvar: Tensor, leastVariance: number, random: RandomStream): boolean {
  const [I, H] = W1.shape;
  const columns = Array.from(bnvar.data.keys()).filter((j) => bnvar.data[j] < leastVariance);
  for (const j of columns) for (let i = 0; i < I; i++) W1.data[i * H + j] = normal(random) * scale;
  return columns.length > 0;
}

/** Standard normal entries, float64. */
export function randomTensor(shape: Shape, random: RandomStream): Tensor {
  return Tensor.of(
    Array.from({ length: sizeOf(shape) }, () => normal(random)),
    shape,
    'float64',
  );
}
