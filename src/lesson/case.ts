import { normal, type RandomStream, randomInteger, randomStream } from '../core/random.js';
import { type Shape, sizeOf, Tensor } from '../core/tensor.js';
import {
  BLOCK_PARAMETERS,
  blockName,
  byName,
  initialScales,
  LESSON_PARAMETER_NAMES,
  type ModelConfig,
  type ParameterName,
  parameterNames,
  parameterShapes,
} from '../network/parameters.js';
import { forward, forwardLines } from './forward.js';
import type { Batch, Values } from './values.js';

/** A network and a batch to check gradients on, in float64. */
export interface GradCheckCase {
  config: ModelConfig;
  n: number;
  parameters: Record<ParameterName, Tensor>;
  batch: Batch;
  /** The forward pass through each block on them. */
  blocks: readonly BlockValues[];
}

/** What a block reads and computes, under the lesson's names: embact is h of the block below, where there is one. */
export type BlockValues = Pick<Values, 'embact' | (typeof BLOCK_STEPS)[number]>;

/** A network of one block, and the lesson's forward pass; no two of its values share their data. */
export interface LessonCase extends GradCheckCase {
  config: LessonConfig;
  values: Values;
}

export interface LessonConfig extends ModelConfig {
  hidden: readonly [H: number];
}

/** The lesson's exercise network. */
export const LESSON_CONFIG: LessonConfig = { context: 3, embedding: 10, hidden: [64], vocabulary: 27 };
/** Three blocks, no two of its sizes equal, so that no wrong shape fits. */
export const DEEP_CONFIG: ModelConfig = { context: 3, embedding: 10, hidden: [24, 16, 8], vocabulary: 27 };

/** Enough for any batch whose contexts differ: a column is spread too little about once in twenty. */
const MAX_ROUNDS = 100;

/** The lesson's steps that make up a block. */
const BLOCK_STEPS = ['hprebn', 'bnmeani', 'bndiff', 'bndiff2', 'bnvar', 'bnvar_inv', 'bnraw', 'hpreact', 'h'] as const;

/**
 * Parameters drawn as in the lesson, which keeps them off the values that hide mistakes (a gain of exactly 1, W2 = 0),
 * and a batch in which a character occurs twice in one context and again in another, different one.
 *
 * @param leastVariance columns of a block's weights are drawn again until bnvar is at least this in each. Float32 needs that: where
 * two rows differ by 0.003 only, 1 / standard deviation turns the last bit of hprebn into the fourth digit of bnraw.
 */
export function createCase(config: ModelConfig, n: number, seed: number | string, leastVariance = 0): GradCheckCase {
  const random = randomStream('grad-check', `${seed} n ${n}`);
  const batch = drawContexts(config, n, random);
  const parameters = drawParameters(config, random);
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

export function createLessonCase(config: LessonConfig, n: number, seed: number | string): LessonCase {
  const given = createCase(config, n, seed);
  const values = forward(given.parameters, given.batch);
  values.embact = values.embact.clone();
  return { ...given, config, values };
}

/** The lesson's forward pass on the case's parameters as float32 holds them. */
export function float32Values({ parameters, batch }: GradCheckCase): Values {
  return forward(
    byName(
      LESSON_PARAMETER_NAMES,
      LESSON_PARAMETER_NAMES.map((name) => parameters[name].to('float32')),
    ),
    batch,
  );
}

/** Block K on its input. */
function blockForward(parameters: GradCheckCase['parameters'], K: number, embact: Tensor): BlockValues {
  const [W1, b1, bngain, bnbias] = BLOCK_PARAMETERS.map((tensor) => parameters[blockName(K, tensor)]);
  const values = { n: embact.shape[0], embact, W1, b1, bngain, bnbias } as Values;
  for (const step of BLOCK_STEPS) values[step] = forwardLines[step](values);
  return values;
}

function drawContexts({ context: T, vocabulary: V }: ModelConfig, n: number, random: RandomStream): Batch {
  const Xb = Int32Array.from({ length: n * T }, () => randomInteger(random, V));
  const Yb = Int32Array.from({ length: n }, () => randomInteger(random, V));
  if (T > 1) Xb[(n - 1) * T] = Xb[0];
  // The first contexts end differently: of two equal ones in three, batch norm's backward pass would leave almost nothing.
  for (let i = 0; i < Math.min(n, 3); i++) Xb[i * T + T - 1] = (Xb[0] + i) % V;
  return { Xb: { data: Xb, shape: [n, T] }, Yb: { data: Yb, shape: [n] } };
}

function drawParameters(config: ModelConfig, random: RandomStream): GradCheckCase['parameters'] {
  const shapes = parameterShapes(config);
  const scales = initialScales(config);
  const draw = (name: ParameterName) => {
    const tensor = randomTensor(shapes[name], random).mul(scales[name]);
    return name.endsWith('bngain') ? tensor.add(1) : tensor;
  };
  const names = parameterNames(config);
  return byName(names, names.map(draw));
}

/** Whether there were columns to draw again. */
function redrawColumns(W: Tensor, scale: number, bnvar: Tensor, leastVariance: number, random: RandomStream): boolean {
  const [I, H] = W.shape;
  const columns = Array.from(bnvar.data.keys()).filter((j) => bnvar.data[j] < leastVariance);
  for (const j of columns) for (let i = 0; i < I; i++) W.data[i * H + j] = normal(random) * scale;
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
