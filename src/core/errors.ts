/**
 * What went wrong, sorted by what the reader must change: an option, a file's content, or the system.
 * Messages are one line: what, where, found and expected, and the way out. The library throws; only cli/ prints and exits.
 */

/** An option or argument is out of its range or does not fit the others. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** A file was read and what it holds is wrong. */
export class FileContentError extends Error {
  override name = 'FileContentError';
}

/** A file, directory or other resource of the system is missing or refuses. */
export class SystemError extends Error {
  override name = 'SystemError';
}

/** Numbers became infinite or not-a-number. */
export class NumericalError extends Error {
  override name = 'NumericalError';
}

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

/** Runs something that judges a file's content; the fault it throws is given the file's name. */
export function namingFile<T>(path: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof FileContentError) error.message = `${showPath(path)}: ${error.message}`;
    throw error;
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

/** Text from outside, safe for a terminal: control and bidirectional characters as escapes. */
export function showText(text: string): string {
  return text.replace(UNPRINTABLE, (c) => {
    const code = c.codePointAt(0) as number;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** The beginning of a text from outside, escaped: what a message can quote. */
export function quoteText(text: string): string {
  const shown = showText(text);
  return shown.length <= 60 ? shown : `${shown.slice(0, 60)}…`;
}

/** A path for a message: escaped, and quoted where blanks or quotes would leave its ends unclear. */
export function showPath(path: string): string {
  const shown = showText(path);
  return /[\s"']/.test(shown) || shown === '' ? `'${shown}'` : shown;
}

/** C0 and C1 controls, line and paragraph separators, and the marks that turn the direction of text. */
export const UNPRINTABLE = /[\p{Cc}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;
