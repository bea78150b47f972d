import { SystemError } from '../core/errors.js';
import { showPath, showText } from '../core/text.js';

/** Runs something that calls the system; what the system refuses is thrown as a SystemError with path and reason. */
export function withSystemErrors<T>(action: string, path: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    const { code = '' } = error as NodeJS.ErrnoException;
    throw new SystemError(`cannot ${action} ${showPath(path)}: ${REASONS[code] ?? showText(error.message)}`, { cause: error });
  }
}

const REASONS: Record<string, string> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is not a directory',
  EEXIST: 'it exists',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file-size limit is reached',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'too many symbolic links',
  EMFILE: 'too many open files',
};
