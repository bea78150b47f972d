import { describe, expect, it } from 'vitest';
import type { Backend } from '../src/backend/backend.js';
import { createExamples, createVocabulary, type Examples } from '../src/dataset.js';
import { Evaluator } from '../src/evaluate.js';
import { createModel, initialise, type Model } from '../src/model.js';
import { randomInteger, randomStream } from '../src/random.js';
import { BACKENDS } from './backends.js';
import { relativeError } from './compare.js';

const [T, E, H, V] = [3, 4, 9, 7];

function initialised(backend: Backend): Model {
  const model = createModel(backend, { context: T, embedding: E, hidden: H, vocabulary: V });
  initialise(model, 1);
  return model;
}

function examplesOf(count: number): Examples {
  const random = randomStream('split', count);
  return { count, rows: Uint8Array.from({ length: count * (T + 1) }, () => randomInteger(random, V)) };
}

/** The network again, an example at a time in float64: hprebn [H], and the loss with the model's statistics. */
function naive({ parameters: p, bnmean, bnvar }: Model, context: Int32Array, target: number): { hprebn: number[]; loss: number } {
  const emb = [...context].flatMap((index) => [...p.C.subarray(index * E, (index + 1) * E)]);
  const hprebn = Array.from(p.b1, (b, j) => emb.reduce((sum, x, i) => sum + x * p.W1[i * H + j], b));
  const h = hprebn.map((x, j) => Math.tanh((p.bngain[j] * (x - bnmean[j])) / Math.sqrt(bnvar[j] + 1e-5) + p.bnbias[j]));
  const logits = Array.from(p.b2, (b, v) => h.reduce((sum, x, j) => sum + x * p.W2[j * V + v], b));
  return { hprebn, loss: Math.log(logits.reduce((sum, x) => sum + Math.exp(x), 0)) - logits[target] };
}

const eachOf = (model: Model, { count, rows }: Examples) =>
  Array.from({ length: count }, (_, i) => {
    const row = Int32Array.from(rows.subarray(i * (T + 1), (i + 1) * (T + 1)));
    return naive(model, row.subarray(0, T), row[T]);
  });

// Below a chunk of 256, exactly one, one more, and several with a rest.
const COUNTS = [2, 100, 256, 257, 600];

describe.each(BACKENDS)('Evaluator on $name', ({ create, dtype }) => {
  const limit = dtype === 'float32' ? 1e-5 : 1e-12;

  it.each(COUNTS)(`calibrate: mean and unbiased variance of hprebn over %i examples, within ${limit}`, (count) => {
    const model = initialised(create());
    const examples = examplesOf(count);
    new Evaluator(model).calibrate(examples);
    const rows = eachOf(model, examples).map(({ hprebn }) => hprebn);
    const mean = Array.from({ length: H }, (_, j) => rows.reduce((sum, row) => sum + row[j], 0) / count);
    const variance = mean.map((m, j) => rows.reduce((sum, row) => sum + (row[j] - m) ** 2, 0) / (count - 1));
    expect(relativeError(model.bnmean, mean)).toBeLessThan(limit);
    expect(relativeError(model.bnvar, variance)).toBeLessThan(limit);
  });

  it.each(COUNTS)(`loss: the mean over each of %i examples, within ${limit}`, (count) => {
    const model = initialised(create());
    const examples = examplesOf(count);
    const evaluator = new Evaluator(model);
    evaluator.calibrate(examplesOf(300));
    const expected = eachOf(model, examples).reduce((sum, { loss }) => sum + loss, 0) / count;
    expect(relativeError([evaluator.loss(examples)], [expected])).toBeLessThan(limit);
  });

  it('calibrate forgets what it measured before', () => {
    const model = initialised(create());
    const evaluator = new Evaluator(model);
    const measured = (examples: Examples) => {
      evaluator.calibrate(examples);
      return [...model.bnmean, ...model.bnvar];
    };
    const first = measured(examplesOf(100));
    expect(measured(examplesOf(600))).not.toEqual(first);
    expect(measured(examplesOf(100))).toEqual(first);
  });

  it('calibrate keeps the variance of values far from 0: within 1e-2 in float32 and 1e-9 in float64 at mean 1000', () => {
    const near = initialised(create());
    const far = initialised(create());
    for (let j = 0; j < H; j++) far.parameters.b1[j] += 1000;
    const examples = examplesOf(600);
    for (const model of [near, far]) new Evaluator(model).calibrate(examples);
    expect(relativeError(far.bnvar, near.bnvar)).toBeLessThan(dtype === 'float32' ? 1e-2 : 1e-9);
  });

  it('changes no parameter and no gradient', () => {
    const model = initialised(create());
    const [parameters, gradients] = [[...model.flatParameters], [...model.flatGradients]];
    const evaluator = new Evaluator(model);
    evaluator.calibrate(examplesOf(300));
    evaluator.loss(examplesOf(300));
    expect([[...model.flatParameters], [...model.flatGradients]]).toEqual([parameters, gradients]);
  });
});

it('the loss of an untrained network over names is about ln V, and NaN over none', () => {
  const model = initialised(BACKENDS[0].create());
  const names = ['abc', 'cab', 'def', 'fade'];
  const vocabulary = createVocabulary(names);
  expect(vocabulary.length).toBe(V);
  const evaluator = new Evaluator(model);
  const examples = createExamples(names, vocabulary, T);
  evaluator.calibrate(examples);
  expect(Math.abs(evaluator.loss(examples) - Math.log(V))).toBeLessThan(0.5);
  expect(evaluator.loss({ count: 0, rows: new Uint8Array(0) })).toBeNaN();
});
