/** The final step of Exercise 4: trains the lesson's network with a learner's gradients. The lines run elsewhere; losses are formed here. */

import { createReferenceBackend } from '../backend/reference.js';
import { NumericalError } from '../core/errors.js';
import { countOf } from '../core/text.js';
import { createDataset, createExamples, DEFAULT_SPLIT } from '../data/dataset.js';
import { LESSON_CONFIG } from '../lesson/case.js';
import { exercise1, GRADIENT_NAMES } from '../lesson/exercise1.js';
import type { GradientName, LessonValues } from '../lesson/values.js';
import { EXERCISE_4_NAMES, type GivenValues, type ValuesAndGradients } from './learnerFile.js';
import { LessonTraining, type ParameterGradients } from './lessonTraining.js';

export interface TrainingReport {
  steps: number;
  /** Mean loss of the first batch before the first update, in nats. */
  firstLoss: number;
  /** Mean loss of the last 100 batches, in nats. */
  lastLoss: number;
}

export const TRAINING_STEPS = 1_000;
const SEED = 'dojo';
const BATCH_SIZE = 32;
const LEARNING_RATE = 0.1;

/**
 * Trains in float32 with the lesson's recipe: yields the input of each step's backward pass, and takes its gradients.
 * @param names the data set
 * @throws ShapeError if a gradient does not fit its parameter; NumericalError if the loss is not finite
 */
export function* trainWithGradients(
  names: Iterable<string>,
  steps = TRAINING_STEPS,
): Generator<GivenValues, TrainingReport, ParameterGradients> {
  const { vocabulary, parts } = createDataset(names, DEFAULT_SPLIT);
  const training = new LessonTraining(
    createReferenceBackend('float32'),
    LESSON_CONFIG,
    createExamples(parts.train, vocabulary, LESSON_CONFIG.context),
    exercise1,
    { steps, batchSize: BATCH_SIZE, learningRate: LEARNING_RATE, seed: SEED },
  );
  const losses: number[] = [];
  while (losses.length < steps) {
    const values = training.forward();
    const loss = values.loss.item();
    if (!Number.isFinite(loss)) throw new NumericalError(`the loss is ${loss} after ${countOf(losses.length, 'step')}`);
    losses.push(loss);
    training.update(yield withGradientsBetween(values));
  }
  const last = losses.slice(-100);
  return { steps, firstLoss: losses[0], lastLoss: last.reduce((a, b) => a + b, 0) / last.length };
}

/** Gradients between the lines of Exercise 4, which has no lines for them. A line may read them, although a right one does not need them. */
const BETWEEN: readonly GradientName[] = GRADIENT_NAMES.filter((name) => !(EXERCISE_4_NAMES as readonly string[]).includes(name));
/** The lines of Exercise 1 that they need. */
const LEADING_THERE: readonly GradientName[] = [...BETWEEN, 'dlogits', 'dh', 'dhpreact'];

function withGradientsBetween(values: LessonValues): GivenValues {
  const at = { ...values } as ValuesAndGradients;
  for (const name of GRADIENT_NAMES) if (LEADING_THERE.includes(name)) at[name] = exercise1[name](at);
  return { ...values, ...Object.fromEntries(BETWEEN.map((name) => [name, at[name]])) };
}
