import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/backend.js';
import { normal, randomInteger, randomStream } from '../../src/core/random.js';
import { type FloatArray, sizeOf } from '../../src/core/tensor.js';
import { LESSON_CONFIG } from '../../src/lesson/case.js';
import {
  arenaBytes,
  arenaSize,
  backward,
  createActivations,
  createModel,
  createTrainingActivations,
  forward,
  infer,
  inferLinear,
  initialise,
  type Model,
  sumOf,
} from '../../src/network/model.js';
import { blockName, LESSON_PARAMETER_NAMES, type ModelConfig, parameterNames, parameterShapes } from '../../src/network/parameters.js';
import { defaultSwitchStep, stepRate } from '../../src/training/schedule.js';
import { BACKENDS, FLOAT32_BACKENDS, FLOAT64_BACKENDS } from '../support/backends.js';
import { largestOf, relativeError } from '../support/compare.js';
import { batchOf, DEEP_FIXTURES, type Fixture, GRADIENT_FIXTURES, loadFixture, TRACE_FIXTURES, traceBatches } from '../support/fixtures.js';

const FULL: ModelConfig = { context: 3, embedding: 10, hidden: [200], vocabulary: 27 };
const SMALL: ModelConfig = { context: 3, embedding: 4, hidden: [9], vocabulary: 7 };
const DEEP: ModelConfig = { ...SMALL, hidden: [9, 6, 5] };

function initialised(backend: Backend, config: ModelConfig, seed: number | string = 42): Model {
  const model = createModel(backend, config);
  initialise(model, seed);
  return model;
}

describe.each([SMALL, DEEP])('a model of %j', (config) => {
  it('has its parameters and their gradients without a gap in one block of memory each, in the order of their names', () => {
    const model = createModel(BACKENDS[0].create(), config);
    for (const [flat, views] of [
      [model.flatParameters, model.parameters],
      [model.flatGradients, model.gradients],
    ] as const) {
      let end = flat.byteOffset;
      for (const name of parameterNames(config)) {
        expect([name, views[name].buffer === flat.buffer, views[name].byteOffset]).toEqual([name, true, end]);
        expect(views[name].length, name).toBe(sizeOf(parameterShapes(config)[name]));
        end += views[name].byteLength;
      }
      expect(end).toBe(flat.byteOffset + flat.byteLength);
    }
    expect(model.flatParameters).not.toBe(model.flatGradients);
    expect(largestOf(model.flatParameters)).toBe(0);
  });

  it('has in its blocks the arrays that stand under their names', () => {
    const { blocks, parameters, gradients, statistics } = createModel(BACKENDS[0].create(), config);
    expect(blocks.map(({ I, H }) => [I, H])).toEqual(config.hidden.map((H, k) => [[12, 9, 6][k], H]));
    blocks.forEach((block, k) => {
      for (const tensor of ['W', 'b', 'bngain', 'bnbias'] as const) {
        expect(block.parameters[tensor]).toBe(parameters[blockName(k + 1, tensor)]);
        expect(block.gradients[tensor]).toBe(gradients[blockName(k + 1, tensor)]);
      }
      expect(block.bnmean).toBe(statistics[blockName(k + 1, 'bnmean')]);
      expect(block.bnvar).toBe(statistics[blockName(k + 1, 'bnvar')]);
    });
  });

  it('stands before calibration with statistics that change nothing: mean 0, variance 1', () => {
    const { blocks } = createModel(BACKENDS[0].create(), config);
    expect(blocks.map(({ bnmean, bnvar }) => [[...bnmean], [...bnvar]])).toEqual(
      config.hidden.map((H) => [Array(H).fill(0), Array(H).fill(1)]),
    );
  });
});

it.each([
  [FULL, 32],
  [SMALL, 2],
  [DEEP, 2],
  [DEEP, 32],
])('arenaSize counts what model, activations and optimizer allocate: %j, n = %i', (config, n) => {
  const backend = BACKENDS[0].create();
  let arrays = 0;
  let entries = 0;
  const counted = <T extends { length: number }>(array: T): T => {
    arrays++;
    entries += array.length;
    return array;
  };
  const counting = {
    ...backend,
    floats: (size: number) => counted(backend.floats(size)),
    ints: (size: number) => counted(backend.ints(size)),
  };
  const model = createModel(counting, config);
  createTrainingActivations(model, n);
  for (const inference of [1, 5, 64]) createActivations(model, inference);
  for (let kept = 0; kept < 2; kept++) counting.floats(model.flatParameters.length);
  const size = arenaSize(config, { training: n, optimizerTensors: 2, inference: [1, 5, 64] });
  expect(entries).toBe(size.entries);
  expect(arrays).toBeLessThanOrEqual(size.arrays);
  expect(arenaBytes(size)).toBe(4 * (size.entries + size.workspace));
});

describe('initialise', () => {
  const { parameters } = initialised(BACKENDS[0].create(), FULL);

  it.each([
    ['C', 0, 1],
    ['W1', 0, 5 / 3 / Math.sqrt(30)],
    ['b1', 0, 0.1],
    ['bngain', 1, 0.1],
    ['bnbias', 0, 0.1],
    ['W2', 0, 0.1],
    ['b2', 0, 0.1],
  ] as const)('%s has mean %d and standard deviation %d, within four standard errors', (name, mean, deviation) => {
    const values = parameters[name];
    const standard = Array.from(values, (x) => (x - mean) / deviation);
    const squares = standard.map((x) => x * x);
    expect(Math.abs(sumOf(Float64Array.from(standard), values.length)) / Math.sqrt(values.length)).toBeLessThan(4);
    expect(Math.abs(sumOf(Float64Array.from(squares), values.length) - values.length) / Math.sqrt(2 * values.length)).toBeLessThan(4);
  });

  it('gives the same numbers for the same seed, in this version and the next', () => {
    expect(initialised(BACKENDS[0].create(), FULL).parameters).toEqual(parameters);
    expect([
      parameters.C[0],
      parameters.W1[0],
      parameters.b1[0],
      parameters.bngain[0],
      parameters.bnbias[0],
      parameters.W2[0],
      parameters.b2[26],
    ]).toEqual([
      0.4427923262119293, -0.16147351264953613, -0.02246771939098835, 0.8310720920562744, -0.05255907401442528, 0.0500531941652298,
      0.042458921670913696,
    ]);
  });

  it.each([
    ['blocks.2.W', 0, 5 / 3 / Math.sqrt(200)],
    ['blocks.2.b', 0, 0.1],
    ['blocks.2.bngain', 1, 0.1],
    ['blocks.2.bnbias', 0, 0.1],
    ['blocks.3.W', 0, 5 / 3 / Math.sqrt(150)],
    ['blocks.3.bngain', 1, 0.1],
  ] as const)('of three blocks: %s has mean %d and standard deviation %d, within four standard errors', (name, mean, deviation) => {
    const values = initialised(BACKENDS[0].create(), { ...FULL, hidden: [200, 150, 200] }).parameters[name];
    const standard = Array.from(values, (x) => (x - mean) / deviation);
    const squares = standard.map((x) => x * x);
    expect(Math.abs(sumOf(Float64Array.from(standard), values.length)) / Math.sqrt(values.length)).toBeLessThan(4);
    expect(Math.abs(sumOf(Float64Array.from(squares), values.length) - values.length) / Math.sqrt(2 * values.length)).toBeLessThan(4);
  });

  it("draws the lesson's parameters as they are without the blocks above, if W2 is as large", () => {
    const deep = initialised(BACKENDS[0].create(), { ...FULL, hidden: [200, 3, 200] }).parameters;
    for (const name of LESSON_PARAMETER_NAMES) expect(deep[name], name).toEqual(parameters[name]);
  });

  it('gives other numbers for another seed', () => {
    const other = initialised(BACKENDS[0].create(), FULL, 43).parameters;
    for (const name of LESSON_PARAMETER_NAMES) expect(other[name], name).not.toEqual(parameters[name]);
  });

  it('draws the numbers of float32 from those of float64', () => {
    const [float32, float64] = [FLOAT32_BACKENDS[0], FLOAT64_BACKENDS[0]].map(({ create }) => initialised(create(), SMALL).flatParameters);
    expect([...float32]).toEqual(Array.from(float64, Math.fround));
  });

  it('starts the exercise network near the loss of a uniform guess, ln 27 = 3.30', () => {
    const model = initialised(BACKENDS[0].create(), LESSON_CONFIG);
    const a = createTrainingActivations(model, 32);
    const random = randomStream('batches', 1);
    for (let i = 0; i < a.Xb.length; i++) a.Xb[i] = randomInteger(random, 27);
    for (let i = 0; i < 32; i++) a.Yb[i] = randomInteger(random, 27);
    expect(Math.abs(forward(model, a) - Math.log(27))).toBeLessThan(0.5);
  });
});

/** A fixture's sizes, parameters and batch on a backend of its precision. */
function modelOf({ parameters, hidden }: Fixture, backend: Backend, prefix = ''): Model {
  const given = parameters(prefix);
  const [V, E] = given.C.shape;
  const model = createModel(backend, { context: given.W1.shape[0] / E, embedding: E, hidden, vocabulary: V });
  for (const name of parameterNames(model.config)) (model.parameters[name] as FloatArray).set(given[name].data);
  return model;
}

describe.each(BACKENDS)('forward and backward on $name', ({ create, dtype: precision }) => {
  const ofPrecision = ({ dtype }: { dtype: string }) => dtype === precision;

  it.each([...GRADIENT_FIXTURES, ...DEEP_FIXTURES].filter(ofPrecision))(
    'give the loss and gradients of PyTorch: $name, within $limit of the largest entry',
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
        if (name === 'b1' || name.endsWith('.b')) expect(largestOf(model.gradients[name]), name).toBeLessThan(1e-7);
        else expect(relativeError(model.gradients[name], fixture.tensor(`d${name}`).data), name).toBeLessThan(limit);
      }
    },
  );

  it.each(TRACE_FIXTURES.filter(ofPrecision))(
    'with sgdUpdate take the 10 steps of PyTorch: $name, within $limit',
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

  it.each([SMALL, DEEP])('a second pass does not feel the first, %j: gradients are overwritten', (config) => {
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

const CASES = BACKENDS.flatMap((backend) => [SMALL, DEEP].map((config) => ({ ...backend, config })));
describe.each(CASES)('infer on $name, $config', ({ create, dtype, config }) => {
  const model = initialised(create(), config);
  const random = randomStream('batches', 'infer');
  for (const { H, bnmean, bnvar } of model.blocks) {
    for (let j = 0; j < H; j++) {
      bnmean[j] = normal(random);
      bnvar[j] = 0.5 + random();
    }
  }
  const contexts = Array.from({ length: 6 }, () => Array.from({ length: 3 }, () => randomInteger(random, 7)));
  // One capacity: it decides whether the first layer is a table, which adds up in another order.
  const logits = (rows: number[][], capacity = contexts.length) => {
    const a = createActivations(model, capacity);
    a.Xb.set(rows.flat());
    infer(model, a, rows.length);
    return rows.map((_, i) => [...a.logits.subarray(i * 7, (i + 1) * 7)]);
  };

  it('does not mix examples: the logits of a row are the same to the bit whatever the other rows hold', () => {
    const together = logits(contexts);
    contexts.forEach((context, i) => {
      expect(logits([context])[0]).toEqual(together[i]);
    });
    expect(logits([...contexts].reverse())).toEqual([...together].reverse());
  });

  it('computes as many rows as it is told, in activations that hold more', () => {
    expect(logits(contexts.slice(0, 2))).toEqual(logits(contexts).slice(0, 2));
    expect(relativeError(logits(contexts.slice(0, 2), 2).flat(), logits(contexts.slice(0, 2)).flat())).toBeLessThan(1e-5);
  });

  it("uses the calibrated statistics: with a batch's own it gives the logits of the training pass", () => {
    const limit = dtype === 'float32' ? 1e-5 : 1e-12;
    const own = initialised(create(), config);
    const a = createTrainingActivations(own, 6);
    a.Xb.set(contexts.flat());
    forward(own, a);
    const expected = [...a.logits];
    own.blocks.forEach(({ H, bnmean, bnvar }, k) => {
      for (let j = 0; j < H; j++) {
        const column = contexts.map((_, i) => a.blocks[k].hprebn[i * H + j]);
        const mean = column.reduce((sum, x) => sum + x, 0) / 6;
        bnmean[j] = mean;
        bnvar[j] = column.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 5;
      }
    });
    infer(own, a, 6);
    expect(relativeError(a.logits, expected)).toBeLessThan(limit);
  });

  it('inferLinear reads the block below: of the first, the characters', () => {
    const limit = dtype === 'float32' ? 1e-5 : 1e-12;
    const a = createActivations(model, 6);
    a.Xb.set(contexts.flat());
    infer(model, a, 6);
    const { C, W1, b1 } = model.parameters;
    const emb = contexts[5].flatMap((index) => [...C.subarray(4 * index, 4 * index + 4)]);
    const below = [emb, ...a.blocks.map(({ h }, k) => [...h.subarray(5 * config.hidden[k])])];
    model.blocks.forEach(({ H, parameters: { W, b } }, k) => {
      a.blocks[k].hprebn.fill(Number.NaN);
      inferLinear(model, a, 6, k);
      const row = Array.from(b, (shift, j) => below[k].reduce((sum, x, i) => sum + x * W[i * H + j], shift));
      expect(relativeError(a.blocks[k].hprebn.subarray(5 * H), row)).toBeLessThan(limit);
    });
    expect([model.blocks[0].parameters.W, model.blocks[0].parameters.b]).toEqual([W1, b1]);
  });
});

describe.each(FLOAT32_BACKENDS)('at the edges of its sizes, $name', ({ create }) => {
  it.each<ModelConfig>([
    { context: 1, embedding: 1, hidden: [1], vocabulary: 2 },
    { context: 8, embedding: 3, hidden: [17], vocabulary: 5 },
    { context: 2, embedding: 5, hidden: [3], vocabulary: 33 },
    { context: 2, embedding: 5, hidden: [3, 40, 1, 7], vocabulary: 33 },
    { context: 1, embedding: 1, hidden: [1, 1], vocabulary: 2 },
    { context: 3, embedding: 2, hidden: Array(16).fill(5), vocabulary: 5 },
  ])('trains %j without a NaN', (config) => {
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

it('sumOf adds the first n', () => {
  expect([sumOf(Float32Array.of(1, 2, 4, 8), 3), sumOf(Float32Array.of(1), 0)]).toEqual([7, 0]);
});
