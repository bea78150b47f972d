import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { NamesParser, type ParsedNames } from '../data/parseNames.js';
import { withSystemErrors } from './systemErrors.js';

/** The names of a file, and its hash. */
export interface NamesFile extends ParsedNames {
  /** SHA-256 of the file's bytes, hexadecimal. */
  sha256: string;
}

/**
 * Reads a file with one name per line, by the rules of `parseNames`. It reads in chunks of 1 MiB, so the limits on file size and
 * line length also limit the memory.
 * @throws SystemError if the file cannot be read
 * @throws FileContentError if a line is not a name, with line and byte, or if the file has no names
 */
export function readNamesFile(path: string): NamesFile {
  const parser = new NamesParser(path);
  const hash = createHash('sha256');
  withSystemErrors('read', path, () => {
    const file = openSync(path, 'r');
    try {
      const chunk = Buffer.allocUnsafe(1 << 20);
      for (let read = readSync(file, chunk); read > 0; read = readSync(file, chunk)) {
        hash.update(chunk.subarray(0, read));
        parser.push(chunk.subarray(0, read));
      }
    } finally {
      closeSync(file);
    }
  });
  return { ...parser.end(), sha256: hash.digest('hex') };
}
