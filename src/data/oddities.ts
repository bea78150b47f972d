/**
 * What is odd about the lines of a data set that can be trained on as they are: they may be a table, quoted, or commented, or hold
 * characters that cannot be told apart. Real lists of names must not be reported, so each rule looks at nearly all lines, or at characters
 * that no spelling needs.
 */
import { quoteText } from '../core/text.js';
import { characterOddities, type Oddity } from './oddCharacters.js';
import {
  countSeparators,
  type Separator,
  separatorOfMany,
  separatorText,
  splitFields,
  splitHint,
  type TableLayout,
  totalOf,
  unquoted,
} from './table.js';

/** Lines that are looked at for their shape. */
const SAMPLE = 20_000;
/** The share of the lines that must agree. */
const NEARLY_ALL = 0.95;

/**
 * The oddities of the names of a file, at most one about the shape of its lines.
 * @param table the layout, if the names are a column of a table
 */
export function findOddities(names: readonly string[], table?: TableLayout): Oddity[] {
  const stride = Math.max(1, Math.ceil(names.length / SAMPLE));
  const sample = stride === 1 ? names : names.filter((_, i) => i % stride === 0);
  const shape = table ? columnOddity(names, table) : shapeOddity(names, sample);
  return [...(shape ? [shape] : []), ...characterOddities(names)];
}

function shapeOddity(names: readonly string[], sample: readonly string[]): Oddity | undefined {
  return (
    tableOddity(sample) ??
    quotesOddity(sample) ??
    numberOddity(sample) ??
    markOddity(sample) ??
    commentOddity(names) ??
    headerOddity(names) ??
    raggedOddity(sample)
  );
}

function share(lines: readonly string[], test: (line: string) => boolean): number {
  return lines.reduce((count, line) => count + (test(line) ? 1 : 0), 0) / lines.length;
}

const SEPARATORS = ['\t', ';', '|', ','] as const;

function tableOddity(lines: readonly string[]): Oddity | undefined {
  if (!lines.some((line) => /[;|,\t]/.test(line))) return undefined;
  const counts = lines.map(countSeparators);
  for (const separator of SEPARATORS) {
    const usual = counts[Math.floor(counts.length / 2)][separator];
    if (usual === 0 || counts.filter((count) => count[separator] === usual).length < NEARLY_ALL * counts.length) continue;
    const many = `${usual} ${separatorText(separator, usual)}`;
    return { text: `every line holds ${many}: the names column alone?`, hint: columnHint(lines, separator) };
  }
  return undefined;
}

/** Suggests the column that holds the names: the one whose header says so, or the one of words with the most different values. */
function columnHint(lines: readonly string[], separator: Separator): string {
  const rows = lines.slice(0, 2000).map((line) => splitFields(line, separator) ?? []);
  const [first, ...others] = rows;
  const columns = first.map((title, column) => {
    const values = others.map((row) => row[column] ?? '');
    const numbers = share(values, isNumber);
    return { title, column, numbers, different: new Set(values).size };
  });
  const isHeader = columns.some(({ title, numbers }) => HEADER_WORD.test(title) || (numbers > 0.9 && !isNumber(title) && title !== ''));
  const words = columns.filter(({ numbers }) => numbers < 0.5);
  const named = isHeader ? words.find(({ title }) => /name|word|vorname|nom(bre)?$/i.test(title)) : undefined;
  const [best = columns[0]] = [...(named ? [named] : []), ...words.sort((a, b) => b.different - a.different || a.column - b.column)];
  if (isHeader && best.title !== '')
    return `--column ${optionWord(best.title)} reads that column and drops the header, '${quoteText(lines[0])}'`;
  return `--column ${best.column + 1} reads '${quoteText(first[best.column] ?? '')}' of '${quoteText(lines[0])}'`;
}

function optionWord(title: string): string {
  return /^[\w-]+$/.test(title) && !/^\d+$/.test(title) ? title : `'${quoteText(title)}'`;
}

function isNumber(text: string): boolean {
  return /^[+-]?[\d.,]*\d[\d.,]*%?$/.test(text);
}

/** Words that head a column, and no one's name. */
const HEADER_WORD =
  /^(names?|(first|given|last|full|sur|family|baby|child'?s?)[ _-]?names?|words?|nombres?|vornamen?|nachnamen?|pr[ée]noms?|sex|gender|counts?|frequency|rank|year|id|number|n|label|language|country)$/i;
const SINGLE_HEADER = /^(names?|(first|given|last|full|sur|family|baby)[ _-]?names?|words?|vornamen?|pr[ée]noms?|nombres?)$/i;

function headerOddity([first, ...others]: readonly string[]): Oddity | undefined {
  if (!SINGLE_HEADER.test(first) || others.includes(first)) return undefined;
  return {
    text: `the first line, '${quoteText(first)}', looks like a header, and is read as a name`,
    hint: `--column ${optionWord(first)} drops it`,
  };
}

/** In a column that is given by its number, a header is read as a name. */
function columnOddity(names: readonly string[], { header }: TableLayout): Oddity | undefined {
  return header === undefined ? headerOddity(names) : undefined;
}

function quotesOddity(lines: readonly string[]): Oddity | undefined {
  if (share(lines, (line) => unquoted(line) !== undefined) < NEARLY_ALL) return undefined;
  return { text: `every line is in quotes, such as ${quoteText(lines[0])}`, hint: '--column 1 reads the lines without them' };
}

function numberOddity(lines: readonly string[]): Oddity | undefined {
  if (!/\d/.test(lines[0]) && !/\d/.test(lines.at(-1) as string)) return undefined;
  const fields = lines.map((line) => line.split(/\s+/));
  const hasNumber = (at: 0 | -1) =>
    fields.filter((row) => row.length > 1 && isNumber(row.at(at) as string)).length >= NEARLY_ALL * lines.length;
  const atEnd = hasNumber(-1);
  if (!atEnd && !hasNumber(0)) {
    if (share(lines, (line) => /\S\s*[:=]\s*[\d.,]+$/.test(line)) < NEARLY_ALL) return undefined;
    return { text: `every line ends with a number, such as '${quoteText(lines[0])}'`, hint: removal('s/ *[:=][^:=]*$//') };
  }
  const text = `every line ${atEnd ? 'ends' : 'begins'} with a number, such as '${quoteText(lines[0])}'`;
  const isTable = fields.every((row) => row.length === fields[0].length);
  if (isTable) return { text: `${text}: the names column alone?`, hint: columnHint(lines, ' ') };
  return { text, hint: removal(atEnd ? 's/ +[^ ]+$//' : 's/^[^ ]+ +//') };
}

function removal(script: string): string {
  return `remove it: sed -E '${script}' FILE > names-only.txt`;
}

function markOddity(lines: readonly string[]): Oddity | undefined {
  const mark = /^([-*•–+>]|\d+[)\]:])\s+\S/;
  if (share(lines, (line) => mark.test(line)) < NEARLY_ALL) return undefined;
  return { text: `every line begins with a list mark, such as '${quoteText(lines[0])}'`, hint: removal('s/^[^ ]+ +//') };
}

const COMMENT = /^(#|\/\/|\/\*|--|;|%)/;

function commentOddity(names: readonly string[]): Oddity | undefined {
  const comments = names.filter((name) => COMMENT.test(name));
  if (comments.length === 0 || comments.length > names.length / 2) return undefined;
  const [mark] = COMMENT.exec(comments[0]) as RegExpExecArray;
  const count = comments.length === 1 ? '1 line begins' : `${comments.length.toLocaleString('en-US')} lines begin`;
  return {
    text: `${count} like a comment, such as '${quoteText(comments[0])}', and ${comments.length === 1 ? 'is read as a name' : 'are read as names'}`,
    hint: `remove ${comments.length === 1 ? 'it' : 'them'}: grep -v '^ *${mark.replace('*', '[*]')}' FILE > names-only.txt`,
  };
}

/** Several names in most lines. */
function raggedOddity(lines: readonly string[]): Oddity | undefined {
  for (const separator of [',', ';', '|', ' '] as const) {
    const least = separator === ' ' ? 8 : 3;
    if (share(lines, (line) => totalOf(separator, [line]) >= least) < 0.8) continue;
    return {
      text: `most lines hold ${least} or more ${separatorText(separator, least)}, and each line is read as one name`,
      hint: splitHint(separator),
    };
  }
  return undefined;
}

/** Says that a file with too few lines holds its names in a few long ones. */
export function severalPerLine(names: readonly string[]): Oddity | undefined {
  const separator = separatorOfMany(names);
  if (separator === undefined) return undefined;
  const count = totalOf(separator, names);
  const lines = names.length === 1 ? 'its only line holds' : `its ${names.length} lines hold`;
  return {
    text: `${lines} ${count.toLocaleString('en-US')} ${separatorText(separator, count)}; expected one name per line`,
    hint: splitHint(separator),
  };
}
