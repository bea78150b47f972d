/** Reads one column of a table in text: fields separated by commas, semicolons, tabs, bars or blanks, with or without quotes. */
import { FileContentError, UsageError } from '../core/errors.js';
import { closest } from '../core/spelling.js';
import { countOf, quoteText, showPath } from '../core/text.js';

/** A blank means one or more blanks. */
export type Separator = '\t' | ';' | '|' | ',' | ' ';
const SEPARATORS = ['\t', ';', '|', ','] as const;

/** A table's layout, as its first line shows it. */
export interface TableLayout {
  separator: Separator;
  /** Number of columns. */
  columns: number;
  /** The column that is read, from 1. */
  column: number;
  /** The first line, if it names the columns. */
  header?: string;
}

/** How often each separator occurs outside quotes. */
export function countSeparators(line: string): Record<(typeof SEPARATORS)[number], number> {
  const counts = { '\t': 0, ';': 0, '|': 0, ',': 0 };
  let quoted = false;
  for (const character of line) {
    if (character === '"') quoted = !quoted;
    else if (!quoted && character in counts) counts[character as keyof typeof counts]++;
  }
  return counts;
}

/** The separator that occurs most often outside quotes; blanks if there is no other. */
function separatorOf(line: string): Separator {
  const counts = countSeparators(line);
  const [most] = [...SEPARATORS].sort((a, b) => counts[b] - counts[a]);
  return counts[most] > 0 ? most : ' ';
}

/** In words, for one or many. */
export function separatorText(separator: Separator, count: number): string {
  const word = { '\t': 'tab', ';': 'semicolon', '|': 'bar', ',': 'comma', ' ': 'blank' }[separator];
  return count === 1 ? word : `${word}s`;
}

/** Lines with this many separators each hold several names. */
const MANY = 5;

/** The separator of several names per line, if the lines hold at least five of it on average. */
export function separatorOfMany(lines: readonly string[]): Separator | undefined {
  return [...SEPARATORS, ' ' as const].find((separator) => totalOf(separator, lines) >= MANY * lines.length);
}

/** How often a separator occurs; blanks in a row count once. */
export function totalOf(separator: Separator, lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + line.trim().split(separator === ' ' ? /\s+/ : separator).length - 1, 0);
}

/** How to put each name on its own line, and in a terminal. FILE is replaced by the path. */
export function splitHint(separator: Separator): { hint: string; shell: string } {
  return {
    hint: 'put each name on its own line',
    shell: `tr '${separator === '\t' ? '\\t' : separator}' '\\n' < FILE > names-only.txt`,
  };
}

const QUOTES: readonly (readonly [open: string, close: string])[] = [
  ['"', '"'],
  ["'", "'"],
  ['`', '`'],
  ['“', '”'],
  ['„', '“'],
  ['‘', '’'],
  ['«', '»'],
];

/** The first bytes of the opening quotes in UTF-8. */
const FIRST_OF_QUOTES = new Set(QUOTES.map(([open]) => new TextEncoder().encode(open)[0]));
const BLANK = 0x20;
const DOUBLE_QUOTE = 0x22;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** The text between quotes, if it is in quotes. */
export function unquoted(field: string): string | undefined {
  const isQuoted = QUOTES.some(([open, close]) => field.length > 2 && field.startsWith(open) && field.endsWith(close));
  return isQuoted ? field.slice(1, -1) : undefined;
}

/** The fields of a line, without quotes and surrounding blanks; undefined if a quote is not closed. As in CSV, "" is a quote inside quotes. */
export function splitFields(text: string, separator: Separator): string[] | undefined {
  const line = separator === ' ' ? text.trim() : text;
  const fields: string[] = [];
  const end = separator === ' ' ? /\s+|$/g : new RegExp(`[${separator}]|$`, 'g');
  for (let at = 0; ; ) {
    while (line[at] === ' ') at++;
    let field = '';
    if (line[at] === '"') {
      const [quoted] = /^"(?:[^"]|"")*"/.exec(line.slice(at)) ?? [];
      if (quoted === undefined) return undefined;
      field = quoted.slice(1, -1).replaceAll('""', '"');
      at += quoted.length;
    }
    end.lastIndex = at;
    const { index, 0: found } = end.exec(line) as RegExpExecArray;
    field += line.slice(at, index).trim();
    fields.push((unquoted(field) ?? field).trim());
    if (found === '') return fields;
    at = index + found.length;
  }
}

/** Reads a column line by line. */
export class ColumnReader {
  readonly #column: string;
  readonly #source: string;
  /** What errors call the option for the column. */
  readonly #option: string;
  #layout: TableLayout | undefined;
  #lines = 0;

  /**
   * @param column the number of the column, from 1, or its name in the first line
   * @param source the name of the text in errors
   * @param option what errors call the option for the column
   */
  constructor(column: string, source: string, option: string) {
    this.#column = column;
    this.#source = source;
    this.#option = option;
  }

  /** Known from the first line on. */
  get layout(): TableLayout | undefined {
    return this.#layout;
  }

  /**
   * The field of the column; undefined for a header, and for the rule below it in a table of Markdown.
   * @throws UsageError if there is no such column; FileContentError if this line has fewer columns than the first
   */
  read(line: string, number: number): string | undefined {
    const isFirst = this.#layout === undefined;
    const separator = this.#layout?.separator ?? separatorOf(line);
    const fields = splitFields(line, separator);
    if (fields === undefined) throw new FileContentError(`${showPath(this.#source)}, line ${number}: a quote is not closed`);
    this.#layout ??= this.#layoutOf(line, separator, fields);
    const { column, header } = this.#layout;
    this.#lines++;
    if (isFirst && header !== undefined) return undefined;
    if (this.#lines === 2 && header !== undefined && separator === '|' && /^[\s|:-]*-{3}[\s|:-]*$/.test(line)) return undefined;
    if (fields.length >= column) return fields[column - 1];
    throw new FileContentError(
      `${showPath(this.#source)}, line ${number}: has ${countOf(fields.length, 'column')}, expected at least ${column}`,
    );
  }

  /**
   * Finds the column in a line of UTF-8, from the third line on, if the line holds no double quote and the field begins like no other quoted one.
   * This is 10 times as fast as {@link read}.
   * @param field gets the place of the column, without blanks around it
   * @returns the position of the line's end, or -1 if {@link read} must read the line
   */
  find(bytes: Uint8Array, start: number, field: { start: number; end: number }): number {
    if (this.#layout === undefined || this.#lines < 2 || this.#layout.separator === ' ') return -1;
    const separator = this.#layout.separator.charCodeAt(0);
    let left = this.#layout.column;
    let end = start;
    field.start = start;
    for (; end < bytes.length && bytes[end] !== LINE_FEED && bytes[end] !== CARRIAGE_RETURN; end++) {
      const byte = bytes[end];
      if (byte === DOUBLE_QUOTE) return -1;
      if (byte !== separator) continue;
      left--;
      if (left === 1) field.start = end + 1;
      if (left === 0) field.end = end;
    }
    if (left > 1) return -1;
    if (left === 1) field.end = end;
    while (bytes[field.start] === BLANK && field.start < field.end) field.start++;
    while (bytes[field.end - 1] === BLANK && field.start < field.end) field.end--;
    return FIRST_OF_QUOTES.has(bytes[field.start]) ? -1 : end;
  }

  #layoutOf(line: string, separator: Separator, fields: readonly string[]): TableLayout {
    const columns = fields.length;
    if (/^\d+$/.test(this.#column)) {
      const column = Number(this.#column);
      if (column >= 1 && column <= columns) return { separator, columns, column };
      const found = columns === 1 ? 'one column' : `${columns} columns`;
      throw new UsageError(`${this.#option} ${this.#column}: ${showPath(this.#source)} has ${found} in its first line`);
    }
    // A header may be a single name with blanks: "First name".
    const names = separator === ' ' && sameWord(line, this.#column) ? [line.trim()] : fields;
    const at = names.indexOf(this.#column);
    const column = at === -1 ? names.findIndex((name) => sameWord(name, this.#column)) : at;
    if (column !== -1) return { separator: names === fields ? separator : ',', columns: names.length, column: column + 1, header: line };
    const near = closest(this.#column, fields);
    const list = fields.map((name) => `'${quoteText(name)}'`).join(', ');
    throw new UsageError(`${this.#option} ${quoteText(this.#column)}: the first line of ${showPath(this.#source)} has ${quoteText(list)}`, {
      hint: near === undefined ? 'name one of them, or give its number' : `did you mean '${quoteText(near)}'?`,
    });
  }
}

function sameWord(a: string, b: string): boolean {
  return a.trim().toLowerCase() === b.trim().toLowerCase();
}
