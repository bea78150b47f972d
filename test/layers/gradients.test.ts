import { describe, expect, it } from 'vitest';
import { checkLayer } from '../../src/gradcheck.js';
import { BACKEND_MUTANTS, type BackendMutant, withMistake } from '../support/backendMutants.js';
import { BACKENDS } from '../support/backends.js';
import { specificationOf } from '../support/layerSpecifications.js';
import { LAYERS, type Layer } from '../support/layers.js';

describe.each(BACKENDS.filter(({ name }) => name !== 'reference float32'))('checkLayer on $name, in $dtype,', ({ create, dtype }) => {
  it.each(LAYERS)('passes $name', async (layer) => {
    const report = await checkLayer(specificationOf(layer, create()));
    expect(report).toMatchObject({ ok: true, precision: dtype, refused: null, tried: { dropped: 0, undecided: 0 } });
    expect(report.inputs.map(({ name }) => name)).toEqual(Object.keys(layer.inputs({})));
  });

  it.each(BACKEND_MUTANTS)('fails $wrong only, with no name but $id: $layer, $mistake', async (mutant) => {
    const { inputs, precision } = await checkLayer(specificationOf(layerOf(mutant), withMistake(create(), mutant)));
    expect(precision).toBe(dtype);
    const wrong = inputs.filter(({ ok }) => !ok);
    expect(wrong.map(({ name }) => name)).toEqual(mutant.wrong);
    expect(wrong[0].mistake?.id).toBeOneOf([mutant.id, undefined]);
  });
});

/** Backends have batch norm and tanh only together. */
function layerOf({ layer }: BackendMutant): Layer {
  const name = layer.replace(/Forward|Backward/, '');
  return LAYERS.find((one) => one.name === (/batchNorm|tanh/.test(name) ? 'batchNormTanh' : name)) as Layer;
}
