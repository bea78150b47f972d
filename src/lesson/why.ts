/**
 * Why an entry of a tensor has its value: the terms that it is the sum of, each a product of entries of other tensors. From any gradient,
 * the gradients among the factors lead up to dlogprobs, and so to the loss.
 */
import { sumText } from '../core/text.js';
import { checkEntry, entryText, type TensorName } from './entry.js';
import type { StepName } from './values.js';
import { ENTRY_LINES, type EntryLine, type FactorLine, type Pass, type Product } from './whyLines.js';
import { numbersText } from './whyText.js';

/** A factor of a term: an entry of a tensor, a function of one, or a constant. */
export interface Factor {
  /** The name of a tensor, or the text of a constant, such as `-1/n`: `isTensorName` tells which. */
  name: string;
  /** The entry of the tensor; [] for a constant and for the loss. */
  at: number[];
  /** What the term is multiplied by. */
  value: number;
  /** The factor as the formula shows it: `embact[5,3]`, `(1 - h[5,17]²)`, `-1/n`. */
  text: string;
  /** Only for a function of an entry: the entry itself, as the tensor has it. */
  entry?: number;
}

/** A term of the sum. */
export interface Term {
  /** The product of its factors. */
  value: number;
  factors: Factor[];
  /** For a term of a gradient: the forward step it comes through, which reads the tensor. */
  through?: StepName;
  /** For a term of a sum: the numbers of the letters that the sum runs over, `{ i: 13 }`. */
  index?: Readonly<Record<string, number>>;
}

/** What one entry consists of. */
export interface Explanation {
  name: TensorName;
  at: number[];
  /** The entry. But for rounding, it is the sum of the terms, unless it is a parameter. */
  value: number;
  /** `dW1[3,17] = Σᵢ embact[i,3] · dhprebn[i,17]`. Without terms it says why: a parameter, or 0 and the reason. */
  formula: string;
  /** The right side of the formula in numbers, of a sum the largest terms: `1.18 · 0.002687 + 1.093 · 0.002482 + 30 more`. Without terms, ''. */
  numbers: string;
  /** What the letters of the formula are, and what it does not show: `i runs over the 32 examples`. It may be empty. */
  where: string;
  /** Largest magnitude first; NaN counts as infinite. */
  terms: Term[];
}

/**
 * Explains one entry of a tensor.
 * @param pass a forward pass with its gradients: `{ ...values, ...backward(values) }`
 * @param name one of the 7 parameters, 19 intermediates, 26 gradients, or `loss`
 * @param at one index per dimension, from 0; [] for the loss
 * @throws UsageError for an unknown tensor, or an entry that it does not have
 */
export function why(pass: Pass, name: TensorName, at: readonly number[]): Explanation {
  checkEntry(pass, name, at);
  const line = ENTRY_LINES[name](pass, at);
  const parts = line.products.map((product) => bySize(termsOf(pass, product)));
  return {
    name,
    at: [...at],
    value: pass[name].at(...at),
    formula: `${entryText(name, at)} ${formulaOf(line)}`,
    numbers: numbersText(parts),
    where: whereOf(line, pass),
    terms: bySize(parts.flat()),
  };
}

function bySize(terms: readonly Term[]): Term[] {
  return [...terms].sort((a, b) => sizeOf(b) - sizeOf(a));
}

function sizeOf({ value }: Term): number {
  return Number.isNaN(value) ? Number.POSITIVE_INFINITY : Math.abs(value);
}

function termsOf(pass: Pass, { through, over, factors }: Product): Term[] {
  return (over?.numbers ?? [[]]).map((index) => {
    const parts = factors(...index).map((factor) => factorOf(pass, factor));
    const value = parts.reduce((result, part) => result * part.value, 1);
    const letters = over && { index: Object.fromEntries(over.letters.map((letter, dim) => [letter, index[dim]])) };
    return { value, factors: parts, ...(through && { through }), ...letters };
  });
}

function factorOf(pass: Pass, factor: FactorLine): Factor {
  const text = factorText(factor);
  if (factor.kind === 'constant') return { name: text, at: [], value: factor.value, text };
  const { name, index, function: fn } = factor;
  const at = index.map(Number);
  const entry = pass[name].at(...at);
  return fn ? { name, at, value: fn.of(entry), text, entry } : { name, at, value: entry, text };
}

function factorText(factor: FactorLine): string {
  if (factor.kind === 'constant') return factor.text;
  const text = entryText(factor.name, factor.index);
  return factor.function?.text(text) ?? text;
}

function formulaOf({ products, instead }: EntryLine): string {
  if (instead !== undefined) return instead;
  return `= ${sumText(products.map(productText))}`;
}

/** `-1/n Σᵢ logprobs[i,Yb[i]]`: constants come before the sum; -1 is a sign. */
function productText({ over, factors }: Product): string {
  const parts = factors(...(over?.letters ?? []));
  const texts = (kind: FactorLine['kind']) => parts.filter((part) => part.kind === kind).map(factorText);
  const [constants, entries] = [texts('constant'), texts('entry').join(' · ')];
  const sign = constants[0] === '-1' ? '-' : '';
  const before = sign === '' ? constants : constants.slice(1);
  if (!over) return `${sign}${[...before, ...(entries === '' ? [] : [entries])].join(' · ')}`;
  const condition = over.condition === undefined ? '' : ` ${over.condition}`;
  return `${sign}${[...before, `Σ${over.letters.map((letter) => SUBSCRIPTS[letter]).join('')}`, entries].join(' ')}${condition}`;
}

const SUBSCRIPTS: Readonly<Record<string, string>> = { i: 'ᵢ', t: 'ₜ', k: 'ₖ', j: 'ⱼ', v: 'ᵥ' };

function whereOf({ products, note }: EntryLine, { n }: Pass): string {
  const ranges = products.flatMap(({ over }) => over?.text ?? []);
  const parts = products.flatMap(({ over, factors }) => factors(...(over?.letters ?? [])));
  const hasN = parts.some((part) => part.kind === 'constant' && part.text.includes('n'));
  return [...ranges, ...(hasN ? [`n is ${n}`] : []), ...(note === undefined ? [] : [note])].join('; ');
}
