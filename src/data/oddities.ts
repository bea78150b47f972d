/**
 * What is odd about the lines of a data set that can be trained on as they are: they may be a table, quoted, or commented, or hold
 * characters that cannot be told apart. Real lists of names must not be reported, so each rule looks at nearly all lines, or at characters
 * that no spelling needs.
 */
import { quoteText } from '../core/text.js';
import type { NameList } from './nameList.js';
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
/** Fewer lines than a data set needs. */
const FEW = 6;

/**
 * The oddities of the names of a file, at most one about the shape of its lines.
 * @param table the layout, if the names are a column of a table
 */
export function findOddities(names: NameList, table?: TableLayout): Oddity[] {
  const stride = Math.max(1, Math.ceil(names.length / SAMPLE));
  const sample = Array.from({ length: Math.ceil(names.length / stride) }, (_, i) => names.at(i * stride) as string);
  // A file whose only line holds all names is refused, with the reason.
  const shape = table ? columnOddity(names, table) : names.length < FEW && severalPerLine(names) ? undefined : shapeOddity(names, sample);
  return [...(shape ? [shape] : []), ...characterOddities(names)];
}

function shapeOddity(names: NameList, sample: readonly string[]): Oddity | undefined {
  return (
    tableOddity(sample) ??
    quotesOddity(sample) ??
    numberOddity(sample) ??
    markOddity(sample) ??
    labelOddity(sample) ??
    base64Oddity(sample) ??
    conflictOddity(names) ??
    commentOddity(names) ??
    headerOddity(names) ??
    raggedOddity(sample)
  );
}

function share(lines: readonly string[], test: (line: string) => boolean): number {
  return lines.reduce((count, line) => count + (test(line) ? 1 : 0), 0) / lines.length;
}

/** "every line" if all lines pass the test, "nearly every line" if few do not, with the first that does; undefined for fewer. */
function nearlyEvery(lines: readonly string[], test: (line: string) => boolean): { line: string; example: string } | undefined {
  const part = share(lines, test);
  if (part < NEARLY_ALL) return undefined;
  return { line: part === 1 ? 'every line' : 'nearly every line', example: quoteText(lines.find(test) as string) };
}

const SEPARATORS = ['\t', ';', '|', ','] as const;

function tableOddity(lines: readonly string[]): Oddity | undefined {
  if (!lines.some((line) => /[;|,\t]/.test(line))) return undefined;
  const counts = lines.map(countSeparators);
  for (const separator of SEPARATORS) {
    const usual = counts[Math.floor(counts.length / 2)][separator];
    if (usual === 0 || counts.filter((count) => count[separator] === usual).length < NEARLY_ALL * counts.length) continue;
    const many = `${usual} ${separatorText(separator, usual)}`;
    const line = counts.every((count) => count[separator] === usual) ? 'every line' : 'nearly every line';
    return { text: `${line} holds ${many}: the names column alone?`, hint: columnHint(lines, separator) };
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

function headerOddity(names: NameList): Oddity | undefined {
  const first = names.at(0) as string;
  if (!SINGLE_HEADER.test(first) || names.filter((name) => name === first).length > 1) return undefined;
  return {
    text: `the first line, '${quoteText(first)}', looks like a header, and is read as a name`,
    hint: `--column ${optionWord(first)} drops it`,
  };
}

/** In a column that is given by its number, a header is read as a name. */
function columnOddity(names: NameList, { header }: TableLayout): Oddity | undefined {
  return header === undefined ? headerOddity(names) : undefined;
}

function quotesOddity(lines: readonly string[]): Oddity | undefined {
  const found = nearlyEvery(lines, (line) => unquoted(line) !== undefined);
  if (!found) return undefined;
  return { text: `${found.line} is in quotes, such as ${found.example}`, hint: '--column 1 reads the lines without them' };
}

function numberOddity(lines: readonly string[]): Oddity | undefined {
  if (!lines.slice(0, 3).some((line) => /\d/.test(line))) return undefined;
  const hasNumber = (at: 0 | -1) => (line: string) => {
    const fields = line.split(/\s+/);
    return fields.length > 1 && isNumber(fields.at(at) as string);
  };
  const atEnd = nearlyEvery(lines, hasNumber(-1));
  const found = atEnd ?? nearlyEvery(lines, hasNumber(0));
  if (!found) {
    const joined = nearlyEvery(lines, (line) => /\S\s*[:=]\s*[\d.,]+$/.test(line));
    return joined && { text: `${joined.line} ends with a number, such as '${joined.example}'`, hint: removal('s/ *[:=][^:=]*$//') };
  }
  const text = `${found.line} ${atEnd ? 'ends' : 'begins'} with a number, such as '${found.example}'`;
  const [first, ...others] = lines.map((line) => line.split(/\s+/).length);
  const isAssigned = nearlyEvery(lines, (line) => /\s[:=]\s+\S+$/.test(line));
  if (isAssigned) return { text, hint: removal('s/ *[:=] *[^ ]+$//') };
  if (others.every((count) => count === first)) return { text: `${text}: the names column alone?`, hint: columnHint(lines, ' ') };
  return { text, hint: removal(atEnd ? 's/ +[^ ]+$//' : 's/^[^ ]+ +//') };
}

function removal(script: string): string {
  return `remove it: sed -E '${script}' FILE > names-only.txt`;
}

function markOddity(lines: readonly string[]): Oddity | undefined {
  const mark = /^([-*•–+>]|\d+[)\]:])\s+\S/;
  const found = nearlyEvery(lines, (line) => mark.test(line));
  return found && { text: `${found.line} begins with a list mark, such as '${found.example}'`, hint: removal('s/^[^ ]+ +//') };
}

const LABEL = /^([A-Za-z][\w-]*) ?[:=] ?(?=\S)/;

/** Records of several lines, or assignments: `cn: Emma`. Titles such as "Emma: a life" have many different beginnings. */
function labelOddity(lines: readonly string[]): Oddity | undefined {
  const found = nearlyEvery(lines, (line) => LABEL.test(line));
  if (!found) return undefined;
  const labels = new Set(lines.flatMap((line) => LABEL.exec(line)?.[1] ?? []));
  if (labels.size > 20 || labels.size > lines.length / 3) return undefined;
  const named = [...labels].find((label) => /name|^cn$|word/i.test(label)) ?? [...labels][0];
  return {
    text: `${found.line} begins with a label, such as '${found.example}'`,
    hint: `keep what follows one of them: sed -nE 's/^${named} ?[:=] ?//p' FILE > names-only.txt`,
  };
}

/** Encoded bytes are broken into lines of one length, of letters of both cases and digits. */
function base64Oddity(lines: readonly string[]): Oddity | undefined {
  const { length } = lines[0];
  const isEncoded = (line: string) => line.length === length && /^(?=.*[a-z])(?=.*[A-Z])(?=.*\d)[A-Za-z0-9+/_-]{60,}$/.test(line);
  if (!isEncoded(lines[0]) || !lines.slice(0, -1).every(isEncoded)) return undefined;
  return {
    text: `every line holds ${length} letters and digits without a blank, as base64 does`,
    hint: 'decode it: base64 -d FILE > decoded',
  };
}

const CONFLICT = /^(<{7}|\|{7}|>{7}) \S|^={7}$/;

/** What git leaves in a file that it could not merge. */
function conflictOddity(names: NameList): Oddity | undefined {
  const marks = [...names.holding((character) => '<|>='.includes(character))].filter((name) => CONFLICT.test(name));
  if (!marks.some((mark) => mark.startsWith('<')) || !marks.includes('=======')) return undefined;
  return {
    text: `${marks.length} lines are the marks of a merge conflict, such as '${quoteText(marks[0])}', and are read as names`,
    hint: 'resolve the conflict first',
  };
}

const COMMENT = /^(#|\/\/|\/\*|--|;|%)/;

function commentOddity(names: NameList): Oddity | undefined {
  const comments = names.holding((character) => '#/-;%'.includes(character)).filter((name) => COMMENT.test(name));
  if (comments.length === 0 || comments.length > names.length / 2) return undefined;
  const first = comments.at(0) as string;
  const [mark] = COMMENT.exec(first) as RegExpExecArray;
  const count = comments.length === 1 ? '1 line begins' : `${comments.length.toLocaleString('en-US')} lines begin`;
  return {
    text: `${count} like a comment, such as '${quoteText(first)}', and ${comments.length === 1 ? 'is read as a name' : 'are read as names'}`,
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
      hint: splitInTerminal(separator),
    };
  }
  return undefined;
}

function splitInTerminal(separator: Separator): string {
  const { hint, shell } = splitHint(separator);
  return `${hint}: ${shell}`;
}

/** Says that a file with too few lines holds its names in a few long ones. */
export function severalPerLine(names: NameList): Oddity | undefined {
  if (names.length > SAMPLE) return undefined;
  const lines = [...names];
  const separator = separatorOfMany(lines);
  if (separator === undefined) return undefined;
  const count = totalOf(separator, lines);
  const who = names.length === 1 ? 'its only line holds' : `its ${names.length} lines hold`;
  return {
    text: `${who} ${count.toLocaleString('en-US')} ${separatorText(separator, count)}; expected one name per line`,
    hint: splitInTerminal(separator),
  };
}
