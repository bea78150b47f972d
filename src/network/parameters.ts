/** The sizes of a network, and the names, order and shapes of its parameters. */
import { type FloatArray, type Shape, sizeOf } from '../core/tensor.js';

/** Batch norm and tanh do not train through more blocks; the limit also keeps a damaged file from requesting too much memory. */
export const MAX_BLOCKS = 16;

/**
 * The sizes of a network. The lesson's network is embedding, linear, batch norm, tanh, linear, cross-entropy; a deeper one repeats the
 * block of linear, batch norm and tanh.
 *
 * Letters, here and everywhere: n batch size, T context length, E embedding width, V vocabulary size; I inputs and H units of a block.
 * The first block has I = T·E, every other one the H of the block below.
 */
export interface ModelConfig {
  /** T: the number of characters from which the next one is predicted. */
  context: number;
  /** E: numbers per character. */
  embedding: number;
  /** H: the units of each block, 1 to {@link MAX_BLOCKS} blocks from the embedding up. */
  hidden: readonly number[];
  /** V: distinct characters, including the boundary. */
  vocabulary: number;
}

/** The parameters of the lesson's network, in the order of memory and files. */
export const LESSON_PARAMETER_NAMES = ['C', 'W1', 'b1', 'bngain', 'bnbias', 'W2', 'b2'] as const;
export type LessonParameterName = (typeof LESSON_PARAMETER_NAMES)[number];

/** The parameters of a block: weights W [I,H], bias b [H], gain and bias of batch norm [1,H]. */
export type BlockParameter = 'W' | 'b' | 'bngain' | 'bnbias';
export const BLOCK_PARAMETERS: readonly BlockParameter[] = ['W', 'b', 'bngain', 'bnbias'];
/** The calibrated statistics of a block: mean and unbiased variance of hprebn, [1,H] each. */
export type BlockStatistic = 'bnmean' | 'bnvar';

/** The lesson's names for the first block and the output; blocks.K.W, blocks.K.b, blocks.K.bngain and blocks.K.bnbias for block K >= 2. */
export type ParameterName = LessonParameterName | `blocks.${number}.${BlockParameter}`;
/** An array per parameter; {@link parameterShapes} gives the shapes. */
export type ParameterArrays = Readonly<Record<ParameterName, FloatArray>>;
/** The lesson's names for the first block; blocks.K.bnmean and blocks.K.bnvar for block K >= 2. */
export type StatisticName = BlockStatistic | `blocks.${number}.${BlockStatistic}`;
/** An array [1,H] per statistic. */
export type StatisticArrays = Readonly<Record<StatisticName, FloatArray>>;

/** The name of a tensor of block K, counted from 1: the lesson's name in the first block (W1, b1, bngain, h), then blocks.K.W, blocks.K.b. */
export function blockName(K: number, tensor: BlockParameter): ParameterName;
export function blockName(K: number, tensor: BlockStatistic): StatisticName;
export function blockName(K: number, tensor: string): string;
export function blockName(K: number, tensor: string): string {
  if (K > 1) return `blocks.${K}.${tensor}`;
  return tensor === 'W' || tensor === 'b' ? `${tensor}1` : tensor;
}

/** All parameters in the order of memory and files: C, the parameters of each block, W2, b2. */
export function parameterNames({ hidden }: Pick<ModelConfig, 'hidden'>): ParameterName[] {
  return ['C', ...hidden.flatMap((_, k) => BLOCK_PARAMETERS.map((tensor) => blockName(k + 1, tensor))), 'W2', 'b2'];
}

/** Whether any network has a parameter with this name. */
export function isParameterName(name: string): name is ParameterName {
  if ((LESSON_PARAMETER_NAMES as readonly string[]).includes(name)) return true;
  const [, K, tensor] = /^blocks\.([1-9]\d*)\.(\w+)$/.exec(name) ?? [];
  return Number(K) >= 2 && Number(K) <= MAX_BLOCKS && (BLOCK_PARAMETERS as readonly string[]).includes(tensor);
}

/** Mean and variance of each block, block by block. */
export function statisticNames({ hidden }: Pick<ModelConfig, 'hidden'>): StatisticName[] {
  return hidden.flatMap((_, k) => [blockName(k + 1, 'bnmean'), blockName(k + 1, 'bnvar')]);
}

/** I and H of each block. */
export function blockSizes({ context: T, embedding: E, hidden }: ModelConfig): { I: number; H: number }[] {
  return hidden.map((H, k) => ({ I: k === 0 ? T * E : hidden[k - 1], H }));
}

/** The lesson's shapes, in the order of {@link parameterNames}: gain and bias of batch norm are rows [1,H], other biases are vectors. */
export function parameterShapes(config: ModelConfig): Record<ParameterName, Shape> {
  const { embedding: E, hidden, vocabulary: V } = config;
  const ofBlocks = blockSizes(config).flatMap(({ I, H }) => [[I, H], [H], [1, H], [1, H]]);
  const shapes: Shape[] = [[V, E], ...ofBlocks, [hidden[hidden.length - 1], V], [V]];
  return byName(parameterNames(config), shapes);
}

/** The shapes of the statistics, in the order of {@link statisticNames}. */
export function statisticShapes(config: ModelConfig): Record<StatisticName, Shape> {
  const shapes = config.hidden.flatMap((H): Shape[] => [
    [1, H],
    [1, H],
  ]);
  return byName(statisticNames(config), shapes);
}

/** An object with these names and values, in this order. */
export function byName<Name extends string, T>(names: readonly Name[], values: readonly T[]): Record<Name, T> {
  return Object.fromEntries(names.map((name, i) => [name, values[i]])) as Record<Name, T>;
}

/** P: the total number of parameters. */
export function parameterCount(config: ModelConfig): number {
  return Object.values(parameterShapes(config)).reduce((sum, shape) => sum + sizeOf(shape), 0);
}

/** The standard deviation of each parameter in the lesson's initialisation. Gains have mean 1, all others mean 0. */
export function initialScales(config: ModelConfig): Record<ParameterName, number> {
  const ofBlocks = blockSizes(config).flatMap(({ I }) => [5 / 3 / Math.sqrt(I), 0.1, 0.1, 0.1]);
  return byName(parameterNames(config), [1, ...ofBlocks, 0.1, 0.1]);
}
