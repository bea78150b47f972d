import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { FileContentError, quoteText, showPath, showText, UNPRINTABLE, withSystemErrors } from '../core/errors.js';
import { firstInvalidByte } from '../core/utf8.js';
import { BOUNDARY } from '../data/dataset.js';

export const MAX_LINE_BYTES = 64 * 1024;
export const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** The data set that comes with the program. */
export function bundledNames(): string {
  return fileURLToPath(new URL('../../data/names.txt', import.meta.url));
}

export interface NamesFile {
  /** In file order, repeats included. */
  names: string[];
  /** Of the file's bytes, hexadecimal. */
  sha256: string;
  /** How often a line had to be tidied; all 0 for a plain file. */
  tidied: { byteOrderMark: number; carriageReturns: number; surroundingBlanks: number; blankLines: number };
}

/**
 * Reads a UTF-8 text with a name per line. A byte order mark, CRLF, blanks around a name and blank lines are accepted
 * and counted. Memory is bounded by {@link MAX_FILE_BYTES}, and by {@link MAX_LINE_BYTES} for one line.
 *
 * @throws SystemError if the file cannot be read
 * @throws FileContentError with line and byte for anything that is no name, and for a file without one
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

/** Cuts bytes into lines and lines into names; chunks may end anywhere. */
class NamesParser {
  readonly #path: string;
  readonly #names: string[] = [];
  readonly #tidied = { byteOrderMark: 0, carriageReturns: 0, surroundingBlanks: 0, blankLines: 0 };
  #line = 0;
  /** Byte offset in the file of the line being read. */
  #offset = 0;
  #rest: Buffer = Buffer.alloc(0);

  constructor(path: string) {
    this.#path = path;
  }

  push(chunk: Buffer): void {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    let start = 0;
    for (let end = bytes.indexOf(0x0a); end !== -1; end = bytes.indexOf(0x0a, start)) {
      this.#takeLine(bytes.subarray(start, end));
      this.#offset += end + 1 - start;
      start = end + 1;
    }
    this.#rest = Buffer.from(bytes.subarray(start));
    if (this.#rest.length > MAX_LINE_BYTES) this.#fail(this.#line + 1, `longer than ${MAX_LINE_BYTES} bytes; expected a name per line`);
    if (this.#offset + this.#rest.length > MAX_FILE_BYTES) {
      throw new FileContentError(`${showPath(this.#path)}: larger than ${MAX_FILE_BYTES} bytes, the most a data set may have`);
    }
  }

  end(): Omit<NamesFile, 'sha256'> {
    if (this.#rest.length > 0) this.#takeLine(this.#rest);
    if (this.#names.length === 0) throw new FileContentError(`${showPath(this.#path)}: no names in it; expected a name per line`);
    return { names: this.#names, tidied: this.#tidied };
  }

  #takeLine(bytes: Buffer): void {
    this.#line++;
    if (bytes.length > MAX_LINE_BYTES) this.#fail(this.#line, `longer than ${MAX_LINE_BYTES} bytes; expected a name per line`);
    let text = this.#decode(bytes);
    if (this.#line === 1 && text.startsWith('\ufeff')) {
      this.#tidied.byteOrderMark = 1;
      text = text.slice(1);
    }
    if (text.endsWith('\r')) {
      this.#tidied.carriageReturns++;
      text = text.slice(0, -1);
    }
    const name = text.trim();
    if (name === '') {
      this.#tidied.blankLines++;
      return;
    }
    if (name !== text) this.#tidied.surroundingBlanks++;
    this.#checkName(name);
    this.#names.push(name);
  }

  #decode(bytes: Buffer): string {
    const byte = firstInvalidByte(bytes);
    if (byte !== undefined) {
      const utf16 = this.#line === 1 && /^(fffe|feff)/.test(bytes.toString('hex', 0, 2));
      const found = utf16 ? 'UTF-16' : `byte 0x${bytes.toString('hex', byte, byte + 1)}, which is not UTF-8`;
      this.#fail(this.#line, `found ${found} at byte ${this.#offset + byte} of the file; save it as UTF-8`);
    }
    return bytes.toString('utf8');
  }

  #checkName(name: string): void {
    const unprintable = name.match(UNPRINTABLE);
    if (unprintable) {
      this.#fail(this.#line, `'${quoteText(name)}' holds the control character ${showText(unprintable[0])}; names are plain text`);
    }
    if (name.includes(BOUNDARY)) {
      this.#fail(this.#line, `'${quoteText(name)}' holds '${BOUNDARY}', which marks where a name begins and ends; write it without`);
    }
  }

  #fail(line: number, problem: string): never {
    throw new FileContentError(`${showPath(this.#path)}, line ${line}: ${problem}`);
  }
}
