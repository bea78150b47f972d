import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/backend.js';
import { randomInteger, randomStream } from '../../src/core/random.js';
import type { FloatArray } from '../../src/core/tensor.js';
import { createActivations, createModel, createTrainingActivations, type Model } from '../../src/network/arrays.js';
import { initialise } from '../../src/network/initialise.js';
import { LESSON_PARAMETER_NAMES, type ModelConfig, parameterNames } from '../../src/network/parameters.js';
import { backward, forward, inferCalls, linearCalls, runCalls, sumOf } from '../../src/network/passes.js';
import { defaultSwitchStep, stepRate } from '../../src/training/schedule.js';
import { BACKENDS, FLOAT32_BACKENDS } from '../support/backends.js';
import { largestOf, relativeError } from '../support/compare.js';
import { batchOf, DEEP_FIXTURES, type Fixture, GRADIENT_FIXTURES, loadFixture, TRACE_FIXTURES, traceBatches } from '../support/fixtures.js';

const SMALL: ModelConfig = { context: 3, embedding: 4, hidden: [9], vocabulary: 7 };
const DEEP: ModelConfig = { ...SMALL, hidden: [9, 6, 5] };
const PLAIN: ModelConfig = { ...DEEP, norm: 'none' };

function initialised(backend: Backend, config: ModelConfig, seed: number | string = 42): Model {
  const model = createModel(backend, config);
  initialise(model, seed);
  return model;
}

/** A model with the sizes and parameters of a fixture. */
function modelOf({ parameters, hidden, norm }: Fixture, backend: Backend, prefix = ''): Model {
  const given = parameters(prefix);
  const [V, E] = given.C.shape;
  const model = createModel(backend, { context: given.W1.shape[0] / E, embedding: E, hidden, vocabulary: V, norm });
  for (const name of parameterNames(model.config)) (model.parameters[name] as FloatArray).set(given[name].data);
  return model;
}

describe.each(BACKENDS)('forward and backward on $name', ({ create, dtype: precision }) => {
  const ofPrecision = ({ dtype }: { dtype: string }) => dtype === precision;

  it.each([...GRADIENT_FIXTURES, ...DEEP_FIXTURES].filter(ofPrecision))(
    'give the loss and gradients that PyTorch gives: $name, within $limit of the largest entry',
    ({ name: file, limit }) => {
      const fixture = loadFixture(file);
      const model = modelOf(fixture, create());
      const { Xb, Yb } = batchOf(fixture);
      const a = createTrainingActivations(model, Yb.data.length);
      a.Xb.set(Xb.data);
      a.Yb.set(Yb.data);
      model.flatGradients.fill(Number.NaN);
      expect(relativeError([forward(model, a)], fixture.tensor('loss').data)).toBeLessThan(limit);
      backward(model, a);
      for (const name of parameterNames(model.config)) {
        if (fixture.norm === 'batch' && (name === 'b1' || name.endsWith('.b')))
          expect(largestOf(model.gradients[name]), name).toBeLessThan(1e-7);
        else expect(relativeError(model.gradients[name], fixture.tensor(`d${name}`).data), name).toBeLessThan(limit);
      }
    },
  );

  it.each(TRACE_FIXTURES.filter(ofPrecision))(
    'take the same 10 steps with sgdUpdate as PyTorch: $name, within $limit',
    ({ name: file, limit }) => {
      const fixture = loadFixture(file);
      const batches = traceBatches(fixture);
      const backend = create();
      const model = modelOf(fixture, backend, 'initial.');
      const a = createTrainingActivations(model, batches[0].Yb.data.length);
      const losses = batches.map(({ Xb, Yb }, step) => {
        a.Xb.set(Xb.data);
        a.Yb.set(Yb.data);
        const loss = forward(model, a);
        backward(model, a);
        backend.sgdUpdate(
          model.flatParameters,
          model.flatGradients,
          stepRate(step, defaultSwitchStep(batches.length), 0.1),
          model.flatParameters.length,
        );
        return loss;
      });
      expect(relativeError(losses, fixture.tensor('losses').data)).toBeLessThan(limit);
      for (const name of LESSON_PARAMETER_NAMES) {
        expect(relativeError(model.parameters[name], fixture.tensor(`final.${name}`).data), name).toBeLessThan(limit);
      }
    },
  );

  it.each([SMALL, DEEP, PLAIN])('overwrite all gradients, so that a second pass gives the same: %j', (config) => {
    const model = initialised(create(), config);
    model.flatGradients.fill(Number.NaN);
    const a = createTrainingActivations(model, 5);
    a.Xb.set([1, 2, 1, 0, 0, 3, 1, 6, 5, 0, 4, 4, 2, 2, 2]);
    a.Yb.set([3, 1, 0, 6, 2]);
    const pass = () => {
      const loss = forward(model, a);
      backward(model, a);
      return [loss, ...model.flatGradients];
    };
    expect(pass()).toEqual(pass());
    expect(pass().every(Number.isFinite)).toBe(true);
  });
});

const CASES = BACKENDS.flatMap((backend) => [SMALL, DEEP, PLAIN].map((config) => ({ ...backend, config })));
describe.each(CASES)('infer on $name, $config', ({ create, dtype, config }) => {
  const model = initialised(create(), config);
  const random = randomStream('batches', 'infer');
  for (const array of Object.values(model.statistics)) for (let j = 0; j < array.length; j++) array[j] = 0.5 + random();
  const contexts = Array.from({ length: 6 }, () => Array.from({ length: 3 }, () => randomInteger(random, 7)));
  // The same capacity throughout: it decides whether the first layer uses the table, which sums in another order.
  const logits = (rows: number[][], capacity = contexts.length) => {
    const a = createActivations(model, capacity);
    a.Xb.set(rows.flat());
    runCalls(inferCalls(model, a, rows.length));
    return rows.map((_, i) => [...a.logits.subarray(i * 7, (i + 1) * 7)]);
  };

  it('gives a context the same logits to the bit whatever the other contexts are', () => {
    const together = logits(contexts);
    contexts.forEach((context, i) => {
      expect(logits([context])[0]).toEqual(together[i]);
    });
    expect(logits([...contexts].reverse())).toEqual([...together].reverse());
  });

  it('computes only the first n contexts of larger activations', () => {
    expect(logits(contexts.slice(0, 2))).toEqual(logits(contexts).slice(0, 2));
    expect(relativeError(logits(contexts.slice(0, 2), 2).flat(), logits(contexts.slice(0, 2)).flat())).toBeLessThan(1e-5);
  });

  it('gives the logits of the training pass if the statistics are those of the batch', () => {
    const limit = dtype === 'float32' ? 1e-5 : 1e-12;
    const own = initialised(create(), config);
    const a = createTrainingActivations(own, 6);
    a.Xb.set(contexts.flat());
    forward(own, a);
    const expected = [...a.logits];
    own.blocks.forEach((block, k) => {
      if (block.norm === 'none') return;
      const { H, bnmean, bnvar } = block;
      const hprebn = own.backend.rowsOf(a.blocks[k].hprebn, 6, H);
      for (let j = 0; j < H; j++) {
        const column = contexts.map((_, i) => hprebn[i * H + j]);
        const mean = column.reduce((sum, x) => sum + x, 0) / 6;
        bnmean[j] = mean;
        bnvar[j] = column.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 5;
      }
    });
    runCalls(inferCalls(own, a, 6));
    expect(relativeError(a.logits, expected)).toBeLessThan(limit);
  });

  it('computes hprebn of every block from the block below, in linearCalls', () => {
    const limit = dtype === 'float32' ? 1e-5 : 1e-12;
    const a = createActivations(model, 6);
    a.Xb.set(contexts.flat());
    runCalls(inferCalls(model, a, 6));
    const { C, W1, b1 } = model.parameters;
    const lastRow = (matrix: FloatArray, H: number) => [...model.backend.rowsOf(matrix, 6, H).subarray(5 * H)];
    const emb = contexts[5].flatMap((index) => [...C.subarray(4 * index, 4 * index + 4)]);
    const below = [emb, ...a.blocks.map(({ h }, k) => lastRow(h, config.hidden[k]))];
    model.blocks.forEach(({ H, parameters: { W, b } }, k) => {
      a.blocks[k].hprebn.fill(Number.NaN);
      runCalls(linearCalls(model, a, 6, k));
      const row = Array.from(b, (shift, j) => below[k].reduce((sum, x, i) => sum + x * W[i * H + j], shift));
      expect(relativeError(lastRow(a.blocks[k].hprebn, H), row)).toBeLessThan(limit);
    });
    expect([model.blocks[0].parameters.W, model.blocks[0].parameters.b]).toEqual([W1, b1]);
  });
});

describe.each(FLOAT32_BACKENDS)('forward and backward at extreme sizes on $name', ({ create }) => {
  it.each<ModelConfig>([
    { context: 1, embedding: 1, hidden: [1], vocabulary: 2 },
    { context: 8, embedding: 3, hidden: [17], vocabulary: 5 },
    { context: 2, embedding: 5, hidden: [3], vocabulary: 33 },
    { context: 2, embedding: 5, hidden: [3, 40, 1, 7], vocabulary: 33 },
    { context: 1, embedding: 1, hidden: [1, 1], vocabulary: 2 },
    { context: 1, embedding: 1, hidden: [1, 1], vocabulary: 2, norm: 'none' },
    { context: 2, embedding: 5, hidden: [3, 40, 1, 7], vocabulary: 33, norm: 'none' },
    { context: 3, embedding: 2, hidden: Array(16).fill(5), vocabulary: 5 },
  ])('give finite numbers: %j', (config) => {
    const model = initialised(create(), config);
    for (const n of [2, 3, 7]) {
      const a = createTrainingActivations(model, n);
      const random = randomStream('batches', n);
      for (let i = 0; i < a.Xb.length; i++) a.Xb[i] = randomInteger(random, config.vocabulary);
      for (let i = 0; i < n; i++) a.Yb[i] = randomInteger(random, config.vocabulary);
      expect(Number.isFinite(forward(model, a))).toBe(true);
      backward(model, a);
      expect(model.flatGradients.every(Number.isFinite)).toBe(true);
    }
  });
});

it('sumOf adds the first n entries', () => {
  expect([sumOf(Float32Array.of(1, 2, 4, 8), 3), sumOf(Float32Array.of(1), 0)]).toEqual([7, 0]);
});
