/** An explanation of an entry, as lines of text. */
import { largestMagnitude } from '../../core/numbers.js';
import { entryMeaning, type NamedBatch, termMeanings } from '../../dojo/entryMeaning.js';
import { isTensorName } from '../../lesson/entry.js';
import type { Explanation, Factor, Term } from '../../lesson/why.js';
import { isPlain, largestTerms, restText, showValue } from '../../lesson/whyText.js';
import { LESSON_PARAMETER_NAMES } from '../../network/parameters.js';
import type { Paint } from '../terminal/colors.js';
import { type Align, formatCount, formatTable, wrapCommand, wrapText } from '../terminal/format.js';
import { displayWidth } from '../terminal/width.js';

const INDENT = '  ';
/** Spaces before a remark on a term. */
const GAP = 3;
/** Digits of the largest number of a column. */
const DIGITS = 4;

/** Where and how an explanation is shown. */
export interface WhyPage {
  batch: NamedBatch;
  /** The number of entries, if this one was chosen because it is the largest. */
  largestOf: number | undefined;
  /** The pass, in words. */
  pass: string;
  /** Whether all terms are listed. */
  all: boolean;
  width: number;
  paint: Paint;
  /** A command that explains another entry of the same pass. */
  command(...words: readonly string[]): string;
}

export function whyLines(explanation: Explanation, page: WhyPage): string[] {
  const { formula, value, terms } = explanation;
  const { paint, width } = page;
  const dim = (text: string) => wrapText(text, width).map((line) => paint.dim(line));
  const left = formula.split(' ', 1)[0];
  return [
    ...wrapText(`${left} = ${showValue(value, 6)}`, width).map((line) => paint.bold(line)),
    ...dim(subtitle(explanation, page)),
    '',
    ...hanging(left, formula.slice(left.length + 1), width),
    ...(isPlain(terms) ? [] : hanging(' '.repeat(left.length), `= ${explanation.numbers}`, width)),
    ...(explanation.where === '' ? [] : wrapText(explanation.where, width - INDENT.length).map((line) => paint.dim(`${INDENT}${line}`))),
    '',
    ...termLines(terms, page),
    ...next(explanation, page),
  ];
}

function subtitle({ name, at }: Explanation, { batch, largestOf, pass }: WhyPage): string {
  const meaning = entryMeaning(name, at, batch);
  const largest = largestOf === undefined ? '' : `the largest of the ${formatCount(largestOf)} entries of ${name}`;
  return [largest, meaning, pass].filter((part) => part !== '').join('; ');
}

/** Text behind a word; its other lines begin where the right side of an equation begins. */
function hanging(word: string, text: string, width: number): string[] {
  const before = `${INDENT}${word} `;
  return wrapText(text, width - before.length - 2).map((line, i) => `${i === 0 ? before : ' '.repeat(before.length + 2)}${line}`);
}

/** The table of the terms, and what the others add up to. A single factor is in the formula already. */
function termLines(terms: readonly Term[], page: WhyPage): string[] {
  if (terms.length === 0 || (terms.length === 1 && terms[0].factors.length === 1)) return [];
  const shown = page.all ? terms : largestTerms(terms);
  return [...tableLines(shown, page), ...restLines(terms.slice(shown.length), page), ''];
}

function restLines(rest: readonly Term[], { width, paint }: WhyPage): string[] {
  if (rest.length === 0) return [];
  const way = rest.every(({ value }) => value === 0) ? '' : '; --all lists them';
  return wrapText(`${restText(rest)}${way}`, width - INDENT.length).map((line) => paint.dim(`${INDENT}${line}`));
}

function tableLines(terms: readonly Term[], { batch, width, paint }: WhyPage): string[] {
  const entries = terms.map(({ factors }) => withConstants(factors));
  const columns = Array.from({ length: Math.max(...entries.map(({ length }) => length)) }, (_, k) =>
    numberColumn(entries.map((row) => row[k]?.factor)),
  );
  const values = alignNumbers(terms.map(({ value }) => value));
  const rows = entries.map((row, i) => [
    values[i],
    ...columns.flatMap((column, k) => [row[k] === undefined ? '' : `${k === 0 ? '=' : '·'} ${row[k].text}`, column[i]]),
  ]);
  const table = formatTable(rows, ['right', ...columns.flatMap((): Align[] => ['left', 'right'])]).map((line) => INDENT + line);
  const widest = Math.max(...table.map(displayWidth));
  if (widest > width) return terms.flatMap((_, i) => stackedLines(values[i], entries[i], width));
  const remarks = termMeanings(terms, batch);
  const areBeside = remarks.every((remark) => widest + GAP + displayWidth(remark) <= width);
  return table.flatMap((line, i) => {
    if (remarks[i] === '') return [line];
    const remark = paint.dim(remarks[i]);
    return areBeside ? [`${line}${' '.repeat(widest + GAP - displayWidth(line))}${remark}`] : [line, `${INDENT}${INDENT}${remark}`];
  });
}

/** An entry, with the constants before it: `2 · bndiff[3,17]`, `-logit_maxes[3,0]`. */
interface EntryCell {
  text: string;
  factor: Factor;
}

function withConstants(factors: readonly Factor[]): EntryCell[] {
  const constants = factors.filter(({ name }) => !isTensorName(name)).map(({ text }) => text);
  const before = constants.length === 0 ? '' : constants[0] === '-1' ? '-' : `${constants.join(' · ')} · `;
  return factors.filter(({ name }) => isTensorName(name)).map((factor, k) => ({ text: `${k === 0 ? before : ''}${factor.text}`, factor }));
}

/** A term in a narrow terminal: a line for each factor. */
function stackedLines(value: string, entries: readonly EntryCell[], width: number): string[] {
  return [
    ...wrapText(value.trim(), width - INDENT.length),
    ...entries.flatMap(({ text, factor }, k) =>
      wrapText(`${k === 0 ? '=' : '·'} ${text}  ${showValue(factor.value)}`, width - 2 * INDENT.length).map((line) => `${INDENT}${line}`),
    ),
  ].map((line) => `${INDENT}${line}`);
}

/** The values of a factor: aligned, if it is of the same tensor in every term. */
function numberColumn(factors: readonly (Factor | undefined)[]): string[] {
  const isOneTensor = new Set(factors.map((factor) => factor?.name)).size === 1;
  if (isOneTensor) return alignNumbers(factors.map((factor) => factor?.value ?? 0));
  return factors.map((factor) => (factor ? showValue(factor.value) : ''));
}

/** Numbers of a column: as many decimals for all as the largest needs. One with fewer than two digits left gets an exponent. */
function alignNumbers(numbers: readonly number[]): string[] {
  const largest = largestMagnitude(numbers.filter(Number.isFinite));
  const decimals = largest === 0 ? 0 : Math.max(0, DIGITS - 1 - Math.floor(Math.log10(largest)));
  return numbers.map((x) => {
    if (x === 0 || !Number.isFinite(x)) return showValue(x);
    return decimals > 8 || Math.abs(x) < 10 ** (1 - decimals) ? x.toExponential(1) : x.toFixed(decimals);
  });
}

/** What to ask next: the gradient in the largest term, or else the tensor. */
function next({ name, at, terms }: Explanation, { batch, width, command }: WhyPage): string[] {
  const factors = (terms[0]?.factors ?? []).filter((factor) => isTensorName(factor.name));
  const factor = factors.find((one) => one.name.startsWith('d')) ?? factors[0];
  const ask = (text: string, ...words: string[]) => wrapCommand(text, command(...words), width);
  if (factor) return ask('Next:', factor.name, ...index(factor.at));
  if ((LESSON_PARAMETER_NAMES as readonly string[]).includes(name)) return ask('Its gradient:', `d${name}`, ...index(at));
  if (terms.length > 0) return ask('The backward pass begins here. The loss:', 'loss');
  return name === 'dlogprobs' ? ask('The target:', name, ...index([at[0], batch.Yb.data[at[0]]])) : ask('An entry that is not 0:', name);
}

function index(at: readonly number[]): string[] {
  return at.length === 0 ? [] : [at.join(',')];
}
