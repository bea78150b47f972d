import { describe, expect, it } from 'vitest';
import { BACKENDS, floatsOf } from '../support/backends.js';
import { relativeError } from '../support/compare.js';

describe.each(BACKENDS)('tanh on $name', ({ create, dtype }) => {
  const backend = create();
  const tanh = (xs: number[]) => {
    const h = backend.floats(xs.length);
    backend.tanhForward(h, floatsOf(backend, xs), xs.length);
    return h;
  };

  const limit = dtype === 'float32' ? 1e-6 : 1e-15;
  it(`equals Math.tanh within ${limit} of each value, for |x| from 1e-6 to 10`, () => {
    for (let x = 1e-6; x < 10; x *= 1.1) {
      const given = floatsOf(backend, [x, -x]);
      expect(relativeError(tanh([...given]), Array.from(given, Math.tanh)), `x ${x}`).toBeLessThanOrEqual(limit);
    }
  });

  it('is -1 and 1 for large |x|, with gradient 0, and 0 at 0, with gradient dh', () => {
    const h = tanh([-1e30, -100, 0, 100, 1e30]);
    expect([...h]).toEqual([-1, -1, 0, 1, 1]);
    const dhpreact = backend.floats(5);
    backend.tanhBackward(dhpreact, floatsOf(backend, [3, 3, 3, 3, 3]), h, 5);
    expect([...dhpreact]).toEqual([0, 0, 3, 0, 0]);
  });

  it.each([1, 4, 7, 8, 13])('may compute %i entries in place', (size) => {
    const xs = Array.from({ length: size }, (_, i) => (i - 3) / 4);
    const h = floatsOf(backend, xs);
    backend.tanhForward(h, h, size);
    expect(h).toEqual(tanh(xs));
    const [dh, dhpreact] = [floatsOf(backend, xs), backend.floats(size)];
    backend.tanhBackward(dhpreact, dh, h, size);
    backend.tanhBackward(dh, dh, h, size);
    expect(dh).toEqual(dhpreact);
  });
});
