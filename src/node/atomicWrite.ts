import { closeSync, fstatSync, fsyncSync, openSync, readdirSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SystemError } from '../core/errors.js';
import { showPath } from '../core/text.js';

/** Replaces a file as a whole: whoever reads the path finds the old bytes or all of the new ones, even after a power cut. */
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

/** Writes a temporary file to the disk in full, or leaves none. Returns its path. */
export function writeFileWhole(directory: string, bytes: Uint8Array): string {
  const path = join(directory, `.${process.pid}.tmp`);
  try {
    const file = openSync(path, 'w');
    try {
      writeAll(file, bytes, path);
      const { size } = fstatSync(file);
      if (size !== bytes.length) throw new SystemError(`cannot write ${showPath(path)}: ${size} of ${bytes.length} bytes arrived`);
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

/** Writes all of it, in as many calls as the system wants. */
export function writeAll(file: number, bytes: Uint8Array, path: string): void {
  for (let written = 0; written < bytes.length; ) {
    const more = writeSync(file, bytes, written);
    if (more === 0)
      throw new SystemError(`cannot write ${showPath(path)}: ${written} of ${bytes.length} bytes could be written, and no more`);
    written += more;
  }
}

/**
 * Removes what killed writers left.
 * @param isOthers whether the process of that number may still be writing there
 */
export function removeLeftovers(directory: string, isOthers: (pid: number) => boolean = () => false): void {
  for (const name of readdirSync(directory)) {
    const pid = /^\.(\d+)(\.stale)?\.tmp$/.exec(name)?.[1];
    if (pid !== undefined && !isOthers(Number(pid))) removeQuietly(join(directory, name));
  }
}

/** A file that cannot be removed now is removed by the next start; the error that made it useless matters more. */
export function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {}
}

/** Makes a rename in the directory durable. Windows cannot open directories and needs no such step. */
function syncDirectory(path: string): void {
  if (process.platform === 'win32') return;
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
