import { describe, expect, it } from 'vitest';
import { type ArenaSize, paddedSize } from '../../src/backend/backend.js';
import { sizeOf } from '../../src/core/tensor.js';
import {
  allocateModel,
  arenaBytes,
  arenaSize,
  createActivations,
  createModel,
  createOptimizerTensors,
  createTrainingActivations,
  parameterViews,
} from '../../src/network/arrays.js';
import { blockName, type ModelConfig, parameterNames, parameterShapes } from '../../src/network/parameters.js';
import { createWasmBackend } from '../../src/node/kernels.js';
import { BACKENDS } from '../support/backends.js';
import { batchNormBlocks } from '../support/blocks.js';
import { largestOf } from '../support/compare.js';

const FULL: ModelConfig = { context: 3, embedding: 10, hidden: [200], vocabulary: 27 };
const SMALL: ModelConfig = { context: 3, embedding: 4, hidden: [9], vocabulary: 7 };
const DEEP: ModelConfig = { ...SMALL, hidden: [9, 6, 5] };

describe.each([SMALL, DEEP])('createModel for %j', (config) => {
  it('lays out parameters and gradients contiguously, in the order of their names', () => {
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

  it('gives each block the arrays with its names', () => {
    const model = createModel(BACKENDS[0].create(), config);
    const { parameters, gradients, statistics } = model;
    const blocks = batchNormBlocks(model);
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

  it('starts with mean 0 and variance 1 as statistics', () => {
    const blocks = batchNormBlocks(createModel(BACKENDS[0].create(), config));
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
])('arenaSize counts exactly what model, activations and optimizer allocate: %j, n = %i', (config, n) => {
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
    matrix: (rows: number, columns: number) => counted(backend.floats(paddedSize(rows, columns))),
  };
  const model = createModel(counting, config);
  createTrainingActivations(model, n);
  for (const inference of [1, 5, 64]) createActivations(model, inference);
  createOptimizerTensors(model, ['m', 'v']);
  const size = arenaSize(config, { training: n, optimizerTensors: ['m', 'v'], inference: [1, 5, 64] });
  expect(entries).toBe(size.entries);
  expect(arrays).toBe(size.arrays);
  expect(arenaBytes(size)).toBe(4 * (size.entries + size.workspace));
});

it('parameterViews cuts a tensor [P] at the boundaries of the parameters', () => {
  const model = createModel(BACKENDS[0].create(), DEEP);
  model.flatParameters.forEach((_, i) => {
    model.flatParameters[i] = i;
  });
  expect(parameterViews(model.flatParameters.slice(), DEEP)).toEqual(model.parameters);
});

describe('allocateModel', () => {
  const CAPACITY = { training: 32, optimizerTensors: ['velocity'], inference: [64] };

  it('reserves an arena in which everything fits', () => {
    const sizes: ArenaSize[] = [];
    const createBackend = (size: ArenaSize) => {
      sizes.push(size);
      return createWasmBackend(size);
    };
    const model = allocateModel(createBackend, DEEP, CAPACITY);
    createTrainingActivations(model, 32);
    createOptimizerTensors(model, ['velocity']);
    createActivations(model, 64);
    expect(sizes).toEqual([arenaSize(DEEP, CAPACITY)]);
  });

  it('leaves no room for more', () => {
    const model = allocateModel(createWasmBackend, FULL, { training: 32 });
    createTrainingActivations(model, 32);
    expect(() => createActivations(model, 256)).toThrow(/^the arena of \d+ bytes has no room for \d+ more entries$/);
  });
});
