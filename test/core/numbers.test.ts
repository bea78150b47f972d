import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  absolute,
  allFinite,
  allFloat32,
  difference,
  evenly,
  indexAt,
  indexOfLargest,
  largestMagnitude,
  maxUlps,
} from '../../src/core/numbers.js';
import { type Shape, Tensor } from '../../src/core/tensor.js';

const { NaN: nan } = Number;

describe('difference finds', () => {
  it.each([
    [
      'the largest distance, its position, and the largest magnitude on either side',
      [1, -2, 3],
      [1, 2, 3.5],
      { maxAbs: 4, at: 1, largest: 3.5 },
    ],
    ['the first of equal distances', [0, 1, 1], [0, 2, 2], { maxAbs: 1, at: 1, largest: 2 }],
    ['0 at the first entry of equal arrays', [5, -6], [5, -6], { maxAbs: 0, at: 0, largest: 6 }],
    ['NaN on one side', [9, nan, 0], [0, 0, 100], { maxAbs: nan, at: 1, largest: nan }],
    ['NaN on both sides', [0, 0, nan], [0, 7, nan], { maxAbs: nan, at: 2, largest: nan }],
    ['the first of several NaN', [nan, nan], [0, 0], { maxAbs: nan, at: 0, largest: nan }],
    ['infinity against a number', [0, Infinity], [0, 1], { maxAbs: Infinity, at: 1, largest: Infinity }],
    ['NaN for infinity on both sides, which has no distance', [Infinity], [Infinity], { maxAbs: nan, at: 0, largest: Infinity }],
    ['0 for empty arrays', [], [], { maxAbs: 0, at: 0, largest: 0 }],
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

  it('gives the index at which Tensor.at finds the entry', () => {
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

describe('maxUlps is the distance in ULPs between', () => {
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
    ['neighbours of a power of two', [next32(2, -1)], [next32(2)], 2],
    ['the smallest numbers on either side of 0', [1e-45], [-1e-45], 2],
    ['1 and 2', [1], [2], 2 ** 23],
    ['the pair that is farthest apart', [1, 1, 1], [1, next32(1, 5), next32(1, 3)], 5],
    ['the largest number and infinity', [3.4028234663852886e38], [Infinity], 1],
  ])('%s in float32', (_, a, b, ulps) => {
    expect(maxUlps(Float32Array.from(a), Float32Array.from(b))).toBe(ulps);
    expect(maxUlps(Float32Array.from(b), Float32Array.from(a))).toBe(ulps);
  });

  it.each([
    ['neighbours', 1, 1 + Number.EPSILON, 1],
    ['the smallest numbers on either side of 0', Number.MIN_VALUE, -Number.MIN_VALUE, 2],
    ['1 and 2', 1, 2, 2 ** 52],
  ])('%s in float64', (_, a, b, ulps) => {
    expect(maxUlps(Float64Array.of(a), Float64Array.of(b))).toBe(ulps);
  });

  it('two subarrays, read from their own start', () => {
    expect(maxUlps(Float32Array.of(9, 9, 1).subarray(2), Float32Array.of(7, 1).subarray(1))).toBe(0);
  });
});

describe('largestMagnitude is', () => {
  it.each([
    ['the largest absolute value', [1, -3, 2], 3],
    ['NaN if any entry is NaN', [9, nan, 1], nan],
    ['0 for an empty array', [], 0],
  ])('%s', (_, values, largest) => {
    expect(largestMagnitude(values)).toBe(largest);
  });
});

describe('indexOfLargest is', () => {
  it.each([
    ['the position of the largest absolute value', [1, -3, 2], 1],
    ['the position of the first of equal magnitudes', [0, 2, -2], 1],
    ['the position of NaN', [9, nan, 1], 1],
    ['the position of the first of NaN and infinity', [1, -Infinity, nan], 1],
  ])('%s', (_, values, position) => {
    expect(indexOfLargest(values)).toBe(position);
  });
});

describe('absolute', () => {
  it('takes the absolute value of each entry, keeps shape and type, and does not change its argument', () => {
    const tensor = Tensor.of([1, -2, -0], [1, 3], 'float64');
    const { data, shape, dtype } = absolute(tensor);
    expect({ data: [...data], shape, dtype }).toEqual({ data: [1, 2, 0], shape: [1, 3], dtype: 'float64' });
    expect([...tensor.data]).toEqual([1, -2, -0]);
  });
});

describe('allFloat32', () => {
  it.each([
    [[], true],
    [[0, -0, 1 / 32, Math.fround(0.1), Infinity], true],
    [[Math.fround(0.1), 0.1], false],
    [[1e300], false],
    [[nan], false],
  ])('of %j is %j', (values, all) => {
    expect(allFloat32(Float64Array.from(values))).toBe(all);
  });
});

describe('allFinite', () => {
  it.each([
    [[], true],
    [[0, -0, 1], true],
    [[1.7e308, 1.7e308, -1.7e308, 5e-324], true],
    [[nan], false],
    [[1, Infinity], false],
    [[-Infinity, 1], false],
    [[Infinity, -Infinity], false],
  ])('of %j is %j', (values, finite) => {
    expect(allFinite(Float64Array.from(values))).toBe(finite);
  });
});

describe('evenly', () => {
  it.each([
    [[1, 2, 3], 3, [1, 2, 3]],
    [[1, 2, 3, 4, 5], 3, [1, 3, 5]],
    [[1, 2, 3, 4, 5, 6], 2, [1, 6]],
    [[], 2, []],
  ])('chooses of %j at most %i, with the first and the last: %j', (items, most, expected) => {
    expect(evenly(items, most)).toEqual(expected);
  });
});
