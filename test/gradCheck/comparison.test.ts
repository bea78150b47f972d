import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limitsOf, measureEntry, sampleEntries } from '../../src/gradCheck/comparison.js';
import { measure } from '../../src/gradCheck/derivative.js';

describe('measureEntry', () => {
  const at = (x: number) => {
    const shifts: number[] = [];
    const steps = { first: 2 ** -10, last: 2 ** -26, epsilon: 2 ** -52, magnitude: [x * x, 3 * x].map(Math.abs) };
    const found = measure(measureEntry(x, steps, [1, -2]), (t) => {
      shifts.push(t);
      return { t, values: [(x + t) ** 2, 3 * (x + t)] };
    });
    return { found, shifts };
  };

  it('gives the derivative of each output, of their weighted sum, and the magnitude of what is summed', () => {
    const { found } = at(0.5);
    expect(found?.slope).toEqual(Float64Array.of(1, 3));
    expect(found).toMatchObject({ right: -5, summed: 7, agreed: true });
    expect(found?.error).toBeLessThan(1e-10);
  });

  it('takes larger steps for entries above 2: a power of two times as large', () => {
    expect([0.1, 1, 5, -100].map((x) => at(x).shifts[0] / 2 ** -9)).toEqual([1, 1, 4, 64]);
  });
});

describe('limitsOf', () => {
  const measured = (error: number, summed: number, agreed = true) => ({ right: 0, summed, error, agreed });

  it('is ten errors, a share of what is summed to the entry, and a share of the largest sum', () => {
    const limits = limitsOf([measured(1e-3, 2, false), measured(1e-3, 50, false)], { share: 1e-2, floor: 1e-3 });
    expect([...limits].map((x) => Math.round(x * 1e9) / 1e9)).toEqual([0.01 + 0.02 + 0.05, 0.01 + 0.5 + 0.05]);
  });

  it('is at least what is given', () => {
    expect([...limitsOf([measured(0, 1), measured(0, 0)], { share: 0.5, floor: 0.25 }, 2)]).toEqual([2.5, 2]);
  });

  it('takes the typical error where an entry agreed by chance', () => {
    const limits = limitsOf([measured(0, 0), measured(1e-3, 0)], { share: 0, floor: 0 });
    expect(limits[0]).toBeCloseTo(10 * 1e-3 * Math.SQRT1_2, 12);
    expect(limits[1]).toBe(1e-2);
  });
});

describe('sampleEntries', () => {
  const zeros = (size: number) => new Float64Array(size);

  it('takes all entries if there are no more than asked', () => {
    expect([...sampleEntries(zeros(4), 4, '')]).toEqual([0, 1, 2, 3]);
    expect([...sampleEntries(zeros(4), 100, '')]).toEqual([0, 1, 2, 3]);
  });

  it('takes the given number of different entries, in ascending order, with the largest', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 50 }), fc.nat(), fc.string(), (size, count, peak, seed) => {
        const yours = zeros(size);
        yours[peak % size] = -1;
        const chosen = sampleEntries(yours, count, seed);
        expect(chosen.length).toBe(Math.min(size, count));
        expect(chosen).toContain(peak % size);
        chosen.forEach((entry, i) => {
          expect(entry > (chosen[i - 1] ?? -1) && entry < size).toBe(true);
        });
      }),
    );
  });

  it('takes NaN before any number', () => {
    expect([...sampleEntries([1, 9, Number.NaN, 2], 1, '')]).toEqual([2]);
  });

  it.each([20, 200])('can choose every one of %i entries', (size) => {
    const reached = new Set(Array.from({ length: 60 * size }, (_, seed) => [...sampleEntries(zeros(size), 3, `${seed}`)]).flat());
    expect(reached.size).toBe(size);
  });
});
