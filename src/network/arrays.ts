/**
 * The arrays of a network. Each set of arrays (model, activations, optimizer state) has one table with a row per array; the size of the
 * arena, the arrays themselves and the shapes in error messages all derive from these tables.
 */
import { type ArenaSize, type Backend, type CreateBackend, paddedSize } from '../backend/backend.js';
import { type FloatArray, type Shape, sizeOf } from '../core/tensor.js';
import type { CharacterGroups, TableSizes } from '../layers/embeddingTable.js';
import {
  type BlockParameter,
  blockName,
  blockSizes,
  byName,
  hasBatchNorm,
  type LinearParameter,
  type ModelConfig,
  type ParameterArrays,
  parameterCount,
  parameterNames,
  parameterShapes,
  type StatisticArrays,
  statisticNames,
  statisticShapes,
} from './parameters.js';

/** The arrays of a block without batch norm: views of the model's arrays. */
export interface LinearBlock {
  readonly norm: 'none';
  /** Inputs and units. */
  readonly I: number;
  readonly H: number;
  readonly parameters: Readonly<Record<LinearParameter, FloatArray>>;
  readonly gradients: Readonly<Record<LinearParameter, FloatArray>>;
}

/** The arrays of a block with batch norm. */
export interface BatchNormBlock extends Omit<LinearBlock, 'norm'> {
  readonly norm: 'batch';
  readonly parameters: Readonly<Record<BlockParameter, FloatArray>>;
  readonly gradients: Readonly<Record<BlockParameter, FloatArray>>;
  /** Mean and unbiased variance [1,H] of hprebn over the training split, once calibrated: see Evaluator.calibrate. */
  readonly bnmean: FloatArray;
  readonly bnvar: FloatArray;
}

export type Block = LinearBlock | BatchNormBlock;

/**
 * A network: its sizes, the backend that computes it, its parameters and their gradients. P is the number of all parameters.
 *
 * {@link createModel} allocates one, `initialise` draws its parameters, `forward` and `backward` compute loss and gradients.
 */
export interface Model {
  readonly config: ModelConfig;
  readonly backend: Backend;
  /** All parameters [P], contiguous, in the order of {@link parameterNames}. */
  readonly flatParameters: FloatArray;
  /** Views of {@link flatParameters}; {@link parameterShapes} gives the shapes. */
  readonly parameters: ParameterArrays;
  /** All gradients [P] of the mean loss, in the same order. */
  readonly flatGradients: FloatArray;
  /** Views of {@link flatGradients}. The gradient of W1 has the key W1. */
  readonly gradients: ParameterArrays;
  /** The calibrated batch norm statistics [1,H] of every block; none without batch norm. */
  readonly statistics: StatisticArrays;
  /** From the first block, above the embedding, to the last. */
  readonly blocks: readonly Block[];
}

/** The activations of one block in inference, for up to n contexts: matrices [n,H] of the backend. */
export interface BlockActivations {
  readonly hprebn: FloatArray;
  readonly h: FloatArray;
}

/** The input of the first block as one row of embeddings per context: emb [n,T,E]. */
export interface EmbeddingInput {
  readonly emb: FloatArray;
}

/** The input of the first block as a table [T,D,H] of products, one row per distinct character and position: a matrix of the backend. */
export interface TableInput {
  readonly table: FloatArray;
  readonly groups: CharacterGroups;
  readonly sizes: TableSizes;
}

/** The activations of inference for up to n contexts, with the lesson's names. The matrices of blocks have as many rows as were computed. */
export interface Activations {
  /** The number of contexts that the arrays have room for. */
  readonly n: number;
  /** Contexts [n,T] and targets [n]. */
  readonly Xb: Int32Array;
  readonly Yb: Int32Array;
  readonly input: EmbeddingInput | TableInput;
  readonly blocks: readonly BlockActivations[];
  /** [n,V] */
  readonly logits: FloatArray;
  readonly probs: FloatArray;
  /** [n], in nats. */
  readonly losses: FloatArray;
}

/** The activations of one block in training: also the matrices dh and dhprebn [n,H], and with batch norm bnraw [n,H] and the row bnvar_inv [1,H]. */
export interface TrainingBlockActivations extends BlockActivations {
  readonly dh: FloatArray;
  readonly dhprebn: FloatArray;
  readonly bnvar_inv?: FloatArray;
  readonly bnraw?: FloatArray;
}

/** The activations of training with batches of n examples, and the gradients of the activations. */
export interface TrainingActivations extends Activations {
  readonly input: (EmbeddingInput & { readonly demb: FloatArray }) | TableInput;
  readonly blocks: readonly TrainingBlockActivations[];
  /** [n,V] */
  readonly dlogits: FloatArray;
}

// The tables

type Kind = 'floats' | 'ints' | 'matrix';

/** One array: what it is made of, and its shape. */
class Row<Entries extends Kind> {
  readonly entries: Entries;
  readonly shape: Shape;

  constructor(entries: Entries, shape: Shape) {
    this.entries = entries;
    this.shape = shape;
  }
}

const floats = (...shape: number[]) => new Row('floats', shape);
const ints = (...shape: number[]) => new Row('ints', shape);
const matrix = (...shape: number[]) => new Row('matrix', shape);

/** Rows under their names; tables nest as the arrays do. */
type Table = Row<'floats'> | Row<'ints'> | Row<'matrix'> | readonly Table[] | { readonly [name: string]: Table };

/** The arrays of a table, under the same names. */
type Arrays<T> =
  T extends Row<'floats' | 'matrix'> ? FloatArray : T extends Row<'ints'> ? Int32Array : { readonly [Name in keyof T]: Arrays<T[Name]> };

function modelTable(config: ModelConfig) {
  const P = parameterCount(config);
  const statistics = Object.entries(statisticShapes(config)).map(([, shape]) => floats(...shape));
  return { flatParameters: floats(P), flatGradients: floats(P), statistics };
}

/**
 * The table is used if V <= 2n. With a larger vocabulary most contexts of a batch could have different characters at a position, and the
 * table would not pay off. Its rows at a position are numbered 0 to D - 1.
 */
function inputTable(config: ModelConfig, n: number) {
  const { T, E, H, V, D } = tableSizes(config, n);
  if (V > 2 * n) return { emb: floats(n, T, E) };
  const groups = { characters: ints(T, D), counts: ints(T), slots: ints(n, T), slotOf: ints(V) };
  return { table: matrix(T, D, H), groups };
}

function tableSizes({ context: T, embedding: E, hidden: [H], vocabulary: V }: ModelConfig, n: number): TableSizes {
  return { T, E, H, V, D: Math.min(n, V) };
}

function inferenceTable(config: ModelConfig, n: number) {
  const { context: T, hidden, vocabulary: V } = config;
  return {
    Xb: ints(n, T),
    Yb: ints(n),
    input: inputTable(config, n),
    blocks: hidden.map((H) => ({ hprebn: matrix(n, H), h: matrix(n, H) })),
    logits: floats(n, V),
    probs: floats(n, V),
    losses: floats(n),
  };
}

function trainingTable(config: ModelConfig, n: number) {
  const { input, blocks, ...others } = inferenceTable(config, n);
  return {
    ...others,
    input: 'emb' in input ? { ...input, demb: floats(...input.emb.shape) } : input,
    blocks: config.hidden.map((H, k) => ({
      ...blocks[k],
      ...(hasBatchNorm(config) && { bnvar_inv: floats(1, H), bnraw: matrix(n, H) }),
      dh: matrix(n, H),
      dhprebn: matrix(n, H),
    })),
    dlogits: floats(n, config.vocabulary),
  };
}

/** The optimizer state: tensors [P], laid out like the parameters. */
function optimizerTable(config: ModelConfig, names: readonly string[]): Readonly<Record<string, Row<'floats'>>> {
  return Object.fromEntries(names.map((name) => [name, floats(parameterCount(config))]));
}

// Sizes and arrays from the tables

function rowsOf(table: Table): Row<Kind>[] {
  return table instanceof Row ? [table] : Object.values(table).flatMap(rowsOf);
}

/** The rows and the columns of a matrix of this shape, whose last dimension is the columns. */
function matrixShape(shape: Shape): [rows: number, columns: number] {
  const columns = shape[shape.length - 1];
  return [sizeOf(shape) / columns, columns];
}

function allocate<T extends Table>(backend: Backend, table: T): Arrays<T> {
  const arraysOf = (part: Table): unknown => {
    if (part instanceof Row) {
      if (part.entries === 'matrix') return backend.matrix(...matrixShape(part.shape));
      return backend[part.entries](sizeOf(part.shape));
    }
    if (Array.isArray(part)) return part.map(arraysOf);
    return Object.fromEntries(Object.entries(part).map(([name, inner]) => [name, arraysOf(inner)]));
  };
  return arraysOf(table) as Arrays<T>;
}

/** The uses that a model's backend must have room for. */
export interface Capacity {
  /** The batch size of training. Default: no room for training. */
  training?: number;
  /** The names of the optimizer's tensors: see OPTIMIZER_TENSORS. Default: none. */
  optimizerTensors?: readonly string[];
  /** The batch size of each set of activations for evaluation and sampling. Default: none. */
  inference?: readonly number[];
}

/** The size of the arena that a model with this capacity needs. */
export function arenaSize(config: ModelConfig, { training, optimizerTensors = [], inference = [] }: Capacity): ArenaSize {
  const tables = [
    modelTable(config),
    ...(training === undefined ? [] : [trainingTable(config, training)]),
    optimizerTable(config, optimizerTensors),
    ...inference.map((n) => inferenceTable(config, n)),
  ];
  const rows = tables.flatMap(rowsOf);
  return {
    arrays: rows.length,
    entries: rows.reduce((sum, { entries, shape }) => sum + (entries === 'matrix' ? paddedSize(...matrixShape(shape)) : sizeOf(shape)), 0),
    ...workspaceSize(config, Math.max(training ?? 0, ...inference)),
  };
}

/** The workspace of the kernels, of which each needs at most this: see kernels/linear.ts and kernels/embeddingTable.ts. */
function workspaceSize(config: ModelConfig, n: number): Pick<ArenaSize, 'workspace' | 'workspacePerThread'> {
  const { hidden, vocabulary } = config;
  const { T, E, H, D } = tableSizes(config, n);
  // Transposed weights; for the table, the gradients of the rows of C and the transposed W1, in whole vectors.
  const weights = [...blockSizes(config), { I: hidden[hidden.length - 1], H: vocabulary }].map(({ I, H }) => I * H);
  const common = Math.max(...weights, T * (D + H) * (E + 3));
  // A cache line beside each column of the transposed weights, or rows of C.
  const workspacePerThread = Math.max(16 * Math.max(...hidden, vocabulary), D * E);
  return { workspace: common + workspacePerThread, workspacePerThread };
}

/** Bytes of an arena of 4-byte floats and indices. */
export function arenaBytes({ entries, workspace }: ArenaSize): number {
  return 4 * (entries + workspace);
}

/**
 * Creates a model on a new backend with room for exactly this capacity. All parameters are 0.
 * @throws SystemError if the backend cannot reserve the memory
 */
export function allocateModel(createBackend: CreateBackend, config: ModelConfig, capacity: Capacity): Model {
  return createModel(createBackend(arenaSize(config, capacity)), config);
}

/**
 * Creates a model on an existing backend. All parameters are 0; the statistics are mean 0 and variance 1.
 * @throws RangeError if the backend's arena is full
 */
export function createModel(backend: Backend, config: ModelConfig): Model {
  const { flatParameters, flatGradients, statistics: statisticArrays } = allocate(backend, modelTable(config));
  const parameters = parameterViews(flatParameters, config);
  const gradients = parameterViews(flatGradients, config);
  const statistics = byName(statisticNames(config), statisticArrays);
  const blocks = blockSizes(config).map(({ I, H }, k): Block => {
    const of = (arrays: ParameterArrays, tensor: BlockParameter) => arrays[blockName(k + 1, tensor)];
    const linear = (arrays: ParameterArrays) => ({ W: of(arrays, 'W'), b: of(arrays, 'b') });
    if (!hasBatchNorm(config)) return { norm: 'none', I, H, parameters: linear(parameters), gradients: linear(gradients) };
    const all = (arrays: ParameterArrays) => ({ ...linear(arrays), bngain: of(arrays, 'bngain'), bnbias: of(arrays, 'bnbias') });
    const [bnmean, bnvar] = [statistics[blockName(k + 1, 'bnmean')], statistics[blockName(k + 1, 'bnvar')]];
    return { norm: 'batch', I, H, parameters: all(parameters), gradients: all(gradients), bnmean, bnvar };
  });
  const model = { config, backend, flatParameters, parameters, flatGradients, gradients, statistics, blocks };
  clearStatistics(model);
  return model;
}

/** Sets the statistics to those of a model that is not calibrated: mean 0 and variance 1. */
export function clearStatistics({ statistics }: Pick<Model, 'statistics'>): void {
  for (const [name, array] of Object.entries(statistics)) array.fill(name.endsWith('bnvar') ? 1 : 0);
}

/** The part of a tensor [P] that belongs to each parameter. */
export function parameterViews(flat: FloatArray, config: ModelConfig): ParameterArrays {
  let start = 0;
  const views = Object.values(parameterShapes(config)).map((shape) => {
    const end = start + sizeOf(shape);
    const view = flat.subarray(start, end);
    start = end;
    return view;
  });
  return byName(parameterNames(config), views);
}

/**
 * Creates activations for up to n contexts.
 * @throws RangeError if the backend's arena is full
 */
export function createActivations({ backend, config }: Model, n: number): Activations {
  const { input, ...arrays } = allocate(backend, inferenceTable(config, n));
  return { n, ...arrays, input: 'table' in input ? { ...input, sizes: tableSizes(config, n) } : input };
}

/**
 * Creates activations to train with batches of n examples.
 * @param n at least 2: a single example has no variance
 * @throws RangeError if the backend's arena is full
 */
export function createTrainingActivations({ backend, config }: Model, n: number): TrainingActivations {
  const { input, ...arrays } = allocate(backend, trainingTable(config, n));
  return { n, ...arrays, input: 'table' in input ? { ...input, sizes: tableSizes(config, n) } : input };
}

/**
 * Creates the optimizer state before the first step: tensors [P] of zeros, laid out like the parameters.
 * @throws RangeError if the backend's arena is full
 */
export function createOptimizerTensors({ backend, config }: Model, names: readonly string[]): Readonly<Record<string, FloatArray>> {
  return allocate(backend, optimizerTable(config, names));
}

// Tensors by name, for error messages

export interface NamedTensor {
  readonly data: FloatArray;
  readonly shape: Shape;
}

/** The parameters, their gradients (W1 and dW1) and the statistics, by name. */
export function modelTensors({ config, parameters, gradients, statistics }: Model): Record<string, NamedTensor> {
  const tensors: Record<string, NamedTensor> = {};
  for (const [name, shape] of Object.entries(statisticShapes(config))) {
    tensors[name] = { data: statistics[name as keyof StatisticArrays], shape };
  }
  for (const [name, shape] of Object.entries(parameterShapes(config))) {
    tensors[name] = { data: parameters[name as keyof ParameterArrays], shape };
    tensors[`d${name}`] = { data: gradients[name as keyof ParameterArrays], shape };
  }
  return tensors;
}

/**
 * The activations of a training step and their gradients, by name: hprebn, blocks.2.hprebn, dblocks.2.hprebn, logits, dlogits. Where the
 * backend stores a matrix in its own way, `data` is a copy, made when it is read.
 */
export function activationTensors({ backend, config }: Model, a: TrainingActivations): Record<string, NamedTensor> {
  const table = trainingTable(config, a.n);
  const tensors: Record<string, NamedTensor> = {};
  table.blocks.forEach((rows, k) => {
    for (const [tensor, { entries, shape }] of Object.entries(rows)) {
      const name = tensor.startsWith('d') ? `d${blockName(k + 1, tensor.slice(1))}` : blockName(k + 1, tensor);
      const array = a.blocks[k][tensor as keyof TrainingBlockActivations] as FloatArray;
      tensors[name] = {
        shape,
        get data() {
          return entries === 'matrix' ? backend.rowsOf(array, ...matrixShape(shape)) : array;
        },
      };
    }
  });
  for (const name of ['logits', 'probs', 'losses', 'dlogits'] as const) tensors[name] = { data: a[name], shape: table[name].shape };
  return tensors;
}
