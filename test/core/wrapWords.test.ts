import { describe, expect, it } from 'vitest';
import { wrapWords } from '../../src/core/wrapWords.js';

describe('a text is wrapped', () => {
  it.each([
    ['unchanged if it fits', 'one two', 7, ['one two']],
    ['between words', 'one two three', 8, ['one two', 'three']],
    ['in a word only if that is longer than a line', 'a wonderful b', 5, ['a', 'wonde', 'rful', 'b']],
    ['not within a quoted command', "or run 'ninja start', now", 14, ['or run', "'ninja start',", 'now']],
    ['at an apostrophe as anywhere', "the run's and the net's", 9, ["the run's", 'and the', "net's"]],
    ['despite brackets that are no shape', 'a b c] d', 4, ['a b', 'c] d']],
    ['with its spaces', '  one  two', 12, ['  one  two']],
    ['not within a shape', 'is [1, 64] for [64]', 8, ['is', '[1, 64]', 'for [64]']],
    ['not within a size', 'at (n = 3, d = 5)', 9, ['at', '(n = 3,', 'd = 5)']],
    ['of nothing', '', 5, ['']],
    ['without a limit', 'one two '.repeat(50).trim(), Number.POSITIVE_INFINITY, ['one two '.repeat(50).trim()]],
  ])('%s', (_, text, width, lines) => {
    expect(wrapWords(text, width)).toEqual(lines);
  });

  it('by the columns that its characters take', () => {
    const columns = (text: string) => 2 * text.length;
    expect(wrapWords('ab cd ef', 10, columns)).toEqual(['ab cd', 'ef']);
  });
});
