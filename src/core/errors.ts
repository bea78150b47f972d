/**
 * Errors, by what the user has to change: an option, a file's content, the system, or the numbers.
 *
 * A message is one line: what, where, found and expected. The hint is the way out. Both are set when the error is created and never
 * edited; code that knows more throws a new error with the first as its cause. The library throws; only cli/ prints and exits.
 */
import { showPath } from './text.js';

/** Optional details of an error. */
export interface ErrorDetails {
  /** The way out: what the user can do now. */
  hint?: string;
  /** What follows the hint where there is a command line: an option, or a command of the shell. */
  shell?: string;
  /** The command that is the way out, without the program's name, as a shell reads it. It follows the hint. */
  command?: string;
  /** The error that led to this one. */
  cause?: unknown;
}

/** The common base: an error with a hint. The command line prints "message; hint: command". */
class HintedError extends Error {
  readonly hint: string | undefined;
  readonly shell: string | undefined;
  readonly command: string | undefined;

  constructor(message: string, { hint, shell, command, cause }: ErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.hint = hint;
    this.shell = shell;
    this.command = command;
  }
}

/** An option or argument is out of range, or contradicts another one. Exit code 2. */
export class UsageError extends HintedError {
  override name = 'UsageError';
}

/** A file could be read, but its content is wrong. Exit code 3. */
export class FileContentError extends HintedError {
  override name = 'FileContentError';
}

/** A file, directory or other system resource is missing or not available. Exit code 4. */
export class SystemError extends HintedError {
  override name = 'SystemError';
}

/** A number became NaN or infinite. Exit code 5. */
export class NumericalError extends HintedError {
  override name = 'NumericalError';
}

/** Message and hint in one line, and the command apart. */
export function messageParts(error: Error): { message: string; command: string | undefined } {
  if (!(error instanceof HintedError)) return { message: error.message, command: undefined };
  const { message, hint, shell, command } = error;
  const wayOut = shell === undefined ? hint : `${hint}: ${shell}`;
  return { message: wayOut === undefined ? message : `${message}; ${wayOut}`, command };
}

/**
 * Message, hint and command in one line, as the command line prints them.
 * @param program the program's name in a command to type
 */
export function fullMessage(error: Error, program = 'backprop-ninja'): string {
  const { message, command } = messageParts(error);
  return command === undefined ? message : `${message}: ${program} ${command}`;
}

/** Runs a check of a file's content. Its {@link FileContentError} is replaced by one whose message starts with the path. */
export function namingFile<T>(path: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof FileContentError)) throw error;
    const { message, hint, shell, command } = error;
    throw new FileContentError(`${showPath(path)}: ${message}`, {
      cause: error,
      ...(hint !== undefined && { hint }),
      ...(shell !== undefined && { shell }),
      ...(command !== undefined && { command }),
    });
  }
}
