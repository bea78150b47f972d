// The types of the assertion. Nothing runs this file.
import { it } from 'node:test';
import { assertGradients, defineLayer } from 'backprop-ninja/gradcheck';

const double = defineLayer({
  inputs: (_, draw) => ({ x: draw.normal() }),
  forward: ({ x }) => 2 * x,
  backward: (dout) => ({ x: 2 * dout }),
});

it('is right', () => assertGradients(double, { name: 'double' }));
// @ts-expect-error: not a layer
it('is no layer', () => assertGradients({ forward: () => 1 }));
