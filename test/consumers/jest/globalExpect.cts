// The types of the matcher on the global expect. Nothing runs this file.
import gradcheck = require('backprop-ninja/gradcheck');

const layer: gradcheck.Layer = gradcheck.fromActivation(Math.sin, Math.cos, { of: 'input' });
expect.extend(gradcheck.gradientMatchers);

export const checked: Promise<void> = expect(layer).toHaveCorrectGradients({ name: 'sin', seed: 'any' });
export const opposite: Promise<void> = expect(layer).not.toHaveCorrectGradients();
// @ts-expect-error: no such option
expect(layer).toHaveCorrectGradients({ sed: 1 });
