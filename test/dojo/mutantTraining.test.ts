import { describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../../src/backend/reference.js';
import { complete } from '../../src/core/job.js';
import { createDataset, createExamples } from '../../src/data/dataset.js';
import { LessonTraining } from '../../src/dojo/lessonTraining.js';
import { findMutant } from '../../src/dojo/mutants.js';
import { type CourseResult, describeEffect, effectOf, MutantTraining } from '../../src/dojo/mutantTraining.js';
import { exercise1 } from '../../src/lesson/exercise1.js';
import { NAMES } from '../support/fakeIO.js';

const DATASET = createDataset(NAMES, { splitSeed: 42, unique: false });
const SHAPE = { context: 3, embedding: 4, hidden: [8], vocabulary: DATASET.vocabulary.length };
const OPTIONS = { steps: 25, batchSize: 16, learningRate: 0.1, seed: 3, every: 10 };
const createBackend = () => createReferenceBackend('float32');
const trainingOf = (name: string, options = OPTIONS) => new MutantTraining(findMutant(name), DATASET, SHAPE, options, createBackend);

function trained(name: string, options = OPTIONS): [CourseResult, CourseResult] {
  const training = trainingOf(name, options);
  complete(training.train());
  return complete(training.results());
}

describe('training with and without a mistake', () => {
  it('gives the mean and the last loss every few steps, those of LessonTraining, and the losses at the end', () => {
    const examples = createExamples(DATASET.parts.train, DATASET.vocabulary, SHAPE.context);
    const alone = new LessonTraining(createBackend(), SHAPE, examples, exercise1, OPTIONS);
    const losses = Array.from({ length: OPTIONS.steps }, () => alone.advance());
    const [right, wrong] = trained('dbnraw-gain-forgotten');
    const mean = (part: number[]) => part.reduce((sum, x) => sum + x, 0) / part.length;
    expect(right.points).toEqual([
      { step: 10, mean: mean(losses.slice(0, 10)), last: losses[9] },
      { step: 20, mean: mean(losses.slice(10, 20)), last: losses[19] },
    ]);
    expect(right.title).toBe('right gradients');
    expect(wrong.title).toBe('dbnraw-gain-forgotten');
    expect(wrong.points.map(({ step }) => step)).toEqual([10, 20]);
    for (const { trainLoss, valLoss } of [right, wrong]) expect([trainLoss, valLoss]).toEqual([expect.any(Number), expect.any(Number)]);
    expect(wrong.trainLoss).not.toBe(right.trainLoss);
  });

  it('makes one step of both per part, and can be left after any part', () => {
    const training = trainingOf('dh-sign');
    const parts = training.train();
    for (let k = 1; k <= 12; k++) {
      parts.next();
      expect(training.step).toBe(k);
    }
    expect(training.courses.map(({ points }) => points.length)).toEqual([1, 1]);
    expect(complete(training.results())[0].valLoss).toEqual(expect.any(Number));
  });

  it('stops the network whose lines do not fit, and trains the other to the end', () => {
    const training = trainingOf('dW2-transposed');
    complete(training.train());
    const [right, wrong] = complete(training.results());
    expect(training.step).toBe(OPTIONS.steps);
    expect(wrong).toMatchObject({
      problem: expect.stringMatching(/^stopped in step 0: sub: shapes /),
      trainLoss: null,
      valLoss: null,
      points: [],
    });
    expect(describeEffect(effectOf(right, wrong))).toBe('training fails: this mistake shows without a gradient check');
  });
});

describe('the effect of a mistake', () => {
  const result = (valLoss: number | null): CourseResult => ({ title: '', points: [], trainLoss: valLoss, valLoss });

  it.each([
    [2, 2.019, 'hidden', 'it trains, and ends 0.0190 higher: the loss curve does not show the mistake'],
    [2, 1.99, 'hidden', 'it trains, and ends 0.0100 lower: the loss curve does not show the mistake'],
    [2, 2.5, 'higher', 'it ends 0.5000 higher'],
    [2, 1.5, 'lower', 'it even ends 0.5000 lower'],
    [2, null, 'fails', 'training fails: this mistake shows without a gradient check'],
    [null, 2, 'right-fails', 'the right gradients diverge too'],
  ])('of validation losses %d and %d is %s', (right, wrong, kind, sentence) => {
    const effect = effectOf(result(right), result(wrong));
    expect(effect.kind).toBe(kind);
    expect(describeEffect(effect)).toBe(sentence);
  });
});
