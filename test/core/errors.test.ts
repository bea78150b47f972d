import { describe, expect, it } from 'vitest';
import { FileContentError, NumericalError, SystemError, UsageError } from '../../src/core/errors.js';
import { showPath, showText } from '../../src/core/text.js';
import { withSystemErrors } from '../../src/node/systemErrors.js';

function systemError(code: string, message = `${code}: said by the system, open 'x'`): Error {
  return Object.assign(new Error(message), { code, syscall: 'open' });
}

describe('withSystemErrors', () => {
  it('gives back what the function returns', () => {
    expect(withSystemErrors('read', 'x', () => 42)).toBe(42);
  });

  it.each([
    ['ENOENT', 'no such file or directory'],
    ['EACCES', 'permission denied'],
    ['EPERM', 'not permitted'],
    ['EISDIR', 'it is a directory'],
    ['ENOTDIR', 'a part of the path is not a directory'],
    ['EEXIST', 'it exists'],
    ['EROFS', 'the file system is read-only'],
    ['ENOSPC', 'no space left on the device'],
    ['EDQUOT', 'the disk quota is used up'],
    ['EFBIG', 'the file-size limit is reached'],
    ['ENAMETOOLONG', 'the name is too long'],
    ['ELOOP', 'too many symbolic links'],
    ['EMFILE', 'too many open files'],
  ])('%s becomes a SystemError with action, path and reason', (code, reason) => {
    const cause = systemError(code);
    const caught = catchFrom(() => {
      throw cause;
    });
    expect(caught).toBeInstanceOf(SystemError);
    expect((caught as Error).message).toBe(`cannot write 'my file': ${reason}`);
    expect((caught as Error).cause).toBe(cause);
  });

  it("an unknown code keeps the system's own words", () => {
    const caught = catchFrom(() => {
      throw systemError('EXOTIC', 'EXOTIC: never seen, open');
    });
    expect(caught).toBeInstanceOf(SystemError);
    expect((caught as Error).message).toBe("cannot write 'my file': EXOTIC: never seen, open");
  });

  it("a path in the system's own words stays on one line, escaped", () => {
    const caught = catchFrom(() => {
      throw systemError('EXOTIC', "EXOTIC: never seen, open 'two\nlines\x1b[31m'");
    });
    expect((caught as Error).message).not.toMatch(/\p{Cc}/u);
  });

  it.each([new FileContentError('bad'), new UsageError('wrong'), new NumericalError('NaN'), new TypeError('a bug'), 'not even an error'])(
    'what the system has no part in passes as it is: %s',
    (thrown) => {
      expect(
        catchFrom(() => {
          throw thrown;
        }),
      ).toBe(thrown);
    },
  );

  function catchFrom(run: () => void): unknown {
    try {
      withSystemErrors('write', 'my file', run);
    } catch (error) {
      return error;
    }
    throw new Error('nothing was thrown');
  }
});

describe('the kinds of errors', () => {
  it.each([
    [UsageError, 'UsageError'],
    [FileContentError, 'FileContentError'],
    [SystemError, 'SystemError'],
    [NumericalError, 'NumericalError'],
  ])('%o are told apart by class and name', (Kind, name) => {
    const error = new Kind('message');
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe(name);
    for (const Other of [UsageError, FileContentError, SystemError, NumericalError]) expect(error instanceof Other).toBe(Other === Kind);
  });
});

describe('text from outside', () => {
  it.each([
    ['plain', 'plain'],
    ['zoé ß 漢 😀', 'zoé ß 漢 😀'],
    ['a\nb\tc\0', 'a\\x0ab\\x09c\\x00'],
    ['\x1b[31mred\x7f', '\\x1b[31mred\\x7f'],
    ['\x80\x9b', '\\x80\\x9b'],
    ['\u061c\u200e\u200f', '\\u061c\\u200e\\u200f'],
    ['\u2028\u2029', '\\u2028\\u2029'],
    ['\u202a\u202e\u2066\u2069', '\\u202a\\u202e\\u2066\\u2069'],
  ])('%j is shown as %j', (text, shown) => {
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
  ])('the path %j is shown as %j', (path, shown) => {
    expect(showPath(path)).toBe(shown);
  });
});
