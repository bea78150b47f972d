const assert = require('node:assert/strict');
const { it } = require('node:test');
const gradcheck = require('backprop-ninja/gradcheck');

const { scale, tanh, doubled, withoutGain } = require('../layers.cjs')(gradcheck);
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
