import type { Backend } from './backend/backend.js';
import { normal, randomStream } from './random.js';
import { type FloatArray, type Shape, sizeOf } from './tensor.js';

/**
 * The lesson's network: embedding, linear, batch norm, tanh, linear, cross-entropy.
 *
 * Letters, here and everywhere: n batch, T context length, E embedding width, I = T·E, H hidden width, V vocabulary.
 */
export interface ModelConfig {
  /** T: how many characters the next one is predicted from. */
  context: number;
  /** E: numbers per character. */
  embedding: number;
  /** H: hidden units. */
  hidden: number;
  /** V: characters, the boundary included. */
  vocabulary: number;
}

export const PARAMETER_NAMES = ['C', 'W1', 'b1', 'bngain', 'bnbias', 'W2', 'b2'] as const;
export type ParameterName = (typeof PARAMETER_NAMES)[number];
export type ParameterArrays = Readonly<Record<ParameterName, FloatArray>>;

export interface Model {
  readonly config: ModelConfig;
  readonly backend: Backend;
  /** All parameters in one block, in the order of {@link PARAMETER_NAMES}, and the same block by name. */
  readonly flatParameters: FloatArray;
  readonly parameters: ParameterArrays;
  /** The gradients, laid out alike. */
  readonly flatGradients: FloatArray;
  readonly gradients: ParameterArrays;
  /** Mean and unbiased variance [H] of hprebn over the whole training part, once {@link calibrate} has run. */
  readonly bnmean: FloatArray;
  readonly bnvar: FloatArray;
}

/** What inference computes for up to n examples; named and shaped as in the lesson. */
export interface Activations {
  readonly n: number;
  readonly Xb: Int32Array;
  readonly Yb: Int32Array;
  readonly emb: FloatArray;
  readonly hprebn: FloatArray;
  readonly hpreact: FloatArray;
  readonly h: FloatArray;
  readonly logits: FloatArray;
  readonly probs: FloatArray;
  readonly losses: FloatArray;
}

/** What training needs besides: the batch's statistics and the gradients of the activations. */
export interface TrainingActivations extends Activations {
  readonly bnvar_inv: FloatArray;
  readonly bnraw: FloatArray;
  readonly dlogits: FloatArray;
  readonly dh: FloatArray;
  readonly dhpreact: FloatArray;
  readonly dhprebn: FloatArray;
  readonly demb: FloatArray;
}

/** Shapes as the lesson has them: the batch norm's are rows [1,H], biases are vectors. */
export function parameterShapes({ context: T, embedding: E, hidden: H, vocabulary: V }: ModelConfig): Record<ParameterName, Shape> {
  return { C: [V, E], W1: [T * E, H], b1: [H], bngain: [1, H], bnbias: [1, H], W2: [H, V], b2: [V] };
}

export function parameterCount(config: ModelConfig): number {
  return Object.values(parameterShapes(config)).reduce((sum, shape) => sum + sizeOf(shape), 0);
}

/** Bytes of float32 that training with batches of n takes: parameters, gradients, activations and their gradients. */
export function trainingBytes(config: ModelConfig, n: number): number {
  const { context: T, embedding: E, hidden: H, vocabulary: V } = config;
  const activations = n * (T + 1 + 2 * T * E + 7 * H + 3 * V + 1) + 3 * H;
  return 4 * (2 * parameterCount(config) + activations);
}

/** A model with all parameters 0. */
export function createModel(backend: Backend, config: ModelConfig): Model {
  const count = parameterCount(config);
  const flatParameters = backend.floats(count);
  const flatGradients = backend.floats(count);
  return {
    config,
    backend,
    flatParameters,
    parameters: parameterViews(flatParameters, config),
    flatGradients,
    gradients: parameterViews(flatGradients, config),
    bnmean: backend.floats(config.hidden),
    bnvar: backend.floats(config.hidden).fill(1),
  };
}

function parameterViews(block: FloatArray, config: ModelConfig): ParameterArrays {
  const shapes = parameterShapes(config);
  let start = 0;
  const views = PARAMETER_NAMES.map((name) => {
    const end = start + sizeOf(shapes[name]);
    const view = block.subarray(start, end);
    start = end;
    return [name, view] as const;
  });
  return Object.fromEntries(views) as ParameterArrays;
}

/**
 * The lesson's initialisation: C ~ N(0,1); W1 ~ N(0,1)·(5/3)/sqrt(T·E), the Kaiming gain for tanh; W2 and the biases
 * small but not 0, and the batch norm's gain off 1, because special values hide mistakes in the backward pass.
 */
export function initialise({ config, parameters: { C, W1, b1, bngain, bnbias, W2, b2 } }: Model, seed: number | string): void {
  const random = randomStream('initialisation', seed);
  const fill = (out: FloatArray, scale: number, shift = 0) => {
    for (let i = 0; i < out.length; i++) out[i] = normal(random) * scale + shift;
  };
  fill(C, 1);
  fill(W1, 5 / 3 / Math.sqrt(config.context * config.embedding));
  fill(b1, 0.1);
  fill(W2, 0.1);
  fill(b2, 0.1);
  fill(bngain, 0.1, 1);
  fill(bnbias, 0.1);
}

export function createActivations({ backend, config }: Model, n: number): Activations {
  const { context: T, embedding: E, hidden: H, vocabulary: V } = config;
  return {
    n,
    Xb: backend.ints(n * T),
    Yb: backend.ints(n),
    emb: backend.floats(n * T * E),
    hprebn: backend.floats(n * H),
    hpreact: backend.floats(n * H),
    h: backend.floats(n * H),
    logits: backend.floats(n * V),
    probs: backend.floats(n * V),
    losses: backend.floats(n),
  };
}

/** @param n the batch size, at least 2: the variance of one example does not exist */
export function createTrainingActivations(model: Model, n: number): TrainingActivations {
  const { context: T, embedding: E, hidden: H, vocabulary: V } = model.config;
  const { backend } = model;
  return {
    ...createActivations(model, n),
    bnvar_inv: backend.floats(H),
    bnraw: backend.floats(n * H),
    dlogits: backend.floats(n * V),
    dh: backend.floats(n * H),
    dhpreact: backend.floats(n * H),
    dhprebn: backend.floats(n * H),
    demb: backend.floats(n * T * E),
  };
}

/** The forward pass on the batch Xb, Yb in the activations, with the batch's own statistics. Returns the mean loss. */
export function forward({ backend, config, parameters }: Model, a: TrainingActivations): number {
  const { context: T, embedding: E, hidden: H, vocabulary: V } = config;
  const { C, W1, b1, bngain, bnbias, W2, b2 } = parameters;
  const { n } = a;
  backend.embeddingForward(a.emb, C, a.Xb, n * T, E);
  backend.linearForward(a.hprebn, a.emb, W1, b1, n, T * E, H);
  backend.batchNormForward(a.hpreact, a.bnraw, a.bnvar_inv, a.hprebn, bngain, bnbias, n, H);
  backend.tanhForward(a.h, a.hpreact, n * H);
  backend.linearForward(a.logits, a.h, W2, b2, n, H, V);
  backend.crossEntropyForward(a.losses, a.probs, a.logits, a.Yb, n, V);
  return sumOf(a.losses, n) / n;
}

/** The backward pass of the last {@link forward}: fills the model's gradients and those of the activations. */
export function backward({ backend, config, parameters, gradients }: Model, a: TrainingActivations): void {
  const { context: T, embedding: E, hidden: H, vocabulary: V } = config;
  const { W1, bngain, W2 } = parameters;
  const { C: dC, W1: dW1, b1: db1, bngain: dbngain, bnbias: dbnbias, W2: dW2, b2: db2 } = gradients;
  const { n } = a;
  backend.crossEntropyBackward(a.dlogits, a.probs, a.Yb, n, V);
  backend.linearBackward(a.dh, dW2, db2, a.dlogits, a.h, W2, n, H, V);
  backend.tanhBackward(a.dhpreact, a.dh, a.h, n * H);
  backend.batchNormBackward(a.dhprebn, dbngain, dbnbias, a.dhpreact, a.bnraw, a.bnvar_inv, bngain, n, H);
  backend.linearBackward(a.demb, dW1, db1, a.dhprebn, a.emb, W1, n, T * E, H);
  backend.embeddingBackward(dC, a.demb, a.Xb, n * T, E);
}

/** hprebn of the first n contexts in the activations: what calibration measures. */
export function inferHidden({ backend, config, parameters }: Model, a: Activations, n: number): void {
  const { context: T, embedding: E, hidden: H } = config;
  backend.embeddingForward(a.emb, parameters.C, a.Xb, n * T, E);
  backend.linearForward(a.hprebn, a.emb, parameters.W1, parameters.b1, n, T * E, H);
}

/** Logits of the first n contexts in the activations, with the calibrated statistics: no example touches another. */
export function infer(model: Model, a: Activations, n: number): void {
  const { backend, config, parameters, bnmean, bnvar } = model;
  const { hidden: H, vocabulary: V } = config;
  inferHidden(model, a, n);
  backend.batchNormInference(a.hpreact, a.hprebn, bnmean, bnvar, parameters.bngain, parameters.bnbias, n, H);
  backend.tanhForward(a.h, a.hpreact, n * H);
  backend.linearForward(a.logits, a.h, parameters.W2, parameters.b2, n, H, V);
}

/** The sum of the first n entries. */
export function sumOf(values: FloatArray, n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += values[i];
  return sum;
}
