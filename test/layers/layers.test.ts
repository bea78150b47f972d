import { describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../../src/backend/reference.js';
import { BACKENDS, FLOAT32_BACKENDS } from '../support/backends.js';
import { relativeError } from '../support/compare.js';
import { LAYERS, LayerRun, showSizes } from '../support/layers.js';

const LAYERS_AT_SIZES = LAYERS.flatMap((layer) =>
  layer.sizes.map((sizes) => ({ layer, sizes, title: `${layer.name} ${showSizes(sizes)}` })),
);

describe.each(BACKENDS)('a layer on $name', ({ create }) => {
  it.each(LAYERS_AT_SIZES)('overwrites its outputs, whatever they held before: $title', ({ layer, sizes }) => {
    const [afterNaN, afterOnes] = [Number.NaN, 1].map((stale) => new LayerRun(layer, create(), sizes, stale).forward().backward());
    for (const name of afterNaN.outputNames) {
      expect(afterNaN.get(name), name).not.toContain(Number.NaN);
      expect(afterNaN.get(name), name).toEqual(afterOnes.get(name));
    }
  });

  it.each(LAYERS_AT_SIZES)('writes neither to its inputs nor past the end of an array: $title', ({ layer, sizes }) => {
    const run = new LayerRun(layer, create(), sizes);
    const read = () => [...[...run.inputNames, run.upstream].map((name) => [...run.get(name)]), [...run.indices]];
    const before = read();
    run.forward().backward();
    expect(read()).toEqual(before);
    expect(run.guardsIntact).toBe(true);
  });
});

describe.each(FLOAT32_BACKENDS)('a layer on $name agrees with the float64 reference within 1e-5 of the largest entry', ({ create }) => {
  // With two or three rows the backward pass of batch norm cancels almost everything except rounding errors.
  const conditioned = LAYERS_AT_SIZES.filter(({ layer, sizes }) => !layer.name.startsWith('batchNorm') || sizes.n > 3);
  it.each(conditioned)('for $title', ({ layer, sizes }) => {
    const float32 = new LayerRun(layer, create(), sizes).forward().backward();
    const float64 = new LayerRun(layer, createReferenceBackend('float64'), sizes).forward().backward();
    for (const name of float32.outputNames) expect(relativeError(float32.get(name), float64.get(name)), name).toBeLessThan(1e-5);
  });
});
