import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { NamesParser, type ParsedNames } from '../data/parseNames.js';
import { withSystemErrors } from './systemErrors.js';

export interface NamesFile extends ParsedNames {
  /** SHA-256 of the file's bytes, hexadecimal. */
  sha256: string;
}

/**
 * Reads a file with a name per line, as {@link parseNames} does. The file is read in chunks: memory is bounded by MAX_FILE_BYTES, and by
 * MAX_LINE_BYTES for one line.
 * @throws SystemError if the file cannot be read
 * @throws FileContentError with line and byte for anything that is not a name, and for a file without names
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
