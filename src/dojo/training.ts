/** Exercise 4's last proof: the lesson's network, trained for a moment with a learner's lines as its backward pass. */
import { createReferenceBackend } from '../backend/reference.js';
import { drawBatch } from '../batch.js';
import { createDataset, createExamples } from '../dataset.js';
import { NumericalError } from '../errors.js';
import { LESSON_CONFIG } from '../gradCheck/case.js';
import { backward, exercise1, type GradientLines } from '../lesson/exercise1.js';
import { train } from '../lesson/exercise4.js';
import { forward } from '../lesson/forward.js';
import type { Batch, Parameters } from '../lesson/values.js';
import { createModel, initialise, PARAMETER_NAMES, parameterShapes } from '../model.js';
import { bundledNames, readNamesFile } from '../namesFile.js';
import { randomStream } from '../random.js';
import { Tensor } from '../tensor.js';
import type { Exercise4 } from './exercises.js';
import type { At } from './lines.js';
import { toTensor } from './outcome.js';

export interface TrainingReport {
  steps: number;
  /** Of the first batch, before the first update. */
  firstLoss: number;
  /** Mean over the last 100 batches. */
  lastLoss: number;
}

const STEPS = 1_000;
const SEED = 'dojo';
const BATCH_SIZE = 32;
const LEARNING_RATE = 0.1;

/**
 * The lesson's recipe on the names that come with the program, in float32.
 * @throws whatever a line throws; NumericalError where the loss is not finite
 */
export function trainWith(lines: Exercise4, steps = STEPS): TrainingReport {
  const own = Object.entries(lines).map(([name, line]) => [name, (at: At) => tensorOf(name, line(at))]);
  const all: GradientLines = { ...exercise1, ...Object.fromEntries(own) };
  const { losses } = train(initialParameters(), batches(), steps, LEARNING_RATE, (parameters, batch) => {
    const values = forward(parameters, batch);
    return { loss: values.loss, gradients: backward(values, all) };
  });
  const broken = losses.findIndex((loss) => !Number.isFinite(loss));
  if (broken !== -1) throw new NumericalError(`the loss is ${losses[broken]} after ${broken} steps`);
  const last = losses.slice(-100);
  return { steps, firstLoss: losses[0], lastLoss: last.reduce((a, b) => a + b, 0) / last.length };
}

function tensorOf(name: string, result: unknown): Tensor {
  const tensor = toTensor(result);
  if (typeof tensor === 'string') throw new TypeError(`${name}: ${tensor}`);
  return tensor;
}

function initialParameters(): Parameters {
  const model = createModel(createReferenceBackend('float32'), LESSON_CONFIG);
  initialise(model, SEED);
  const shapes = parameterShapes(LESSON_CONFIG);
  return Object.fromEntries(PARAMETER_NAMES.map((name) => [name, new Tensor(model.parameters[name], shapes[name])])) as Parameters;
}

function batches(): () => Batch {
  const { context: T } = LESSON_CONFIG;
  const { vocabulary, parts } = createDataset(readNamesFile(bundledNames()).names, { splitSeed: 42, unique: false });
  const examples = createExamples(parts.train, vocabulary, T);
  const random = randomStream('batches', SEED);
  return () => {
    const Xb = { data: new Int32Array(BATCH_SIZE * T), shape: [BATCH_SIZE, T] };
    const Yb = { data: new Int32Array(BATCH_SIZE), shape: [BATCH_SIZE] };
    drawBatch(Xb.data, Yb.data, examples, random, BATCH_SIZE, T);
    return { Xb, Yb };
  };
}
