/**
 * What one entry of each tensor is the sum of. The index of an entry is a number; that of a sum is its letter when the formula is written,
 * and each of its numbers when the terms are computed.
 *
 * Letters: i example, t position in the context, e coordinate of an embedding, k input, j hidden unit, v character.
 */
import type { Indices } from '../core/tensor.js';
import { countOf } from '../core/text.js';
import { LESSON_PARAMETER_NAMES, type LessonParameterName } from '../network/parameters.js';
import type { TensorName } from './entry.js';
import type { GradientName, LessonGradients, LessonValues, StepName } from './values.js';

/** A forward pass with its gradients. */
export type Pass = LessonValues & LessonGradients;

export type Index = number | string;

/** A function of an entry. */
interface EntryFunction {
  text: (entry: string) => string;
  of: (x: number) => number;
}

export type FactorLine =
  | { kind: 'constant'; text: string; value: number }
  | { kind: 'entry'; name: TensorName; index: readonly Index[]; function?: EntryFunction };

/** What a sum runs over. */
interface Range {
  letters: readonly string[];
  /** The numbers of the letters, once for each term. */
  numbers: readonly (readonly number[])[];
  /** Follows the product in the formula. */
  condition?: string;
  text: string;
}

/** A product, or the sum of products over a range: what an entry gets through one step. */
export interface Product {
  /** The forward step that reads the tensor, for a gradient. */
  through?: StepName;
  over?: Range;
  factors: (...index: Index[]) => FactorLine[];
}

export interface EntryLine {
  products: Product[];
  /** Takes the place of a sum without products, behind `name[at]`. */
  instead?: string;
  /** What the formula does not show. */
  note?: string;
}

type Line = (pass: Pass, at: readonly number[]) => EntryLine;

const entry = (name: TensorName, ...index: Index[]): FactorLine => ({ kind: 'entry', name, index });
const of = (fn: EntryFunction, name: TensorName, ...index: Index[]): FactorLine => ({ kind: 'entry', name, index, function: fn });
const constant = (text: string, value: number): FactorLine => ({ kind: 'constant', text, value });

const MINUS = constant('-1', -1);
const EPSILON = 1e-5;

const RECIPROCAL: EntryFunction = { text: (x) => `1/${x}`, of: (x) => 1 / x };
const RECIPROCAL_SQUARE: EntryFunction = { text: (x) => `1/${x}²`, of: (x) => 1 / (x * x) };
const SQUARE: EntryFunction = { text: (x) => `${x}²`, of: (x) => x * x };
const INVERSE_ROOT: EntryFunction = { text: (x) => `(${x} + 1e-5)^(-1/2)`, of: (x) => (x + EPSILON) ** -0.5 };
const INVERSE_ROOT_CUBED: EntryFunction = { text: (x) => `(${x} + 1e-5)^(-3/2)`, of: (x) => (x + EPSILON) ** -1.5 };
const TANH: EntryFunction = { text: (x) => `tanh(${x})`, of: Math.tanh };
/** The derivative of tanh, from its result. */
const TANH_SLOPE: EntryFunction = { text: (x) => `(1 - ${x}²)`, of: (x) => 1 - x * x };
const EXP: EntryFunction = { text: (x) => `exp(${x})`, of: Math.exp };
const LOG: EntryFunction = { text: (x) => `log(${x})`, of: Math.log };

const through = (step: StepName, ...factors: FactorLine[]): Product => ({ through: step, factors: () => factors });
const product = (...factors: FactorLine[]): Product => ({ factors: () => factors });
const sum = (over: Range, factors: Product['factors']): Product => ({ over, factors });
const sumThrough = (step: StepName, over: Range, factors: Product['factors']): Product => ({ through: step, over, factors });

const line = (...products: Product[]): EntryLine => ({ products });
const zero = (reason: string): EntryLine => ({ products: [], instead: `= 0: ${reason}` });

const range = (letter: string, size: number, what: string): Range => ({
  letters: [letter],
  numbers: Array.from({ length: size }, (_, i) => [i]),
  text: `${letter} runs over the ${size === 1 ? `only ${what}` : countOf(size, what)}`,
});
const examples = ({ n }: Pass) => range('i', n, 'example');
const inputs = ({ W1 }: Pass) => range('k', W1.shape[0], 'input');
const units = ({ W1 }: Pass) => range('j', W1.shape[1], 'hidden unit');
const characters = ({ b2 }: Pass) => range('v', b2.size, 'character');

/** Where a character occurs in the contexts: [i, t] for each time. */
function occurrences({ data, shape: [, T] }: Indices, v: number): Range {
  const places = Array.from(data.keys()).filter((place) => data[place] === v);
  const numbers = places.map((place) => [Math.floor(place / T), place % T]);
  const times = numbers.length === 1 ? 'the only place' : `the ${numbers.length} places`;
  return {
    letters: ['i', 't'],
    numbers,
    condition: `where Xb[i,t] = ${v}`,
    text: `i, t run over ${times} of character ${v} in the contexts`,
  };
}

/** The position of the largest entry of a row; the first if several are equal. */
function largestOf({ logits }: Pass, i: number): number {
  return logits.max(1).indices.data[i];
}

const parameter: Line = () => ({ products: [], instead: 'is a parameter: training sets it, no step computes it' });
const PARAMETER_LINES = Object.fromEntries(LESSON_PARAMETER_NAMES.map((name) => [name, parameter])) as Record<LessonParameterName, Line>;

const FORWARD_LINES: Record<StepName, Line> = {
  emb: ({ Xb }, [i, t, e]) => {
    const v = Xb.data[i * Xb.shape[1] + t];
    return { ...line(product(entry('C', v, e))), note: `Xb[${i},${t}] = ${v}` };
  },
  embact: ({ emb: { shape } }, [i, k]) => line(product(entry('emb', i, ...inContext(k, shape[2])))),
  hprebn: (pass, [i, j]) =>
    line(
      sum(inputs(pass), (k) => [entry('embact', i, k), entry('W1', k, j)]),
      product(entry('b1', j)),
    ),
  bnmeani: (pass, [, j]) => line(sum(examples(pass), (i) => [constant('1/n', 1 / pass.n), entry('hprebn', i, j)])),
  bndiff: (_, [i, j]) => line(product(entry('hprebn', i, j)), product(MINUS, entry('bnmeani', 0, j))),
  bndiff2: (_, [i, j]) => line(product(of(SQUARE, 'bndiff', i, j))),
  bnvar: (pass, [, j]) => line(sum(examples(pass), (i) => [constant('1/(n-1)', 1 / (pass.n - 1)), entry('bndiff2', i, j)])),
  bnvar_inv: (_, [, j]) => line(product(of(INVERSE_ROOT, 'bnvar', 0, j))),
  bnraw: (_, [i, j]) => line(product(entry('bndiff', i, j), entry('bnvar_inv', 0, j))),
  hpreact: (_, [i, j]) => line(product(entry('bngain', 0, j), entry('bnraw', i, j)), product(entry('bnbias', 0, j))),
  h: (_, [i, j]) => line(product(of(TANH, 'hpreact', i, j))),
  logits: (pass, [i, v]) =>
    line(
      sum(units(pass), (j) => [entry('h', i, j), entry('W2', j, v)]),
      product(entry('b2', v)),
    ),
  logit_maxes: (pass, [i]) => {
    const v = largestOf(pass, i);
    return { ...line(product(entry('logits', i, v))), note: `the largest entry of row ${i} of logits is that of character ${v}` };
  },
  norm_logits: (_, [i, v]) => line(product(entry('logits', i, v)), product(MINUS, entry('logit_maxes', i, 0))),
  counts: (_, [i, v]) => line(product(of(EXP, 'norm_logits', i, v))),
  counts_sum: (pass, [i]) => line(sum(characters(pass), (v) => [entry('counts', i, v)])),
  counts_sum_inv: (_, [i]) => line(product(of(RECIPROCAL, 'counts_sum', i, 0))),
  probs: (_, [i, v]) => line(product(entry('counts', i, v), entry('counts_sum_inv', i, 0))),
  logprobs: (_, [i, v]) => line(product(of(LOG, 'probs', i, v))),
  loss: (pass) => ({
    ...line(sum(examples(pass), (i) => [constant('-1/n', -1 / pass.n), entry('logprobs', i, targetOf(pass, i))])),
    note: 'Yb[i] is the target of example i',
  }),
};

const GRADIENT_LINES: Record<GradientName, Line> = {
  dlogprobs: ({ n, Yb }, [i, v]) =>
    v === Yb.data[i]
      ? { ...line(through('loss', constant('-1/n', -1 / n))), note: `character ${v} is the target of example ${i}` }
      : zero(`the target of example ${i} is character ${Yb.data[i]}, so the loss does not read this entry`),
  dprobs: (_, [i, v]) => line(through('logprobs', of(RECIPROCAL, 'probs', i, v), entry('dlogprobs', i, v))),
  dcounts_sum_inv: (pass, [i]) => line(sumThrough('probs', characters(pass), (v) => [entry('counts', i, v), entry('dprobs', i, v)])),
  dcounts_sum: (_, [i]) =>
    line(through('counts_sum_inv', MINUS, of(RECIPROCAL_SQUARE, 'counts_sum', i, 0), entry('dcounts_sum_inv', i, 0))),
  dcounts: (_, [i, v]) =>
    line(through('probs', entry('counts_sum_inv', i, 0), entry('dprobs', i, v)), through('counts_sum', entry('dcounts_sum', i, 0))),
  dnorm_logits: (_, [i, v]) => line(through('counts', entry('counts', i, v), entry('dcounts', i, v))),
  dlogit_maxes: (pass, [i]) => ({
    ...line(sumThrough('norm_logits', characters(pass), (v) => [MINUS, entry('dnorm_logits', i, v)])),
    note: '0 but for rounding: probs do not change when all logits of a row are shifted',
  }),
  dlogits: (pass, [i, v]) => {
    const direct = through('norm_logits', entry('dnorm_logits', i, v));
    const largest = largestOf(pass, i);
    if (v === largest) return line(direct, through('logit_maxes', entry('dlogit_maxes', i, 0)));
    return { ...line(direct), note: `nothing comes through logit_maxes: the largest entry of the row is that of character ${largest}` };
  },
  dh: (pass, [i, j]) => line(sumThrough('logits', characters(pass), (v) => [entry('dlogits', i, v), entry('W2', j, v)])),
  dW2: (pass, [j, v]) => line(sumThrough('logits', examples(pass), (i) => [entry('h', i, j), entry('dlogits', i, v)])),
  db2: (pass, [v]) => line(sumThrough('logits', examples(pass), (i) => [entry('dlogits', i, v)])),
  dhpreact: (_, [i, j]) => line(through('h', of(TANH_SLOPE, 'h', i, j), entry('dh', i, j))),
  dbngain: (pass, [, j]) => line(sumThrough('hpreact', examples(pass), (i) => [entry('bnraw', i, j), entry('dhpreact', i, j)])),
  dbnraw: (_, [i, j]) => line(through('hpreact', entry('bngain', 0, j), entry('dhpreact', i, j))),
  dbnbias: (pass, [, j]) => line(sumThrough('hpreact', examples(pass), (i) => [entry('dhpreact', i, j)])),
  dbnvar_inv: (pass, [, j]) => line(sumThrough('bnraw', examples(pass), (i) => [entry('bndiff', i, j), entry('dbnraw', i, j)])),
  dbnvar: (_, [, j]) =>
    line(through('bnvar_inv', constant('-1/2', -0.5), of(INVERSE_ROOT_CUBED, 'bnvar', 0, j), entry('dbnvar_inv', 0, j))),
  dbndiff2: ({ n }, [, j]) => line(through('bnvar', constant('1/(n-1)', 1 / (n - 1)), entry('dbnvar', 0, j))),
  dbndiff: (_, [i, j]) =>
    line(
      through('bnraw', entry('bnvar_inv', 0, j), entry('dbnraw', i, j)),
      through('bndiff2', constant('2', 2), entry('bndiff', i, j), entry('dbndiff2', i, j)),
    ),
  dbnmeani: (pass, [, j]) => line(sumThrough('bndiff', examples(pass), (i) => [MINUS, entry('dbndiff', i, j)])),
  dhprebn: ({ n }, [i, j]) =>
    line(through('bndiff', entry('dbndiff', i, j)), through('bnmeani', constant('1/n', 1 / n), entry('dbnmeani', 0, j))),
  dembact: (pass, [i, k]) => line(sumThrough('hprebn', units(pass), (j) => [entry('dhprebn', i, j), entry('W1', k, j)])),
  dW1: (pass, [k, j]) => line(sumThrough('hprebn', examples(pass), (i) => [entry('embact', i, k), entry('dhprebn', i, j)])),
  db1: (pass, [j]) => ({
    ...line(sumThrough('hprebn', examples(pass), (i) => [entry('dhprebn', i, j)])),
    note: '0 but for rounding: batch norm subtracts the mean of hprebn, and b1 with it',
  }),
  demb: ({ emb: { shape } }, [i, t, e]) => line(through('embact', entry('dembact', i, t * shape[2] + e))),
  dC: ({ Xb }, [v, e]) => {
    const places = occurrences(Xb, v);
    return places.numbers.length === 0
      ? zero(`character ${v} does not occur in the contexts of this batch`)
      : line(sumThrough('emb', places, (i, t) => [entry('demb', i, t, e)]));
  },
};

/** For each tensor, the line of one entry. */
export const ENTRY_LINES: Record<TensorName, Line> = { ...PARAMETER_LINES, ...FORWARD_LINES, ...GRADIENT_LINES };

/** The position in the context and the coordinate of an input: embact is emb, viewed as [n,T·E]. */
function inContext(k: number, E: number): [t: number, e: number] {
  return [Math.floor(k / E), k % E];
}

function targetOf({ Yb }: Pass, i: Index): Index {
  return typeof i === 'number' ? Yb.data[i] : `Yb[${i}]`;
}
