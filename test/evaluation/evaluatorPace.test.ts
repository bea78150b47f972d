import { expect, it } from 'vitest';
import { createExamples } from '../../src/data/dataset.js';
import { NameList } from '../../src/data/nameList.js';
import { EVALUATION_BATCH, Evaluator } from '../../src/evaluation/evaluator.js';
import { createModel } from '../../src/network/arrays.js';
import { initialise } from '../../src/network/initialise.js';
import { FLOAT32_BACKENDS } from '../support/backends.js';
import { withCountedPaces } from '../support/countedPace.js';

const NAMES = Array.from({ length: 130 }, (_, i) => ['anna', 'hanna', 'emma', 'ella'][i % 4]);
const VOCABULARY = NameList.of(NAMES).vocabulary;
const EXAMPLES = createExamples(NAMES, VOCABULARY, 3);

it('each chunk of an evaluation is a unit of the pace of its kind, and only full ones are measured', () => {
  const { backend, paces } = withCountedPaces(FLOAT32_BACKENDS[0].create());
  const model = createModel(backend, { context: 3, embedding: 4, hidden: [8, 6], vocabulary: VOCABULARY.length });
  initialise(model, 1);
  const evaluator = new Evaluator(model);
  evaluator.calibrate(EXAMPLES);
  evaluator.loss(EXAMPLES);
  const chunks = Math.ceil(EXAMPLES.count / EVALUATION_BATCH);
  const units = Array.from({ length: chunks }, (_, i) => i < chunks - 1);
  expect(EXAMPLES.count % EVALUATION_BATCH).not.toBe(0);
  expect(paces.map((pace) => pace.units)).toEqual([units, units, units]);
  const job = evaluator.lossInParts(EXAMPLES);
  job.next();
  job.return(0);
  expect(paces.some(({ isOpen }) => isOpen)).toBe(false);
});
