const gradcheck = require('backprop-ninja/gradcheck');
const { doubled } = require('../layers.cjs')(gradcheck);

expect.extend(gradcheck.gradientMatchers);

it('shows the report of a wrong layer', async () => {
  await expect(doubled).toHaveCorrectGradients({ name: 'scale' });
});
