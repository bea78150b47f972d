const gradcheck = require('backprop-ninja/gradcheck');
const { scale, tanh, doubled, withoutGain } = require('../layers.cjs')(gradcheck);

expect.extend(gradcheck.gradientMatchers);

it('passes right layers, in float64', async () => {
  await expect(scale).toHaveCorrectGradients();
  await expect(tanh).toHaveCorrectGradients({ seed: 1 });
  expect((await gradcheck.checkLayer(scale)).precision).toBe('float64');
});

it('fails wrong layers, with what is wrong', async () => {
  await expect(doubled).not.toHaveCorrectGradients();
  await expect(expect(doubled).toHaveCorrectGradients()).rejects.toThrow('yours is 2 times the right gradient');
  await expect(expect(withoutGain).toHaveCorrectGradients()).rejects.toThrow('backward returned no gradient for gain');
});
