/**
 * Errors by what the reader must change: an option, a file's content, the system, or the numbers.
 *
 * A message is one line: what, where, found and expected. The hint is the way out. Both are set once, where the error is made;
 * whoever knows more throws a new error with the first as its cause. The library throws; only cli/ prints and exits.
 */
import { showPath } from './text.js';

export interface ErrorDetails {
  /** The way out: what the reader can do now. */
  hint?: string;
  cause?: unknown;
}

/** The common base: an error with a hint. */
class HintedError extends Error {
  readonly hint: string | undefined;

  constructor(message: string, { hint, cause }: ErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.hint = hint;
  }
}

/** An option or argument is out of its range, or does not fit the others. */
export class UsageError extends HintedError {
  override name = 'UsageError';
}

/** The content of a file is wrong. */
export class FileContentError extends HintedError {
  override name = 'FileContentError';
}

/** A file, directory or other resource of the system is missing or refuses. */
export class SystemError extends HintedError {
  override name = 'SystemError';
}

/** Numbers became infinite or not-a-number. */
export class NumericalError extends HintedError {
  override name = 'NumericalError';
}

/** The message and the hint, in one line. */
export function fullMessage(error: Error): string {
  return error instanceof HintedError && error.hint !== undefined ? `${error.message}; ${error.hint}` : error.message;
}

/** Runs a check of a file's content. A {@link FileContentError} that it throws is thrown again with the file's name in front. */
export function namingFile<T>(path: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof FileContentError)) throw error;
    const { message, hint } = error;
    throw new FileContentError(`${showPath(path)}: ${message}`, { cause: error, ...(hint === undefined ? {} : { hint }) });
  }
}
