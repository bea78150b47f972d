/** Numbers of an explanation, as text. */
import { countOf, sumText } from '../core/text.js';
import { entryText } from './entry.js';
import type { Factor, Term } from './why.js';

/** The magnitude below which a number is shown with an exponent. */
const SMALLEST = 1e-5;

/** A number with at most four significant digits, or as many as are asked for: 0.003294, 1.2e-18. */
export function showValue(x: number, digits = 4): string {
  if (x === 0) return '0';
  const size = Math.abs(x);
  const rounded = Number(x.toPrecision(digits));
  if (!Number.isFinite(x) || (size >= SMALLEST && size < 1e6)) return `${rounded}`;
  return rounded.toExponential().replace('e+', 'e');
}

/** Terms of a sum that are written out; a single one more is written, too. */
const MOST = 3;

/**
 * The right side of a formula in numbers: `0.4696 · 0.0021 - 0.12 · 0.004 + 30 more`; '' without terms.
 * @param parts the terms of each part of the formula, the largest first
 */
export function numbersText(parts: readonly (readonly Term[])[]): string {
  const texts = parts.flatMap((terms) => {
    const count = countOfNonzero(terms);
    const shown = terms.slice(0, count === MOST + 1 ? count : Math.min(count, MOST));
    const rest = terms.length - shown.length;
    const zeros = rest === 1 ? 'term that is 0' : 'terms that are 0';
    return [...shown.map(termText), ...(rest === 0 ? [] : [`${rest} ${count === shown.length ? zeros : 'more'}`])];
  });
  return sumText(texts);
}

/** The number of terms, largest first, that are not 0; at least 1, if there is a term. */
function countOfNonzero(terms: readonly Term[]): number {
  const zero = terms.findIndex(({ value }, k) => k > 0 && value === 0);
  return zero === -1 ? terms.length : zero;
}

/** Terms that are listed at first. */
const MOST_LISTED = 10;

/** The first terms, largest first, without those that are 0, unless all are. A single term more is no reason to leave it out. */
export function largestTerms(terms: readonly Term[]): readonly Term[] {
  const count = countOfNonzero(terms);
  return terms.slice(0, count === MOST_LISTED + 1 ? count : Math.min(count, MOST_LISTED));
}

/** What the terms that are not listed add up to: `22 more terms add up to 0.001234`, `1 more term is 0`; '' without terms. */
export function restText(rest: readonly Term[]): string {
  if (rest.length === 0) return '';
  const sum = rest.reduce((total, { value }) => total + value, 0);
  const isOne = rest.length === 1;
  const areZero = rest.every(({ value }) => value === 0);
  const verb = isOne ? 'is' : areZero ? 'are' : 'add up to';
  return `${countOf(rest.length, 'more term')} ${verb} ${areZero ? '0' : showValue(sum)}`;
}

/** Whether the entry is that of another tensor, as it is: there are no numbers to show beside its own. */
export function isPlain(terms: readonly Term[]): boolean {
  return terms.length === 0 || (terms.length === 1 && terms[0].factors.length === 1 && terms[0].factors[0].entry === undefined);
}

/** A product in numbers. The sign of -1 is written for it; a negative factor behind another one has brackets. */
export function termText({ factors }: Term): string {
  const isMinus = factors[0].name === '-1' && factors.length > 1;
  const texts = (isMinus ? factors.slice(1) : factors).map(numberText);
  return `${isMinus ? '-' : ''}${texts.map((text, k) => (text.startsWith('-') && (isMinus || k > 0) ? `(${text})` : text)).join(' · ')}`;
}

/** A factor in numbers: a function shows the entry that it is of, `(1 - 0.6751²)`. */
function numberText({ name, at, value, text, entry }: Factor): string {
  if (entry === undefined) return showValue(value);
  const number = showValue(entry);
  const of = entryText(name, at);
  const inBrackets = text.includes(`(${of})`);
  return text.replace(of, number.startsWith('-') && !inBrackets ? `(${number})` : number);
}
