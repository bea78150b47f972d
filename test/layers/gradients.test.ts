import { describe, expect, it } from 'vitest';
import { checkLayer } from '../../src/gradcheck.js';
import { BACKEND_MUTANTS } from '../support/backendMutants.js';
import { BACKENDS } from '../support/backends.js';
import { specificationOf } from '../support/layerSpecifications.js';
import { LAYERS } from '../support/layers.js';
import { expectFailure } from '../support/plantedLayers.js';

describe.each(BACKENDS.filter(({ name }) => name !== 'reference float32'))('checkLayer on $name, in $dtype,', ({ create, dtype }) => {
  it.each(LAYERS)('passes $name', async (layer) => {
    const report = await checkLayer(specificationOf(layer, create()));
    expect(report).toMatchObject({ ok: true, precision: dtype, refused: null, tried: { dropped: 0, undecided: 0 } });
    expect(report.inputs.map(({ name }) => name)).toEqual(Object.keys(layer.inputs({})));
  });
});

// On the kernels: test/long/layerMutants.test.ts.
describe.each(BACKENDS.filter(({ dtype }) => dtype === 'float64'))('checkLayer on $name', (backend) => {
  it.each(BACKEND_MUTANTS)('fails $wrong only, with no name but $id: $layer, $mistake', (mutant) => expectFailure(backend, mutant));
});
