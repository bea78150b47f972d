import assert from 'node:assert/strict';
import { it } from 'node:test';
import * as gradcheck from 'backprop-ninja/gradcheck';
import makeLayers from '../layers.cjs';

const { scale, tanh, doubled, withoutGain } = makeLayers(gradcheck);
const { assertGradients, checkLayer } = gradcheck;

it('passes right layers, in float64', async () => {
  await assertGradients(scale);
  await assertGradients(tanh, { seed: 1 });
  assert.equal((await checkLayer(scale)).precision, 'float64');
});

it('fails wrong layers, with what is wrong', async () => {
  await assert.rejects(assertGradients(doubled), { name: 'AssertionError', message: /yours is 2 times the right gradient/ });
  await assert.rejects(assertGradients(withoutGain), /backward returned no gradient for gain/);
});
