import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { FileContentError, namingFile } from '../core/errors.js';
import { checkHeader, readSafetensors, type Safetensors } from '../run/safetensors.js';
import { withSystemErrors } from './systemErrors.js';

/**
 * Reads a safetensors file.
 * @param shownAs how messages name it
 * @throws SystemError if it cannot be read
 * @throws FileContentError that names the file, what is wrong and where
 */
export function readSafetensorsFile(path: string, shownAs = path): Safetensors {
  const bytes = readSafetensorsBytes(path, shownAs);
  return namingFile(shownAs, () => readSafetensors(bytes));
}

/** The bytes of a safetensors file. Size and header are checked before the data is read, so that no false promise allocates memory. */
export function readSafetensorsBytes(path: string, shownAs = path): Uint8Array {
  return namingFile(shownAs, () =>
    withSystemErrors('read', shownAs, () => {
      const file = openSync(path, 'r');
      try {
        const { size } = fstatSync(file);
        checkHeader(size, (start, length) => readBytes(file, start, length));
        return readBytes(file, 0, size);
      } finally {
        closeSync(file);
      }
    }),
  );
}

function readBytes(file: number, start: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const read = readSync(file, bytes, done, length - done, start + done);
    if (read === 0) throw new FileContentError(`cut short: ${start + done} bytes could be read, expected ${start + length}`);
    done += read;
  }
  return bytes;
}
