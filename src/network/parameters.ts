/** The sizes of a network, and the names, order and shapes of its parameters. */
import { type FloatArray, type Shape, sizeOf } from '../core/tensor.js';

/** Batch norm and tanh do not train through more blocks; the limit also keeps a damaged file from requesting too much memory. */
export const MAX_BLOCKS = 16;

/** What a block does between linear and tanh: batch norm, or nothing. */
export type Norm = 'batch' | 'none';
export const NORMS: readonly Norm[] = ['batch', 'none'];

/**
 * The sizes of a network. The lesson's network is embedding, linear, batch norm, tanh, linear, cross-entropy; a deeper one repeats the
 * block of linear, batch norm and tanh. Without batch norm a block is linear and tanh: hpreact is hprebn.
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
  /** Default: batch. */
  norm?: Norm | undefined;
}

/** The parameters of the lesson's network, in the order of memory and files. */
export const LESSON_PARAMETER_NAMES = ['C', 'W1', 'b1', 'bngain', 'bnbias', 'W2', 'b2'] as const;
export type LessonParameterName = (typeof LESSON_PARAMETER_NAMES)[number];

/** The parameters of a block without batch norm: weights W [I,H] and bias b [H]. */
export type LinearParameter = 'W' | 'b';
/** The parameters of a block with batch norm, which adds its gain and bias [1,H]. */
export type BlockParameter = LinearParameter | 'bngain' | 'bnbias';
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

/** Whether the blocks have batch norm. */
export function hasBatchNorm({ norm = 'batch' }: Pick<ModelConfig, 'norm'>): boolean {
  return norm === 'batch';
}

/** All parameters in the order of memory and files: C, the parameters of each block, W2, b2. */
export function parameterNames(config: Pick<ModelConfig, 'hidden' | 'norm'>): ParameterName[] {
  const ofBlock = hasBatchNorm(config) ? BLOCK_PARAMETERS : (['W', 'b'] as const);
  return ['C', ...config.hidden.flatMap((_, k) => ofBlock.map((tensor) => blockName(k + 1, tensor))), 'W2', 'b2'];
}

/** Whether the parameter is the weight matrix of a linear layer: W1, W2, blocks.K.W. */
export function isWeightMatrix(name: string): boolean {
  return /^(W1|W2|blocks\.\d+\.W)$/.test(name);
}

/** Whether the parameter is the embedding table or a weight matrix, and not a bias or a gain. */
export function isMatrix(name: string): boolean {
  return name === 'C' || isWeightMatrix(name);
}

/** Whether any network has a parameter with this name. */
export function isParameterName(name: string): name is ParameterName {
  if ((LESSON_PARAMETER_NAMES as readonly string[]).includes(name)) return true;
  const [, K, tensor] = /^blocks\.([1-9]\d*)\.(\w+)$/.exec(name) ?? [];
  return Number(K) >= 2 && Number(K) <= MAX_BLOCKS && (BLOCK_PARAMETERS as readonly string[]).includes(tensor);
}

/** Mean and variance of each block, block by block; none without batch norm. */
export function statisticNames(config: Pick<ModelConfig, 'hidden' | 'norm'>): StatisticName[] {
  return hasBatchNorm(config) ? config.hidden.flatMap((_, k) => [blockName(k + 1, 'bnmean'), blockName(k + 1, 'bnvar')]) : [];
}

/** I and H of each block. */
export function blockSizes({ context: T, embedding: E, hidden }: ModelConfig): { I: number; H: number }[] {
  return hidden.map((H, k) => ({ I: k === 0 ? T * E : hidden[k - 1], H }));
}

/** The lesson's shapes, in the order of {@link parameterNames}: gain and bias of batch norm are rows [1,H], other biases are vectors. */
export function parameterShapes(config: ModelConfig): Record<ParameterName, Shape> {
  const { embedding: E, hidden, vocabulary: V } = config;
  const ofNorm = (H: number) =>
    hasBatchNorm(config)
      ? [
          [1, H],
          [1, H],
        ]
      : [];
  const ofBlocks = blockSizes(config).flatMap(({ I, H }) => [[I, H], [H], ...ofNorm(H)]);
  const shapes: Shape[] = [[V, E], ...ofBlocks, [hidden[hidden.length - 1], V], [V]];
  return byName(parameterNames(config), shapes);
}

/** The shapes of the statistics, in the order of {@link statisticNames}. */
export function statisticShapes(config: ModelConfig): Record<StatisticName, Shape> {
  const units = config.hidden.flatMap((H) => [H, H]);
  const names = statisticNames(config);
  return byName(
    names,
    names.map((_, i): Shape => [1, units[i]]),
  );
}

/** An object with these names and values, in this order. */
export function byName<Name extends string, T>(names: readonly Name[], values: readonly T[]): Record<Name, T> {
  return Object.fromEntries(names.map((name, i) => [name, values[i]])) as Record<Name, T>;
}

/** P: the total number of parameters. */
export function parameterCount(config: ModelConfig): number {
  return Object.values(parameterShapes(config)).reduce((sum, shape) => sum + sizeOf(shape), 0);
}

/** The lesson's factors of an initialisation: the gain of the hidden weights, which is Kaiming's for tanh, and the scale of W2. */
export const LESSON_SCALES = { initGain: 5 / 3, initOutput: 0.1 } as const;

/** The factors of an initialisation; each is by default the lesson's. */
export interface InitialScales {
  /** The weights of the blocks are drawn from N(0,1)·initGain/sqrt(I). */
  initGain?: number;
  /** W2 is drawn from N(0,1)·initOutput. */
  initOutput?: number;
}

/** The standard deviation of each parameter in an initialisation. Gains of batch norm have mean 1, all others mean 0. */
export function initialScales(config: ModelConfig, scales: InitialScales = {}): Record<ParameterName, number> {
  const { initGain, initOutput } = { ...LESSON_SCALES, ...scales };
  const ofNorm = hasBatchNorm(config) ? [0.1, 0.1] : [];
  const ofBlocks = blockSizes(config).flatMap(({ I }) => [initGain / Math.sqrt(I), 0.1, ...ofNorm]);
  return byName(parameterNames(config), [1, ...ofBlocks, initOutput, 0.1]);
}
