const gradcheck = require('backprop-ninja/gradcheck');
const { withoutGain } = require('../layers.cjs')(gradcheck);

expect.extend(gradcheck.gradientMatchers);

it('shows the report of a wrong layer', async () => {
  await expect(withoutGain).toHaveCorrectGradients({ name: 'scale' });
});
