/** Reads names from a text file's bytes, one name per line. */
import { FileContentError } from '../core/errors.js';
import { quoteText, showPath, showText, UNPRINTABLE } from '../core/text.js';
import { decodeUtf8, firstInvalidByte } from '../core/utf8.js';
import { BOUNDARY } from './dataset.js';

/** Longer lines and larger files are refused. */
export const MAX_LINE_BYTES = 64 * 1024;
export const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** The names of a text file. */
export interface ParsedNames {
  /** The names in file order, including repeats. */
  names: string[];
  /** How often each irregularity was tidied; all 0 for a plain file. */
  tidied: { byteOrderMark: number; carriageReturns: number; surroundingBlanks: number; blankLines: number };
}

/**
 * Reads a UTF-8 text with one name per line. A byte order mark, CRLF, blanks around a name and blank lines are accepted and counted.
 * @param source the name of the text in errors
 * @throws FileContentError with line and byte if a line is not a name, or if there are no names
 */
export function parseNames(bytes: Uint8Array, source: string): ParsedNames {
  const parser = new NamesParser(source);
  parser.push(bytes);
  return parser.end();
}

/** Reads names from chunks of bytes. A chunk may end anywhere, even within a character. */
export class NamesParser {
  readonly #path: string;
  readonly #names: string[] = [];
  readonly #tidied = { byteOrderMark: 0, carriageReturns: 0, surroundingBlanks: 0, blankLines: 0 };
  #line = 0;
  /** The byte offset of the current line in the file. */
  #offset = 0;
  #rest = new Uint8Array(0);

  constructor(path: string) {
    this.#path = path;
  }

  push(chunk: Uint8Array): void {
    const bytes = this.#rest.length > 0 ? joined(this.#rest, chunk) : chunk;
    let start = 0;
    for (let end = bytes.indexOf(0x0a); end !== -1; end = bytes.indexOf(0x0a, start)) {
      this.#takeLine(bytes.subarray(start, end));
      this.#offset += end + 1 - start;
      start = end + 1;
    }
    // A real copy, because the caller may reuse the chunk (slice of a Node Buffer would share its memory).
    this.#rest = new Uint8Array(bytes.subarray(start));
    if (this.#rest.length > MAX_LINE_BYTES) this.#fail(this.#line + 1, `longer than ${MAX_LINE_BYTES} bytes; expected one name per line`);
    if (this.#offset + this.#rest.length > MAX_FILE_BYTES) {
      throw new FileContentError(`${showPath(this.#path)}: larger than ${MAX_FILE_BYTES} bytes, the limit for a data set`);
    }
  }

  end(): ParsedNames {
    if (this.#rest.length > 0) this.#takeLine(this.#rest);
    if (this.#names.length === 0) throw new FileContentError(`${showPath(this.#path)}: contains no names; expected one name per line`);
    return { names: this.#names, tidied: this.#tidied };
  }

  #takeLine(bytes: Uint8Array): void {
    this.#line++;
    if (bytes.length > MAX_LINE_BYTES) this.#fail(this.#line, `longer than ${MAX_LINE_BYTES} bytes; expected one name per line`);
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

  #decode(bytes: Uint8Array): string {
    const byte = firstInvalidByte(bytes);
    if (byte !== undefined) {
      const utf16 = this.#line === 1 && [0xfffe, 0xfeff].includes(bytes[0] * 256 + bytes[1]);
      const found = utf16
        ? 'the file is UTF-16'
        : `0x${bytes[byte].toString(16).padStart(2, '0')} at byte ${this.#offset + byte} of the file is not UTF-8`;
      this.#fail(this.#line, found, 'save it as UTF-8');
    }
    return decodeUtf8(bytes);
  }

  #checkName(name: string): void {
    const unprintable = name.match(UNPRINTABLE);
    if (unprintable) {
      this.#fail(this.#line, `'${quoteText(name)}' contains the control character ${showText(unprintable[0])}; names are plain text`);
    }
    if (name.includes(BOUNDARY)) {
      this.#fail(
        this.#line,
        `'${quoteText(name)}' contains '${BOUNDARY}', which marks the start and end of a name`,
        'spell the name without it',
      );
    }
  }

  #fail(line: number, problem: string, hint?: string): never {
    throw new FileContentError(`${showPath(this.#path)}, line ${line}: ${problem}`, hint === undefined ? {} : { hint });
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}
