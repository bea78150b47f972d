import type { ArenaSize, Backend } from './backend/backend.js';
import { type CharacterGroups, groupCharacters } from './layers/embeddingTable.js';
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
  /** How the first layer is computed: from rows of C for each example, or from a table of the different characters. */
  readonly input: { emb: FloatArray } | { table: FloatArray; groups: CharacterGroups };
  readonly hprebn: FloatArray;
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
  readonly dhprebn: FloatArray;
  /** Only where `input` has no table. */
  readonly demb: FloatArray;
}

/** Shapes as the lesson has them: the batch norm's are rows [1,H], biases are vectors. */
export function parameterShapes({ context: T, embedding: E, hidden: H, vocabulary: V }: ModelConfig): Record<ParameterName, Shape> {
  return { C: [V, E], W1: [T * E, H], b1: [H], bngain: [1, H], bnbias: [1, H], W2: [H, V], b2: [V] };
}

export function parameterCount(config: ModelConfig): number {
  return Object.values(parameterShapes(config)).reduce((sum, shape) => sum + sizeOf(shape), 0);
}

/** Whether batches of n look their first layer up in a table: not if most of them could consist of different characters. */
function usesTable({ vocabulary: V }: ModelConfig, n: number): boolean {
  return V <= 2 * n;
}

/** Entries of each array of {@link Activations}. */
function activationSizes(config: ModelConfig, n: number) {
  const { context: T, embedding: E, hidden: H, vocabulary: V } = config;
  const D = Math.min(n, V);
  const rows = { Xb: n * T, Yb: n, hprebn: n * H, h: n * H, logits: n * V, probs: n * V, losses: n };
  return usesTable(config, n)
    ? { ...rows, table: T * D * H, characters: T * D, counts: T, slots: n * T, slotOf: V, emb: 0 }
    : { ...rows, table: 0, characters: 0, counts: 0, slots: 0, slotOf: 0, emb: n * T * E };
}

function trainingSizes(config: ModelConfig, n: number) {
  const { hidden: H, vocabulary: V } = config;
  const sizes = activationSizes(config, n);
  return { ...sizes, bnvar_inv: H, bnraw: n * H, dlogits: n * V, dh: n * H, dhprebn: n * H, demb: sizes.emb };
}

/** What a model is to do. */
export interface Work {
  /** The batch size to train with, if it is to be trained. */
  training?: number;
  /** How many tensors of the size of all parameters the optimizer keeps: see OPTIMIZER_TENSORS. Default 0. */
  optimizerTensors?: number;
  /** The sizes of the other activations, of evaluation and sampling. */
  inference?: number[];
}

/** What a model takes in a backend's arena. */
export function arenaSize(config: ModelConfig, { training, optimizerTensors = 0, inference = [] }: Work): ArenaSize {
  const { context: T, embedding: E, hidden: H, vocabulary: V } = config;
  const sizes = [
    ...[parameterCount(config), parameterCount(config), H, H],
    ...(training === undefined ? [] : Object.values(trainingSizes(config, training))),
    ...Array<number>(optimizerTensors).fill(parameterCount(config)),
    ...inference.flatMap((n) => Object.values(activationSizes(config, n))),
  ];
  const D = Math.min(Math.max(training ?? 0, ...inference), V);
  return {
    arrays: sizes.length,
    entries: sizes.reduce((sum, size) => sum + size, 0),
    // W1 or W2 transposed, beside W1 the rows of the table's characters with their gradients; 16 columns of a batch
    workspace: Math.max((H + 16) * V, (T * E + 16) * H + D * (2 * E + 3) + 3, 16 * (training ?? 0)),
  };
}

/** Bytes of float32 and indices in an arena. */
export function arenaBytes({ entries, workspace }: ArenaSize): number {
  return 4 * (entries + workspace);
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

/** Standard deviations of the lesson's initialisation. Its means are 0, but for bngain's, which is 1. */
export function initialScales({ context: T, embedding: E }: ModelConfig): Record<ParameterName, number> {
  return { C: 1, W1: 5 / 3 / Math.sqrt(T * E), b1: 0.1, bngain: 0.1, bnbias: 0.1, W2: 0.1, b2: 0.1 };
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
  const scales = initialScales(config);
  fill(C, scales.C);
  fill(W1, scales.W1);
  fill(b1, scales.b1);
  fill(W2, scales.W2);
  fill(b2, scales.b2);
  fill(bngain, scales.bngain, 1);
  fill(bnbias, scales.bnbias);
}

export function createActivations({ backend, config }: Model, n: number): Activations {
  const { vocabulary: V } = config;
  const sizes = activationSizes(config, n);
  const groups = (): CharacterGroups => ({
    characters: backend.ints(sizes.characters),
    counts: backend.ints(sizes.counts),
    slots: backend.ints(sizes.slots),
    slotOf: backend.ints(V),
  });
  return {
    n,
    Xb: backend.ints(sizes.Xb),
    Yb: backend.ints(n),
    input: usesTable(config, n) ? { table: backend.floats(sizes.table), groups: groups() } : { emb: backend.floats(sizes.emb) },
    hprebn: backend.floats(sizes.hprebn),
    h: backend.floats(sizes.h),
    logits: backend.floats(sizes.logits),
    probs: backend.floats(sizes.probs),
    losses: backend.floats(n),
  };
}

/** @param n the batch size, at least 2: the variance of one example does not exist */
export function createTrainingActivations(model: Model, n: number): TrainingActivations {
  const { backend, config } = model;
  const sizes = trainingSizes(config, n);
  return {
    ...createActivations(model, n),
    bnvar_inv: backend.floats(sizes.bnvar_inv),
    bnraw: backend.floats(sizes.bnraw),
    dlogits: backend.floats(sizes.dlogits),
    dh: backend.floats(sizes.dh),
    dhprebn: backend.floats(sizes.dhprebn),
    demb: backend.floats(sizes.demb),
  };
}

/** The forward pass on the batch Xb, Yb in the activations, with the batch's own statistics. Returns the mean loss. */
export function forward(model: Model, a: TrainingActivations): number {
  const { backend, config, parameters } = model;
  const { hidden: H, vocabulary: V } = config;
  const { bngain, bnbias, W2, b2 } = parameters;
  const { n } = a;
  inferHidden(model, a, n);
  backend.batchNormTanhForward(a.h, a.bnraw, a.bnvar_inv, a.hprebn, bngain, bnbias, n, H);
  backend.linearForward(a.logits, a.h, W2, b2, n, H, V);
  backend.crossEntropyForward(a.losses, a.probs, a.logits, a.Yb, n, V);
  return sumOf(a.losses, n) / n;
}

/** The backward pass of the last {@link forward}: fills the model's gradients and those of the activations. */
export function backward({ backend, config, parameters, gradients }: Model, a: TrainingActivations): void {
  const { context: T, embedding: E, hidden: H, vocabulary: V } = config;
  const { C, W1, bngain, W2 } = parameters;
  const { C: dC, W1: dW1, b1: db1, bngain: dbngain, bnbias: dbnbias, W2: dW2, b2: db2 } = gradients;
  const { n, input } = a;
  backend.crossEntropyBackward(a.dlogits, a.probs, a.Yb, n, V);
  backend.linearBackward(a.dh, dW2, db2, a.dlogits, a.h, W2, n, H, V);
  backend.batchNormTanhBackward(a.dhprebn, dbngain, dbnbias, a.dh, a.h, a.bnraw, a.bnvar_inv, bngain, n, H);
  if ('table' in input) {
    backend.embeddingTableBackward(dC, dW1, db1, input.table, a.dhprebn, C, W1, input.groups, n, T, E, H, V, Math.min(n, V));
  } else {
    backend.linearBackward(a.demb, dW1, db1, a.dhprebn, input.emb, W1, n, T * E, H);
    backend.embeddingBackward(dC, a.demb, a.Xb, n * T, E, V);
  }
}

/** hprebn of the first n contexts in the activations. */
export function inferHidden({ backend, config, parameters }: Model, a: Activations, n: number): void {
  const { context: T, embedding: E, hidden: H, vocabulary: V } = config;
  const { C, W1, b1 } = parameters;
  const { input } = a;
  if ('table' in input) {
    const D = Math.min(a.n, V);
    groupCharacters(input.groups, a.Xb, n, T, D);
    backend.embeddingTableForward(a.hprebn, input.table, C, W1, b1, input.groups, n, T, E, H, D);
  } else {
    backend.embeddingForward(input.emb, C, a.Xb, n * T, E);
    backend.linearForward(a.hprebn, input.emb, W1, b1, n, T * E, H);
  }
}

/** Logits of the first n contexts in the activations, with the calibrated statistics: no example touches another. */
export function infer(model: Model, a: Activations, n: number): void {
  const { backend, config, parameters, bnmean, bnvar } = model;
  const { hidden: H, vocabulary: V } = config;
  inferHidden(model, a, n);
  backend.batchNormTanhInference(a.h, a.hprebn, bnmean, bnvar, parameters.bngain, parameters.bnbias, n, H);
  backend.linearForward(a.logits, a.h, parameters.W2, parameters.b2, n, H, V);
}

/** The sum of the first n entries. */
export function sumOf(values: FloatArray, n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += values[i];
  return sum;
}
