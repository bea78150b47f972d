import { it } from 'node:test';
import * as gradcheck from 'backprop-ninja/gradcheck';
import makeLayers from '../layers.cjs';

it('shows the report of a wrong layer', async () => {
  await gradcheck.assertGradients(makeLayers(gradcheck).doubled, { name: 'scale' });
});
