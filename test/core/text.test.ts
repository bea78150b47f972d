import { describe, expect, it } from 'vitest';
import { quoteText, showPath, showText } from '../../src/core/text.js';

describe('a message shows', () => {
  it.each([
    ['plain', 'plain'],
    ['zoé ß 漢 😀', 'zoé ß 漢 😀'],
    ['a\nb\tc\0', 'a\\x0ab\\x09c\\x00'],
    ['\x1b[31mred\x7f', '\\x1b[31mred\\x7f'],
    ['\x80\x9b', '\\x80\\x9b'],
    ['\u061c\u200e\u200f', '\\u061c\\u200e\\u200f'],
    ['\u2028\u2029', '\\u2028\\u2029'],
    ['\u202a\u202e\u2066\u2069', '\\u202a\\u202e\\u2066\\u2069'],
  ])('the text %j as %j', (text, shown) => {
    expect(showText(text)).toBe(shown);
  });

  it.each([
    ['names.txt', 'names.txt'],
    ['/a/b-c_d.txt', '/a/b-c_d.txt'],
    ['my names.txt', "'my names.txt'"],
    ["it's", "'it's'"],
    ['say "a"', `'say "a"'`],
    ['', "''"],
    ['a\nb', 'a\\x0ab'],
  ])('the path %j as %j', (path, shown) => {
    expect(showPath(path)).toBe(shown);
  });

  it('the first 60 characters of a quotation, escaped', () => {
    expect(quoteText('x'.repeat(60))).toBe('x'.repeat(60));
    expect(quoteText('x'.repeat(61))).toBe(`${'x'.repeat(60)}…`);
    expect(quoteText('a\n')).toBe('a\\x0a');
  });
});
