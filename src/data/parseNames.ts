/** Reads names from a text file's bytes, one name per line, or from a column of a table. */
import { type ErrorDetails, FileContentError } from '../core/errors.js';
import { choice } from '../core/kinds.js';
import { RECOGNISABLE_BYTES, recognise } from '../core/recognise.js';
import { quoteText, shellWord, showPath, showText, UNPRINTABLE } from '../core/text.js';
import { decodeLatin1, decodeUtf8, firstInvalidByte } from '../core/utf8.js';
import { NameList } from './nameList.js';
import { NameListBuilder } from './nameListBuilder.js';
import { ColumnReader, countSeparators, separatorOfMany, splitHint, type TableLayout } from './table.js';
import { BOUNDARY } from './vocabulary.js';

/** Longer lines and larger files are refused. */
export const MAX_LINE_BYTES = 64 * 1024;
export const MAX_FILE_BYTES = 1024 * 1024 * 1024;

/** The name of standard input in messages. */
export const STANDARD_INPUT_NAME = 'stdin';

/** The forms of Unicode text that names can be brought into. */
export const normalization = choice(['none', 'nfc']);

/** How the names of a file are read. */
export interface NamesOptions {
  /** The column of a table that holds the names: its number, from 1, or its name in the first line. Default: the whole line. */
  column?: string | undefined;
  /** nfc: each letter with its marks is one character where Unicode has one. */
  normalize?: 'none' | 'nfc' | undefined;
}

/** The names of a text file. */
export interface ParsedNames {
  /** The names in file order, including repeats. */
  names: NameList;
  /** How often each irregularity was tidied; all 0 for a plain file. */
  tidied: Tidied;
  /** The layout, if a column was read. */
  table?: TableLayout;
}

/** A hint, and what a terminal adds to it. */
type WayOut = Pick<ErrorDetails, 'hint' | 'shell'>;

interface Tidied {
  byteOrderMark: number;
  /** CRLF line ends. */
  carriageReturns: number;
  /** CR line ends, without a line feed. */
  loneCarriageReturns: number;
  surroundingBlanks: number;
  blankLines: number;
  /** Lines whose field is empty. */
  blankFields: number;
  /** Names that were changed by `normalize`. */
  normalized: number;
}

/**
 * Reads a UTF-8 text with one name per line. A byte order mark, CRLF, CR, blanks around a name and blank lines are accepted and counted.
 * @param source the name of the text in errors
 * @param columnOption what errors call the option for the column
 * @throws FileContentError with line and byte if a line is not a name, if there are no names, or if it is another kind of file
 * @throws UsageError if there is no such column
 */
export function parseNames(bytes: Uint8Array, source: string, options: NamesOptions = {}, columnOption = '--column'): ParsedNames {
  const parser = new NamesParser(source, options, columnOption);
  parser.push(bytes);
  return parser.end();
}

const ONE_PER_LINE = 'expected one name per line';
/** What some programs take for the end of a line: VT, FF, FS, GS, RS, NEL, LS, PS. */
const LINE_SEPARATORS = '\v\f\x1c\x1d\x1e\x85\u2028\u2029';
const BLANK = 0x20;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Reads names from chunks of bytes. A chunk may end anywhere, even within a character. */
export class NamesParser {
  readonly #path: string;
  /** The path in a command. */
  readonly #file: string;
  readonly #column: ColumnReader | undefined;
  readonly #normalize: boolean;
  readonly #names: NameListBuilder;
  readonly #tidied: Tidied = {
    byteOrderMark: 0,
    carriageReturns: 0,
    loneCarriageReturns: 0,
    surroundingBlanks: 0,
    blankLines: 0,
    blankFields: 0,
    normalized: 0,
  };
  /** Where the column is in the current line. */
  readonly #field = { start: 0, end: 0 };
  #line = 0;
  /** The byte offset of the current line in the file. */
  #offset = 0;
  #rest = new Uint8Array(0);
  /** Whether the file's kind is still to be recognised. */
  #isStart = true;

  constructor(path: string, { column, normalize = 'none' }: NamesOptions = {}, columnOption = '--column') {
    this.#path = path;
    this.#file = path === STANDARD_INPUT_NAME ? 'FILE' : shellWord(path, 'file');
    this.#column = column === undefined ? undefined : new ColumnReader(column, path, columnOption);
    this.#normalize = normalize === 'nfc';
    this.#names = new NameListBuilder(this.#normalize ? isPlainNormalized : isPlain);
  }

  push(chunk: Uint8Array): void {
    const bytes = this.#rest.length > 0 ? joined(this.#rest, chunk) : chunk;
    if (this.#isStart && bytes.length >= RECOGNISABLE_BYTES) this.#checkKind(bytes);
    const end = this.#isStart ? 0 : endOfLines(bytes);
    this.#takeLines(bytes.subarray(0, end));
    // A real copy, because the caller may reuse the chunk (slice of a Node Buffer would share its memory).
    this.#rest = new Uint8Array(bytes.subarray(end));
    if (this.#rest.length > MAX_LINE_BYTES) this.#failLong(this.#line + 1, decodeUtf8(this.#rest.subarray(0, MAX_LINE_BYTES)));
    this.checkSize(this.#offset + this.#rest.length);
  }

  /** @throws FileContentError if a data set of this size is too large */
  checkSize(bytes: number): void {
    if (bytes <= MAX_FILE_BYTES) return;
    throw new FileContentError(
      `${showPath(this.#path)}: larger than ${MAX_FILE_BYTES} bytes, the limit for a data set`,
      this.#wayOut({
        hint: 'train on a part of it',
        // What was read from standard input is gone.
        ...(this.#path !== STANDARD_INPUT_NAME && { shell: 'shuf -n 10000000 FILE > names-only.txt' }),
      }),
    );
  }

  end(): ParsedNames {
    if (this.#isStart) this.#checkKind(this.#rest);
    this.#takeLines(this.#rest);
    const { carriageReturns, loneCarriageReturns } = this.#tidied;
    // In a file of CRLF line ends, a CR at its end is the first half of the last one.
    if (this.#rest.at(-1) === CARRIAGE_RETURN && loneCarriageReturns === 1 && carriageReturns > 0) {
      this.#tidied.carriageReturns++;
      this.#tidied.loneCarriageReturns = 0;
    }
    if (this.#names.length === 0) throw new FileContentError(`${showPath(this.#path)}: contains no names; ${ONE_PER_LINE}`);
    const table = this.#column?.layout;
    return { names: new NameList(this.#names.encoded()), tidied: this.#tidied, ...(table ? { table } : {}) };
  }

  /** @throws FileContentError if the file is of another kind */
  #checkKind(bytes: Uint8Array): void {
    this.#isStart = false;
    const other = recognise(bytes.subarray(0, RECOGNISABLE_BYTES));
    if (!other) return;
    throw new FileContentError(`${showPath(this.#path)}: this is ${other.kind}; ${ONE_PER_LINE}`, this.#wayOut(other));
  }

  /** Takes whole lines; the last one may lack its end. */
  #takeLines(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const taken = this.#column ? this.#takeColumn(this.#column, bytes, at) : this.#names.addLine(bytes, at, MAX_LINE_BYTES);
      if (taken === -1) at = this.#takeWithCare(bytes, at);
      else {
        this.#line++;
        at = this.#takeEnd(bytes, taken);
      }
    }
    this.#offset += bytes.length;
  }

  /** Takes the column of a plain line. Returns the position of the line's end, or -1 if nothing was taken. */
  #takeColumn(column: ColumnReader, bytes: Uint8Array, start: number): number {
    const field = this.#field;
    const end = column.find(bytes, start, field);
    if (end === -1 || end - start > MAX_LINE_BYTES) return -1;
    return this.#names.addLine(bytes, field.start, MAX_LINE_BYTES, field.end) === field.end ? end : -1;
  }

  /** Takes a line that has characters not seen before, blanks at its ends or columns, or is not a name. Returns the position after it. */
  #takeWithCare(bytes: Uint8Array, start: number): number {
    let end = start;
    while (end < bytes.length && bytes[end] !== LINE_FEED && bytes[end] !== CARRIAGE_RETURN) end++;
    const line = bytes.subarray(start, end);
    const text = decodeUtf8(line);
    const invalid = text.includes('\ufffd') ? firstInvalidByte(line) : undefined;
    if (invalid !== undefined) this.#failInvalid(line, invalid, this.#offset + start);
    this.#line++;
    if (line.length > MAX_LINE_BYTES) this.#failLong(this.#line, text);
    this.#takeLine(text);
    return this.#takeEnd(bytes, end);
  }

  /** Counts the kind of a line's end, and returns the position after it. */
  #takeEnd(bytes: Uint8Array, at: number): number {
    if (bytes[at] !== CARRIAGE_RETURN) return at + 1;
    const isPair = bytes[at + 1] === LINE_FEED;
    this.#tidied[isPair ? 'carriageReturns' : 'loneCarriageReturns']++;
    return isPair ? at + 2 : at + 1;
  }

  #takeLine(line: string): void {
    const isMarked = this.#line === 1 && line.startsWith('\ufeff');
    if (isMarked) this.#tidied.byteOrderMark = 1;
    const text = isMarked ? line.slice(1) : line;
    const trimmed = text.trim();
    if (trimmed === '') {
      this.#tidied.blankLines++;
      return;
    }
    // In a table, blanks at an end may be empty columns.
    const field = this.#column ? this.#column.read(text, this.#line) : trimmed;
    if (field === undefined) return;
    if (field === '') {
      this.#tidied.blankFields++;
      return;
    }
    if (!this.#column && trimmed !== text) this.#tidied.surroundingBlanks++;
    const name = this.#normalize ? field.normalize('NFC') : field;
    if (name !== field) this.#tidied.normalized++;
    this.#checkName(name);
    this.#names.add(name);
  }

  /**
   * @param byte position in the line of the first byte that is not UTF-8
   * @param offset position of the line in the file
   */
  #failInvalid(bytes: Uint8Array, byte: number, offset: number): never {
    const hex = `0x${bytes[byte].toString(16).padStart(2, '0')}`;
    const line = decodeLatin1(bytes.subarray(0, 4 * RECOGNISABLE_BYTES));
    return this.#fail(this.#line + 1, `${hex} at byte ${offset + byte} of the file is not UTF-8`, {
      hint: 'save it as UTF-8, or convert it',
      shell: `iconv -f ISO-8859-1 -t UTF-8 FILE > utf8.txt (${latin1Reading(line, bytes, byte)})`,
    });
  }

  #checkName(name: string): void {
    const at = name.search(UNPRINTABLE);
    if (at !== -1) {
      const character = name[at];
      const found = `'${quoteText(name)}' contains the control character ${showText(character)}; names are plain text`;
      this.#fail(this.#line, found, this.#controlHint(character));
    }
    if (name.includes(BOUNDARY)) {
      this.#fail(
        this.#line,
        `'${quoteText(name)}' contains '${BOUNDARY}', which marks the start and end of a name`,
        /^\d+\.\s/.test(name)
          ? { hint: 'remove the numbers', shell: "sed -E 's/^ *[0-9]+[.] *//' FILE > names-only.txt" }
          : this.#looksLikeTable(name)
            ? { hint: 'spell the name without it, or read one column of a table', shell: '--column 1' }
            : { hint: 'spell the name without it' },
      );
    }
  }

  #controlHint(character: string): WayOut {
    if (character === '\t' && !this.#column) return { hint: 'if the lines are columns, read one of them', shell: '--column 1' };
    if (!LINE_SEPARATORS.includes(character)) return {};
    const point = (character.codePointAt(0) as number).toString(16);
    return { hint: 'if it ends lines, put line feeds in its place', shell: `perl -CSD -pe 's/\\x{${point}}/\\n/g' FILE > names-only.txt` };
  }

  #looksLikeTable(line: string): boolean {
    return !this.#column && Object.values(countSeparators(line)).some((count) => count > 0);
  }

  #failLong(line: number, text: string): never {
    const separator = separatorOfMany([text]);
    return this.#fail(line, `longer than ${MAX_LINE_BYTES} bytes; ${ONE_PER_LINE}`, separator === undefined ? {} : splitHint(separator));
  }

  #fail(line: number, problem: string, wayOut: WayOut): never {
    throw new FileContentError(`${showPath(this.#path)}, line ${line}: ${problem}`, this.#wayOut(wayOut));
  }

  /** With the path for FILE. */
  #wayOut({ hint, shell }: WayOut): WayOut {
    return { ...(hint !== undefined && { hint }), ...(shell !== undefined && { shell: shell.replaceAll('FILE', this.#file) }) };
  }
}

/** Whether a character may be anywhere in a line. Blanks at the ends are cut off; a plain one there is seen by the builder. */
function isPlain(codePoint: number): boolean {
  return codePoint === BLANK || String.fromCodePoint(codePoint).trim() !== '';
}

/** Below U+0300, text is in NFC whatever its characters are. */
function isPlainNormalized(codePoint: number): boolean {
  return codePoint < 0x300 && isPlain(codePoint);
}

/** Says how a line reads in Latin-1, if the byte that is not UTF-8 would be a letter there. */
function latin1Reading(line: string, bytes: Uint8Array, byte: number): string {
  const isLetter = bytes[byte] >= 0xc0 && bytes[byte] !== 0xd7 && bytes[byte] !== 0xf7;
  const stands = !(bytes[byte - 1] >= 0x80) && !(bytes[byte + 1] >= 0x80);
  if (!isLetter || !stands) return 'with the encoding that it has after -f';
  return `if the line is '${quoteText(line.trim())}'; otherwise with another encoding after -f`;
}

/** Position after the last complete line; a CR as the last byte may be the first half of a CRLF. */
function endOfLines(bytes: Uint8Array): number {
  return Math.max(bytes.lastIndexOf(LINE_FEED), bytes.subarray(0, -1).lastIndexOf(CARRIAGE_RETURN)) + 1;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}
