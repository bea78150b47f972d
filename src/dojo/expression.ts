/**
 * A gradient line as a tree. The tree is the one description of a line: its value, its formula and its common mistakes all come from it.
 * Sums keep their dimension with size 1; the shape of the line's result is that of its tensor.
 */
import { absolute } from '../core/numbers.js';
import { type Shape, sameShape, Tensor } from '../core/tensor.js';
import { sumText } from '../core/text.js';
import { GRADIENT_NAMES } from '../lesson/exercise1.js';
import { type GradientName, VALUE_NAMES, type ValueName } from '../lesson/values.js';
import { type Arrangement, arranged, placed, type Scattering, scattered } from './arrangements.js';
import type { Axis, BranchName, Dimension, Kept, Place, Role } from './findings.js';
import { FUNCTIONS, type FunctionName } from './functions.js';
import type { ValuesAndGradients } from './learnerFile.js';
import { isOne, ONE, type Scale, type Sizes, scaleValue, textOf, times } from './scale.js';

export type TensorName = ValueName | GradientName;
/** The tensors that a line is given: the forward values, and the gradients above it. */
export function givenNames(line: GradientName): TensorName[] {
  return [...GRADIENT_NAMES.slice(0, GRADIENT_NAMES.indexOf(line)), ...VALUE_NAMES];
}

export type Reduced = 'batch' | 'row' | 'all';

export type Expression = { role?: Role } & (
  | { op: 'value'; name: TensorName }
  | { op: 'number'; scale: Scale }
  /** A row of V entries per example: 1 at the place, 0 elsewhere. */
  | { op: 'place'; at: Place }
  | { op: 'power'; of: Expression; power: number }
  | { op: 'epsilon'; of: Expression; epsilon: number }
  | { op: 'apply'; name: FunctionName; of: Expression }
  | { op: 'product'; factors: readonly Expression[] }
  /** A sum of branches. */
  | { op: 'total'; terms: readonly Expression[]; branches: readonly BranchName[] }
  | { op: 'sum'; over: Reduced; of: Expression }
  | { op: 'matmul'; left: Expression; right: Expression }
  /** A transpose; `viewed` is the same entries in the transposed shape. */
  | { op: 'transposed'; of: Expression; how: 'transpose' | 'viewed' }
  | { op: 'arranged'; how: Arrangement; of: Expression }
  | { op: 'scattered'; how: Scattering; of: Expression }
  /** Some rows or columns, the others 0; first repeated to the shape of a tensor. */
  | { op: 'kept'; over: Dimension; kept: Kept; of: Expression; like?: TensorName }
  /** An expression that is not split into branches. */
  | { op: 'whole'; of: Expression }
);

// Notation of the lines ----------------------------------------------------------------------------------------------

export const value = (name: TensorName, role?: Role): Expression => ({ op: 'value', name, ...(role && { role }) });
export const upstream = (name: GradientName): Expression => value(name, 'gradient-above');
export const number = (n: number, powers: Scale['powers'] = {}): Expression => ({ op: 'number', scale: { number: n, powers } });
export const place = (at: Place): Expression => ({ op: 'place', at });
export const power = (of: Expression, exponent: number, role?: Role): Expression => ({
  op: 'power',
  of,
  power: exponent,
  ...(role && { role }),
});
export const epsilon = (of: Expression): Expression => ({ op: 'epsilon', of, epsilon: EPSILON });
export const apply = (name: FunctionName, of: Expression, role?: Role): Expression => ({ op: 'apply', name, of, ...(role && { role }) });
export const product = (...factors: readonly Expression[]): Expression => ({ op: 'product', factors });
export const total = (terms: Partial<Record<BranchName, Expression>>): Expression => ({
  op: 'total',
  terms: Object.values(terms),
  branches: Object.keys(terms) as BranchName[],
});
export const sum = (over: Reduced, of: Expression): Expression => ({ op: 'sum', over, of });
export const matmul = (left: Expression, right: Expression): Expression => ({ op: 'matmul', left, right });
export const transposed = (of: Expression): Expression => ({ op: 'transposed', of, how: 'transpose' });

/** The lesson's epsilon of batch norm. */
const EPSILON = 1e-5;

// Structure ----------------------------------------------------------------------------------------------------------

export function childrenOf(node: Expression): readonly Expression[] {
  switch (node.op) {
    case 'value':
    case 'number':
    case 'place':
      return [];
    case 'product':
      return node.factors;
    case 'total':
      return node.terms;
    case 'matmul':
      return [node.left, node.right];
    default:
      return [node.of];
  }
}

/** The node with one of its children exchanged. */
export function withChild(node: Expression, index: number, child: Expression): Expression {
  const replaced = <T>(list: readonly T[], one: T): T[] => list.map((other, i) => (i === index ? one : other));
  switch (node.op) {
    case 'product':
      return { ...node, factors: replaced(node.factors, child) };
    case 'total':
      return { ...node, terms: replaced(node.terms, child) };
    case 'matmul':
      return index === 0 ? { ...node, left: child } : { ...node, right: child };
    case 'value':
    case 'number':
    case 'place':
      return node;
    default:
      return { ...node, of: child };
  }
}

/** The factors of a product, and of the products in it. */
function factorsOf(node: Expression): readonly Expression[] {
  return node.op === 'product' ? node.factors.flatMap(factorsOf) : [node];
}

/** The constant factor of a product, and its other factors. */
export function splitNumber(node: Expression): { scale: Scale; rest: readonly Expression[] } {
  const factors = factorsOf(node);
  let scale = ONE;
  for (const factor of factors) if (factor.op === 'number') scale = times(scale, factor.scale);
  return { scale, rest: factors.filter(({ op }) => op !== 'number') };
}

/** The product of the factors; a lone factor is itself. */
export function productOf(factors: readonly Expression[]): Expression {
  return factors.length === 1 ? factors[0] : { op: 'product', factors };
}

// Values -------------------------------------------------------------------------------------------------------------

function sizesOf({ n, C, Xb, h }: ValuesAndGradients): Sizes {
  return { n, T: Xb.shape[1], E: C.shape[1], H: h.shape[1], V: C.shape[0] };
}

/** Evaluates expressions on one batch. Equal subtrees are computed once. */
export class Evaluator {
  readonly at: ValuesAndGradients;
  readonly sizes: Sizes;
  readonly #known = new WeakMap<Expression, Tensor>();

  constructor(at: ValuesAndGradients) {
    this.at = at;
    this.sizes = sizesOf(at);
  }

  /** @throws ShapeError if the shapes do not fit */
  value(node: Expression): Tensor {
    const known = this.#known.get(node);
    if (known) return known;
    const result = this.#compute(node);
    this.#known.set(node, result);
    return result;
  }

  /** The branches of an expression: their sum is its value. */
  terms(node: Expression): Tensor[] {
    if (node.op === 'total') return node.terms.flatMap((term) => this.terms(term));
    // A branch that is a row counts n times in a sum over the batch.
    if (node.op === 'sum') return inOneShape(this.terms(node.of)).map((term) => reduced(term, node.over));
    if (node.op !== 'product') return [this.value(node)];
    const at = node.factors.findIndex(({ op }) => op === 'total');
    if (at === -1) return [this.value(node)];
    const common = node.factors.filter((_, i) => i !== at);
    if (common.length === 0) return this.terms(node.factors[at]);
    const factor = common.map((one) => this.value(one)).reduce((a, b) => a.mul(b));
    return this.terms(node.factors[at]).map((term) => factor.mul(term));
  }

  /** The sum of the magnitudes of what each entry of an expression adds up. */
  magnitude(node: Expression): Tensor {
    switch (node.op) {
      case 'product':
        return node.factors.map((factor) => this.magnitude(factor)).reduce((a, b) => a.mul(b));
      case 'total':
        return node.terms.map((term) => this.magnitude(term)).reduce((a, b) => a.add(b));
      case 'sum':
        return reduced(this.magnitude(node.of), node.over);
      case 'matmul':
        return this.magnitude(node.left).matmul(this.magnitude(node.right));
      case 'transposed':
        return transposedTensor(this.magnitude(node.of), node.how);
      case 'arranged':
        return arranged(this.at, node.how, this.magnitude(node.of));
      case 'scattered':
        return scattered(this.at, node.how, this.magnitude(node.of));
      case 'whole':
        return this.magnitude(node.of);
      default:
        return absolute(this.value(node));
    }
  }

  /** The values in one shape, if they broadcast to it. Tensors of the same shape are multiplied much faster. */
  #alike(nodes: readonly Expression[]): Tensor[] {
    const values = nodes.map((node) => this.value(node));
    const { shape } = values.reduce((widest, one) => (isWider(one, widest) ? one : widest));
    return values.map((one, i) => (sameShape(one.shape, shape) ? one : (this.#spread(nodes[i], one, shape) ?? one)));
  }

  readonly #wide = new WeakMap<Expression, Tensor>();
  #spread(node: Expression, one: Tensor, shape: Shape): Tensor | undefined {
    const known = this.#wide.get(node);
    if (known && sameShape(known.shape, shape)) return known;
    const spread = broadcastTo(one, shape);
    if (spread) this.#wide.set(node, spread);
    return spread;
  }

  #compute(node: Expression): Tensor {
    switch (node.op) {
      case 'value':
        return this.at[node.name];
      case 'number':
        return Tensor.of([scaleValue(node.scale, this.sizes)], [1], 'float64');
      case 'place':
        return placed(this.at, node.at);
      case 'power':
        return this.value(node.of).pow(node.power);
      case 'epsilon':
        return this.value(node.of).add(node.epsilon);
      case 'apply':
        return FUNCTIONS[node.name].of(this.value(node.of), this.sizes);
      case 'product':
        return this.#alike(node.factors).reduce((a, b) => a.mul(b));
      case 'total':
        return this.#alike(node.terms).reduce((a, b) => a.add(b));
      case 'sum':
        return reduced(this.value(node.of), node.over);
      case 'matmul':
        return this.value(node.left).matmul(this.value(node.right));
      case 'transposed':
        return transposedTensor(this.value(node.of), node.how);
      case 'arranged':
        return arranged(this.at, node.how, this.value(node.of));
      case 'scattered':
        return scattered(this.at, node.how, this.value(node.of));
      case 'kept':
        return keptPart(node, this.value(node.of), node.like && this.at[node.like].shape);
      case 'whole':
        return this.value(node.of);
    }
  }
}

function keptPart({ over, kept }: { over: Dimension; kept: Kept }, of: Tensor, shape: Shape = of.shape): Tensor {
  const whole = broadcastTo(of, shape) ?? of;
  const dim = over === 'batch' ? 0 : whole.shape.length - 1;
  const count = whole.shape[dim];
  const inner = whole.shape.slice(dim + 1).reduce((a, b) => a * b, 1);
  const keeps = { first: (i: number) => i === 0, last: (i: number) => i === count - 1 };
  const isKept = (i: number) => (kept === 'first' || kept === 'last' ? keeps[kept](i) : !keeps[kept === 'not-first' ? 'first' : 'last'](i));
  return Tensor.of(
    Array.from(whole.data, (x, k) => (isKept(Math.floor(k / inner) % count) ? x : 0)),
    whole.shape,
    'float64',
  );
}

/** The shape of a product, a sum or a matrix product of tensors, without computing it; undefined for anything else. */
export function shapeWithout(node: Expression, at: ValuesAndGradients): Shape | undefined {
  switch (node.op) {
    case 'value':
      return at[node.name].shape;
    case 'number':
      return [1];
    case 'power':
    case 'epsilon':
      return shapeWithout(node.of, at);
    case 'product':
      return node.factors.map((factor) => shapeWithout(factor, at)).reduce(broadcastShape);
    case 'sum': {
      const of = shapeWithout(node.of, at);
      if (of?.length !== 2) return undefined;
      return [node.over === 'row' ? of[0] : 1, node.over === 'batch' ? of[1] : 1];
    }
    case 'matmul': {
      const [left, right] = [shapeWithout(node.left, at), shapeWithout(node.right, at)];
      return left?.length === 2 && right?.length === 2 ? [left[0], right[1]] : undefined;
    }
    default:
      return undefined;
  }
}

function broadcastShape(a: Shape | undefined, b: Shape | undefined): Shape | undefined {
  if (a === undefined || b === undefined) return undefined;
  const length = Math.max(a.length, b.length);
  return Array.from({ length }, (_, k) => Math.max(a[k - length + a.length] ?? 1, b[k - length + b.length] ?? 1));
}

/** The tensors in the shape of the largest, if they broadcast to it. */
function inOneShape(tensors: readonly Tensor[]): Tensor[] {
  const { shape } = tensors.reduce((widest, one) => (isWider(one, widest) ? one : widest));
  return tensors.map((one) => broadcastTo(one, shape) ?? one);
}

function isWider(a: Tensor, b: Tensor): boolean {
  return a.shape.length > b.shape.length || (a.shape.length === b.shape.length && a.size > b.size);
}

function transposedTensor(of: Tensor, how: 'transpose' | 'viewed'): Tensor {
  return how === 'transpose' ? of.T : of.view([of.shape[1], of.shape[0]]);
}

function reduced(of: Tensor, over: Reduced): Tensor {
  if (over === 'all') return of.sum().view(of.shape.map(() => 1));
  // A vector [H] is a row.
  const matrix = of.shape.length === 1 ? of.view([1, of.size]) : of;
  return matrix.sum(over === 'batch' ? 0 : 1, { keepdim: true });
}

/** The shape without dimensions of size 1. */
export function stripped(shape: Shape): number[] {
  return shape.filter((size) => size !== 1);
}

/** The tensor repeated to the shape; undefined if it does not broadcast to it. */
export function broadcastTo(tensor: Tensor, shape: Shape): Tensor | undefined {
  const offset = shape.length - tensor.shape.length;
  if (offset < 0 || !tensor.shape.every((size, dim) => size === 1 || size === shape[dim + offset])) return undefined;
  return tensor.shape.length === shape.length && tensor.size === shape.reduce((a, b) => a * b, 1)
    ? tensor
    : Tensor.zeros(shape, 'float64').add(tensor);
}

// As text ------------------------------------------------------------------------------------------------------------

/** The expression as a formula. */
export function formulaOf(node: Expression): string {
  switch (node.op) {
    case 'value':
      return node.name;
    case 'number':
      return textOf(node.scale);
    case 'place':
      return PLACE_FACTORS[node.at];
    case 'power':
      return powerText(formulaIn(node.of), node.power);
    case 'epsilon':
      return node.epsilon === 0
        ? formulaOf(node.of)
        : `(${formulaOf(node.of)} ${node.epsilon < 0 ? '-' : '+'} ${epsilonText(node.epsilon)})`;
    case 'apply':
      return applied(node, FUNCTIONS[node.name].text(formulaOf(node.of), isSimple(node.of)));
    case 'product':
      return productText(node);
    case 'total':
      return totalText(node.terms);
    case 'sum':
      return `Σ over ${node.over === 'all' ? 'everything' : AXES[axisOf(node.of, node.over)]} of ${formulaIn(node.of)}`;
    case 'matmul':
      return `${formulaIn(node.left)} · ${formulaIn(node.right)}`;
    case 'transposed':
      return node.how === 'transpose' ? `${formulaIn(node.of)}ᵀ` : `${formulaIn(node.of)} viewed`;
    case 'whole':
    case 'kept':
    case 'arranged':
    case 'scattered':
      return formulaOf(node.of);
  }
}

/** A function over the batch, of a tensor whose dimension 0 is not the batch. */
function applied({ name, of }: Expression & { op: 'apply' }, text: string): string {
  return name.endsWith('over the batch') && !hasBatch(of) ? text.replace('over the batch', 'over dimension 0') : text;
}

const PLACE_FACTORS: Record<Place, string> = {
  target: 'the one-hot of Yb',
  'row-maximum': 'the one-hot of the row maximum',
  'column-maximum': 'the one-hot of the column maximum',
  context: 'the one-hot of Xb',
  'last-character': 'the one-hot of the last character in Xb',
  'target-columns': 'the columns of the targets',
  'target-rows': 'the rows of the targets',
  everywhere: '1',
  'not-target': '(1 - one-hot of Yb)',
  'not-row-maximum': '(1 - one-hot of the row maximum)',
  'after-target': 'one-hot of Yb + 1',
  'before-target': 'one-hot of Yb - 1',
  'next-entry': 'the one-hot of Yb, one entry on',
  'previous-entry': 'the one-hot of Yb, one entry back',
  'first-column': 'one-hot of 0',
  index: 'the index in Yb',
  'row-length-1': 'the one-hot of Yb at i + Yb',
  'row-length-1-added': 'the one-hot of Yb at i + Yb',
  'row-length-n': 'the one-hot of Yb at i · n + Yb',
  'rows-reversed': 'the one-hot of Yb, rows in reverse order',
};

/** The dimensions as they are said. */
export const AXES: Record<Axis, string> = {
  batch: 'the batch',
  row: 'the row',
  positions: 'the positions of the context',
  'dimension 0': 'dimension 0',
  'dimension 1': 'dimension 1',
};

const PARAMETERS: readonly TensorName[] = ['C', 'W1', 'b1', 'W2', 'b2', 'bngain', 'bnbias'];
const isParameter = (name: TensorName) => PARAMETERS.includes(name.replace(/^d/, '') as TensorName);

/** Whether dimension 0 is the batch. */
function hasBatch(node: Expression): boolean {
  switch (node.op) {
    case 'value':
      return !isParameter(node.name);
    case 'number':
    case 'transposed':
    case 'scattered':
      return false;
    case 'matmul':
      return hasBatch(node.left);
    case 'sum':
      return node.over === 'row' && hasBatch(node.of);
    default:
      return node.op === 'place' || childrenOf(node).some(hasBatch);
  }
}

/** The dimension of a sum over dimension 0 or 1, by its meaning. */
export function axisOf(node: Expression, over: Dimension): Axis {
  if (over === 'batch') return hasBatch(node) ? 'batch' : 'dimension 0';
  if (node.op === 'arranged' || (node.op === 'value' && /^d?emb$/.test(node.name))) return 'positions';
  if (node.op === 'sum') return axisOf(node.of, over);
  if (node.op === 'value' && /^d?b(ngain|nbias|1|2)$/.test(node.name)) return 'row';
  return hasBatch(node) ? 'row' : 'dimension 1';
}

function isSimple(node: Expression): boolean {
  return ['value', 'number', 'place'].includes(node.op);
}

function formulaIn(node: Expression): string {
  const open = node.op === 'total' || node.op === 'sum' || (node.op === 'product' && node.factors.length > 1) || node.op === 'matmul';
  const text = formulaOf(node);
  return open || (node.op === 'apply' && / [-+] /.test(text) && !text.endsWith(')')) ? `(${text})` : text;
}

function productText(node: Expression): string {
  const { scale, rest } = splitNumber(node);
  const texts = rest.map((factor) => (rest.length > 1 || !isOne(scale) ? formulaIn(factor) : formulaOf(factor)));
  if (isOne(scale)) return texts.join(' · ') || '1';
  if (texts.length === 0) return textOf(scale);
  return textOf(scale) === '-1' ? `-${texts.join(' · ')}` : `${textOf(scale)} · ${texts.join(' · ')}`;
}

function totalText(terms: readonly Expression[]): string {
  return sumText(terms.map(formulaOf));
}

const EXPONENTS: Record<string, string> = { '0.5': '1/2', '-0.5': '-1/2', '1.5': '3/2', '-1.5': '-3/2', '2.5': '5/2', '-2.5': '-5/2' };

/** 1e-5 and 0.01, as people write them. */
export function epsilonText(epsilon: number): string {
  const size = Math.abs(epsilon);
  return size < 1e-3 || size > 1e3 ? size.toExponential().replace('+', '') : `${size}`;
}

/** An exponent as people write it: -3/2. */
export function exponentText(exponent: number): string {
  return EXPONENTS[`${exponent}`] ?? `${exponent}`;
}

function powerText(base: string, exponent: number): string {
  if (exponent === 1) return base;
  if (exponent === -1) return `1/${base}`;
  return exponent === 2
    ? `${base}²`
    : exponent === 3
      ? `${base}³`
      : `${base}^${exponent > 0 && Number.isInteger(exponent) ? exponent : `(${exponentText(exponent)})`}`;
}
