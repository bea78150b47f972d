/** Mistakes in sums, and sums that belong nowhere. */
import { sameShape } from '../../core/tensor.js';
import {
  apply,
  axisOf,
  type Expression,
  formulaOf,
  number,
  place,
  power,
  product,
  productOf,
  type Reduced,
  splitNumber,
  sum,
  value,
} from '../expression.js';
import type { Dimension } from '../findings.js';
import { COST } from './alternatives.js';
import type { Position } from './edit.js';
import type { EditList } from './editList.js';
import { isGradient } from './trees.js';

export function totalEdits(list: EditList, node: Expression & { op: 'total' }, at: Position): void {
  for (const [k, term] of node.terms.entries()) sharedFactors(list, term, k, node, at);
  const squared = { id: 'exchanged', found: `(${formulaOf(node)})²`, expected: formulaOf(node) } as const;
  list.add(at, squared, COST.squared, (inner) => ({ op: 'whole', of: power(inner, 2) }), { wraps: true });
  if (node.branches.includes('softmax')) {
    const inside = apply('softmax', difference(value('logits'), place('target')));
    const mistake = { id: 'parentheses', found: formulaOf(inside), expected: formulaOf(node) } as const;
    list.add(at, mistake, COST.parentheses, () => ({ op: 'whole', of: inside }));
  }
  for (const [k, term] of node.terms.length > 2 ? node.terms.entries() : []) {
    const rest: Expression = { op: 'total', terms: node.terms.filter((_, i) => i !== k), branches: [] };
    const mistake = { id: 'branches-multiplied', these: [node.branches[k]] } as const;
    list.add(at, mistake, COST.parentheses, () => ({ op: 'whole', of: product(rest, term) }));
  }
  const pairs = node.terms.flatMap((_, a) => node.terms.flatMap((__, b) => (a < b ? [[a, b]] : [])));
  for (const [a, b] of pairs) {
    const multiplied: Expression = { op: 'whole', of: product(node.terms[a], node.terms[b]) };
    if (node.terms.length === 2) {
      const subtracts = splitNumber(node.terms[b]).scale.number < 0;
      const unsigned: Expression = { op: 'whole', of: product(...[a, b].map((k) => withoutSign(node.terms[k]))) };
      const subtracted = { id: 'branches-multiplied', these: [node.branches[b]], subtract: true } as const;
      list.add(at, subtracts ? subtracted : { id: 'branches-multiplied' }, COST.added, () => unsigned);
      continue;
    }
    const these = [node.branches[a], node.branches[b]];
    list.add(at, { id: 'branches-multiplied', these }, COST.parentheses, () => ({
      ...node,
      terms: node.terms.flatMap((other, k) => (k === b ? [] : [k === a ? multiplied : other])),
      branches: node.branches.filter((_, k) => k !== b),
    }));
  }
}

/** A factor of one branch that multiplies another one, too. */
function sharedFactors(list: EditList, term: Expression, k: number, { terms, branches }: Expression & { op: 'total' }, at: Position): void {
  const there = new Set(splitNumber(term).rest.map(formulaOf));
  for (const other of terms.filter((_, i) => i !== k)) {
    for (const factor of splitNumber(other).rest) {
      if (factor.op !== 'value' || there.has(factor.name) || factor.role === 'gradient-above') continue;
      const mistake = { id: 'factor-extra', factor: factor.name, shared: true } as const;
      const inner = { ...at, top: false, path: [...at.path, k], branch: branches[k] };
      list.add(inner, mistake, COST.near, (node) => product(node, factor), { wraps: true });
    }
  }
}

/** A tensor in the shape of the sum in its place. */
export function exchangedSum(list: EditList, node: Expression & { op: 'sum' }, at: Position): void {
  const shape = list.shapeOf(node);
  for (const name of list.given) {
    const found = list.evaluator.at[name].shape;
    if (sameShape(found, shape)) list.exchange(node, { ...at, summed: undefined }, value(name), isGradient(name) ? COST.near : COST.extra);
  }
}

export function sumEdits(list: EditList, node: Expression & { op: 'sum' }, at: Position): void {
  const of = formulaOf(node.of);
  const over = dimensionOf(node.over);
  const reshapes = at.top;
  const where = at.top ? {} : { of };
  const inside = (inner: Expression): Expression => (inner.op === 'sum' ? inner.of : inner);
  const more = { wraps: true, reshapes };
  list.add(at, { id: 'not-summed', over, ...where }, COST.sum, inside, more);
  for (const other of (['batch', 'row', 'all'] as const).filter((one) => one !== node.over)) {
    const instead = other === 'all' ? other : axisOf(node.of, other);
    list.add(at, { id: 'summed-over', instead, over, ...where }, COST.sum, (inner) => sum(other, inside(inner)), more);
  }
  const { scale, rest } = splitNumber(node.of);
  const outside = { op: 'number', scale } as const;
  const maximum = (of: Expression) => apply(node.over === 'row' ? 'maximum over the row' : 'maximum over the batch', of);
  list.add(at, { id: 'maximum', over }, COST.function, () => product(outside, maximum(productOf(rest))));
  if (scale.number < 0) list.add(at, { id: 'maximum', over }, COST.function, () => maximum(node.of));
  const viewed: Expression = sum(node.over === 'row' ? 'batch' : 'row', { op: 'transposed', how: 'viewed', of: node.of });
  const mixed = { id: 'viewed-before-sum', value: formulaOf(productOf(rest)), over } as const;
  if (at.top) list.add(at, mixed, COST.function, () => viewed, { reshapes: true });
  if (rest.length !== 2) return;
  const [a, b] = rest;
  const names = { a: formulaOf(a), b: formulaOf(b), over };
  list.add(at, { id: 'sums-multiplied', ...names }, COST.parentheses - 0.1, () => product(outside, sum(node.over, a), sum(node.over, b)));
  for (const [inner, outer] of [
    [a, b],
    [b, a],
  ]) {
    const mistake = { id: 'sum-partial', of: formulaOf(inner), outside: formulaOf(outer), over } as const;
    list.add(at, mistake, COST.parentheses, () => product(outside, sum(node.over, inner), outer), { reshapes });
  }
}

/** A sum or a mean that belongs nowhere. */
export function extraSum(list: EditList, node: Expression, at: Position, cost: number): void {
  const of = formulaOf(productOf(splitNumber(node).rest));
  const shape = list.shapeOf(node);
  for (const over of ['batch', 'row', 'all'] as const) {
    // A row [1,H] has no other sum than that over the row.
    const sums = over === 'all' ? shape.filter((length) => length > 1).length > 1 : shape[over === 'batch' ? 0 : shape.length - 1] > 1;
    if (!sums || (node.op === 'sum' && node.over === over)) continue;
    const where = at.top ? {} : { of };
    const more = { wraps: true, reshapes: at.top };
    const axis = over === 'all' ? over : axisOf(node, over);
    const besides = list.sums && ({ besides: true } as const);
    list.add(at, { id: 'sum-extra', over: axis, ...where, ...besides }, cost, (inner) => sum(over, inner), more);
    if (over === 'all' || shape.length !== 2) continue;
    const lengths = over === 'batch' ? { n: -1 } : shape[1] === list.evaluator.sizes.V ? { V: -1 } : { H: -1 };
    const mean = (inner: Expression) => product(number(1, lengths), sum(over, inner));
    list.add(at, { id: 'sum-extra', over: axis, mean: true, ...where, ...besides }, cost + 0.1, mean, more);
  }
}

const difference = (a: Expression, b: Expression): Expression => ({
  op: 'whole',
  of: { op: 'total', terms: [a, product(number(-1), b)], branches: [] },
});

/** A term with a positive constant factor. */
function withoutSign(term: Expression): Expression {
  const { scale, rest } = splitNumber(term);
  return scale.number > 0 ? term : product({ op: 'number', scale: { ...scale, number: -scale.number } }, ...rest);
}

function dimensionOf(over: Reduced): Dimension {
  return over === 'row' ? 'row' : 'batch';
}
