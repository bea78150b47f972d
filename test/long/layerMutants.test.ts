import { describe, it } from 'vitest';
import { BACKEND_MUTANTS } from '../support/backendMutants.js';
import { BACKENDS } from '../support/backends.js';
import { expectFailure } from '../support/plantedLayers.js';

describe.each(BACKENDS.filter(({ name }) => name === 'wasm'))('checkLayer on the kernels', (backend) => {
  it.each(BACKEND_MUTANTS)('fails $wrong only, with no name but $id: $layer, $mistake', (mutant) => expectFailure(backend, mutant));
});
