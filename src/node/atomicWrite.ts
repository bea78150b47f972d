import { randomBytes } from 'node:crypto';
import { closeSync, fstatSync, fsyncSync, lstatSync, openSync, readdirSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SystemError } from '../core/errors.js';
import { showPath } from '../core/text.js';

/** Replaces a file as a whole: at any time, even after a power cut, the path holds the old bytes or all of the new ones. */
export function atomicWrite(path: string, bytes: Uint8Array): void {
  const directory = dirname(path);
  const temporary = writeFileWhole(directory, bytes);
  try {
    renameSync(temporary, path);
  } catch (error) {
    removeQuietly(temporary);
    throw error;
  }
  syncDirectory(directory);
}

/** 16 hexadecimal digits: in the name of a file, nobody can prepare a link under it. */
export function randomId(): string {
  return randomBytes(8).toString('hex');
}

/** Writes and syncs a new temporary file, and returns its path. On an error, it leaves no file. */
export function writeFileWhole(directory: string, bytes: Uint8Array): string {
  const path = join(directory, `.${randomId()}.tmp`);
  try {
    const file = openSync(path, 'wx');
    try {
      writeAll(file, bytes, path);
      const { size } = fstatSync(file);
      if (size !== bytes.length)
        throw new SystemError(`cannot write ${showPath(path)}: only ${size} of ${bytes.length} bytes were written`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    return path;
  } catch (error) {
    removeQuietly(path);
    throw error;
  }
}

/** Writes all bytes, in as many calls as the system needs. */
export function writeAll(file: number, bytes: Uint8Array, path: string): void {
  for (let written = 0; written < bytes.length; ) {
    const more = writeSync(file, bytes, written);
    if (more === 0) throw new SystemError(`cannot write ${showPath(path)}: only ${written} of ${bytes.length} bytes were written`);
    written += more;
  }
}

/**
 * Writes the first bytes of an open file to a path, as a whole. It reads in chunks, so a large file needs no memory.
 * @param keepOpen whether to return the new file's descriptor for appending, instead of closing it
 */
export function copyDescriptor(from: number, size: number, path: string, keepOpen = false): number | undefined {
  const temporary = join(dirname(path), `.${randomId()}.tmp`);
  const file = openSync(temporary, 'ax+');
  let isDone = false;
  try {
    const chunk = Buffer.allocUnsafe(Math.min(size, CHUNK));
    for (let done = 0; done < size; ) {
      const read = readSync(from, chunk, 0, Math.min(chunk.length, size - done), done);
      if (read === 0) throw new SystemError(`cannot write ${showPath(path)}: only ${done} of ${size} bytes could be read`);
      writeAll(file, chunk.subarray(0, read), temporary);
      done += read;
    }
    fsyncSync(file);
    renameSync(temporary, path);
    syncDirectory(dirname(path));
    isDone = true;
    return keepOpen ? file : undefined;
  } finally {
    if (!isDone || !keepOpen) closeSync(file);
    if (!isDone) removeQuietly(temporary);
  }
}

const CHUNK = 2 ** 20;

/**
 * Removes temporary files of killed processes.
 * @param olderThan only those that have been unchanged for this many milliseconds, where other processes may be writing
 */
export function removeLeftovers(directory: string, olderThan = 0): void {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    if (LEFTOVER.test(name) && (olderThan === 0 || isOlder(path, olderThan))) removeQuietly(path);
  }
}

/** Random names, and names with a process ID, which earlier versions wrote. */
export const LEFTOVER = /^\.([0-9a-f]{16}|\d+(\.stale)?)\.tmp$/;

function isOlder(path: string, milliseconds: number): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found !== undefined && Date.now() - found.mtimeMs > milliseconds;
}

/** Removes a file and ignores errors: the next start removes leftovers, and the error that led here matters more. */
export function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {}
}

/** Makes a rename in the directory durable. Windows cannot open directories and does not need it. */
function syncDirectory(path: string): void {
  if (process.platform === 'win32') return;
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
