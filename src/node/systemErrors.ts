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
    if (!isFromSystem(error)) throw error;
    throw systemError(`cannot ${action} ${showPath(path)}`, error);
  }
}

/** Whether the system refused a call, so that {@link systemError} knows the reason. */
export function isFromSystem(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

/** A SystemError that says what cannot be done, and the reason in a user's words. */
export function systemError(what: string, error: NodeJS.ErrnoException): SystemError {
  const { code = '', syscall = '' } = error;
  const special = SPECIAL_REASONS[syscall.split(' ')[0]]?.[code];
  const { reason = showText(error.message), hint } = special ?? REASONS[code] ?? {};
  return new SystemError(`${what}: ${reason}`, { cause: error, ...(hint === undefined ? {} : { hint }) });
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

interface Reason {
  reason: string;
  /** The way out, if the reason does not say it. */
  hint?: string;
}

/** What a code means to a user. */
const REASONS: Record<string, Reason> = {
  ENOENT: { reason: 'no such file or directory' },
  EACCES: { reason: 'permission denied' },
  EPERM: { reason: 'operation not permitted' },
  EISDIR: { reason: 'it is a directory' },
  ENOTDIR: { reason: 'a part of the path is not a directory' },
  ENOTEMPTY: { reason: 'the directory is not empty' },
  EEXIST: { reason: 'it already exists' },
  EROFS: { reason: 'the file system is read-only' },
  ENOSPC: { reason: 'no space left on the device' },
  EDQUOT: { reason: 'the disk quota is exceeded' },
  EFBIG: { reason: 'the file-size limit is reached' },
  ENAMETOOLONG: { reason: 'the name is too long' },
  ELOOP: { reason: 'too many symbolic links, perhaps in a loop' },
  EMFILE: { reason: 'too many open files', hint: "raise the limit with 'ulimit -n'" },
  ENFILE: { reason: 'the system has too many open files' },
  ENOMEM: { reason: 'not enough memory', hint: "end other programs, or raise the limit ('ulimit -v')" },
  EIO: { reason: 'the device reports an input/output error' },
  ENXIO: { reason: 'no device answers there' },
  EBUSY: { reason: 'it is in use' },
  EAGAIN: { reason: 'it has no data now' },
  EXDEV: { reason: 'it is on another file system' },
  ENOTSUP: { reason: 'the file system does not support it' },
  EOPNOTSUPP: { reason: 'the file system does not support it' },
  ESTALE: { reason: 'the network file system no longer has it' },
  ENOTCONN: { reason: 'the file system is no longer connected' },
};

/** By the call, where a code means something else: watching has limits of its own on Linux. */
const SPECIAL_REASONS: Record<string, Record<string, Reason>> = {
  watch: {
    ENOSPC: { reason: 'the system has no inotify watches left', hint: 'raise fs.inotify.max_user_watches with sysctl' },
    EMFILE: { reason: 'the system has no inotify instances left', hint: 'raise fs.inotify.max_user_instances with sysctl' },
  },
  spawn: {
    EAGAIN: { reason: 'the system allows no more processes', hint: "end other programs, or raise the limit ('ulimit -u')" },
  },
};
