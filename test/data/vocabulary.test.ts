import { describe, expect, it } from 'vitest';
import { codePointTable, encode, vocabularyIndex } from '../../src/data/vocabulary.js';

describe('encode', () => {
  const table = codePointTable(['.', 'a', 'b', '😀']);

  it('gives one index per code point', () => {
    expect(encode('b😀a', table)).toEqual([2, 3, 1]);
    expect(encode('', table)).toEqual([]);
  });

  it('throws an error with the character that the vocabulary lacks', () => {
    expect(() => encode('ab😁', table)).toThrow(new RangeError("'😁' is not in the vocabulary"));
  });
});

it('vocabularyIndex gives the positions of the characters', () => {
  expect([...vocabularyIndex(['.', 'a', '😀'])]).toEqual([
    ['.', 0],
    ['a', 1],
    ['😀', 2],
  ]);
});
