import { normal, type RandomStream, randomInteger, randomStream } from '../core/random.js';
import { type Shape, sizeOf, Tensor } from '../core/tensor.js';
import {
  BLOCK_PARAMETERS,
  blockName,
  byName,
  hasBatchNorm,
  initialScales,
  LESSON_PARAMETER_NAMES,
  type ModelConfig,
  type ParameterName,
  parameterNames,
  parameterShapes,
} from '../network/parameters.js';
import { GRADIENT_NAMES } from './exercise1.js';
import { forward, forwardLines } from './forward.js';
import { type LessonBatch, type LessonGradients, type LessonValues, valueNamed } from './values.js';

/** A network of any depth and a batch, in float64, with values that make mistakes visible to a gradient check. */
export interface NetworkCase {
  config: ModelConfig;
  /** Batch size. */
  n: number;
  parameters: Record<ParameterName, Tensor>;
  batch: LessonBatch;
  /** The tensors of the forward pass, block by block; none without batch norm. */
  blocks: readonly BlockValues[];
}

/** The tensors of one block under the lesson's names. embact is the block's input: above the first block, h of the block below. */
export type BlockValues = Pick<LessonValues, 'embact' | (typeof BLOCK_STEPS)[number]>;

/** A network of one block with every value of its forward pass. No two values share their data, so one can be changed alone. */
export interface LessonCase extends NetworkCase {
  config: LessonConfig;
  values: LessonValues;
}

/** The sizes of a network of one block. */
export interface LessonConfig extends ModelConfig {
  hidden: readonly [H: number];
}

/** The network of the lesson's exercises. */
export const LESSON_CONFIG: LessonConfig = { context: 3, embedding: 10, hidden: [64], vocabulary: 27 };
/** A network of three blocks. All sizes differ, so no wrong shape fits by chance. */
export const DEEP_CONFIG: ModelConfig = { context: 3, embedding: 10, hidden: [24, 16, 8], vocabulary: 27 };

/** The same three blocks without batch norm. */
export const PLAIN_CONFIG: ModelConfig = { ...DEEP_CONFIG, norm: 'none' };

/** Limit on redraws. About one column in twenty has too little variance, so any batch with different contexts needs far fewer. */
const MAX_ROUNDS = 100;

/** The lesson's steps from a block's input to its output. */
export const BLOCK_STEPS = ['hprebn', 'bnmeani', 'bndiff', 'bndiff2', 'bnvar', 'bnvar_inv', 'bnraw', 'hpreact', 'h'] as const;

/**
 * Draws a test case. Parameters are random as in the lesson, so they avoid values that hide mistakes (gain 1, zero weights). In the
 * batch, one character occurs twice in a context and again in another, different context.
 *
 * @param n batch size, at least 2
 * @param leastVariance columns of a block's weights are redrawn until every entry of bnvar is at least this. Float32 needs it: if two
 * rows of hprebn differ by only 0.003, dividing by the standard deviation turns their last bit into the fourth digit of bnraw. Without batch
 * norm, nothing is redrawn.
 */
export function createNetworkCase(config: ModelConfig, n: number, seed: number | string, leastVariance = 0): NetworkCase {
  const random = randomStream('grad-check', `${seed} n ${n}`);
  const batch = drawContexts(config, n, random);
  const parameters = drawParameters(config, random);
  if (!hasBatchNorm(config)) return { config, n, parameters, batch, blocks: [] };
  const emb = parameters.C.gatherRows(batch.Xb);
  let input = emb.view([n, emb.size / n]);
  const scales = initialScales(config);
  const blocks = config.hidden.map((_, k) => {
    const W = blockName(k + 1, 'W');
    let block = blockForward(parameters, k + 1, input);
    for (let round = 0; round < MAX_ROUNDS && redrawColumns(parameters[W], scales[W], block.bnvar, leastVariance, random); round++) {
      block = blockForward(parameters, k + 1, input);
    }
    input = block.h;
    return block;
  });
  return { config, n, parameters, batch, blocks };
}

/**
 * Draws a test case of the lesson's network.
 * @param n batch size, at least 2
 */
export function createLessonCase(config: LessonConfig, n: number, seed: number | string): LessonCase {
  const networkCase = createNetworkCase(config, n, seed);
  const values = forward(networkCase.parameters, networkCase.batch);
  values.embact = values.embact.clone();
  return { ...networkCase, config, values };
}

/** The lesson's forward pass in float32, on the case's parameters rounded to float32. */
export function float32Values({ parameters, batch }: NetworkCase): LessonValues {
  return forward(
    byName(
      LESSON_PARAMETER_NAMES,
      LESSON_PARAMETER_NAMES.map((name) => parameters[name].to('float32')),
    ),
    batch,
  );
}

/** The forward pass through block K, from its input. */
function blockForward(parameters: NetworkCase['parameters'], K: number, embact: Tensor): BlockValues {
  const [W1, b1, bngain, bnbias] = BLOCK_PARAMETERS.map((tensor) => parameters[blockName(K, tensor)]);
  const values = { n: embact.shape[0], embact, W1, b1, bngain, bnbias } as LessonValues;
  for (const step of BLOCK_STEPS) values[step] = forwardLines[step](values);
  return values;
}

function drawContexts({ context: T, vocabulary: V }: ModelConfig, n: number, random: RandomStream): LessonBatch {
  const Xb = Int32Array.from({ length: n * T }, () => randomInteger(random, V));
  const Yb = Int32Array.from({ length: n }, () => randomInteger(random, V));
  if (T > 1) Xb[(n - 1) * T] = Xb[0];
  // The first three contexts end differently. If two of three were equal, batch norm's backward pass would cancel almost everything.
  for (let i = 0; i < Math.min(n, 3); i++) Xb[i * T + T - 1] = (Xb[0] + i) % V;
  return { Xb: { data: Xb, shape: [n, T] }, Yb: { data: Yb, shape: [n] } };
}

function drawParameters(config: ModelConfig, random: RandomStream): NetworkCase['parameters'] {
  const shapes = parameterShapes(config);
  const scales = initialScales(config);
  const draw = (name: ParameterName) => {
    const tensor = randomTensor(shapes[name], random).mul(scales[name]);
    return name.endsWith('bngain') ? tensor.add(1) : tensor;
  };
  const names = parameterNames(config);
  return byName(names, names.map(draw));
}

/** Redraws the columns of W that give too small a variance. Returns whether there were any. */
function redrawColumns(W: Tensor, scale: number, bnvar: Tensor, leastVariance: number, random: RandomStream): boolean {
  const [I, H] = W.shape;
  const columns = Array.from(bnvar.data.keys()).filter((j) => bnvar.data[j] < leastVariance);
  for (const j of columns) for (let i = 0; i < I; i++) W.data[i * H + j] = normal(random) * scale;
  return columns.length > 0;
}

/** Random upstream gradients in float64: for each of the 26 gradients, standard normal entries in the shape of its tensor. */
export function randomGradients(values: LessonValues, random: RandomStream): LessonGradients {
  return byName(
    GRADIENT_NAMES,
    GRADIENT_NAMES.map((name) => randomTensor(values[valueNamed(name)].shape, random)),
  );
}

/** A tensor of standard normal entries, in float64. */
export function randomTensor(shape: Shape, random: RandomStream): Tensor {
  return Tensor.of(
    Array.from({ length: sizeOf(shape) }, () => normal(random)),
    shape,
    'float64',
  );
}
