import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { capitalised, quoteName, quoteText, shellWord, showPath, showPathsFrom, showText } from '../../src/core/text.js';

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

  it('a path below the working directory as it would be typed there', () => {
    const shown = (directory: () => string, path: string) => {
      showPathsFrom(directory);
      return showPath(path);
    };
    expect(shown(() => '/home/me', '/home/me/run/lock')).toBe('run/lock');
    expect(shown(() => '/home/me/', '/home/me/my run')).toBe("'my run'");
    expect(shown(() => '/', '/run')).toBe('run');
    expect(shown(() => 'C:\\me', 'C:\\me\\run')).toBe('run');
    for (const path of ['/home/me', '/home/me2/run', '/home/other', 'run', '../run', './run']) {
      expect(shown(() => '/home/me', path)).toBe(path);
    }
    const deleted = () => {
      throw new Error('deleted');
    };
    expect(shown(deleted, '/home/me/run')).toBe('/home/me/run');
  });

  it('a name with the code points of letters that look like others', () => {
    expect(quoteName('dC')).toBe('dC');
    expect(quoteName('d\u0421', '"')).toBe('"d\u0421" (with U+0421)');
    expect(quoteName('\u202ea')).toBe('\\u202ea');
  });

  it('the first 60 characters of a quotation, escaped', () => {
    expect(quoteText('x'.repeat(60))).toBe('x'.repeat(60));
    expect(quoteText('x'.repeat(61))).toBe(`${'x'.repeat(60)}…`);
    expect(quoteText('a\n')).toBe('a\\x0a');
  });
});

it.each([
  ['it ends 0.1 higher', 'It ends 0.1 higher'],
  ['émile', 'Émile'],
  ['', ''],
])('%j begins with a capital in a sentence', (text, shown) => {
  expect(capitalised(text)).toBe(shown);
});

describe('shellWord', () => {
  const WORDS = [
    ...[
      'plain',
      'a/b.txt',
      '',
      ' ',
      'two words',
      "it's",
      '"double"',
      '`date`',
      '$HOME',
      'a\\b',
      '50%',
      '%s',
      '~',
      '#x',
      '*',
      '{a,b}',
      'a;b',
      '!',
    ],
    ...['-x', '--data', 'é 漢字', 'two\nlines', '\n', "'\n'", '\x1b[31m', '\u202eabc', 'tab\there', '%b\nx', '\u0085x'],
  ];

  it.each(['sh', 'bash'])('is read by %s as the word that it was made of, in one line of printable characters', (shell) => {
    const words = WORDS.filter((word) => !word.endsWith('\n'));
    const quoted = words.map((word) => shellWord(word));
    for (const word of quoted) expect(word).toBe(showText(word));
    const printed = execFileSync(shell, ['-c', `printf '%s\\0' ${quoted.join(' ')}`], { encoding: 'utf8' });
    expect(printed.split('\0').slice(0, -1)).toEqual(words);
  });

  it('of a word that ends with a newline is read by bash', () => {
    expect(execFileSync('bash', ['-c', `printf %s ${shellWord("it's\n")}`], { encoding: 'utf8' })).toBe("it's\n");
  });
});
