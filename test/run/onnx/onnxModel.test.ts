import { describe, expect, it } from 'vitest';
import { largestMagnitude } from '../../../src/core/numbers.js';
import type { Tensor } from '../../../src/core/tensor.js';
import { NORMS } from '../../../src/network/parameters.js';
import { modelOnnx } from '../../../src/run/onnx/onnxModel.js';
import { logitsOf, trainedExport } from '../../support/exportedRuns.js';
import { onnxOf, runOnnx } from '../../support/onnxRun.js';

const NETWORKS = [[3], [5, 4, 3]].flatMap((hidden) => NORMS.map((norm) => ({ hidden, norm })));

describe.each(NETWORKS)('the model of a network with blocks of $hidden, norm $norm', ({ hidden, norm }) => {
  const { model, exported } = trainedExport(hidden, norm);
  const isNormed = norm === 'batch';
  const file = onnxOf(modelOnnx(exported));
  const V = exported.vocabulary.length;

  it.each([1, 2, 40])('gives the logits of the network for %i contexts', (n) => {
    const contexts = Array.from({ length: 2 * n }, (_, i) => (7 * i) % V);
    const values = runOnnx(file, contexts, 2);
    const { data, shape } = values.get('logits') as Tensor;
    const own = logitsOf(model, contexts);
    expect(shape).toEqual([n, V]);
    expect(largestMagnitude(own.map((x, i) => x - data[i]))).toBeLessThan(1e-5);
    const probs = values.get('probs') as Tensor;
    for (const sum of probs.sum(1).data) expect(sum).toBeCloseTo(1, 12);
  });

  it('names input and outputs with their shapes, and every array as the lesson does', () => {
    const shapeOf = (info: (typeof file.graph & object)['input'][number]) => ({
      name: info.name,
      type: info.type?.value.value?.elemType,
      shape: info.type?.value.value?.shape?.dim.map(({ value }) => value.value),
    });
    expect(file.graph?.input.map(shapeOf)).toEqual([{ name: 'context', type: 7, shape: ['n', 2n] }]);
    expect(file.graph?.output.map(shapeOf)).toEqual([
      { name: 'logits', type: 1, shape: ['n', BigInt(V)] },
      { name: 'probs', type: 1, shape: ['n', BigInt(V)] },
    ]);
    const arrays = [...exported.parameters, ...exported.statistics].map(([name, { shape }]) => [name, shape.map(BigInt)]);
    expect(file.graph?.initializer.slice(0, isNormed ? -2 : -1).map(({ name, dims }) => [name, dims])).toEqual(arrays);
    const names = file.graph?.node.map(({ name }) => name);
    if (isNormed) expect(names).toEqual(expect.arrayContaining(['emb', 'embact', 'hprebn', 'bndiff', 'bnraw', 'hpreact', 'h']));
    else expect(names?.slice(0, 4)).toEqual(['emb', 'embact', 'hprebn', 'h']);
  });

  it('carries the vocabulary and all else that a reader needs in its metadata', () => {
    const metadata = Object.fromEntries(file.metadataProps.map(({ key, value }) => [key, value]));
    expect(JSON.parse(metadata.vocabulary)).toEqual(exported.vocabulary);
    expect(metadata).toMatchObject({ context: '2', boundary: '.', hidden: JSON.stringify(hidden) });
    expect([metadata.epsilon, metadata.norm]).toEqual(isNormed ? ['0.00001', undefined] : [undefined, 'none']);
    expect(file).toMatchObject({ producerName: 'backprop-ninja', producerVersion: '1.2.3', irVersion: 7n });
    expect(file.opsetImport).toMatchObject([{ domain: '', version: 13n }]);
  });

  it('has the same bytes every time', () => {
    expect(modelOnnx(exported)).toEqual(modelOnnx(exported));
  });
});
