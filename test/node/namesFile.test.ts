import { createHash } from 'node:crypto';
import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { FileContentError, fullMessage, SystemError } from '../../src/core/errors.js';
import { MAX_FILE_BYTES, MAX_LINE_BYTES } from '../../src/data/parseNames.js';
import { readNamesFile } from '../../src/node/namesFile.js';
import { put, tempDirectory } from '../support/tempDirectory.js';

/** A file system with a limit of bytes per read, which can refuse to open a file and counts reads. */
const system = vi.hoisted(() => ({ readAtMost: (): number => Infinity, refuseOpen: false, reads: 0, maxReads: Infinity }));

vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>();
  return {
    ...fs,
    openSync: (path: string, flags: string) => {
      if (!system.refuseOpen) return fs.openSync(path, flags);
      throw Object.assign(new Error(`EACCES: permission denied, open '${path}'`), { code: 'EACCES', syscall: 'open' });
    },
    readSync: (file: number, buffer: Uint8Array) => {
      if (++system.reads > system.maxReads) throw new Error('too many reads');
      return fs.readSync(file, buffer, 0, Math.min(buffer.length, system.readAtMost()), null);
    },
  };
});

beforeEach(() => {
  Object.assign(system, { readAtMost: () => Infinity, refuseOpen: false, reads: 0, maxReads: Infinity });
});

const MIB = 1 << 20;
const PLAIN = {
  byteOrderMark: 0,
  carriageReturns: 0,
  loneCarriageReturns: 0,
  surroundingBlanks: 0,
  blankLines: 0,
  blankFields: 0,
  normalized: 0,
};

function readBytes(content: string | Uint8Array) {
  return readNamesFile(put(tempDirectory(), 'names.txt', content));
}

/** The error that reading this content throws. */
function refusalOf(content: string | Uint8Array): Error {
  try {
    readBytes(content);
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}

/** Lines of 64 bytes, this many bytes in all. */
function fill(bytes: number): string {
  return `${'a'.repeat(63)}\n`.repeat(bytes / 64);
}

describe('readNamesFile reads', () => {
  it.each([
    ['plain lines', 'anna\nbob\n', ['anna', 'bob'], PLAIN],
    ['no last newline', 'anna\nbob', ['anna', 'bob'], PLAIN],
    ['a single name without a newline', 'a', ['a'], PLAIN],
    ['a byte order mark', '\ufeffanna\nbob\n', ['anna', 'bob'], { ...PLAIN, byteOrderMark: 1 }],
    ['CRLF', 'anna\r\nbob\r\n', ['anna', 'bob'], { ...PLAIN, carriageReturns: 2 }],
    ['CRLF without a last newline', 'anna\r\nbob\r', ['anna', 'bob'], { ...PLAIN, carriageReturns: 2 }],
    ['CR', 'anna\rbob\r', ['anna', 'bob'], { ...PLAIN, loneCarriageReturns: 2 }],
    ['CR without a last one', 'anna\rbob', ['anna', 'bob'], { ...PLAIN, loneCarriageReturns: 1 }],
    [
      'all three line ends',
      'anna\rbob\r\ncarl\ndora',
      ['anna', 'bob', 'carl', 'dora'],
      { ...PLAIN, carriageReturns: 1, loneCarriageReturns: 1 },
    ],
    [
      'CR before CRLF, as after two conversions',
      'anna\r\r\nbob\r\r\n',
      ['anna', 'bob'],
      { ...PLAIN, carriageReturns: 2, loneCarriageReturns: 2, blankLines: 2 },
    ],
    ['surrounding blanks', '  anna\nbob\t \ncarl\n', ['anna', 'bob', 'carl'], { ...PLAIN, surroundingBlanks: 2 }],
    ['blank lines', '\n\nanna\n \t\nbob\n\n', ['anna', 'bob'], { ...PLAIN, blankLines: 4 }],
    [
      'all of these together',
      '\ufeff anna\r\n\r\nbob \r\n',
      ['anna', 'bob'],
      { ...PLAIN, byteOrderMark: 1, carriageReturns: 3, surroundingBlanks: 2, blankLines: 1 },
    ],
    ['blanks inside a name', 'anna lena\n', ['anna lena'], PLAIN],
    ['repeats, in file order', 'bob\nanna\nbob\n', ['bob', 'anna', 'bob'], PLAIN],
    ['any alphabet', 'zoé\nweiß\n漢字\n😀a\n', ['zoé', 'weiß', '漢字', '😀a'], PLAIN],
    ['a replacement character that the file itself spells', 'a\ufffdb\n', ['a\ufffdb'], PLAIN],
  ])('%s, and reports what it tidied', (_, content, names, tidied) => {
    const read = readBytes(content);
    expect([...read.names]).toEqual(names);
    expect(read.tidied).toEqual(tidied);
  });

  it('the bytes into a SHA-256, unchanged', () => {
    const content = '\ufeffanna\r\n\r\n bob';
    expect(readBytes(content).sha256).toBe(createHash('sha256').update(content).digest('hex'));
  });

  it('a line of exactly the maximal length', () => {
    const name = 'a'.repeat(MAX_LINE_BYTES);
    expect([...readBytes(`${name}\nbob\n`).names]).toEqual([name, 'bob']);
  });
});

describe('readNamesFile throws a SystemError with path and reason', () => {
  it('for a missing file', () => {
    const path = join(tempDirectory(), 'none.txt');
    expect(() => readNamesFile(path)).toThrow(new SystemError(`cannot read ${path}: no such file or directory`));
  });

  it('for a directory', () => {
    const path = tempDirectory();
    expect(() => readNamesFile(path)).toThrow(new SystemError(`cannot read ${path}: it is a directory`));
  });

  it('for a path through a file', () => {
    const path = join(put(tempDirectory(), 'file', 'a\n'), 'names.txt');
    expect(() => readNamesFile(path)).toThrow(new SystemError(`cannot read ${path}: a part of the path is not a directory`));
  });

  it('for a file without read permission', () => {
    const path = put(tempDirectory(), 'names.txt', 'anna\n');
    system.refuseOpen = true;
    expect(() => readNamesFile(path)).toThrow(new SystemError(`cannot read ${path}: permission denied`));
  });

  it('with a line break in the path escaped', () => {
    expect(() => readNamesFile(join(tempDirectory(), 'two\nlines'))).toThrow(/^cannot read \S+two\\x0alines: no such file or directory$/);
  });
});

describe('readNamesFile refuses', () => {
  it.each([
    ['an empty file', ''],
    ['blank lines only', '\n \r\n\t\n'],
    ['a byte order mark only', '\ufeff'],
  ])('%s, which has no names', (_, content) => {
    const error = refusalOf(content);
    expect(error).toBeInstanceOf(FileContentError);
    expect(error.message).toMatch(/names\.txt: contains no names; expected one name per line$/);
  });

  const latin1 = (text: string) => Buffer.from(text, 'latin1');
  it.each([
    ['in the first line', latin1('zo\xe9\nbob\n'), 1, '0xe9', 2],
    ['in a later line', latin1('anna\nbob\nzo\xe9a\n'), 3, '0xe9', 11],
    ['after multi-byte characters', Buffer.concat([Buffer.from('漢é\n漢😀'), latin1('\xff')]), 2, '0xff', 13],
    ['after a replacement character of the file itself', Buffer.concat([Buffer.from('a\ufffdb'), latin1('\xc3\n')]), 1, '0xc3', 5],
    ['in a character truncated by the end', latin1('anna\nb\xc3'), 2, '0xc3', 6],
    ['that looks like UTF-16, but in a later line', latin1('anna\n\xff\xfea\n'), 2, '0xff', 5],
    ['an overlong form', latin1('anna\n\xc0\xaf\n'), 2, '0xc0', 5],
    ['a surrogate half', latin1('\xed\xa0\x80\n'), 1, '0xed', 0],
    ['after the byte order mark', latin1('\xef\xbb\xbfa\x80\n'), 1, '0x80', 4],
    ['after 1 MiB', Buffer.concat([Buffer.from(`${fill(MIB)}ok\nb`), latin1('\xffd\n')]), 16386, '0xff', MIB + 4],
    [
      'as the last byte of 1 MiB',
      Buffer.concat([Buffer.from(fill(MIB - 64)), Buffer.alloc(63, 97), latin1('\xffa\n')]),
      16384,
      '0xff',
      MIB - 1,
    ],
  ])('invalid UTF-8 %s, with line and byte', (_, content, line, byte, offset) => {
    const error = refusalOf(content);
    expect(error).toBeInstanceOf(FileContentError);
    expect(fullMessage(error)).toContain(`, line ${line}: ${byte} at byte ${offset} of the file is not UTF-8; save it as UTF-8`);
  });

  it.each([
    ['little-endian', Buffer.from('\ufeffanna\n', 'utf16le')],
    ['big-endian', Buffer.from('\ufeffanna\n', 'utf16le').swap16()],
  ])('UTF-16, %s, and asks for UTF-8', (_, content) => {
    const error = refusalOf(content);
    expect(error).toBeInstanceOf(FileContentError);
    expect(fullMessage(error)).toMatch(
      /names\.txt: this is text in UTF-16; expected one name per line; convert it to UTF-8: iconv -f UTF-16 -t UTF-8 /,
    );
  });

  it.each([
    ['an escape sequence', 'a\x1b[31mred', 'a\\x1b[31mred', '\\x1b'],
    ['a null', 'a\0b', 'a\\x00b', '\\x00'],
    ['a tab', 'a\tb', 'a\\x09b', '\\x09'],
    ['a delete', 'a\x7fb', 'a\\x7fb', '\\x7f'],
    ['a C1 control', 'a\x9b31mb', 'a\\x9b31mb', '\\x9b'],
    ['a right-to-left override', 'a\u202eb', 'a\\u202eb', '\\u202e'],
    ['a bidirectional isolate', 'a\u2066b', 'a\\u2066b', '\\u2066'],
    ['an Arabic letter mark', 'a\u061cb', 'a\\u061cb', '\\u061c'],
    ['a line separator', 'a\u2028b', 'a\\u2028b', '\\u2028'],
  ])('%s inside a name, with its line and escaped', (_, name, shown, character) => {
    const error = refusalOf(`anna\n${name}\n`);
    expect(error).toBeInstanceOf(FileContentError);
    expect(error.message).toContain(`, line 2: '${shown}' contains the control character ${character}; names are plain text`);
    expect(error.message).not.toMatch(/[\p{Cc}\u061c\u2028\u202e\u2066]/u);
  });

  it("a name with the boundary character '.', with its line", () => {
    const error = refusalOf('anna\n\nj.r\n');
    expect(error).toBeInstanceOf(FileContentError);
    expect(error.message).toContain(", line 3: 'j.r' contains '.', which marks the start and end of a name");
  });

  it('a long invalid line with a short message', () => {
    expect(refusalOf(`${'a'.repeat(60_000)}.\n`).message.length).toBeLessThan(1000);
  });
});

describe('the limits of readNamesFile', () => {
  it('refuse a line one byte too long, with its number', () => {
    const error = refusalOf(`bob\n${'a'.repeat(MAX_LINE_BYTES + 1)}\n`);
    expect(error).toBeInstanceOf(FileContentError);
    expect(error.message).toMatch(/, line 2: longer than 65536 bytes; expected one name per line$/);
  });

  it('refuse a line of gigabytes after the first chunk', () => {
    const path = put(tempDirectory(), 'names.txt', 'bob\n');
    truncateSync(path, MAX_FILE_BYTES);
    system.maxReads = 10;
    expect(() => readNamesFile(path)).toThrow(/, line 2: longer than 65536 bytes/);
    expect(system.reads).toBe(1);
  });

  it('refuse a file of more than 1 GiB before it is read', () => {
    const path = put(tempDirectory(), 'names.txt', 'bob\n');
    truncateSync(path, MAX_FILE_BYTES + 1);
    const refused = () => readNamesFile(path);
    expect(refused).toThrow(FileContentError);
    expect(refused).toThrow(`${path}: larger than 1073741824 bytes, the limit for a data set`);
    expect(system.reads).toBe(0);
  });
});

describe('for any file', () => {
  /** Characters that a name may contain; spaces are kept only inside. */
  const character = fc.constantFrom(...'abcXYZ019-éß漢😀𝒜', ' ', '\ufffd', '́');
  const name = fc.string({ unit: character, minLength: 1, maxLength: 12 }).filter((text) => text.trim() === text);
  const blank = fc.string({ unit: fc.constantFrom(' ', '\t', '\u00a0'), maxLength: 3 });
  const line = fc.record({ name, before: blank, after: blank, blankLines: fc.array(blank, { maxLength: 2 }) });
  const file = fc.record({
    lines: fc.array(line, { minLength: 1, maxLength: 30 }),
    mark: fc.boolean(),
    end: fc.constantFrom('\n', '\r\n', '\r'),
    lastNewline: fc.boolean(),
  });

  type Spelt = typeof file extends fc.Arbitrary<infer F> ? F : never;

  function spell({ lines, mark, end, lastNewline }: Spelt): string {
    const text = lines
      .map(({ name, before, after, blankLines }) => {
        return `${blankLines.map((blanks) => blanks + end).join('')}${before}${name}${after}${end}`;
      })
      .join('');
    return (mark ? '\ufeff' : '') + (lastNewline ? text : text.replace(/\r?\n$|\r$/, ''));
  }

  it('readNamesFile returns the names that were written', () => {
    const directory = tempDirectory();
    fc.assert(
      fc.property(file, (given) => {
        const { names, tidied } = readNamesFile(put(directory, 'names.txt', spell(given)));
        expect([...names]).toEqual(given.lines.map(({ name }) => name));
        expect(tidied.byteOrderMark).toBe(given.mark ? 1 : 0);
        expect(tidied.surroundingBlanks).toBe(given.lines.filter(({ before, after }) => before + after !== '').length);
        expect(tidied.blankLines).toBe(given.lines.reduce((sum, { blankLines }) => sum + blankLines.length, 0));
      }),
    );
  });

  it('the result does not depend on where chunks end', () => {
    const directory = tempDirectory();
    fc.assert(
      fc.property(file, fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 }), (given, sizes) => {
        const path = put(directory, 'names.txt', spell(given));
        system.readAtMost = () => Infinity;
        const whole = readNamesFile(path);
        let turn = 0;
        system.readAtMost = () => sizes[turn++ % sizes.length];
        expect(readNamesFile(path)).toEqual(whole);
      }),
    );
  });

  it.each([1, 2, 3])('a 4-byte character with %i bytes before the 1 MiB boundary is read correctly', (before) => {
    const filler = `${fill(MIB - 64)}${'a'.repeat(64 - before)}`;
    const { names } = readBytes(`${filler}😀b\nbob\n`);
    expect([...names].slice(-2)).toEqual([`${'a'.repeat(64 - before)}😀b`, 'bob']);
    expect(system.reads).toBe(3);
  });
});
