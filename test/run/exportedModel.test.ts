import { describe, expect, it } from 'vitest';
import { complete } from '../../src/core/job.js';
import { parameterShapes, statisticShapes } from '../../src/network/parameters.js';
import { modelJson, modelNpz, modelSafetensors } from '../../src/run/exportedModel.js';
import { readNpz } from '../../src/run/npz.js';
import { loadFloats, readSafetensors, type StoredTensor } from '../../src/run/safetensors.js';
import { trainedExport } from '../support/exportedRuns.js';

const networks: (readonly number[])[] = [[3], [5, 4, 3]];

describe.each(networks)('a network with blocks of %j, %j, %j', (...hidden) => {
  const { model, exported } = trainedExport(hidden.filter((H) => H !== undefined));
  const own = { ...model.parameters, ...model.statistics };
  const shapes = { ...parameterShapes(model.config), ...statisticShapes(model.config) };

  /** Expects the network's own arrays, in the order of files. */
  function expectArrays(tensors: ReadonlyMap<string, StoredTensor>): void {
    expect([...tensors.keys()]).toEqual(Object.keys(own));
    for (const [name, tensor] of tensors) {
      expect(tensor, name).toMatchObject({ dtype: 'F32', shape: shapes[name as keyof typeof shapes] });
      expect(loadFloats(name, tensor), name).toEqual(own[name as keyof typeof own]);
    }
  }

  it('is a safetensors file with parameters and statistics, and what a reader needs to use them', () => {
    const { metadata, tensors } = readSafetensors(modelSafetensors(exported));
    expectArrays(tensors);
    expect(metadata).toMatchObject({
      format: 'backprop-ninja model',
      program: 'backprop-ninja 1.2.3',
      vocabulary: JSON.stringify(exported.vocabulary),
      boundary: '.',
      context: '2',
      embedding: '2',
      hidden: JSON.stringify(model.config.hidden),
      epsilon: '0.00001',
      steps: '20',
    });
  });

  it('is a .npz file with the same arrays', () => {
    expectArrays(readNpz(modelNpz(exported)));
  });

  it('is a JSON document from which every float32 can be read back', () => {
    const document = JSON.parse(new TextDecoder().decode(complete(modelJson(exported))));
    expect(document).toMatchObject({
      format: 'backprop-ninja model',
      vocabulary: exported.vocabulary,
      context: 2,
      epsilon: 1e-5,
      steps: 20,
    });
    const read = { ...document.parameters, ...document.statistics };
    expect(Object.keys(read)).toEqual(Object.keys(own));
    for (const [name, nested] of Object.entries<number[][]>(read)) {
      expect(Float32Array.from(nested.flat()), name).toEqual(own[name as keyof typeof own]);
      if (shapes[name as keyof typeof shapes].length === 2)
        expect([nested.length, nested[0].length]).toEqual(shapes[name as keyof typeof shapes]);
    }
  });

  it('gives the same bytes every time', () => {
    for (const write of [modelSafetensors, modelNpz]) expect(write(exported)).toEqual(write(exported));
    expect(complete(modelJson(exported))).toEqual(complete(modelJson(exported)));
  });
});

it('a network without batch norm has neither its arrays nor its formula', () => {
  const { exported } = trainedExport([5, 4], 'none');
  const { metadata, tensors } = readSafetensors(modelSafetensors(exported));
  expect([...tensors.keys()]).toEqual(['C', 'W1', 'b1', 'blocks.2.W', 'blocks.2.b', 'W2', 'b2']);
  expect([metadata.norm, metadata.epsilon, metadata.statistics]).toEqual(['none', undefined, undefined]);
  expect(metadata.forward).toContain('h = tanh(embact @ W1 + b1)');
  const document = JSON.parse(new TextDecoder().decode(complete(modelJson(exported))));
  expect([document.norm, document.statistics, document.epsilon, document.forward.join('\n')]).toEqual([
    'none',
    {},
    undefined,
    metadata.forward,
  ]);
  expect(JSON.stringify(document.forward)).not.toMatch(/bn|norm/);
});

it('JSON keeps numbers that are hard to write: the smallest, the largest, negative zero, one third', () => {
  const { exported } = trainedExport([3]);
  const hard = Float32Array.of(1.401298464324817e-45, 3.4028234663852886e38, -0, 1 / 3, 16777217, 1.17549435e-38, 0.1, -7.0385e-26);
  const parameters = new Map([['C', { shape: [2, 4], data: hard }]]);
  const text = new TextDecoder().decode(complete(modelJson({ ...exported, parameters })));
  expect(Float32Array.from((JSON.parse(text).parameters.C as number[][]).flat())).toEqual(hard);
  expect(text).toContain('[1e-45, 3.4028235e+38, -0.0, 0.33333334]');
});
