import { describe, expect, it } from 'vitest';
import { choice, decimalNumber, flag, text, wholeNumber, wholeNumberOr, wholeNumbers } from '../../src/core/kinds.js';

describe('wholeNumber', () => {
  it.each([
    ['2', 2],
    ['64', 64],
    ['007', 7],
    ['1', undefined],
    ['65', undefined],
    ['2.5', undefined],
    ['', undefined],
  ])('from 2 to 64 reads %j as %j', (given, value) => {
    expect(wholeNumber(2, 64).read(given)).toBe(value);
  });
});

describe('wholeNumbers', () => {
  it.each([
    ['5', [5]],
    ['2,64', [2, 64]],
    ['007,8,8', [7, 8, 8]],
    ['2,3,4,5', undefined],
    ['2,1', undefined],
    ['2,', undefined],
  ])('up to three from 2 to 64 reads %j as %j', (given, values) => {
    expect(wholeNumbers(2, 64, 3).read(given)).toEqual(values);
  });

  it('shows its values with commas', () => {
    expect(wholeNumbers(2, 64, 3).show([2, 64])).toBe('2,64');
  });
});

describe('decimalNumber', () => {
  it.each([
    ['0.1', 0.1],
    ['1e-3', 0.001],
    ['1E+2', 100],
    ['.5', 0.5],
    ['5.', 5],
    ['+3', 3],
    ['100', 100],
    ['0', undefined],
    ['100.1', undefined],
    ['0x10', undefined],
  ])('above 0 up to 100 reads %j as %j', (given, value) => {
    expect(decimalNumber(0, 100, 'open').read(given)).toBe(value);
  });

  it('includes both ends when closed, and excludes the upper one when below', () => {
    expect([0, 100].map((end) => decimalNumber(0, 100).read(String(end)))).toEqual([0, 100]);
    expect([0, 100].map((end) => decimalNumber(0, 100, 'below').read(String(end)))).toEqual([0, undefined]);
  });

  it('says what it expects', () => {
    expect(decimalNumber(0, 100, 'open').expected).toBe('a number above 0 up to 100');
  });
});

describe('other kinds', () => {
  it.each([
    ['all', 'all'],
    ['1', 1],
    ['50', 50],
    ['51', undefined],
    ['some', undefined],
  ])('wholeNumberOr reads its word or a whole number: %j', (given, value) => {
    expect(wholeNumberOr('all', 1, 50).read(given)).toBe(value);
  });

  it('choice reads its words only', () => {
    expect(['a', 'b', 'c'].map(choice(['a', 'b']).read)).toEqual(['a', 'b', undefined]);
  });

  it('flag reads true and false, text any text', () => {
    expect(['true', 'false', 'x'].map(flag.read)).toEqual([true, false, undefined]);
    expect(text.read('')).toBe('');
  });
});
