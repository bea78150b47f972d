// The types of the matcher on an imported expect. Nothing runs this file.
import { expect } from '@jest/globals';
import { fromActivation, type GradientMatchers, gradientMatchers } from 'backprop-ninja/gradcheck';

declare module 'expect' {
  interface Matchers<R extends void | Promise<void>> extends GradientMatchers<R> {}
}

const layer = fromActivation(Math.sin, Math.cos, { of: 'input' });
expect.extend(gradientMatchers);

export const checked: Promise<void> = expect(layer).toHaveCorrectGradients({ name: 'sin', seed: 'any' });
// @ts-expect-error: no such option
expect(layer).toHaveCorrectGradients({ sed: 1 });
