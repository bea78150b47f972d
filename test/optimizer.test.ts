import { describe, expect, it } from 'vitest';
import { BACKENDS } from './backends.js';

describe.each(BACKENDS)('sgdUpdate on $name', ({ create, dtype }) => {
  const round = dtype === 'float32' ? Math.fround : (x: number) => x;
  const run = (parameters: number[], gradients: number[], rate: number, size = parameters.length) => {
    const backend = create();
    const p = backend.floats(parameters.length);
    const dp = backend.floats(parameters.length);
    p.set(parameters);
    dp.set(gradients);
    backend.sgdUpdate(p, dp, rate, size);
    return { p: [...p], dp: [...dp] };
  };

  it('p -= rate·dp, and leaves dp as it is', () => {
    expect(run([1, -2, 3, 0, 5], [2, 4, -8, 16, 0], 0.25)).toEqual({ p: [0.5, -3, 5, -4, 5], dp: [2, 4, -8, 16, 0] });
  });

  it('changes the first `size` entries only', () => {
    expect(run([1, 1, 1], [1, 1, 1], 1, 2).p).toEqual([0, 0, 1]);
  });

  it('agrees with p - rate·dp within 1e-6 of the larger term in float32 and to the bit in float64, at the lesson rates', () => {
    for (const rate of [0.1, 0.01]) {
      for (const dp of [3.7, -1e-6, 1e5].map(round)) {
        const expected = round(0.3) - rate * dp;
        const tolerance = dtype === 'float32' ? 1e-6 * Math.max(0.3, Math.abs(rate * dp)) : 0;
        expect(Math.abs(run([0.3], [dp], rate).p[0] - expected)).toBeLessThanOrEqual(tolerance);
      }
    }
  });
});
