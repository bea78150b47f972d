import { describe, expect, it } from 'vitest';
import { LESSON_CONFIG } from '../../src/lesson/case.js';
import {
  blockName,
  initialScales,
  isParameterName,
  LESSON_PARAMETER_NAMES,
  MAX_BLOCKS,
  type ModelConfig,
  parameterCount,
  parameterNames,
  parameterShapes,
  statisticNames,
  statisticShapes,
} from '../../src/network/parameters.js';

const FULL: ModelConfig = { context: 3, embedding: 10, hidden: [200], vocabulary: 27 };
const DEEP: ModelConfig = { ...FULL, hidden: [200, 24, 8] };

describe('the lesson network', () => {
  it('has the parameters and shapes of the lesson', () => {
    expect(parameterNames(FULL)).toEqual([...LESSON_PARAMETER_NAMES]);
    expect(Object.entries(parameterShapes(FULL))).toEqual([
      ['C', [27, 10]],
      ['W1', [30, 200]],
      ['b1', [200]],
      ['bngain', [1, 200]],
      ['bnbias', [1, 200]],
      ['W2', [200, 27]],
      ['b2', [27]],
    ]);
  });

  it('has 12,297 parameters, and 4,137 in the exercise', () => {
    expect([FULL, LESSON_CONFIG].map(parameterCount)).toEqual([12_297, 4_137]);
  });

  it('has one mean and one variance per unit', () => {
    expect(Object.entries(statisticShapes(FULL))).toEqual([
      ['bnmean', [1, 200]],
      ['bnvar', [1, 200]],
    ]);
  });
});

describe('a deep network', () => {
  it('stacks its blocks between C and W2, each with the units below as inputs', () => {
    expect(Object.entries(parameterShapes(DEEP))).toEqual([
      ['C', [27, 10]],
      ['W1', [30, 200]],
      ['b1', [200]],
      ['bngain', [1, 200]],
      ['bnbias', [1, 200]],
      ['blocks.2.W', [200, 24]],
      ['blocks.2.b', [24]],
      ['blocks.2.bngain', [1, 24]],
      ['blocks.2.bnbias', [1, 24]],
      ['blocks.3.W', [24, 8]],
      ['blocks.3.b', [8]],
      ['blocks.3.bngain', [1, 8]],
      ['blocks.3.bnbias', [1, 8]],
      ['W2', [8, 27]],
      ['b2', [27]],
    ]);
    expect(Object.keys(parameterShapes(DEEP))).toEqual(parameterNames(DEEP));
    expect(parameterCount(DEEP)).toBe(270 + 6000 + 3 * 200 + 4800 + 3 * 24 + 192 + 3 * 8 + 216 + 27);
  });

  it('has statistics for each block', () => {
    expect(Object.entries(statisticShapes(DEEP))).toEqual([
      ['bnmean', [1, 200]],
      ['bnvar', [1, 200]],
      ['blocks.2.bnmean', [1, 24]],
      ['blocks.2.bnvar', [1, 24]],
      ['blocks.3.bnmean', [1, 8]],
      ['blocks.3.bnvar', [1, 8]],
    ]);
    expect(Object.keys(statisticShapes(DEEP))).toEqual(statisticNames(DEEP));
  });

  it('is initialised with weights of (5/3)/sqrt(inputs), and otherwise as in the lesson', () => {
    const scales = initialScales(DEEP);
    expect(Object.keys(scales)).toEqual(parameterNames(DEEP));
    const weights = { C: 1, W1: 5 / 3 / Math.sqrt(30), 'blocks.2.W': 5 / 3 / Math.sqrt(200), 'blocks.3.W': 5 / 3 / Math.sqrt(24) };
    expect(scales).toEqual({ ...Object.fromEntries(parameterNames(DEEP).map((name) => [name, 0.1])), ...weights });
  });
});

describe('a network without batch norm', () => {
  const LINEAR: ModelConfig = { ...FULL, hidden: [200, 24], norm: 'none' };

  it('has weights and a bias per block, and no statistics', () => {
    expect(Object.entries(parameterShapes(LINEAR))).toEqual([
      ['C', [27, 10]],
      ['W1', [30, 200]],
      ['b1', [200]],
      ['blocks.2.W', [200, 24]],
      ['blocks.2.b', [24]],
      ['W2', [24, 27]],
      ['b2', [27]],
    ]);
    expect(parameterCount(LINEAR)).toBe(270 + 6000 + 200 + 4800 + 24 + 648 + 27);
    expect([statisticNames(LINEAR), statisticShapes(LINEAR)]).toEqual([[], {}]);
  });

  it('has the scales of its parameters, with the factors that are given', () => {
    const scales = { C: 1, W1: 1 / Math.sqrt(30), b1: 0.1, 'blocks.2.W': 1 / Math.sqrt(200), 'blocks.2.b': 0.1, W2: 1, b2: 0.1 };
    expect(initialScales(LINEAR, { initGain: 1, initOutput: 1 })).toEqual(scales);
  });
});

describe('the names of tensors', () => {
  it.each([
    [1, 'W', 'W1'],
    [1, 'b', 'b1'],
    [1, 'bngain', 'bngain'],
    [1, 'h', 'h'],
    [2, 'W', 'blocks.2.W'],
    [16, 'hprebn', 'blocks.16.hprebn'],
  ])('in block %i: %s is called %s', (K, tensor, name) => {
    expect(blockName(K, tensor)).toBe(name);
  });

  it('that are parameters are those of networks with 1 to 16 blocks, and no others', () => {
    const deepest = parameterNames({ hidden: Array(MAX_BLOCKS).fill(1) });
    expect(deepest.length).toBe(7 + 4 * 15);
    expect(deepest.filter((name) => !isParameterName(name))).toEqual([]);
    const others = ['', 'c', 'W3', 'bnmean', 'h', '__proto__', 'blocks.1.W', 'blocks.17.W', 'blocks.02.W', 'blocks.2.W1', 'blocks.2.bnvar'];
    expect(
      [...others, 'blocks.2.', 'blocks.2.W ', ' blocks.2.W', 'blocks.-2.W', 'blocks.2.5.W', 'blocks.x.W'].filter(isParameterName),
    ).toEqual([]);
  });
});
