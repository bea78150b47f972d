import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/backend.js';
import { randomInteger, randomStream } from '../../src/core/random.js';
import { LESSON_CONFIG } from '../../src/lesson/case.js';
import { createModel, createTrainingActivations, type Model } from '../../src/network/arrays.js';
import { initialise } from '../../src/network/initialise.js';
import { type InitialScales, LESSON_PARAMETER_NAMES, type ModelConfig, NORMS } from '../../src/network/parameters.js';
import { forward, sumOf } from '../../src/network/passes.js';
import { BACKENDS, FLOAT32_BACKENDS, FLOAT64_BACKENDS } from '../support/backends.js';
import { relativeError } from '../support/compare.js';

const FULL: ModelConfig = { context: 3, embedding: 10, hidden: [200], vocabulary: 27 };
const SMALL: ModelConfig = { context: 3, embedding: 4, hidden: [9], vocabulary: 7 };

function initialised(backend: Backend, config: ModelConfig, seed: number | string = 42): Model {
  const model = createModel(backend, config);
  initialise(model, seed);
  return model;
}

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
  ] as const)('gives %s mean %d and standard deviation %d, within four standard errors', (name, mean, deviation) => {
    const values = parameters[name];
    const standard = Array.from(values, (x) => (x - mean) / deviation);
    const squares = standard.map((x) => x * x);
    expect(Math.abs(sumOf(Float64Array.from(standard), values.length)) / Math.sqrt(values.length)).toBeLessThan(4);
    expect(Math.abs(sumOf(Float64Array.from(squares), values.length) - values.length) / Math.sqrt(2 * values.length)).toBeLessThan(4);
  });

  it('draws the same numbers for the same seed in every version', () => {
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
  ] as const)('gives %s of a deep network mean %d and standard deviation %d, within four standard errors', (name, mean, deviation) => {
    const values = initialised(BACKENDS[0].create(), { ...FULL, hidden: [200, 150, 200] }).parameters[name];
    const standard = Array.from(values, (x) => (x - mean) / deviation);
    const squares = standard.map((x) => x * x);
    expect(Math.abs(sumOf(Float64Array.from(standard), values.length)) / Math.sqrt(values.length)).toBeLessThan(4);
    expect(Math.abs(sumOf(Float64Array.from(squares), values.length) - values.length) / Math.sqrt(2 * values.length)).toBeLessThan(4);
  });

  it("draws the same numbers for the lesson's parameters if there are blocks above, as long as W2 has the same size", () => {
    const deep = initialised(BACKENDS[0].create(), { ...FULL, hidden: [200, 3, 200] }).parameters;
    for (const name of LESSON_PARAMETER_NAMES) expect(deep[name], name).toEqual(parameters[name]);
  });

  it('multiplies the draws of the hidden weights and of W2 by other factors, and leaves the others as they are', () => {
    const scaled = createModel(FLOAT64_BACKENDS[0].create(), { ...FULL, hidden: [200, 50] });
    const lesson = initialised(FLOAT64_BACKENDS[0].create(), { ...FULL, hidden: [200, 50] }).parameters;
    initialise(scaled, 42, { initGain: 5, initOutput: 1 });
    const factors = { W1: 3, 'blocks.2.W': 3, W2: 10 };
    for (const [name, values] of Object.entries(lesson)) {
      const factor = factors[name as keyof typeof factors] ?? 1;
      expect(
        relativeError(
          scaled.parameters[name as keyof typeof lesson],
          values.map((x) => x * factor),
        ),
        name,
      ).toBeLessThan(1e-15);
    }
  });

  it('draws the same numbers without batch norm, for the parameters that there are', () => {
    const { parameters: linear } = initialised(BACKENDS[0].create(), { ...FULL, norm: 'none' });
    expect(Object.keys(linear)).toEqual(['C', 'W1', 'b1', 'W2', 'b2']);
    for (const [name, values] of Object.entries(linear)) expect(values, name).toEqual(parameters[name as keyof typeof parameters]);
  });

  /** The first loss of a batch of 256 random examples, and the share of h that is saturated, |h| > 0.97. */
  function start(config: Partial<ModelConfig>, scales: InitialScales): { loss: number; saturated: number } {
    const model = createModel(BACKENDS[0].create(), { ...FULL, ...config });
    initialise(model, 42, scales);
    const a = createTrainingActivations(model, 256);
    const random = randomStream('batches', 1);
    for (const indices of [a.Xb, a.Yb]) for (let i = 0; i < indices.length; i++) indices[i] = randomInteger(random, 27);
    const loss = forward(model, a);
    const { h } = a.blocks[0];
    return { loss, saturated: h.filter((x) => Math.abs(x) > 0.97).length / h.length };
  }

  it.each([
    ['ten times the gain', 50 / 3],
    ['without the gain', 1],
    ['N(0,1)', Math.sqrt(30)],
  ])('gives a network with batch norm the same start with W1 %s, about 4 %% saturated', (_, initGain) => {
    const [lesson, other] = [start({}, {}), start({}, { initGain })];
    expect(Math.abs(other.loss - lesson.loss)).toBeLessThan(1e-3);
    for (const { saturated } of [lesson, other]) expect(Math.abs(saturated - 0.04)).toBeLessThan(0.01);
  });

  it.each([
    ['without the gain', 1, 0.02, 0.06],
    ["with the lesson's gain", 5 / 3, 0.15, 0.25],
    ['N(0,1)', 5.5, 0.6, 0.8],
    ['ten times the gain', 50 / 3, 0.85, 0.95],
  ])('without batch norm, saturates h by the scale of W1: %s', (_, initGain, least, most) => {
    const { saturated } = start({ norm: 'none' }, { initGain });
    expect(saturated).toBeGreaterThan(least);
    expect(saturated).toBeLessThan(most);
  });

  it.each(NORMS)('starts far above ln 27 = 3.30 with W2 ~ N(0,1): the output is too confident, norm %s', (norm) => {
    expect(start({ norm }, { initOutput: 1 }).loss).toBeGreaterThan(10);
    expect(Math.abs(start({ norm }, { initOutput: 0 }).loss - Math.log(27))).toBeLessThan(0.05);
  });

  it('draws other numbers for another seed', () => {
    const other = initialised(BACKENDS[0].create(), FULL, 43).parameters;
    for (const name of LESSON_PARAMETER_NAMES) expect(other[name], name).not.toEqual(parameters[name]);
  });

  it('draws the same numbers in float32 and float64, up to rounding', () => {
    const [float32, float64] = [FLOAT32_BACKENDS[0], FLOAT64_BACKENDS[0]].map(({ create }) => initialised(create(), SMALL).flatParameters);
    expect([...float32]).toEqual(Array.from(float64, Math.fround));
  });

  it('starts the network of the exercise near the loss of a uniform guess, ln 27 = 3.30', () => {
    const model = initialised(BACKENDS[0].create(), LESSON_CONFIG);
    const a = createTrainingActivations(model, 32);
    const random = randomStream('batches', 1);
    for (let i = 0; i < a.Xb.length; i++) a.Xb[i] = randomInteger(random, 27);
    for (let i = 0; i < 32; i++) a.Yb[i] = randomInteger(random, 27);
    expect(Math.abs(forward(model, a) - Math.log(27))).toBeLessThan(0.5);
  });
});
