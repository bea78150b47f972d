import { expect, it } from 'vitest';
import { createExamples } from '../../src/data/dataset.js';
import { NameList } from '../../src/data/nameList.js';
import { createModel } from '../../src/network/arrays.js';
import { NonFiniteError } from '../../src/training/diagnose.js';
import { Training, type TrainingHooks } from '../../src/training/training.js';
import { FLOAT32_BACKENDS } from '../support/backends.js';
import { withCountedPaces } from '../support/countedPace.js';

const NAMES = ['anna', 'hanna', 'emma', 'ella', 'hella', 'lena'];
const VOCABULARY = NameList.of(NAMES).vocabulary;
const EXAMPLES = createExamples(NAMES, VOCABULARY, 3);

function trainingWith(hooks: TrainingHooks, { hidden = 8, batchSize = 8, learningRate = 0.1 } = {}) {
  const { backend, paces } = withCountedPaces(FLOAT32_BACKENDS[0].create({ arrays: 10_000, entries: 10_000_000, workspace: 100_000 }));
  const model = createModel(backend, { context: 3, embedding: 4, hidden: [hidden], vocabulary: VOCABULARY.length });
  const training = new Training(model, EXAMPLES, { steps: 10, batchSize, learningRate, seed: 1 }, hooks);
  return { training, pace: paces[0] };
}

it('each step is a unit of the pace; those that are checked or diagnosed do more, and are not measured', () => {
  const { training, pace } = trainingWith({ checkEvery: 4, diagnoseEvery: 3, onDiagnostics: () => {} });
  while (!training.done) training.advance();
  // Checked: steps 1, 5, 9. Diagnosed: 1, 3, 6, 9, 10.
  expect(pace.units.flatMap((isTypical, i) => (isTypical ? [] : [i + 1]))).toEqual([1, 3, 5, 6, 9, 10]);
});

it('a step that is abandoned or fails is no unit like the others, and leaves no unit open', () => {
  const { training, pace } = trainingWith({ checkEvery: 1000 }, { hidden: 2048, batchSize: 1024 });
  training.advance();
  const job = training.advanceInParts();
  job.next();
  job.return(0);
  expect({ units: pace.units, isOpen: pace.isOpen }).toEqual({ units: [false, false], isOpen: false });
  const failing = trainingWith({ checkEvery: 1 }, { learningRate: 1e30 });
  expect(() => {
    while (!failing.training.done) failing.training.advance();
  }).toThrow(NonFiniteError);
  expect(failing.pace.isOpen).toBe(false);
});
