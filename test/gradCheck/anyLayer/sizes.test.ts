import { describe, expect, it } from 'vitest';
import { sizesToTry } from '../../../src/gradCheck/anyLayer/sizes.js';

describe('sizesToTry', () => {
  it('tries one point without sizes', () => {
    expect(sizesToTry()).toEqual([{}]);
  });

  it('tries all combinations', () => {
    expect(sizesToTry({ n: [1, 2], d: [3, 5] })).toEqual([
      { n: 1, d: 3 },
      { n: 1, d: 5 },
      { n: 2, d: 3 },
      { n: 2, d: 5 },
    ]);
  });

  it('leaves out combinations in which two letters are equal', () => {
    expect(sizesToTry({ n: [2, 3], d: [3, 4] })).not.toContainEqual({ n: 3, d: 3 });
  });

  it('keeps them where nothing else is left, or where a value occurs in no other', () => {
    expect(sizesToTry({ n: [3], d: [3] })).toEqual([{ n: 3, d: 3 }]);
    expect(sizesToTry({ n: [1, 3], d: [3] })).toEqual([
      { n: 1, d: 3 },
      { n: 3, d: 3 },
    ]);
  });

  it.each([3, [], ['3'], [1.5]])('refuses what is no list of sizes: %j', (n) => {
    expect(() => sizesToTry({ n } as never)).toThrow(
      `sizes: n must be a list of whole numbers, such as [1, 3], found ${JSON.stringify(n)}`,
    );
  });

  it('tries at most 12, and uses each value', () => {
    const choices = { a: [1, 2, 3, 4], b: [5, 6, 7, 8], c: [9, 10, 11] };
    const tried = sizesToTry(choices);
    expect(tried).toHaveLength(12);
    for (const [letter, values] of Object.entries(choices)) {
      expect(new Set(tried.map((sizes) => sizes[letter]))).toEqual(new Set(values));
    }
  });
});
