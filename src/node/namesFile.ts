import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { isatty } from 'node:tty';
import { type NamesOptions, NamesParser, type ParsedNames, STANDARD_INPUT_NAME } from '../data/parseNames.js';
import { withRegularFile } from './readFile.js';
import { isSystemError, withSystemErrors } from './systemErrors.js';

/** The names of a file, and its hash. */
export interface NamesFile extends ParsedNames {
  /** SHA-256 of the file's bytes, hexadecimal. */
  sha256: string;
  /** The bytes, if they cannot be read again: of standard input, of a pipe, of a file in /proc. */
  bytes?: Uint8Array;
}

/** The path that means standard input. */
export const STANDARD_INPUT = '-';

/** What is read instead of a file, for a note: it may keep the program waiting. */
export type NamesStream = 'a terminal' | 'standard input' | 'a pipe';

export interface ReadNamesOptions extends NamesOptions {
  /** The name of the file in messages. Default: the path. */
  shownAs?: string;
  /** Called before the program waits for names that are not in a file. */
  onWait?: (stream: NamesStream) => void;
  /** Called with the size of a file in bytes before it is read. */
  onFile?: (size: number) => void;
}

/**
 * Reads a file with one name per line, by the rules of `parseNames`. With `-`, a pipe or a device, it reads to the end, and blocks until
 * then. It reads in chunks, so the limits on file size and line length also limit the memory.
 * @throws SystemError if the file cannot be read
 * @throws FileContentError if a line is not a name, with line and byte, or if the file has no names
 * @throws UsageError if it has no such column
 */
export function readNamesFile(
  path: string,
  { onWait = () => {}, onFile = () => {}, shownAs = path, ...options }: ReadNamesOptions = {},
): NamesFile {
  if (isStandardInput(path)) {
    onWait(isatty(0) ? 'a terminal' : 'standard input');
    return withSystemErrors('read', STANDARD_INPUT_NAME, () => readNames(0, STANDARD_INPUT_NAME, options, 'unknown'));
  }
  if (!isStream(path, shownAs)) {
    return withRegularFile(path, shownAs, (file, size) => {
      onFile(size);
      return readNames(file, shownAs, options, size);
    });
  }
  onWait('a pipe');
  return withSystemErrors('read', shownAs, () => {
    const file = openSync(path, 'r');
    try {
      return readNames(file, shownAs, options, 'unknown');
    } finally {
      closeSync(file);
    }
  });
}

/** By its names, too: opening /dev/stdin again fails if it is a socket, as it is under some programs. */
function isStandardInput(path: string): boolean {
  return path === STANDARD_INPUT || /^\/(dev\/(stdin|fd\/0)|proc\/self\/fd\/0)$/.test(path);
}

/** A pipe or device, or a name that means something else to the next process, such as the /dev/fd/63 of a shell's <(...). */
function isStream(path: string, shownAs: string): boolean {
  if (/^\/(dev\/fd|proc\/(self|\d+)\/fd)\/\d+$/.test(path)) return true;
  const found = withSystemErrors('read', shownAs, () => statSync(path));
  return found.isFIFO() || found.isCharacterDevice();
}

/** @param size the size that the system reports; the bytes are kept if the file is a stream, or has another size, as in /proc */
function readNames(file: number, shownAs: string, options: NamesOptions, size: number | 'unknown'): NamesFile {
  const parser = new NamesParser(shownAs, options);
  if (size !== 'unknown') parser.checkSize(size);
  const hash = createHash('sha256');
  const kept: Buffer[] = [];
  const chunk = Buffer.allocUnsafe(CHUNK);
  let length = 0;
  for (let read = readSome(file, chunk); read > 0; read = readSome(file, chunk)) {
    const bytes = chunk.subarray(0, read);
    hash.update(bytes);
    parser.push(bytes);
    length += read;
    if (size === 'unknown' || size === 0) kept.push(Buffer.from(bytes));
  }
  const parsed = { ...parser.end(), sha256: hash.digest('hex') };
  return size === 'unknown' || (size === 0 && length > 0) ? { ...parsed, bytes: Buffer.concat(kept) } : parsed;
}

const CHUNK = 2 ** 20;
const PAUSE_MS = 20;

/** Waits for bytes if the other side of a pipe has made it non-blocking. */
function readSome(file: number, chunk: Buffer): number {
  for (;;) {
    try {
      return readSync(file, chunk);
    } catch (error) {
      // How Windows reports the end of a pipe.
      if (isSystemError(error, 'EOF')) return 0;
      if (!isSystemError(error, 'EAGAIN')) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    }
  }
}
