import * as gradcheck from 'backprop-ninja/gradcheck';
import { expect, it } from 'vitest';
import makeLayers from '../layers.cjs';

expect.extend(gradcheck.gradientMatchers);

it('shows the report of a wrong layer', async () => {
  await expect(makeLayers(gradcheck).doubled).toHaveCorrectGradients({ name: 'scale' });
});
