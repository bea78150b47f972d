import { describe, expect, it } from 'vitest';
import { Tensor } from '../../../src/core/tensor.js';
import { copyOther, readIntegers, readReal, sameOther, sharesMemory } from '../../../src/gradCheck/anyLayer/values.js';

/** The numbers that are read from a value. */
function numbersIn(value: unknown): number[] | undefined {
  const real = readReal(value);
  return real && Array.from(real.data);
}

describe('readReal', () => {
  it.each<[string, unknown, number[], number[]]>([
    ['a number', 2.5, [], [2.5]],
    ['a whole number', 3, [], [3]],
    ['a Float32Array', Float32Array.of(1, 2), [2], [1, 2]],
    ['a Float64Array', Float64Array.of(1, 2, 3), [3], [1, 2, 3]],
    ['a Tensor', Tensor.of([1, 2, 3, 4, 5, 6], [2, 3], 'float64'), [2, 3], [1, 2, 3, 4, 5, 6]],
    ['data and shape', { data: Float32Array.of(1, 2), shape: [2, 1] }, [2, 1], [1, 2]],
    ['numbers and shape', { data: [1, 2], shape: [1, 2], name: 'w' }, [1, 2], [1, 2]],
    ['an array', [1, 2], [2], [1, 2]],
    [
      'nested arrays',
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      [3, 2],
      [1, 2, 3, 4, 5, 6],
    ],
    ['rows that are typed arrays', [Float64Array.of(1, 2), Float64Array.of(3, 4)], [2, 2], [1, 2, 3, 4]],
    ['three levels', [[[1], [2]]], [1, 2, 1], [1, 2]],
    ['a ragged array', [[1], [2, 3]], [3], [1, 2, 3]],
    ['an empty array', [], [0], []],
  ])('reads %s, and builds another one like it', (_, value, shape, data) => {
    const real = readReal(value);
    expect(real?.form.shape).toEqual(shape);
    expect(numbersIn(value)).toEqual(data);
    const built = real?.form.build(data.map((x) => 2 * x));
    expect(numbersIn(built)).toEqual(data.map((x) => 2 * x));
    expect(readReal(built)?.form.shape).toEqual(shape);
    expect((built as object).constructor).toBe((value as object).constructor);
    expect(numbersIn(value)).toEqual(data);
  });

  it.each<[string, unknown]>([
    ['integers', Int32Array.of(1, 2)],
    ['a boolean', true],
    ['text', 'gelu'],
    ['an array of texts', ['a']],
    ['a mixed array', [1, 'a']],
    ['null', null],
    ['integers with a shape', { data: Int32Array.of(1), shape: [1] }],
    ['data that does not fit its shape', { data: [1, 2, 3], shape: [2] }],
    ['a function', Math.sin],
  ])('does not read %s', (_, value) => {
    expect(readReal(value)).toBeUndefined();
  });

  it('keeps other fields of an object with data and shape', () => {
    expect(readReal({ data: [1], shape: [1], name: 'w' })?.form.build([5])).toEqual({ data: [5], shape: [1], name: 'w' });
  });
});

describe('other values', () => {
  it('are copied deeply where they are plain', () => {
    const value = { index: Int32Array.of(1, 2), on: true, list: ['a', { deep: [1] }] };
    const copy = copyOther(value) as typeof value;
    expect(copy).toEqual(value);
    copy.index[0] = 9;
    expect(value.index[0]).toBe(1);
    expect(sameOther(copy, value)).toBe(false);
  });

  it('of whole numbers are read with their shape', () => {
    expect(readIntegers(Int32Array.of(3, 4))).toEqual({ data: Float64Array.of(3, 4), shape: [2] });
    expect(readIntegers({ data: Uint8Array.of(3, 4), shape: [2, 1] })).toEqual({ data: Float64Array.of(3, 4), shape: [2, 1] });
    expect(readIntegers('a')).toBeUndefined();
    expect(readIntegers(null)).toBeUndefined();
  });
});

describe('sharesMemory', () => {
  it('sees one array twice and overlapping views, not views side by side', () => {
    const all = new Float64Array(6);
    const [a, b, c] = [all.subarray(0, 3), all.subarray(2, 4), all.subarray(3, 6)];
    expect(sharesMemory([a], [b])).toBe(true);
    expect(sharesMemory([a], [c])).toBe(false);
    const row = [1, 2];
    expect(sharesMemory([row], [[3], row])).toBe(true);
  });
});
