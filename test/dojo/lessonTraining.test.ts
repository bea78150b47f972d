import { describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../../src/backend/reference.js';
import { createExamples } from '../../src/data/dataset.js';
import { NameList } from '../../src/data/nameList.js';
import { LessonTraining } from '../../src/dojo/lessonTraining.js';
import { findMutant, plant } from '../../src/dojo/mutants.js';
import { exercise1, type GradientLines } from '../../src/lesson/exercise1.js';
import { createModel } from '../../src/network/arrays.js';
import { Training } from '../../src/training/training.js';
import { NAMES } from '../support/fakeIO.js';

const VOCABULARY = NameList.of(NAMES).vocabulary;
const CONFIG = { context: 3, embedding: 4, hidden: [8], vocabulary: VOCABULARY.length };
const EXAMPLES = createExamples(NAMES, VOCABULARY, CONFIG.context);
const OPTIONS = { steps: 20, batchSize: 16, learningRate: 0.1, seed: 3 };

const lessonTraining = (lines: GradientLines) => new LessonTraining(createReferenceBackend('float32'), CONFIG, EXAMPLES, lines, OPTIONS);

function lossesOf(training: { advance(): number }): number[] {
  return Array.from({ length: OPTIONS.steps }, () => training.advance());
}

describe('training with the atomic lines', () => {
  it('equals the trainer up to rounding: same weights, same batches, same rates', () => {
    const model = createModel(createReferenceBackend('float32'), CONFIG);
    const own = lossesOf(new Training(model, EXAMPLES, OPTIONS));
    const training = lessonTraining(exercise1);
    lossesOf(training).forEach((loss, step) => {
      expect(loss).toBeCloseTo(own[step], 4);
    });
    expect(training.step).toBe(OPTIONS.steps);
    training.model.flatParameters.forEach((x, i) => {
      expect(x).toBeCloseTo(model.flatParameters[i], 3);
    });
  });

  it('has other losses with a mistake in a line', () => {
    const right = lossesOf(lessonTraining(exercise1));
    const wrong = lossesOf(lessonTraining(plant(findMutant('dhpreact-derivative-of-tanh-left-out'))));
    expect(wrong[0]).toBe(right[0]);
    expect(wrong[OPTIONS.steps - 1]).not.toBeCloseTo(right[OPTIONS.steps - 1], 3);
  });

  it.each([
    ['dW2-transposed', /sub: shapes .* do not broadcast/],
    ['db2-shape-1-v-for-v', /^db2 \[1, \d+\] does not fit b2 \[\d+\]$/],
  ])('refuses %s', (name, message) => {
    expect(() => lessonTraining(plant(findMutant(name))).advance()).toThrow(message);
  });
});
