import { describe, expect, it } from 'vitest';
import { type Shape, Tensor } from '../../src/core/tensor.js';
import { type Claim, judge } from '../../src/gradCheck/row.js';

const { NaN: nan } = Number;

describe('judge', () => {
  const head = { part: 'atomic', witness: 'local differences', n: 2, hidden: [5], name: 'dC' } as const;
  const manual = (values: number[], shape: Shape = [2, 2]) => Tensor.of(values, shape, 'float64');
  const exact = (right: number) => ({ right, summed: Math.abs(right), error: 0, agreed: true });
  const OPTIONS = { tolerance: 1e-6, entries: 'all', seed: 0 } as const;
  const row = (gradient: () => Tensor, right: number[], structuralZero?: boolean, options: Claim['options'] = OPTIONS) =>
    judge({
      head,
      shape: [2, 2],
      manual: gradient,
      measured: (entry) => exact(right[entry]),
      options,
      ...(structuralZero === undefined ? {} : { structuralZero }),
    });

  it('divides a difference by the largest entry', () => {
    expect(row(() => manual([1e-3, 128, 0, 1]), [2e-3, 128, 0, 1])).toEqual({
      ...head,
      ok: false,
      shape: [2, 2],
      entries: 4,
      maxAbsDiff: 1e-3,
      maxRelDiff: 1e-3 / 128,
      at: [0, 0],
      error: expect.closeTo(1e-3 / 128, 12),
      limit: 1e-6,
      structuralZero: false,
    });
    expect(row(() => manual([1e-5, 128, 0, 1]), [2e-5, 128, 0, 1]).ok).toBe(true);
  });

  it('allows ten times the measured error of the differences, and reports what remains of the tolerance', () => {
    const off = (distance: number) =>
      judge({
        head,
        shape: [1],
        manual: () => manual([1 + distance], [1]),
        measured: () => ({ right: 1, summed: 1, error: 1e-3, agreed: true }),
        options: OPTIONS,
      });
    expect(off(0.99e-2)).toMatchObject({ ok: true, limit: 1e-6, error: expect.closeTo(0.99e-6, 9) });
    expect(off(1.01e-2)).toMatchObject({ ok: false, limit: 1e-6, error: expect.closeTo(1.01e-6, 9) });
  });

  it('compares a sample with the largest entry, and reports its index in the tensor', () => {
    const one = { ...OPTIONS, entries: 1 };
    expect(row(() => manual([1, 9, 1, 7]), [1, 0, 1, 7], undefined, one)).toMatchObject({ ok: false, entries: 1, at: [0, 1] });
    expect(row(() => manual([1, 9, 1, 7]), [0, 9, 0, 0], undefined, one)).toMatchObject({ ok: true, entries: 1 });
  });

  it('names the entry that is wrong, even if another differs by more within its own limit', () => {
    const measured = [
      { right: 1, summed: 1, error: 1, agreed: false },
      { right: 1, summed: 1, error: 0, agreed: false },
    ];
    const judged = judge({ head, shape: [2], manual: () => manual([2, 1.5], [2]), measured: (entry) => measured[entry], options: OPTIONS });
    expect(judged).toMatchObject({ ok: false, at: [1], maxAbsDiff: 1 });
  });

  it('passes zeros on both sides and fails zeros on one side only', () => {
    expect(row(() => manual([0, 0, 0, 0]), [0, 0, 0, 0])).toMatchObject({ ok: true, error: 0 });
    expect(row(() => manual([0, 0, 0, 0]), [0, 1e-20, 0, 0])).toMatchObject({ ok: false, error: 1 });
    expect(row(() => manual([0, 1e-20, 0, 0]), [0, 0, 0, 0])).toMatchObject({ ok: false, error: 1 });
  });

  it('passes an error equal to the tolerance and fails a larger one', () => {
    const off = (tolerance: number) =>
      judge({ head, shape: [1], manual: () => manual([1.25], [1]), measured: () => exact(1), options: { ...OPTIONS, tolerance } }).ok;
    expect([off(0.25), off(0.2499)]).toEqual([true, false]);
  });

  it('judges a structural zero by the larger magnitude of both sides', () => {
    expect(row(() => manual([1e-10, 0, 0, 0]), [0, -2e-10, 0, 0], true)).toMatchObject({ ok: true, error: 2e-10, limit: 1e-9 });
    expect(row(() => manual([1e-3, 0, 0, 0]), [1e-3, 0, 0, 0], true)).toMatchObject({ ok: false, error: 1e-3 });
    expect(row(() => manual([0, 0, 0, 0]), [1e-3, 0, 0, 0], true).ok).toBe(false);
  });

  it.each([[nan], [Infinity], [-Infinity]])('fails %d on either side', (bad) => {
    expect(row(() => manual([1, bad, 1, 1]), [1, 1, 1, 1])).toMatchObject({ ok: false, at: [0, 1] });
    expect(row(() => manual([1, 1, 1, 1]), [1, 1, bad, 1])).toMatchObject({ ok: false, at: [1, 0] });
    expect(row(() => manual([0, bad, 0, 0]), [0, 0, 0, 0], true).ok).toBe(false);
  });

  it('fails NaN in any entry, also if few are compared, and reports its index', () => {
    expect(row(() => manual([1, nan, 1, 1]), [1, 1, 1, 1], undefined, { ...OPTIONS, entries: 2 })).toMatchObject({ ok: false, at: [0, 1] });
  });

  it.each<[string, () => Tensor, string]>([
    ['a missing dimension', () => manual([1, 1, 1, 1], [4]), 'shape [4], expected [2, 2]'],
    ['a shape that would broadcast', () => manual([1, 1], [1, 2]), 'shape [1, 2], expected [2, 2]'],
    ['a thrown error', () => manual([1]), 'shape [2, 2] holds 4 entries, the data has 1'],
  ])('reports %s as a problem without figures', (_, gradient, problem) => {
    expect(row(gradient, [1, 1, 1, 1])).toEqual({
      ...head,
      ok: false,
      shape: [2, 2],
      entries: 0,
      maxAbsDiff: nan,
      maxRelDiff: nan,
      at: [],
      error: nan,
      limit: 1e-6,
      structuralZero: false,
      problem,
    });
  });
});
