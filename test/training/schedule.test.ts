import { describe, expect, it } from 'vitest';
import { cosineOfPi, defaultSwitchStep, type RateOptions, SCHEDULES, scheduledRate, stepRate } from '../../src/training/schedule.js';

describe('stepRate', () => {
  it.each([
    [5, [1, 1, 1, 1, 1, 0.1, 0.1, 0.1, 0.1, 0.1]],
    [1, [1, 0.1, 0.1]],
    [0, [0.1, 0.1]],
    [9, [1, 1, 1]],
  ])('with switch step %i is the full rate before it and a tenth of it afterwards: %j', (switchStep, rates) => {
    expect(rates.map((_, step) => stepRate(step, switchStep, 1))).toEqual(rates);
  });
});

describe('defaultSwitchStep', () => {
  it.each([
    [10, 5],
    [5, 2],
    [2, 1],
    [1, 0],
    [200_000, 100_000],
  ])('for %i steps is floor(steps/2): %i', (steps, switchStep) => {
    expect(defaultSwitchStep(steps)).toBe(switchStep);
  });
});

describe('scheduledRate', () => {
  const rates = (options: Partial<RateOptions>) => {
    const all: RateOptions = { steps: 10, learningRate: 1, schedule: { name: 'constant' }, warmup: 0, ...options };
    return Array.from({ length: all.steps }, (_, step) => scheduledRate(step, all));
  };
  const close = (found: number[], expected: number[]) => {
    expect(found.length).toBe(expected.length);
    found.forEach((rate, i) => {
      expect(rate).toBeCloseTo(expected[i], 14);
    });
  };

  it.each([
    [{ name: 'step', switchStep: 4 } as const, [0.5, 0.5, 0.5, 0.5, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05]],
    [{ name: 'constant' } as const, [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]],
    [{ name: 'linear' } as const, [0.5, 0.45, 0.4, 0.35, 0.3, 0.25, 0.2, 0.15, 0.1, 0.05]],
    [{ name: 'cosine' } as const, Array.from({ length: 10 }, (_, step) => 0.25 * (1 + Math.cos((Math.PI * step) / 10)))],
  ])('decays from 0.5 by the schedule $name', (schedule, expected) => {
    close(rates({ learningRate: 0.5, schedule }), expected);
  });

  it('with the step schedule equals stepRate to the bit', () => {
    for (const learningRate of [0.1, 0.3, 1e-7]) {
      const found = rates({ learningRate, schedule: { name: 'step', switchStep: 5 } });
      expect(found).toEqual(found.map((_, step) => stepRate(step, 5, learningRate)));
    }
  });

  it.each(SCHEDULES.filter((name) => name !== 'step'))(
    '%s: rises in equal steps to the full rate during warm-up, then starts the schedule',
    (name) => {
      const found = rates({ steps: 14, schedule: { name }, warmup: 4 });
      expect(found.slice(0, 4)).toEqual([0.25, 0.5, 0.75, 1]);
      expect(found.slice(4)).toEqual(rates({ steps: 10, schedule: { name } }));
    },
  );

  it('step: scales the rate during warm-up and leaves the switch step where it is', () => {
    const found = rates({ steps: 8, schedule: { name: 'step', switchStep: 2 }, warmup: 4 });
    close(found, [0.25, 0.5, 0.075, 0.1, 0.1, 0.1, 0.1, 0.1]);
  });

  it.each(['linear', 'cosine'] as const)('%s: never rises, is above 0 in the last step, and would be 0 in the next', (name) => {
    for (const steps of [1, 2, 3, 10, 1000, 9_999]) {
      const options: RateOptions = { steps, learningRate: 0.1, schedule: { name }, warmup: 0 };
      const found = rates(options);
      found.forEach((rate, step) => {
        if (step > 0) expect(rate).toBeLessThanOrEqual(found[step - 1]);
      });
      expect(found[steps - 1]).toBeGreaterThan(0);
      expect(scheduledRate(steps, options)).toBe(0);
    }
  });

  it.each(SCHEDULES)('%s: ends at the full rate if all steps are warm-up', (name) => {
    const schedule = name === 'step' ? { name, switchStep: 4 } : { name };
    expect(rates({ steps: 4, schedule, warmup: 4 })).toEqual([0.25, 0.5, 0.75, 1]);
  });
});

describe('cosineOfPi', () => {
  it('is cos(π·t) within 2e-16, and Math.cos(π·t) within 3.2e-16 of it, over a million points of [0, 1]', () => {
    let largest = 0;
    for (let i = 0; i <= 1e6; i++) largest = Math.max(largest, Math.abs(cosineOfPi(i / 1e6) - Math.cos(Math.PI * (i / 1e6))));
    expect(largest).toBeLessThan(5.2e-16);
  });

  it.each([
    [0, 1],
    [1 / 4, Math.SQRT1_2],
    [1 / 3, 0.5],
    [1 / 2, 0],
    [2 / 3, -0.5],
    [3 / 4, -Math.SQRT1_2],
    [1, -1],
    // By mpmath, for the nearest float64.
    [0.1, 0.9510565162951535],
    [0.2, 0.8090169943749475],
    [0.4, 0.30901699437494734],
    [0.499, 0.003141587485879566],
    [1e-9, 1],
  ])('at %d is %d within 2e-16', (t, expected) => {
    expect(Math.abs(cosineOfPi(t) - expected)).toBeLessThanOrEqual(2e-16);
  });

  it('is antisymmetric: cos(π·(1 - t)) = -cos(π·t)', () => {
    for (let i = 0; i <= 1024; i++) expect(cosineOfPi(1 - i / 1024) + cosineOfPi(i / 1024)).toBe(0);
  });
});
