import { describe, expect, it } from 'vitest';
import { type Shape, Tensor } from '../../src/core/tensor.js';
import { judge } from '../../src/gradCheck/row.js';

const { NaN: nan } = Number;

describe('judge', () => {
  const head = { part: 'atomic', witness: 'local differences', n: 2, hidden: [5], name: 'dC' } as const;
  const manual = (values: number[], shape: Shape = [2, 2]) => Tensor.of(values, shape, 'float64');
  const row = (gradient: () => Tensor, numerical: number[], structuralZero?: boolean, entries = [0, 1, 2, 3]) =>
    judge({
      head,
      shape: [2, 2],
      manual: gradient,
      entries,
      numerical: (entry) => numerical[entry],
      tolerance: 1e-6,
      ...(structuralZero === undefined ? {} : { structuralZero }),
    });

  it('divides the largest difference by the largest entry', () => {
    expect(row(() => manual([1e-3, 100, 0, 1]), [2e-3, 100, 0, 1])).toEqual({
      ...head,
      ok: false,
      shape: [2, 2],
      entries: 4,
      maxAbsDiff: 1e-3,
      maxRelDiff: 1e-5,
      at: [0, 0],
      error: 1e-5,
      limit: 1e-6,
      structuralZero: false,
    });
    expect(row(() => manual([1e-5, 100, 0, 1]), [2e-5, 100, 0, 1]).ok).toBe(true);
  });

  it('takes the largest entry of the whole tensor, even if it is not compared', () => {
    const judged = row(() => manual([2 ** -20, 128, 0, 1]), [2 ** -19, 128, 0, 1], undefined, [0, 2]);
    expect(judged).toMatchObject({ ok: true, maxAbsDiff: 2 ** -20, error: 2 ** -27 });
  });

  it('compares the given entries, the last one replaced by the largest, and reports the index in the tensor', () => {
    expect(row(() => manual([1, 9, 1, 7]), [1, 9, 0, 6], undefined, [0, 2, 3])).toMatchObject({
      ok: false,
      entries: 3,
      at: [1, 0],
      maxAbsDiff: 1,
    });
    expect(row(() => manual([1, 9, 1, 7]), [1, 0, 1, 7], undefined, [0, 2])).toMatchObject({ ok: false, at: [0, 1] });
    expect(row(() => manual([1, 9, 1, 7]), [1, 9, 1, 6], undefined, [0, 2]).ok).toBe(true);
  });

  it('passes zeros on both sides and fails zeros on one side only', () => {
    expect(row(() => manual([0, 0, 0, 0]), [0, 0, 0, 0])).toMatchObject({ ok: true, error: 0 });
    expect(row(() => manual([0, 0, 0, 0]), [0, 1e-20, 0, 0])).toMatchObject({ ok: false, error: 1 });
  });

  it('passes an error equal to the tolerance and fails a larger one', () => {
    const off = (tolerance: number) =>
      judge({ head, shape: [1], manual: () => manual([1], [1]), entries: [0], numerical: () => 0.75, tolerance }).ok;
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

  it('fails NaN in an entry that is not among the given ones, and reports its index', () => {
    expect(row(() => manual([1, nan, 1, 1]), [1, 1, 1, 1], undefined, [0, 2, 3])).toMatchObject({ ok: false, at: [0, 1] });
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
