/**
 * Rejects pairs of mistakes cheaply. A line is a product of factors, one of which may be a sum of branches, perhaps summed as a whole. Two
 * mistakes in different parts do not affect each other: each part is evaluated once per mistake, and a pair is put together from them.
 */
import type { Shape, Tensor } from '../core/tensor.js';
import { type Edit, withEdits } from './edits/edit.js';
import { broadcastTo, childrenOf, type Evaluator, type Expression } from './expression.js';
import { combination, leastSquares, residual, squares } from './leastSquares.js';

type Entries = Float64Array | Float32Array;

/** The part of a line that a mistake changes, and its entries then: a factor by its index, or a branch. */
interface Part {
  kind: 'factor' | 'branch';
  index: number;
  entries: Entries;
}

export class PairFilter {
  readonly #evaluator: Evaluator;
  readonly #line: Expression;
  readonly #targets: readonly Tensor[];
  readonly #over: 'batch' | 'row' | undefined;
  /** The path to the product. */
  readonly #path: readonly number[];
  /** Whether there is a product, or a lone factor. */
  readonly #depth: 0 | 1;
  readonly #factors: readonly Expression[];
  /** The index of the factor that is a sum of branches; -1 if there is none. */
  readonly #total: number;
  readonly #shape: Shape;
  readonly #own: { factors: Entries[]; branches: Entries[] } | undefined;

  /** @param targets results in the line's own shape */
  constructor(evaluator: Evaluator, line: Expression, targets: readonly Tensor[]) {
    this.#evaluator = evaluator;
    this.#line = line;
    this.#targets = targets;
    this.#over = line.op === 'sum' && line.over !== 'all' ? line.over : undefined;
    const inner = line.op === 'sum' ? line.of : line;
    this.#path = line.op === 'sum' ? [0] : [];
    this.#factors = inner.op === 'product' ? inner.factors : [inner];
    this.#depth = inner.op === 'product' ? 1 : 0;
    this.#total = this.#factors.findIndex(({ op }) => op === 'total');
    this.#shape = evaluator.value(inner).shape;
    const factors = this.#factors.map((factor, i) => (i === this.#total ? ONES : this.#wide(factor)));
    const total = this.#factors[this.#total];
    const branches = total?.op === 'total' ? total.terms.map((term) => this.#wide(term)) : [ONES];
    const complete = [...factors, ...branches].every((entries) => entries !== undefined) && this.#shape.length === 2;
    this.#own = complete ? ({ factors, branches } as { factors: Entries[]; branches: Entries[] }) : undefined;
  }

  #wide(node: Expression): Entries | undefined {
    try {
      return broadcastTo(this.#evaluator.value(node), this.#shape)?.data as Entries | undefined;
    } catch {
      return undefined;
    }
  }

  /** The part that a mistake changes; undefined where it changes more than one, or the shape. */
  partOf(edit: Edit): Part | undefined {
    if (!this.#own || edit.reshapes) return undefined;
    const start = this.#path.length;
    const depth = this.#depth;
    if (edit.path.length < start + depth || !this.#path.every((step, i) => edit.path[i] === step)) return undefined;
    const factor = depth === 0 ? 0 : edit.path[start];
    const isBranch = factor === this.#total;
    const length = start + depth + (isBranch ? 1 : 0);
    if (edit.path.length < length) return undefined;
    const changed = withEdits(this.#line, [edit]);
    const node = changed && nodeAt(changed, edit.path.slice(0, length));
    const entries = node && node.op !== 'total' ? this.#wide(node) : undefined;
    return entries && { kind: isBranch ? 'branch' : 'factor', index: isBranch ? edit.path[length - 1] : factor, entries };
  }

  /** Whether two mistakes together may give a result, up to the constant factors of the branches. */
  mayFit(a: Part | undefined, b: Part | undefined): boolean {
    if (!this.#own || !a || !b || (a.kind === b.kind && a.index === b.index)) return true;
    const { factors, branches } = this.#own;
    const changed = (kind: Part['kind'], index: number, own: Entries) =>
      [a, b].find((part) => part.kind === kind && part.index === index)?.entries ?? own;
    const common = factors.map((own, i) => changed('factor', i, own)).filter((entries) => entries !== ONES);
    const basis = branches.map((own, k) => ({ data: this.#summed(multiplied([...common, changed('branch', k, own)])) }));
    const changedBranches = [a, b].flatMap((part) => (part.kind === 'branch' ? [part.index] : []));
    return this.#targets.some((target) => spans(basis, target, changedBranches));
  }

  #summed(entries: Float64Array): Float64Array {
    if (this.#over === undefined) return entries;
    const [rows, columns] = this.#shape;
    const out = new Float64Array(this.#over === 'batch' ? columns : rows);
    for (let k = 0; k < entries.length; k++) out[this.#over === 'batch' ? k % columns : Math.floor(k / columns)] += entries[k];
    return out;
  }
}

/** In place of a factor that makes no difference. */
const ONES = new Float64Array(0);

function multiplied(factors: readonly Entries[]): Float64Array {
  const real = factors.filter((entries) => entries !== ONES);
  const out = Float64Array.from(real[0]);
  for (const factor of real.slice(1)) for (let k = 0; k < out.length; k++) out[k] *= factor[k];
  return out;
}

/**
 * Whether the target is a sum of the basis, each times a constant. Where that is not clear, it may be.
 * @param needed those whose constant must not be 0: a branch that is missing has no other mistake
 */
function spans(basis: readonly { data: Float64Array }[], target: Tensor, needed: readonly number[]): boolean {
  if (target.size !== basis[0].data.length) return true;
  const coefficients = leastSquares(basis, target);
  if (!coefficients) return true;
  const least = 1e-12 * squares(target.data);
  if (needed.some((k) => coefficients[k] ** 2 * squares(basis[k].data) <= least)) return false;
  const scale = basis.reduce((sum, { data }, k) => sum + coefficients[k] ** 2 * squares(data), 0);
  return residual(combination(basis, coefficients), target.data) <= 1e-10 * scale;
}

function nodeAt(node: Expression, path: readonly number[]): Expression {
  return path.reduce((at, step) => childrenOf(at)[step], node);
}
