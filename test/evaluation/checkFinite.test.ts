import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/backend.js';
import { createReferenceBackend } from '../../src/backend/reference.js';
import { NumericalError } from '../../src/core/errors.js';
import { randomStream } from '../../src/core/random.js';
import { createDataset, createExamples } from '../../src/data/dataset.js';
import { Evaluator } from '../../src/evaluation/evaluator.js';
import { Sampler } from '../../src/evaluation/sampler.js';
import { createModel, type Model } from '../../src/network/arrays.js';
import { initialise } from '../../src/network/initialise.js';
import { FLOAT32_BACKENDS } from '../support/backends.js';
import { NAMES } from '../support/fakeIO.js';

const { vocabulary, parts } = createDataset(NAMES, { splitSeed: 42, unique: false });
const EXAMPLES = createExamples(parts.val, vocabulary, 3);

function modelOf(backend: Backend, change: (model: Model) => void): Model {
  const model = createModel(backend, { context: 3, embedding: 4, hidden: [6, 5], vocabulary: vocabulary.length });
  initialise(model, 7);
  new Evaluator(model).calibrate(EXAMPLES);
  change(model);
  return model;
}

const OVERFLOWS: [string, (model: Model) => void][] = [
  ['hprebn', ({ parameters }) => void parameters.W1.fill(3e38)],
  // tanh of infinity is 1, so the loss stays finite.
  [
    'hprebn',
    ({ parameters }) => {
      parameters.C.fill(1e30);
      parameters.W1.fill(1e30);
    },
  ],
  ['blocks.2.hprebn', ({ parameters }) => void parameters['blocks.2.W'].fill(3e38)],
  ['logits', ({ parameters }) => void parameters.W2.fill(3e38)],
  ['logits', ({ parameters }) => void parameters.b2.fill(Number.NaN, 3, 4)],
];

/** The message of an evaluation that ends. */
function messageOf(model: Model): string {
  try {
    return `no message: ${new Evaluator(model).loss(EXAMPLES)}`;
  } catch (error) {
    return (error as Error).message;
  }
}

describe.each(FLOAT32_BACKENDS)('numbers that are not finite end, on $name,', ({ create }) => {
  const modelWith = (change: (model: Model) => void) => modelOf(create(), change);

  it.each(OVERFLOWS)('an evaluation, naming %s', (tensor, change) => {
    const evaluator = new Evaluator(modelWith(change));
    expect(() => evaluator.loss(EXAMPLES)).toThrow(NumericalError);
    expect(() => evaluator.loss(EXAMPLES)).toThrow(new RegExp(`^${tensor}\\[\\d+, \\d+\\] is (NaN|-?Infinity) in an evaluation`));
  });

  it.each(OVERFLOWS)('sampling, naming %s', (tensor, change) => {
    const sampler = new Sampler(modelWith(change), vocabulary, randomStream('sampling', 1));
    expect(() => sampler.sample({ temperature: 1, prefix: '' })).toThrow(new RegExp(`^${tensor}\\[0, \\d+\\] is `));
  });

  it('an evaluation whose losses alone overflow', () => {
    const model = modelWith(({ parameters }) => {
      parameters.W2.fill(0);
      parameters.b2.fill(-3e38);
      parameters.b2[1] = 3e38;
    });
    expect(() => new Evaluator(model).loss(EXAMPLES)).toThrow(/^losses\[\d+\] is Infinity/);
  });

  it('an evaluation, naming the entry that the plain loops name', () => {
    const change = ({ parameters }: Model) => void parameters['blocks.2.b'].fill(Number.NaN, 3, 4);
    const message = messageOf(modelWith(change));
    expect(message).toMatch(/^blocks\.2\.hprebn\[0, 3\] is NaN/);
    expect(message).toBe(messageOf(modelOf(createReferenceBackend('float32'), change)));
  });
});
