import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Shape, Tensor } from '../../src/core/tensor.js';
import { difference, indexAt, judge, maxUlps } from '../../src/gradCheck/row.js';

const { NaN: nan } = Number;

describe('difference', () => {
  it.each([
    [
      'the largest distance, where it is, and the largest magnitude on either side',
      [1, -2, 3],
      [1, 2, 3.5],
      { maxAbs: 4, at: 1, largest: 3.5 },
    ],
    ['of equals, the first', [0, 1, 1], [0, 2, 2], { maxAbs: 1, at: 1, largest: 2 }],
    ['none: 0 at the first', [5, -6], [5, -6], { maxAbs: 0, at: 0, largest: 6 }],
    ['NaN on one side', [9, nan, 0], [0, 0, 100], { maxAbs: nan, at: 1, largest: nan }],
    ['NaN on both sides', [0, 0, nan], [0, 7, nan], { maxAbs: nan, at: 2, largest: nan }],
    ['the first NaN', [nan, nan], [0, 0], { maxAbs: nan, at: 0, largest: nan }],
    ['infinity against a number', [0, Infinity], [0, 1], { maxAbs: Infinity, at: 1, largest: Infinity }],
    ['infinity on both sides, which has no distance', [Infinity], [Infinity], { maxAbs: nan, at: 0, largest: Infinity }],
    ['nothing', [], [], { maxAbs: 0, at: 0, largest: 0 }],
  ])('%s', (_, a, b, expected) => {
    expect(difference(a, b)).toEqual(expected);
  });
});

describe('indexAt', () => {
  it.each([
    [0, [], []],
    [4, [6], [4]],
    [5, [2, 3], [1, 2]],
    [23, [2, 3, 4], [1, 2, 3]],
    [13, [2, 3, 4], [1, 0, 1]],
    [7, [8, 1], [7, 0]],
  ])('entry %i of shape %j is %j', (entry, shape, index) => {
    expect(indexAt(entry, shape)).toEqual(index);
  });

  it('is where Tensor.at finds the entry', () => {
    const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 });
    fc.assert(
      fc.property(shapes, fc.nat(), (shape: Shape, any) => {
        const numbered = Tensor.zeros(shape);
        for (let i = 0; i < numbered.size; i++) numbered.data[i] = i;
        const entry = any % numbered.size;
        expect(numbered.at(...indexAt(entry, shape))).toBe(entry);
      }),
    );
  });
});

describe('maxUlps', () => {
  const next32 = (x: number, steps = 1) => {
    const bits = new Int32Array(Float32Array.of(x).buffer);
    bits[0] += steps;
    return new Float32Array(bits.buffer)[0];
  };

  it.each([
    ['equal numbers', [1, -2, 0], [1, -2, 0], 0],
    ['0 and -0', [0], [-0], 0],
    ['neighbours', [1], [next32(1)], 1],
    ['neighbours below 0', [-1], [next32(-1)], 1],
    ['across a power of two', [next32(2, -1)], [next32(2)], 2],
    ['across 0: the smallest on either side', [1e-45], [-1e-45], 2],
    ['1 and 2', [1], [2], 2 ** 23],
    ['the largest of several', [1, 1, 1], [1, next32(1, 5), next32(1, 3)], 5],
    ['the largest number and infinity', [3.4028234663852886e38], [Infinity], 1],
  ])('float32: %s', (_, a, b, ulps) => {
    expect(maxUlps(Float32Array.from(a), Float32Array.from(b))).toBe(ulps);
    expect(maxUlps(Float32Array.from(b), Float32Array.from(a))).toBe(ulps);
  });

  it.each([
    ['neighbours', 1, 1 + Number.EPSILON, 1],
    ['across 0', Number.MIN_VALUE, -Number.MIN_VALUE, 2],
    ['1 and 2', 1, 2, 2 ** 52],
  ])('float64: %s', (_, a, b, ulps) => {
    expect(maxUlps(Float64Array.of(a), Float64Array.of(b))).toBe(ulps);
  });

  it('reads a part of a longer array from its own beginning', () => {
    expect(maxUlps(Float32Array.of(9, 9, 1).subarray(2), Float32Array.of(7, 1).subarray(1))).toBe(0);
  });
});

describe('judge', () => {
  const head = { part: 'atomic', witness: 'local differences', n: 2, hidden: [5], name: 'dC' } as const;
  const manual = (values: number[], shape: Shape = [2, 2]) => Tensor.of(values, shape, 'float64');
  const row = (gradient: () => Tensor, numerical: number[], structuralZero?: boolean, entries = [0, 1, 2, 3]) =>
    judge(head, [2, 2], gradient, entries, (entry) => numerical[entry], 1e-6, structuralZero);

  it('measures the largest difference by the largest entry', () => {
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

  it('measures by the largest entry of the whole tensor, also if it is not compared', () => {
    const judged = row(() => manual([2 ** -20, 128, 0, 1]), [2 ** -19, 128, 0, 1], undefined, [0, 2]);
    expect(judged).toMatchObject({ ok: true, maxAbsDiff: 2 ** -20, error: 2 ** -27 });
  });

  it('compares the entries it is told, the last exchanged for the largest, and says where in the tensor', () => {
    expect(row(() => manual([1, 9, 1, 7]), [1, 9, 0, 6], undefined, [0, 2, 3])).toMatchObject({
      ok: false,
      entries: 3,
      at: [1, 0],
      maxAbsDiff: 1,
    });
    expect(row(() => manual([1, 9, 1, 7]), [1, 0, 1, 7], undefined, [0, 2])).toMatchObject({ ok: false, at: [0, 1] });
    expect(row(() => manual([1, 9, 1, 7]), [1, 9, 1, 6], undefined, [0, 2]).ok).toBe(true);
  });

  it('passes zeros on both sides, and fails zeros on one', () => {
    expect(row(() => manual([0, 0, 0, 0]), [0, 0, 0, 0])).toMatchObject({ ok: true, error: 0 });
    expect(row(() => manual([0, 0, 0, 0]), [0, 1e-20, 0, 0])).toMatchObject({ ok: false, error: 1 });
  });

  it('passes an error that is the tolerance, and nothing above', () => {
    const off = (tolerance: number) =>
      judge(
        head,
        [1],
        () => manual([1], [1]),
        [0],
        () => 0.75,
        tolerance,
      ).ok;
    expect([off(0.25), off(0.2499)]).toEqual([true, false]);
  });

  it('judges a structural zero by the larger side', () => {
    expect(row(() => manual([1e-10, 0, 0, 0]), [0, -2e-10, 0, 0], true)).toMatchObject({ ok: true, error: 2e-10, limit: 1e-9 });
    expect(row(() => manual([1e-3, 0, 0, 0]), [1e-3, 0, 0, 0], true)).toMatchObject({ ok: false, error: 1e-3 });
    expect(row(() => manual([0, 0, 0, 0]), [1e-3, 0, 0, 0], true).ok).toBe(false);
  });

  it.each([[nan], [Infinity], [-Infinity]])('fails %d on either side', (bad) => {
    expect(row(() => manual([1, bad, 1, 1]), [1, 1, 1, 1])).toMatchObject({ ok: false, at: [0, 1] });
    expect(row(() => manual([1, 1, 1, 1]), [1, 1, bad, 1])).toMatchObject({ ok: false, at: [1, 0] });
    expect(row(() => manual([0, bad, 0, 0]), [0, 0, 0, 0], true).ok).toBe(false);
  });

  it('fails NaN at an entry that is not among those compared', () => {
    expect(row(() => manual([1, nan, 1, 1]), [1, 1, 1, 1], undefined, [0, 2, 3]).ok).toBe(false);
  });

  it.each<[string, () => Tensor, string]>([
    ['a missing dimension', () => manual([1, 1, 1, 1], [4]), 'shape [4], expected [2, 2]'],
    ['a shape that would broadcast', () => manual([1, 1], [1, 2]), 'shape [1, 2], expected [2, 2]'],
    ['an error thrown', () => manual([1]), 'shape [2, 2] holds 4 entries, the data has 1'],
  ])('%s is a problem without figures', (_, gradient, problem) => {
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
