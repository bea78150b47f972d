import { describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../../src/backend/reference.js';
import { createDataset, createExamples } from '../../src/data/dataset.js';
import { LessonTraining } from '../../src/dojo/lessonTraining.js';
import { LESSON_CONFIG } from '../../src/lesson/case.js';
import { exercise1 } from '../../src/lesson/exercise1.js';
import { createNamesCase } from '../../src/lesson/namesCase.js';
import { VALUE_NAMES } from '../../src/lesson/values.js';
import { readNamesFile } from '../../src/node/namesFile.js';
import { BUNDLED_NAMES } from '../../src/node/paths.js';

const dataset = createDataset(readNamesFile(BUNDLED_NAMES).names, { splitSeed: 42, unique: false });
const examples = createExamples(dataset.parts.train, dataset.vocabulary, LESSON_CONFIG.context);

describe('the pass on a batch of names', () => {
  it('is the pass of that step in a training with the same seed, if nothing were learnt', () => {
    const options = { steps: 10, batchSize: 8, learningRate: 0.1, seed: 5 };
    const training = new LessonTraining(createReferenceBackend('float32'), LESSON_CONFIG, examples, exercise1, options);
    for (const batch of [0, 1, 2]) {
      const expected = training.forward();
      const { values } = createNamesCase(dataset, { seed: 5, batch, n: 8 });
      expect(values.Xb.data, `batch ${batch}`).toEqual(expected.Xb.data);
      expect(values.Yb.data, `batch ${batch}`).toEqual(expected.Yb.data);
      expect(values.loss.item()).toBeCloseTo(expected.loss.item(), 5);
    }
  });

  it('is float64, and no two values share their data', () => {
    const { values } = createNamesCase(dataset, { seed: 1, batch: 0, n: 4 });
    expect(VALUE_NAMES.filter((name) => values[name].dtype !== 'float64')).toEqual([]);
    expect(new Set(VALUE_NAMES.map((name) => values[name].data.buffer)).size).toBe(VALUE_NAMES.length);
  });

  it('uses the parameters of a trained network', () => {
    const { values } = createNamesCase(dataset, { seed: 1, batch: 0, n: 4 });
    const { C, W1, b1, bngain, bnbias, W2, b2 } = values;
    const parameters = { C: C.mul(2), W1, b1, bngain, bnbias, W2, b2 };
    const trained = createNamesCase(dataset, { seed: 1, batch: 0, n: 4, trained: { config: LESSON_CONFIG, parameters } }).values;
    expect(trained.emb.data).toEqual(values.emb.mul(2).data);
    expect(trained.Xb.data).toEqual(values.Xb.data);
  });
});
