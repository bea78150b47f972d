import { describe, expect, it } from 'vitest';
import { RunCurves, ThinnedCurve } from '../../src/run/runCurves.js';

describe('a curve in bounded memory', () => {
  it('keeps every point as long as there are few', () => {
    const curve = new ThinnedCurve(10);
    for (const step of [1, 2, 3]) curve.add(step, step * step);
    expect(curve.points).toEqual([
      [1, 1],
      [2, 4],
      [3, 9],
    ]);
  });

  it('keeps means of neighbours once there are many, and the exact last and lowest point', () => {
    const curve = new ThinnedCurve(4);
    for (const step of [1, 2, 3, 4, 5]) curve.add(step, 10 - step);
    expect(curve.points).toEqual([
      [2, 8.5],
      [4, 6.5],
      [5, 5],
    ]);
    expect([curve.last, curve.lowest]).toEqual([
      [5, 5],
      [5, 5],
    ]);
    for (let step = 6; step <= 100_000; step++) curve.add(step, step);
    expect(curve.points.length).toBeLessThanOrEqual(4);
    expect(curve.points.at(-1)?.[0]).toBe(100_000);
    expect([curve.last, curve.lowest]).toEqual([
      [100_000, 100_000],
      [5, 5],
    ]);
  });
});

describe('the curves of a run', () => {
  const spread = { mean: 0, std: 1, histogram: null };
  const parameter = (updateToData: number | null) => ({ value: spread, gradient: spread, gradientToData: 1, updateToData });
  const block = { saturated: 0.25, dead: 0, units: 4, hpreact: spread, h: spread, dh: spread };
  const records = [
    { step: 100, loss: 3, rate: 0.1 },
    { step: 100, valLoss: 2.5 },
    {
      step: 100,
      diagnostics: {
        loss: 3,
        gradientNorm: 2,
        clipped: false,
        blocks: [block, { ...block, saturated: 0 }],
        parameters: { C: parameter(1e-3), W1: parameter(1e-2), b1: parameter(1), 'blocks.2.W': parameter(0), W2: parameter(null) },
      },
    },
  ];

  it.each([
    ['loss', { training: 3, validation: 2.5 }],
    ['train', { training: 3 }],
    ['val', { validation: 2.5 }],
    ['rate', { rate: 0.1 }],
    ['gradient', { gradient: 2 }],
    ['saturation', { 'block 1': 0.25, 'block 2': 0 }],
    // A ratio of 0 has no logarithm.
    ['update', { C: -3, W1: -2 }],
  ] as const)('of %s: %j', (what, expected) => {
    const { curves } = new RunCurves(what);
    const run = new RunCurves(what);
    for (const record of records) run.add(record);
    expect(curves.size).toBe(0);
    const found = Object.fromEntries([...run.curves].map(([name, { points }]) => [name, points]));
    expect(found).toEqual(Object.fromEntries(Object.entries(expected).map(([name, value]) => [name, [[100, value]]])));
  });
});
