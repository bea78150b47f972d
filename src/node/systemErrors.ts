import { SystemError } from '../core/errors.js';
import { showPath, showText } from '../core/text.js';

/**
 * Runs a function that calls the system.
 * @param action completes "cannot … <path>" in messages: read, write, lock
 * @throws SystemError with path and reason instead of the system's own error; other errors pass unchanged
 */
export function withSystemErrors<T>(action: string, path: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    const { code = '' } = error as NodeJS.ErrnoException;
    throw new SystemError(`cannot ${action} ${showPath(path)}: ${REASONS[code] ?? showText(error.message)}`, { cause: error });
  }
}

/** Runs a call that creates a file, link or directory. Returns false if the path already exists. */
export function createsNew(create: () => void): boolean {
  try {
    create();
    return true;
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) return false;
    throw error;
  }
}

/** Whether the system refused a call with this code. */
export function isSystemError(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException | null)?.code === code;
}

const REASONS: Record<string, string> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is not a directory',
  EEXIST: 'it already exists',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the disk quota is exceeded',
  EFBIG: 'the file-size limit is reached',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'too many symbolic links',
  EMFILE: 'too many open files',
};
