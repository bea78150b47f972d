import { describe, expect, it } from 'vitest';
import { FileContentError, NumericalError, SystemError, UsageError } from '../../src/core/errors.js';
import { createsNew, isSystemError, withSystemErrors } from '../../src/node/systemErrors.js';

function systemError(code: string, message = `${code}: a message of the system, open 'x'`): Error {
  return Object.assign(new Error(message), { code, syscall: 'open' });
}

describe('withSystemErrors', () => {
  it('returns the result of the function', () => {
    expect(withSystemErrors('read', 'x', () => 42)).toBe(42);
  });

  it.each([
    ['ENOENT', 'no such file or directory'],
    ['EACCES', 'permission denied'],
    ['EPERM', 'operation not permitted'],
    ['EISDIR', 'it is a directory'],
    ['ENOTDIR', 'a part of the path is not a directory'],
    ['EEXIST', 'it already exists'],
    ['EROFS', 'the file system is read-only'],
    ['ENOSPC', 'no space left on the device'],
    ['EDQUOT', 'the disk quota is exceeded'],
    ['EFBIG', 'the file-size limit is reached'],
    ['ENAMETOOLONG', 'the name is too long'],
    ['ELOOP', 'too many symbolic links, perhaps in a loop'],
    ['EMFILE', 'too many open files'],
    ['ENFILE', 'the system has too many open files'],
    ['ENOMEM', 'not enough memory'],
    ['EIO', 'the device reports an input/output error'],
    ['EBUSY', 'it is in use'],
    ['EAGAIN', 'it has no data now'],
    ['EXDEV', 'it is on another file system'],
    ['ENOTSUP', 'the file system does not support it'],
    ['ESTALE', 'the network file system no longer has it'],
    ['ENOTCONN', 'the file system is no longer connected'],
    ['ENOTEMPTY', 'the directory is not empty'],
  ])('turns %s into a SystemError with action, path and reason', (code, reason) => {
    const cause = systemError(code);
    const caught = catchFrom(() => {
      throw cause;
    });
    expect(caught).toBeInstanceOf(SystemError);
    expect((caught as Error).message).toBe(`cannot write 'my file': ${reason}`);
    expect((caught as Error).cause).toBe(cause);
  });

  it.each([
    ['EMFILE', 'open', "raise the limit with 'ulimit -n'"],
    ['ENOMEM', 'open', "end other programs, or raise the limit ('ulimit -v')"],
    ['ENOSPC', 'watch', 'raise fs.inotify.max_user_watches with sysctl'],
    ['EMFILE', 'watch', 'raise fs.inotify.max_user_instances with sysctl'],
  ])('knows the way out of %s in %s', (code, syscall, hint) => {
    const caught = catchFrom(() => {
      throw Object.assign(systemError(code), { syscall });
    });
    expect(caught).toMatchObject({ hint });
  });

  it.each([
    ['ENOSPC', 'the system has no inotify watches left'],
    ['EMFILE', 'the system has no inotify instances left'],
    ['ENOENT', 'no such file or directory'],
  ])('tells %s of watching from the same code of other calls', (code, reason) => {
    const caught = catchFrom(() => {
      throw Object.assign(systemError(code), { syscall: 'watch' });
    });
    expect((caught as Error).message).toBe(`cannot write 'my file': ${reason}`);
  });

  it("keeps the system's message for an unknown code", () => {
    const caught = catchFrom(() => {
      throw systemError('EXOTIC', 'EXOTIC: never seen, open');
    });
    expect(caught).toBeInstanceOf(SystemError);
    expect((caught as Error).message).toBe("cannot write 'my file': EXOTIC: never seen, open");
  });

  it("escapes a path in the system's message, which stays on one line", () => {
    const caught = catchFrom(() => {
      throw systemError('EXOTIC', "EXOTIC: never seen, open 'two\nlines\x1b[31m'");
    });
    expect((caught as Error).message).not.toMatch(/\p{Cc}/u);
  });

  it.each([new FileContentError('bad'), new UsageError('wrong'), new NumericalError('NaN'), new TypeError('a bug'), 'not even an error'])(
    'passes errors that are not from the system unchanged: %s',
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

describe('createsNew', () => {
  it('is true if the call succeeds and false if the path already exists', () => {
    expect(createsNew(() => {})).toBe(true);
    expect(
      createsNew(() => {
        throw systemError('EEXIST');
      }),
    ).toBe(false);
  });

  it('throws other errors unchanged', () => {
    const cause = systemError('ENOSPC');
    expect(() =>
      createsNew(() => {
        throw cause;
      }),
    ).toThrow(cause);
  });
});

describe('isSystemError', () => {
  it.each([
    [systemError('EEXIST'), true],
    [systemError('ENOENT'), false],
    [new Error('EEXIST'), false],
    [null, false],
    ['EEXIST', false],
  ])('of %o and EEXIST is %j', (error, expected) => {
    expect(isSystemError(error, 'EEXIST')).toBe(expected);
  });
});
