import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/backend.js';
import { randomInteger, randomStream } from '../../src/core/random.js';
import type { FloatArray } from '../../src/core/tensor.js';
import { createExamples, type Examples } from '../../src/data/dataset.js';
import { NameList } from '../../src/data/nameList.js';
import { Evaluator } from '../../src/evaluation/evaluator.js';
import { createModel, type Model } from '../../src/network/arrays.js';
import { initialise } from '../../src/network/initialise.js';
import { BACKENDS } from '../support/backends.js';
import { batchNormBlocks } from '../support/blocks.js';
import { relativeError } from '../support/compare.js';

const [T, E, V] = [3, 4, 7];

function initialised(backend: Backend, hidden: readonly number[] = [9]): Model {
  const model = createModel(backend, { context: T, embedding: E, hidden, vocabulary: V });
  initialise(model, 1);
  return model;
}

function examplesOf(count: number): Examples {
  const random = randomStream('split', count);
  return { count, context: T, text: Uint8Array.from({ length: count + 1 }, (_, i) => (i === 0 ? 0 : randomInteger(random, V))) };
}

/** The network for one example in float64, with the calibrated statistics: hprebn [H] of each block, and the loss. */
function naive(model: Model, context: Int32Array, target: number): { hprebn: number[][]; loss: number } {
  const { C, W2, b2 } = model.parameters;
  let x = [...context].flatMap((index) => [...C.subarray(index * E, (index + 1) * E)]);
  const linear = (W: FloatArray, b: FloatArray) =>
    Array.from(b, (shift, j) => x.reduce((sum, xi, i) => sum + xi * W[i * b.length + j], shift));
  const hprebn = batchNormBlocks(model).map(({ parameters: { W, b, bngain, bnbias }, bnmean, bnvar }) => {
    const before = linear(W, b);
    x = before.map((value, j) => Math.tanh((bngain[j] * (value - bnmean[j])) / Math.sqrt(bnvar[j] + 1e-5) + bnbias[j]));
    return before;
  });
  const logits = linear(W2, b2);
  return { hprebn, loss: Math.log(logits.reduce((sum, value) => sum + Math.exp(value), 0)) - logits[target] };
}

const eachOf = (model: Model, { count, text }: Examples) =>
  Array.from({ length: count }, (_, i) => {
    const before = [...new Array(T).fill(0), ...text.subarray(0, i + 1)];
    const name = before.slice(before.lastIndexOf(0));
    return naive(model, Int32Array.from([...new Array(T).fill(0), ...name].slice(-T)), text[i + 1]);
  });

// Less than one chunk of 256, exactly one, one more, and several with a remainder.
const COUNTS = [2, 100, 256, 257, 600];
// The first two contexts differ in one character only; several blocks magnify the rounding of so small a difference.
const CASES = [[9], [9, 6, 5]].flatMap((hidden) =>
  COUNTS.map((count) => ({ hidden, count: hidden.length > 1 ? Math.max(count, 20) : count })),
);

describe.each(BACKENDS)('Evaluator on $name', ({ create, dtype }) => {
  const limit = dtype === 'float32' ? 1e-5 : 1e-12;

  it.each(CASES)(
    `calibrates mean and unbiased variance of hprebn in each block over $count examples, H $hidden, within ${limit}`,
    (given) => {
      const { hidden, count } = given;
      const model = initialised(create(), hidden);
      const examples = examplesOf(count);
      new Evaluator(model).calibrate(examples);
      // With the calibrated statistics of the blocks below.
      const contexts = eachOf(model, examples);
      batchNormBlocks(model).forEach(({ bnmean, bnvar }, k) => {
        const rows = contexts.map(({ hprebn }) => hprebn[k]);
        const mean = Array.from({ length: hidden[k] }, (_, j) => rows.reduce((sum, row) => sum + row[j], 0) / count);
        const variance = mean.map((m, j) => rows.reduce((sum, row) => sum + (row[j] - m) ** 2, 0) / (count - 1));
        expect(relativeError(bnmean, mean), `${k}`).toBeLessThan(limit);
        expect(relativeError(bnvar, variance), `${k}`).toBeLessThan(limit);
      });
    },
  );

  it.each(CASES)(`gives the mean loss over $count examples, H $hidden, within ${limit}`, ({ hidden, count }) => {
    const model = initialised(create(), hidden);
    const examples = examplesOf(count);
    const evaluator = new Evaluator(model);
    evaluator.calibrate(examplesOf(300));
    const expected = eachOf(model, examples).reduce((sum, { loss }) => sum + loss, 0) / count;
    expect(relativeError([evaluator.loss(examples)], [expected])).toBeLessThan(limit);
  });

  it.each([[[9]], [[9, 6, 5]]])('replaces the statistics of an earlier calibration, H %j', (hidden) => {
    const model = initialised(create(), hidden);
    const evaluator = new Evaluator(model);
    const measured = (examples: Examples) => {
      evaluator.calibrate(examples);
      return Object.values(model.statistics).map((values) => [...values]);
    };
    const first = measured(examplesOf(100));
    expect(measured(examplesOf(600))).not.toEqual(first);
    expect(measured(examplesOf(100))).toEqual(first);
  });

  it('calibrates the variance of values far from 0: within 1e-2 in float32 and 1e-9 in float64 at mean 1000', () => {
    const near = initialised(create());
    const far = initialised(create());
    for (let j = 0; j < far.parameters.b1.length; j++) far.parameters.b1[j] += 1000;
    const examples = examplesOf(600);
    for (const model of [near, far]) new Evaluator(model).calibrate(examples);
    expect(relativeError(far.statistics.bnvar, near.statistics.bnvar)).toBeLessThan(dtype === 'float32' ? 1e-2 : 1e-9);
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

it('Evaluator.loss is about ln V for an untrained network, and NaN for no examples', () => {
  const model = initialised(BACKENDS[0].create());
  const names = ['abc', 'cab', 'def', 'fade'];
  const vocabulary = NameList.of(names).vocabulary;
  expect(vocabulary.length).toBe(V);
  const evaluator = new Evaluator(model);
  const examples = createExamples(names, vocabulary, T);
  evaluator.calibrate(examples);
  expect(Math.abs(evaluator.loss(examples) - Math.log(V))).toBeLessThan(0.5);
  expect(evaluator.loss({ count: 0, context: T, text: new Uint8Array(1) })).toBeNaN();
});
