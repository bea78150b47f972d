import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { derivativeAt } from '../../src/gradCheck/differences.js';

describe('derivativeAt', () => {
  it('is the derivative of the weighted outputs, within the error that it measures', () => {
    const data = Float64Array.of(7, 0.5);
    const compute = () => [Math.exp(data[1]), data[0] * data[1]];
    const { right, summed, error, agreed } = derivativeAt(data, 1, { compute, unmoved: compute(), dout: [2, -1] }, 1e-3);
    expect(Math.abs(right - (2 * Math.exp(0.5) - 7))).toBeLessThanOrEqual(error);
    expect(summed).toBeCloseTo(2 * Math.exp(0.5) + 7, 9);
    expect(agreed).toBe(true);
  });

  it.each([1e-5, 1e-3, 0.1])('is right where the function bends over 1e-3, with steps from %d on, within 1e-6', (eps) => {
    const data = Float64Array.of(1e-3);
    const compute = () => [1 / Math.sqrt(data[0])];
    const { right } = derivativeAt(data, 0, { compute, unmoved: compute(), dout: [1] }, eps);
    expect(Math.abs(right / (-0.5 * 1e-3 ** -1.5) - 1)).toBeLessThan(1e-6);
  });

  it('restores the entry to the last bit and touches no other', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), fc.double({ min: 1e-9, max: 1, noNaN: true }), (x, eps) => {
        const data = Float64Array.of(1, x, 2);
        derivativeAt(data, 1, { compute: () => [data[1]], unmoved: [x], dout: [1] }, eps);
        expect([...data]).toEqual([1, x, 2]);
      }),
    );
  });

  it('is NaN where nothing can be measured', () => {
    const data = Float64Array.of(0);
    expect(derivativeAt(data, 0, { compute: () => [Math.sqrt(data[0])], unmoved: [0], dout: [1] }, 1e-3).right).toBeNaN();
  });
});
