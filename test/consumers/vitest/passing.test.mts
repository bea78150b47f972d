import { createRequire } from 'node:module';
import * as imported from 'backprop-ninja/gradcheck';
import { describe, expect, it } from 'vitest';
import makeLayers from '../layers.cjs';

const { checkLayer, fromActivation, gradientMatchers } = imported;
expect.extend(gradientMatchers);

const required = createRequire(import.meta.url)('backprop-ninja/gradcheck') as typeof imported;

// The matchers are those of the ES module in both cases.
describe.each([
  ['import', makeLayers(imported)],
  ['require', makeLayers(required)],
])('layers made by %s', (_, { scale, tanh, doubled, withoutGain }) => {
  it('pass if they are right, in float64', async () => {
    await expect(scale).toHaveCorrectGradients();
    await expect(tanh).toHaveCorrectGradients({ seed: 1 });
    expect((await checkLayer(scale)).precision).toBe('float64');
  });

  it('fail if they are wrong, with what is wrong', async () => {
    await expect(doubled).not.toHaveCorrectGradients();
    await expect(expect(doubled).toHaveCorrectGradients()).rejects.toThrow('yours is 2 times the right gradient');
    await expect(expect(withoutGain).toHaveCorrectGradients()).rejects.toThrow('backward returned no gradient for gain');
  });
});

it('has types of the matcher', () => {
  const layer = fromActivation(Math.sin, Math.cos, { of: 'input' });
  const checked: () => Promise<void> = () => expect(layer).toHaveCorrectGradients({ name: 'sin', seed: 'any' });
  // @ts-expect-error: no such option
  const misspelt = () => expect(layer).toHaveCorrectGradients({ sed: 1 });
  expect([checked, misspelt]).toHaveLength(2);
});
