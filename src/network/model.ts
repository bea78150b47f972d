import type { ArenaSize, Backend } from '../backend/backend.js';
import { normal, randomStream } from '../core/random.js';
import { type FloatArray, sizeOf } from '../core/tensor.js';
import { type CharacterGroups, groupCharacters } from '../layers/embeddingTable.js';
import {
  BLOCK_PARAMETERS,
  type BlockParameter,
  blockName,
  blockSizes,
  byName,
  initialScales,
  type LessonParameterName,
  type ModelConfig,
  type ParameterArrays,
  parameterCount,
  parameterNames,
  parameterShapes,
  type StatisticArrays,
  statisticNames,
} from './parameters.js';

/** A block's arrays: views of the model's. */
export interface Block {
  readonly I: number;
  readonly H: number;
  readonly parameters: Readonly<Record<BlockParameter, FloatArray>>;
  readonly gradients: Readonly<Record<BlockParameter, FloatArray>>;
  /** Mean and unbiased variance [H] of hprebn over the whole training part, once it is calibrated. */
  readonly bnmean: FloatArray;
  readonly bnvar: FloatArray;
}

export interface Model {
  readonly config: ModelConfig;
  readonly backend: Backend;
  /** All parameters in one block of memory, in the order of {@link parameterNames}, and the same by name. */
  readonly flatParameters: FloatArray;
  readonly parameters: ParameterArrays;
  /** The gradients, laid out alike. */
  readonly flatGradients: FloatArray;
  readonly gradients: ParameterArrays;
  /** The statistics of every block, by name. */
  readonly statistics: StatisticArrays;
  readonly blocks: readonly Block[];
}

/** What inference computes in a block for up to n examples; named and shaped as in the lesson. */
export interface BlockActivations {
  readonly hprebn: FloatArray;
  readonly h: FloatArray;
}

/** What inference computes for up to n examples. */
export interface Activations {
  readonly n: number;
  readonly Xb: Int32Array;
  readonly Yb: Int32Array;
  /** How the first layer is computed: from rows of C for each example, or from a table of the different characters. */
  readonly input: { emb: FloatArray } | { table: FloatArray; groups: CharacterGroups };
  readonly blocks: readonly BlockActivations[];
  readonly logits: FloatArray;
  readonly probs: FloatArray;
  readonly losses: FloatArray;
}

/** What training needs of a block besides: the batch's statistics and the gradients. */
export interface TrainingBlockActivations extends BlockActivations {
  readonly bnvar_inv: FloatArray;
  readonly bnraw: FloatArray;
  readonly dh: FloatArray;
  readonly dhprebn: FloatArray;
}

export interface TrainingActivations extends Activations {
  readonly blocks: readonly TrainingBlockActivations[];
  readonly dlogits: FloatArray;
  /** Only where `input` has no table. */
  readonly demb: FloatArray;
}

/** Whether batches of n look their first layer up in a table: not if most of them could consist of different characters. */
function usesTable({ vocabulary: V }: ModelConfig, n: number): boolean {
  return V <= 2 * n;
}

/** Entries of each array of {@link Activations}, but for the blocks'. */
function activationSizes(config: ModelConfig, n: number) {
  const { context: T, embedding: E, hidden, vocabulary: V } = config;
  const D = Math.min(n, V);
  const rows = { Xb: n * T, Yb: n, logits: n * V, probs: n * V, losses: n };
  return usesTable(config, n)
    ? { ...rows, table: T * D * hidden[0], characters: T * D, counts: T, slots: n * T, slotOf: V, emb: 0 }
    : { ...rows, table: 0, characters: 0, counts: 0, slots: 0, slotOf: 0, emb: n * T * E };
}

/** Entries of all arrays of {@link Activations}. */
function inferenceEntries(config: ModelConfig, n: number): number[] {
  return [...Object.values(activationSizes(config, n)), ...config.hidden.flatMap((H) => [n * H, n * H])];
}

/** Entries of the arrays that {@link TrainingActivations} have besides. */
function trainingEntries(config: ModelConfig, n: number): number[] {
  const ofBlocks = config.hidden.flatMap((H) => [H, n * H, n * H, n * H]);
  return [...ofBlocks, n * config.vocabulary, activationSizes(config, n).emb];
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
  const { embedding: E, hidden, vocabulary: V } = config;
  const sizes = [
    ...[parameterCount(config), parameterCount(config)],
    ...hidden.flatMap((H) => [H, H]),
    ...(training === undefined ? [] : [...inferenceEntries(config, training), ...trainingEntries(config, training)]),
    ...Array<number>(optimizerTensors).fill(parameterCount(config)),
    ...inference.flatMap((n) => inferenceEntries(config, n)),
  ];
  const D = Math.min(Math.max(training ?? 0, ...inference), V);
  // Weights transposed, and 16 columns of a batch; beside W1 the rows of the table's characters with their gradients
  const products = [...blockSizes(config), { I: hidden[hidden.length - 1], H: V }].map(({ I, H }) => (I + 16) * H);
  return {
    arrays: sizes.length,
    entries: sizes.reduce((sum, size) => sum + size, 0),
    workspace: Math.max(...products, products[0] + D * (2 * E + 3) + 3, 16 * (training ?? 0)),
  };
}

/** Bytes of float32 and indices in an arena. */
export function arenaBytes({ entries, workspace }: ArenaSize): number {
  return 4 * (entries + workspace);
}

/** A model with all parameters 0, and statistics that change nothing. */
export function createModel(backend: Backend, config: ModelConfig): Model {
  const count = parameterCount(config);
  const flatParameters = backend.floats(count);
  const flatGradients = backend.floats(count);
  const parameters = parameterViews(flatParameters, config);
  const gradients = parameterViews(flatGradients, config);
  const blocks = blockSizes(config).map(({ I, H }, k) => ({
    I,
    H,
    parameters: ofBlock(k + 1, parameters),
    gradients: ofBlock(k + 1, gradients),
    bnmean: backend.floats(H),
    bnvar: backend.floats(H).fill(1),
  }));
  const ofBlocks = blocks.flatMap(({ bnmean, bnvar }) => [bnmean, bnvar]);
  const statistics = byName(statisticNames(config), ofBlocks);
  return { config, backend, flatParameters, parameters, flatGradients, gradients, statistics, blocks };
}

function parameterViews(flat: FloatArray, config: ModelConfig): ParameterArrays {
  let start = 0;
  const views = Object.values(parameterShapes(config)).map((shape) => {
    const end = start + sizeOf(shape);
    const view = flat.subarray(start, end);
    start = end;
    return view;
  });
  return byName(parameterNames(config), views);
}

function ofBlock(K: number, arrays: ParameterArrays): Block['parameters'] {
  const [W, b, bngain, bnbias] = BLOCK_PARAMETERS.map((tensor) => arrays[blockName(K, tensor)]);
  return { W, b, bngain, bnbias };
}

/**
 * The lesson's initialisation: C ~ N(0,1); weights of blocks ~ N(0,1)·(5/3)/sqrt(I), the Kaiming gain for tanh; W2 and the biases
 * small but not 0, and the batch norm's gain off 1, because special values hide mistakes in the backward pass.
 * The lesson's parameters are drawn first, so that they are the same whatever stands above the first block (but for W2's size).
 */
export function initialise({ config, parameters }: Model, seed: number | string): void {
  const random = randomStream('initialisation', seed);
  const scales = initialScales(config);
  const above = parameterNames(config).filter((name) => name.startsWith('blocks.'));
  for (const name of [...LESSON_ORDER, ...above]) {
    const out = parameters[name];
    const shift = name.endsWith('bngain') ? 1 : 0;
    for (let i = 0; i < out.length; i++) out[i] = normal(random) * scales[name] + shift;
  }
}

/** The order in which the lesson draws its parameters. */
const LESSON_ORDER: readonly LessonParameterName[] = ['C', 'W1', 'b1', 'W2', 'b2', 'bngain', 'bnbias'];

export function createActivations({ backend, config }: Model, n: number): Activations {
  const { hidden, vocabulary: V } = config;
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
    blocks: hidden.map((H) => ({ hprebn: backend.floats(n * H), h: backend.floats(n * H) })),
    logits: backend.floats(sizes.logits),
    probs: backend.floats(sizes.probs),
    losses: backend.floats(n),
  };
}

/** @param n the batch size, at least 2: the variance of one example does not exist */
export function createTrainingActivations(model: Model, n: number): TrainingActivations {
  const { backend, config } = model;
  const inference = createActivations(model, n);
  const blocks = inference.blocks.map((block, k) => {
    const H = config.hidden[k];
    const [bnraw, dh, dhprebn] = [backend.floats(n * H), backend.floats(n * H), backend.floats(n * H)];
    return { ...block, bnvar_inv: backend.floats(H), bnraw, dh, dhprebn };
  });
  return {
    ...inference,
    blocks,
    dlogits: backend.floats(n * config.vocabulary),
    demb: backend.floats(activationSizes(config, n).emb),
  };
}

/** The forward pass on the batch Xb, Yb in the activations, with the batch's own statistics. Returns the mean loss. */
export function forward(model: Model, a: TrainingActivations): number {
  const { backend, config, blocks } = model;
  const { n } = a;
  for (let k = 0; k < blocks.length; k++) {
    const { H, parameters } = blocks[k];
    const { h, bnraw, bnvar_inv, hprebn } = a.blocks[k];
    inferLinear(model, a, n, k);
    backend.batchNormTanhForward(h, bnraw, bnvar_inv, hprebn, parameters.bngain, parameters.bnbias, n, H);
  }
  inferLogits(model, a, n);
  backend.crossEntropyForward(a.losses, a.probs, a.logits, a.Yb, n, config.vocabulary);
  return sumOf(a.losses, n) / n;
}

/** The backward pass of the last {@link forward}: fills the model's gradients and those of the activations. */
export function backward(model: Model, a: TrainingActivations): void {
  const { backend, config, blocks, parameters, gradients } = model;
  const { vocabulary: V } = config;
  const { n } = a;
  const last = blocks.length - 1;
  backend.crossEntropyBackward(a.dlogits, a.probs, a.Yb, n, V);
  backend.linearBackward(a.blocks[last].dh, gradients.W2, gradients.b2, a.dlogits, a.blocks[last].h, parameters.W2, n, blocks[last].H, V);
  for (let k = last; k >= 0; k--) {
    const { I, H, parameters: p, gradients: d } = blocks[k];
    const { dhprebn, dh, h, bnraw, bnvar_inv } = a.blocks[k];
    backend.batchNormTanhBackward(dhprebn, d.bngain, d.bnbias, dh, h, bnraw, bnvar_inv, p.bngain, n, H);
    if (k > 0) backend.linearBackward(a.blocks[k - 1].dh, d.W, d.b, dhprebn, a.blocks[k - 1].h, p.W, n, I, H);
  }
  inputBackward(model, a);
}

/** dC, dW1 and db1 from the first block's dhprebn. */
function inputBackward({ backend, config, parameters, gradients }: Model, a: TrainingActivations): void {
  const { context: T, embedding: E, hidden, vocabulary: V } = config;
  const H = hidden[0];
  const { C, W1 } = parameters;
  const { C: dC, W1: dW1, b1: db1 } = gradients;
  const { n, input } = a;
  const { dhprebn } = a.blocks[0];
  if ('table' in input) {
    backend.embeddingTableBackward(dC, dW1, db1, input.table, dhprebn, C, W1, input.groups, n, T, E, H, V, Math.min(n, V));
  } else {
    backend.linearBackward(a.demb, dW1, db1, dhprebn, input.emb, W1, n, T * E, H);
    backend.embeddingBackward(dC, a.demb, a.Xb, n * T, E, V);
  }
}

/**
 * The linear layer of the block k, from 0, for the first n contexts in the activations: hprebn, from their characters in the first
 * block, and from h of the block below in the others.
 */
export function inferLinear({ backend, blocks, config, parameters }: Model, a: Activations, n: number, k: number): void {
  const { I, H } = blocks[k];
  const { W, b } = blocks[k].parameters;
  const { hprebn } = a.blocks[k];
  const { context: T, embedding: E, vocabulary: V } = config;
  const { input } = a;
  if (k > 0) {
    backend.linearForward(hprebn, a.blocks[k - 1].h, W, b, n, I, H);
  } else if ('table' in input) {
    const D = Math.min(a.n, V);
    groupCharacters(input.groups, a.Xb, n, T, D);
    backend.embeddingTableForward(hprebn, input.table, parameters.C, W, b, input.groups, n, T, E, H, D);
  } else {
    backend.embeddingForward(input.emb, parameters.C, a.Xb, n * T, E);
    backend.linearForward(hprebn, input.emb, W, b, n, I, H);
  }
}

/** The block k with its calibrated statistics: hprebn and h of the first n contexts; needs h of the block below. */
export function inferBlock(model: Model, a: Activations, n: number, k: number): void {
  const { H, parameters, bnmean, bnvar } = model.blocks[k];
  const { h, hprebn } = a.blocks[k];
  inferLinear(model, a, n, k);
  model.backend.batchNormTanhInference(h, hprebn, bnmean, bnvar, parameters.bngain, parameters.bnbias, n, H);
}

/** Logits of the first n contexts in the activations, with the calibrated statistics: no example touches another. */
export function infer(model: Model, a: Activations, n: number): void {
  for (let k = 0; k < model.blocks.length; k++) inferBlock(model, a, n, k);
  inferLogits(model, a, n);
}

/** logits from h of the last block. */
function inferLogits({ backend, config, parameters }: Model, a: Activations, n: number): void {
  const { hidden, vocabulary: V } = config;
  const last = hidden.length - 1;
  backend.linearForward(a.logits, a.blocks[last].h, parameters.W2, parameters.b2, n, hidden[last], V);
}

/** The sum of the first n entries. */
export function sumOf(values: FloatArray, n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += values[i];
  return sum;
}
