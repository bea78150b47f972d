/**
 * Reading files that anyone may have put there. Only regular files are opened, through links: a pipe without a writer would block, and
 * a device never ends. All reads have a limit, because a file in /proc may have no end either.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { FileContentError, SystemError } from '../core/errors.js';
import { showPath } from '../core/text.js';
import { isSystemError, withSystemErrors } from './systemErrors.js';

/** Enough for files that hold settings, such as run.json. */
export const SETTINGS_LIMIT = 2 ** 24;

/** What a path leads to, for a message: a directory, a named pipe, a device, a socket; undefined for a regular file. */
export function specialKind(found: Stats): string | undefined {
  if (found.isFile()) return undefined;
  if (found.isDirectory()) return 'a directory';
  if (found.isFIFO()) return 'a pipe';
  if (found.isSocket()) return 'a socket';
  return found.isSymbolicLink() ? 'a symbolic link' : 'a device';
}

/**
 * Opens a regular file for reading, and closes it after the call.
 * @param run gets the descriptor, and the size that the system reports: 0 for files in /proc
 * @param shownAs the name of the file in messages
 * @throws SystemError if it is missing, is no regular file, or cannot be read
 */
export function withRegularFile<T>(path: string, shownAs: string, run: (file: number, size: number) => T): T {
  return withSystemErrors('read', shownAs, () => {
    const { file, size } = openRegularFile(path, shownAs);
    try {
      return run(file, size);
    } finally {
      closeSync(file);
    }
  });
}

/** Opens a regular file for reading. The caller closes it. */
function openRegularFile(path: string, shownAs: string): { file: number; size: number } {
  // Before the file is opened, because opening a pipe or a device already has effects.
  refuseSpecial(statSync(path), shownAs);
  const file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const found = fstatSync(file);
    refuseSpecial(found, shownAs);
    return { file, size: found.size };
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

/**
 * The bytes of a regular file of any size, in chunks of at most 1 MiB; none if nothing is there. A chunk is overwritten by the next one.
 * @throws SystemError if it is no regular file, or cannot be read
 */
export function* readChunks(path: string): Generator<Buffer, void, void> {
  const read = <T>(call: () => T) => withSystemErrors('read', path, call);
  if (!read(() => lstatSync(path, { throwIfNoEntry: false }))) return;
  const { file } = read(() => openRegularFile(path, path));
  try {
    const chunk = Buffer.allocUnsafe(CHUNK);
    for (;;) {
      const length = read(() => readSync(file, chunk));
      if (length === 0) return;
      yield chunk.subarray(0, length);
    }
  } finally {
    closeSync(file);
  }
}

const CHUNK = 2 ** 20;

function refuseSpecial(found: Stats, shownAs: string): void {
  const kind = specialKind(found);
  if (kind !== undefined) throw new SystemError(`cannot read ${showPath(shownAs)}: it is ${kind}`);
}

/**
 * The bytes of a regular file.
 * @throws SystemError if it is missing, is no regular file, or cannot be read
 * @throws FileContentError if it has more bytes than the limit
 */
export function readRegularFile(path: string, limit: number, shownAs = path): Buffer {
  return withRegularFile(path, shownAs, (file, size) => {
    let bytes = Buffer.allocUnsafe(size <= limit ? size : 0);
    let length = 0;
    // Up to the real end, because the reported size may be wrong.
    for (;;) {
      if (size > limit || length > limit) throw tooLarge(shownAs, limit);
      if (length === bytes.length) bytes = Buffer.concat([bytes], Math.max(2 * length, 4096));
      const read = readSync(file, bytes, length, bytes.length - length, null);
      if (read === 0) return bytes.subarray(0, length);
      length += read;
    }
  });
}

/** The first bytes of a regular file, or all of them if it is shorter. @throws SystemError as {@link withRegularFile} does */
export function startOfFile(path: string, length: number, shownAs = path): Uint8Array {
  return withRegularFile(path, shownAs, (file) => {
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, readSync(file, bytes));
  });
}

/** The bytes of a regular file; undefined if nothing is there. A link that leads nowhere is an error, because it would be written through. */
export function readIfThere(path: string, limit: number): Buffer | undefined {
  const found = withSystemErrors('read', path, () => lstatSync(path, { throwIfNoEntry: false }));
  if (!found) return undefined;
  try {
    return readRegularFile(path, limit);
  } catch (error) {
    if (!(error instanceof SystemError) || !isSystemError(error.cause, 'ENOENT')) throw error;
    if (!found.isSymbolicLink()) return undefined;
    throw new SystemError(`cannot read ${showPath(path)}: it is a symbolic link to a missing file`, { cause: error });
  }
}

function tooLarge(shownAs: string, limit: number): FileContentError {
  const megabytes = limit / 2 ** 20;
  return new FileContentError(
    `${showPath(shownAs)} is larger than the limit of ${megabytes < 1 ? `${limit / 1024} KiB` : `${megabytes} MiB`}`,
  );
}
