import { readSync } from 'node:fs';
import { FileContentError, namingFile } from '../core/errors.js';
import { checkHeader, readSafetensors, type Safetensors } from '../run/safetensors.js';
import { withRegularFile } from './readFile.js';

/**
 * Reads a safetensors file.
 * @param shownAs the name of the file in messages
 * @throws SystemError if the file cannot be read
 * @throws FileContentError if it is not a valid safetensors file; the message names the file and the place
 */
export function readSafetensorsFile(path: string, shownAs = path): Safetensors {
  const bytes = readSafetensorsBytes(path, shownAs);
  return namingFile(shownAs, () => readSafetensors(bytes));
}

/** The bytes of a safetensors file. Size and header are checked before the data is read, so a false header cannot make it allocate memory. */
export function readSafetensorsBytes(path: string, shownAs = path): Uint8Array {
  return namingFile(shownAs, () =>
    withRegularFile(path, shownAs, (file, size) => {
      checkHeader(size, (start, length) => readBytes(file, start, length));
      return readBytes(file, 0, size);
    }),
  );
}

function readBytes(file: number, start: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const read = readSync(file, bytes, done, length - done, start + done);
    if (read === 0) throw new FileContentError(`truncated: ${start + done} bytes could be read, expected ${start + length}`);
    done += read;
  }
  return bytes;
}
