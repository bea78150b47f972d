/** The names that a run read from a pipe: kept in its directory as names.txt, so that it can be resumed, evaluated and replayed. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../core/errors.js';
import { showPath } from '../core/text.js';
import { MAX_FILE_BYTES } from '../data/parseNames.js';
import { atomicWrite } from './atomicWrite.js';
import { readIfThere } from './readFile.js';
import { withSystemErrors } from './systemErrors.js';

export const NAMES_FILE = 'names.txt';

/**
 * Writes names.txt into a directory, atomically.
 * @param replaceable whether a names.txt of other content in it may be replaced
 * @returns its path
 * @throws UsageError if it holds another names.txt
 */
export function keepNames(directory: string, bytes: Uint8Array, replaceable: (path: string) => boolean): string {
  const path = join(directory, NAMES_FILE);
  const found = readIfThere(path, MAX_FILE_BYTES);
  if (found && Buffer.compare(found, bytes) === 0) return path;
  if (found && !replaceable(path)) {
    throw new UsageError(`${showPath(path)} exists, and the names of this run would replace it`, { hint: 'name another directory' });
  }
  withSystemErrors('write', path, () => atomicWrite(path, bytes));
  return path;
}

/** The path of a directory's names.txt, if it has one. */
export function keptNames(directory: string): string | undefined {
  const path = join(directory, NAMES_FILE);
  return existsSync(path) ? path : undefined;
}
