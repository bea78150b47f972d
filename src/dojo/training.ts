/** The final step of Exercise 4: trains the lesson's network with a learner's lines as its backward pass. */
import { createReferenceBackend } from '../backend/reference.js';
import { NumericalError } from '../core/errors.js';
import type { Tensor } from '../core/tensor.js';
import { createDataset, createExamples } from '../data/dataset.js';
import { LESSON_CONFIG } from '../lesson/case.js';
import { exercise1 } from '../lesson/exercise1.js';
import type { Exercise4, ValuesAndGradients } from './learnerFile.js';
import { LessonTraining } from './lessonTraining.js';
import { toTensor } from './outcome.js';
import { sentenceOf } from './sentences.js';

export interface TrainingReport {
  steps: number;
  /** Mean loss of the first batch before the first update, in nats. */
  firstLoss: number;
  /** Mean loss of the last 100 batches, in nats. */
  lastLoss: number;
}

const STEPS = 1_000;
const SEED = 'dojo';
const BATCH_SIZE = 32;
const LEARNING_RATE = 0.1;

/**
 * Trains in float32 with the lesson's recipe.
 * @param names the data set
 * @throws anything that a line throws; NumericalError if the loss is not finite
 */
export function trainWith(lines: Exercise4, names: readonly string[], steps = STEPS): TrainingReport {
  const own = Object.entries(lines).map(([name, line]) => [name, (at: ValuesAndGradients) => tensorOf(name, line(at))]);
  const { vocabulary, parts } = createDataset(names, { splitSeed: 42, unique: false });
  const training = new LessonTraining(
    createReferenceBackend('float32'),
    LESSON_CONFIG,
    createExamples(parts.train, vocabulary, LESSON_CONFIG.context),
    { ...exercise1, ...Object.fromEntries(own) },
    { steps, batchSize: BATCH_SIZE, learningRate: LEARNING_RATE, seed: SEED },
  );
  const losses = Array.from({ length: steps }, () => training.advance());
  const broken = losses.findIndex((loss) => !Number.isFinite(loss));
  if (broken !== -1) throw new NumericalError(`the loss is ${losses[broken]} after ${broken} steps`);
  const last = losses.slice(-100);
  return { steps, firstLoss: losses[0], lastLoss: last.reduce((a, b) => a + b, 0) / last.length };
}

function tensorOf(name: string, result: unknown): Tensor {
  const outcome = toTensor(result);
  if ('fault' in outcome) throw new TypeError(`${name}: ${sentenceOf([outcome.fault])}`);
  return outcome.tensor;
}
