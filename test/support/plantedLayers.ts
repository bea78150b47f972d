/** The checker for any layer on layers with a planted mistake. */
import { expect } from 'vitest';
import { checkLayer } from '../../src/gradcheck.js';
import { type BackendMutant, withMistake } from './backendMutants.js';
import type { BackendUnderTest } from './backends.js';
import { specificationOf } from './layerSpecifications.js';
import { LAYERS, type Layer } from './layers.js';

/** The mistake fails the gradients that it makes wrong, and no others, and gets no wrong name. */
export async function expectFailure({ create, dtype }: BackendUnderTest, mutant: BackendMutant): Promise<void> {
  const { inputs, precision } = await checkLayer(specificationOf(layerOf(mutant), withMistake(create(), mutant)));
  expect(precision).toBe(dtype);
  const wrong = inputs.filter(({ ok }) => !ok);
  expect(wrong.map(({ name }) => name)).toEqual(mutant.wrong);
  expect(wrong[0].mistake?.id).toBeOneOf([mutant.id, undefined]);
}

/** Backends have batch norm and tanh only together. */
function layerOf({ layer }: BackendMutant): Layer {
  const name = layer.replace(/Forward|Backward/, '');
  return LAYERS.find((one) => one.name === (/batchNorm|tanh/.test(name) ? 'batchNormTanh' : name)) as Layer;
}
