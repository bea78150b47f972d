import { createReferenceBackend } from '../backend/reference.js';
import { randomStream } from '../core/random.js';
import { Tensor } from '../core/tensor.js';
import { drawBatch } from '../data/batch.js';
import { createExamples, type Dataset } from '../data/dataset.js';
import { createModel } from '../network/arrays.js';
import { initialise } from '../network/initialise.js';
import { byName, LESSON_PARAMETER_NAMES, parameterShapes } from '../network/parameters.js';
import { MAX_SEED } from '../training/options.js';
import { LESSON_CONFIG, type LessonConfig } from './case.js';
import { forward } from './forward.js';
import type { LessonBatch, LessonParameters, LessonValues } from './values.js';

/** The least and the largest seed, number of a batch, and batch size of a pass. */
export const PASS_LIMITS = { seed: [0, MAX_SEED], batch: [0, 100_000], n: [2, 1_024] } as const;

/** Which network and which batch: the same numbers give the same pass everywhere. */
export interface NamesCaseOptions {
  /** Determines the parameters and the batches, as the seed of a training does. */
  seed: number;
  /** The number of the batch, from 0: batch k is that of the training step k with this seed. */
  batch: number;
  /** Batch size, at least 2. */
  n: number;
  /** A trained network. Without it, the parameters are those with which a training with this seed starts. */
  trained?: { config: LessonConfig; parameters: LessonParameters };
}

/** A network of one block and a batch of names, with every value of the forward pass, in float64. */
export interface NamesCase {
  config: LessonConfig;
  values: LessonValues;
}

/**
 * The lesson's forward pass on a batch of names from the training split. No two values share their data, so one can be changed alone.
 * @throws RangeError if a name has a character outside the vocabulary
 */
export function createNamesCase({ vocabulary, parts }: Dataset, { seed, batch, n, trained }: NamesCaseOptions): NamesCase {
  const config: LessonConfig = trained?.config ?? { ...LESSON_CONFIG, vocabulary: vocabulary.length };
  const parameters = trained?.parameters ?? initialParameters(config, seed);
  const values = forward(inFloat64(parameters), batchOf(createExamples(parts.train, vocabulary, config.context), seed, batch, n));
  values.embact = values.embact.clone();
  return { config, values };
}

function initialParameters(config: LessonConfig, seed: number): LessonParameters {
  const model = createModel(createReferenceBackend('float32'), config);
  initialise(model, seed);
  const shapes = parameterShapes(config);
  return byName(
    LESSON_PARAMETER_NAMES,
    LESSON_PARAMETER_NAMES.map((name) => new Tensor(model.parameters[name], shapes[name])),
  );
}

function inFloat64(parameters: LessonParameters): LessonParameters {
  return byName(
    LESSON_PARAMETER_NAMES,
    LESSON_PARAMETER_NAMES.map((name) => parameters[name].to('float64')),
  );
}

function batchOf(examples: ReturnType<typeof createExamples>, seed: number, batch: number, n: number): LessonBatch {
  const T = examples.context;
  const random = randomStream('batches', seed);
  const Xb = new Int32Array(n * T);
  const Yb = new Int32Array(n);
  for (let k = 0; k <= batch; k++) drawBatch({ n, Xb, Yb }, examples, random);
  return { Xb: { data: Xb, shape: [n, T] }, Yb: { data: Yb, shape: [n] } };
}
