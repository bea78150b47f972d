/** What a network consists of: its sizes, and the names, order and shapes of its parameters. */
import { type FloatArray, type Shape, sizeOf } from '../core/tensor.js';

/** Batch norm and tanh do not train through more blocks; the limit also keeps a damaged file from asking for much memory. */
export const MAX_BLOCKS = 16;

/**
 * The lesson's network: embedding, linear, batch norm, tanh, linear, cross-entropy; or, deeper, the block of linear, batch norm and
 * tanh several times, each on the one below.
 *
 * Letters, here and everywhere: n batch, T context length, E embedding width, V vocabulary; of a block, I inputs and H units.
 * Of the first block I = T·E, of the others it is the H of the block below.
 */
export interface ModelConfig {
  /** T: how many characters the next one is predicted from. */
  context: number;
  /** E: numbers per character. */
  embedding: number;
  /** H: the units of each block, from the first on; of one block at least, and of {@link MAX_BLOCKS} at most. */
  hidden: readonly number[];
  /** V: characters, the boundary included. */
  vocabulary: number;
}

export const LESSON_PARAMETER_NAMES = ['C', 'W1', 'b1', 'bngain', 'bnbias', 'W2', 'b2'] as const;
export type LessonParameterName = (typeof LESSON_PARAMETER_NAMES)[number];

export const BLOCK_PARAMETERS = ['W', 'b', 'bngain', 'bnbias'] as const;
export type BlockParameter = (typeof BLOCK_PARAMETERS)[number];
type BlockStatistic = 'bnmean' | 'bnvar';

/** The lesson's, and from the second block on blocks.K.W, blocks.K.b, blocks.K.bngain, blocks.K.bnbias. */
export type ParameterName = LessonParameterName | `blocks.${number}.${BlockParameter}`;
export type ParameterArrays = Readonly<Record<ParameterName, FloatArray>>;
export type StatisticName = BlockStatistic | `blocks.${number}.${BlockStatistic}`;
export type StatisticArrays = Readonly<Record<StatisticName, FloatArray>>;

/** What a tensor of the K-th block is called, K from 1: in the first as in the lesson (W1, b1, bngain, h, …), then blocks.K.W and so on. */
export function blockName(K: number, tensor: BlockParameter): ParameterName;
export function blockName(K: number, tensor: BlockStatistic): StatisticName;
export function blockName(K: number, tensor: string): string;
export function blockName(K: number, tensor: string): string {
  if (K > 1) return `blocks.${K}.${tensor}`;
  return tensor === 'W' || tensor === 'b' ? `${tensor}1` : tensor;
}

/** All parameters in the order in which they lie in memory and in files: C, the blocks', W2, b2. */
export function parameterNames({ hidden }: Pick<ModelConfig, 'hidden'>): ParameterName[] {
  return ['C', ...hidden.flatMap((_, k) => BLOCK_PARAMETERS.map((tensor) => blockName(k + 1, tensor))), 'W2', 'b2'];
}

/** What a parameter may be called: those of some configuration. */
export function isParameterName(name: string): name is ParameterName {
  if ((LESSON_PARAMETER_NAMES as readonly string[]).includes(name)) return true;
  const [, K, tensor] = /^blocks\.([1-9]\d*)\.(\w+)$/.exec(name) ?? [];
  return Number(K) >= 2 && Number(K) <= MAX_BLOCKS && (BLOCK_PARAMETERS as readonly string[]).includes(tensor);
}

/** Block by block, the mean and then the variance. */
export function statisticNames({ hidden }: Pick<ModelConfig, 'hidden'>): StatisticName[] {
  return hidden.flatMap((_, k) => [blockName(k + 1, 'bnmean'), blockName(k + 1, 'bnvar')]);
}

/** I and H of each block. */
export function blockSizes({ context: T, embedding: E, hidden }: ModelConfig): { I: number; H: number }[] {
  return hidden.map((H, k) => ({ I: k === 0 ? T * E : hidden[k - 1], H }));
}

/** Shapes as the lesson has them, in the order of {@link parameterNames}: the batch norm's are rows [1,H], biases are vectors. */
export function parameterShapes(config: ModelConfig): Record<ParameterName, Shape> {
  const { embedding: E, hidden, vocabulary: V } = config;
  const ofBlocks = blockSizes(config).flatMap(({ I, H }) => [[I, H], [H], [1, H], [1, H]]);
  const shapes: Shape[] = [[V, E], ...ofBlocks, [hidden[hidden.length - 1], V], [V]];
  return byName(parameterNames(config), shapes);
}

/** In the order of {@link statisticNames}. */
export function statisticShapes(config: ModelConfig): Record<StatisticName, Shape> {
  const shapes = config.hidden.flatMap((H): Shape[] => [
    [1, H],
    [1, H],
  ]);
  return byName(statisticNames(config), shapes);
}

export function byName<Name extends string, T>(names: readonly Name[], values: readonly T[]): Record<Name, T> {
  return Object.fromEntries(names.map((name, i) => [name, values[i]])) as Record<Name, T>;
}

export function parameterCount(config: ModelConfig): number {
  return Object.values(parameterShapes(config)).reduce((sum, shape) => sum + sizeOf(shape), 0);
}

/** Standard deviations of the lesson's initialisation. Its means are 0, but for those of gains, which are 1. */
export function initialScales(config: ModelConfig): Record<ParameterName, number> {
  const ofBlocks = blockSizes(config).flatMap(({ I }) => [5 / 3 / Math.sqrt(I), 0.1, 0.1, 0.1]);
  return byName(parameterNames(config), [1, ...ofBlocks, 0.1, 0.1]);
}
