import { describe, expect, it } from 'vitest';
import { randomStream } from '../../src/core/random.js';
import { createLessonCase, createNetworkCase, DEEP_CONFIG, LESSON_CONFIG, randomTensor } from '../../src/lesson/case.js';
import { VALUE_NAMES } from '../../src/lesson/values.js';
import { LESSON_PARAMETER_NAMES, parameterShapes } from '../../src/network/parameters.js';
import { SMALL } from '../support/checkOptions.js';
import { largestOf } from '../support/compare.js';

describe.each([2, 3, 32])('a lesson case with n = %i', (n) => {
  const drawn = createLessonCase(LESSON_CONFIG, n, 1);

  it('is float64 and has the shapes of its configuration', () => {
    expect(VALUE_NAMES.filter((name) => drawn.values[name].dtype !== 'float64')).toEqual([]);
    for (const name of LESSON_PARAMETER_NAMES) expect(drawn.parameters[name].shape, name).toEqual(parameterShapes(LESSON_CONFIG)[name]);
    expect([drawn.batch.Xb.shape, drawn.batch.Yb.shape]).toEqual([[n, 3], [n]]);
  });

  it('avoids values that hide mistakes: zeros, a gain of 1, a batch without a repeated character', () => {
    for (const name of LESSON_PARAMETER_NAMES) expect(drawn.parameters[name].data, name).not.toContain(0);
    expect(drawn.parameters.bngain.data).not.toContain(1);
    const Xb = [...drawn.batch.Xb.data];
    expect(Xb[2], 'twice in a context').toBe(Xb[0]);
    expect(Xb[(n - 1) * 3], 'in another context').toBe(Xb[0]);
  });

  it.each([
    ['C', 0, 1],
    ['W1', 0, 5 / 3 / Math.sqrt(30)],
    ['bngain', 1, 0.1],
    ['bnbias', 0, 0.1],
    ['W2', 0, 0.1],
  ] as const)('has %s with mean %d and standard deviation %d, within four standard errors', (name, mean, deviation) => {
    const squares = Array.from(drawn.parameters[name].data, (x) => ((x - mean) / deviation) ** 2);
    const sum = squares.reduce((total, x) => total + x, 0);
    expect(Math.abs(sum - squares.length) / Math.sqrt(2 * squares.length)).toBeLessThan(4);
  });

  it('shares no data between values, so that one can be changed alone', () => {
    expect(new Set(VALUE_NAMES.map((name) => drawn.values[name].data.buffer)).size).toBe(VALUE_NAMES.length);
  });

  it('is the same for the same seed and differs for another seed or n', () => {
    expect(createLessonCase(LESSON_CONFIG, n, 1).values.loss.item()).toBe(drawn.values.loss.item());
    expect(createLessonCase(LESSON_CONFIG, n, 2).parameters.C.data).not.toEqual(drawn.parameters.C.data);
    expect(createLessonCase(LESSON_CONFIG, n + 1, 1).parameters.C.data).not.toEqual(drawn.parameters.C.data);
  });
});

describe.each([3, 32])('a case of three blocks with n = %i', (n) => {
  const drawn = createNetworkCase(DEEP_CONFIG, n, 1);

  it('has float64 parameters without zeros and without a gain of 1', () => {
    const shapes = parameterShapes(DEEP_CONFIG);
    expect(Object.entries(drawn.parameters).map(([name, { shape }]) => [name, shape])).toEqual(Object.entries(shapes));
    for (const [name, { data, dtype }] of Object.entries(drawn.parameters)) {
      expect([dtype, data.includes(0), name.endsWith('bngain') && data.includes(1)], name).toEqual(['float64', false, false]);
    }
    for (const name of ['blocks.2.bngain', 'blocks.3.bngain'] as const) {
      for (const gain of drawn.parameters[name].data) expect(Math.abs(gain - 1)).toBeLessThan(0.5);
    }
  });

  it('feeds each block the output of the block below', () => {
    const { blocks } = drawn;
    expect(blocks.map(({ embact, h }) => [embact.shape, h.shape])).toEqual([
      [
        [n, 30],
        [n, 24],
      ],
      [
        [n, 24],
        [n, 16],
      ],
      [
        [n, 16],
        [n, 8],
      ],
    ]);
    for (const k of [1, 2]) expect(blocks[k].embact).toBe(blocks[k - 1].h);
  });

  it('redraws columns of every block until each has the least variance', () => {
    const spread = createNetworkCase(DEEP_CONFIG, n, 1, 0.5);
    for (const { bnvar } of spread.blocks) expect(Math.min(...bnvar.data)).toBeGreaterThanOrEqual(0.5);
    expect(spread.batch).toEqual(drawn.batch);
  });
});

it('createNetworkCase draws every index of the vocabulary and no other', () => {
  const { Xb, Yb } = createNetworkCase(SMALL, 200, 0).batch;
  for (const { data } of [Xb, Yb]) expect([...new Set(data)].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
});

it('randomTensor draws from the standard normal distribution: 2,500 entries within four standard errors of mean 0 and variance 1', () => {
  const { data, shape } = randomTensor([50, 50], randomStream('grad-check', 0));
  const mean = (values: number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
  expect(shape).toEqual([50, 50]);
  expect(Math.abs(mean([...data]))).toBeLessThan(4 / 50);
  expect(Math.abs(mean([...data].map((x) => x * x)) - 1)).toBeLessThan((4 * Math.SQRT2) / 50);
  expect(largestOf(data)).toBeLessThan(5);
});
