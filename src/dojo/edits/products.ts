/** Mistakes in a product: factors that belong nowhere, are added, or are in the wrong parentheses. */
import { sameShape } from '../../core/tensor.js';
import {
  apply,
  broadcastTo,
  type Expression,
  formulaOf,
  number,
  place,
  power,
  product,
  productOf,
  splitNumber,
  sum,
  value,
} from '../expression.js';
import type { Scale } from '../scale.js';
import { COST, PLACES } from './alternatives.js';
import type { Position } from './edit.js';
import type { EditList } from './editList.js';
import { sameAs } from './factors.js';
import { extraSum } from './sums.js';

/** An expression that belongs nowhere in a product. */
export function extraFactors(list: EditList, factors: readonly Expression[], at: Position): void {
  const there = new Set(factors.map(formulaOf));
  const extra = (factor: Expression, cost: number, more: { role?: 'gain' } = {}) =>
    list.add(at, { id: 'factor-extra', factor: formulaOf(factor), ...more }, cost, (node) => product(node, factor), { wraps: true });
  for (const name of list.tensors(at.shape)) {
    if (there.has(name)) continue;
    extra(value(name), name === list.own ? COST.extraOwn : COST.extra, name === 'bngain' ? { role: 'gain' } : {});
    list.add(at, { id: 'division-extra', by: name }, COST.divided, (node) => product(node, power(value(name), -1)), { wraps: true });
  }
  if (at.path.length === 0) extraSums(list, at);
  const { n, H, V } = list.evaluator.sizes;
  if (sameShape(at.shape, [n, V])) {
    const derivative = apply('x (1 - x)', value('probs'));
    for (const factor of [derivative, apply('1 - x', value('probs'))]) extra(factor, 1.6);
    for (const where of PLACES) {
      if (where !== 'everywhere' && !there.has(formulaOf(place(where))))
        list.add(at, { id: 'only-at', place: where }, COST.extra, (node) => product(node, place(where)), { wraps: true });
    }
  }
  if (sameShape(at.shape, [n, H])) {
    for (const name of ['1 - x²', '1 - x'] as const) {
      if (!there.has(formulaOf(apply(name, value('h'))))) extra(apply(name, value('h')), name === '1 - x²' ? 1.4 : 1.6);
    }
    for (const exponent of [2, 3]) extra(power(value('bnvar_inv'), exponent), COST.extra + 0.2);
  }
  if (sameShape(at.shape, [n, V])) {
    const make = (node: Expression) => apply('rows added into the first', node);
    if (factors.some(({ op }) => op === 'place')) list.add(at, { id: 'row-offset-missing' }, COST.kept, make, { wraps: true });
  }
  if (at.path.length > 0 && factors.length > 1) extraSum(list, productOf(factors), at, 1.35);
  if (at.branch !== undefined && !at.sum) list.kept(productOf(factors), at, list.own);
}

/** A sum of another tensor as a factor. */
export function extraSums(list: EditList, at: Position): void {
  for (const name of list.given) {
    const { shape } = list.evaluator.at[name];
    if (shape.length > 2 || list.evaluator.at[name].size === 1) continue;
    for (const factor of [sum('batch', value(name)), sum('row', value(name)), apply('total', value(name))]) {
      if (broadcastTo(list.evaluator.value(factor), at.shape) === undefined) continue;
      const make = (node: Expression) => product(node, factor);
      list.add(at, { id: 'factor-extra', factor: formulaOf(factor) }, 1.75, make, { wraps: true });
    }
  }
}

/** A function for its derivative: x² for 2x, and a power for the derivative of the power. */
export function functionsForDerivatives(list: EditList, { factors }: Expression & { op: 'product' }, at: Position): void {
  const { scale } = splitNumber({ op: 'product', factors });
  for (const [i, factor] of factors.entries()) {
    const isSquare = factor.op === 'value' && scale.number === 2;
    const isPower = factor.op === 'power' && factor.role === 'power-derivative';
    if (!isSquare && !isPower) continue;
    const primitive = factor.op === 'power' ? power(factor.of, factor.power + 1) : power(factor, 2);
    const others = factors.map((other, k) => (k === i ? primitive : other)).filter(({ op }) => op !== 'number');
    const expected = formulaOf(product(...factors.filter(({ op }, k) => k === i || op === 'number')));
    const same = factor.op === 'power' ? sameAs(factor.of, factor.power + 1).same : undefined;
    const found = same ?? formulaOf(primitive);
    list.add(at, { id: 'exchanged', found, expected, confusion: 'function-for-derivative' }, COST.primitive, () => productOf(others));
  }
}

/** Factors added or subtracted where they should be multiplied. */
export function addedFactors(list: EditList, factors: readonly Expression[], own: Scale, at: Position): void {
  if (factors.length !== 2 || factors.some(({ op }) => op === 'total')) return;
  const [a, b] = factors;
  const whole = (second: Expression): Expression => ({ op: 'whole', of: { op: 'total', terms: [a, second], branches: [] } });
  const names = { a: formulaOf(a), b: formulaOf(b) };
  for (const scale of own.number === 1 && Object.keys(own.powers).length === 0 ? [] : [own]) {
    const scaledFirst = (second: Expression): Expression => ({
      op: 'whole',
      of: { op: 'total', terms: [product({ op: 'number', scale }, a), second], branches: [] },
    });
    const scaledNames = { a: formulaOf(product({ op: 'number', scale }, a)), b: names.b };
    list.add(at, { id: 'factors-added', ...scaledNames }, COST.added + 0.1, () => scaledFirst(b));
    list.add(at, { id: 'factors-subtracted', ...scaledNames }, COST.added + 0.1, () => scaledFirst(product(number(-1), b)));
  }
  list.add(at, { id: 'factors-added', ...names }, COST.added, () => whole(b));
  list.add(at, { id: 'factors-subtracted', ...names }, COST.added, () => whole(product(number(-1), b)));
}

/** 1 - h² · dh for (1 - h²) · dh. */
export function wrongParentheses(list: EditList, { factors }: Expression & { op: 'product' }, i: number, at: Position): void {
  const factor = factors[i];
  if (factor.op !== 'apply' || factor.name !== '1 - x²') return;
  const others = factors.filter((_, k) => k !== i);
  const found: Expression = { op: 'whole', of: apply('1 - x', product(power(factor.of, 2), ...others)) };
  const expected = formulaOf({ op: 'product', factors });
  const square = product(number(-1), power(factor.of, 2));
  const minus: Expression = { op: 'whole', of: { op: 'total', terms: [...others, square], branches: [] } };
  for (const one of [found, minus]) {
    list.add(at, { id: 'parentheses', found: formulaOf(one), expected }, COST.parentheses, () => one);
  }
}

/** Σ (a · b) for a · Σ b. */
export function sumOfAll(list: EditList, { factors }: Expression & { op: 'product' }, i: number, at: Position): void {
  const inner = factors[i];
  if (inner.op !== 'sum') return;
  const { scale, rest } = splitNumber({ op: 'product', factors: factors.filter((_, k) => k !== i) });
  const found = sum(inner.over, productOf([...rest, ...splitNumber(inner.of).rest]));
  const mistake = { id: 'parentheses', found: formulaOf(found), expected: formulaOf(productOf([...rest, inner])) } as const;
  list.add(at, mistake, COST.parentheses, () => product({ op: 'number', scale }, found));
}

/** Common factors of a sum that multiply only some of its terms. */
export function commonFactors(list: EditList, { factors }: Expression & { op: 'product' }, i: number, at: Position): void {
  const inner = factors[i];
  if (inner.op !== 'total') return;
  const common = factors.filter((_, k) => k !== i);
  const tensors = common.filter(({ op }) => op !== 'number');
  if (tensors.length === 0) return;
  if (tensors.length > 1) {
    const mistake = { id: 'factor-missing', factor: formulaOf(product(...tensors)) } as const;
    list.add(at, mistake, COST.missing + 0.2, () => productOf([...common.filter((one) => !tensors.includes(one)), inner]));
  }
  const sets = [common, ...(tensors.length > 1 ? [tensors] : []), ...tensors.map((one) => [one])];
  const terms = inner.terms.map((_, k) => k);
  for (const moved of sets) {
    const stays = common.filter((factor) => !moved.includes(factor));
    for (const on of terms.flatMap((k) => [[k], terms.filter((other) => other !== k)])) {
      const changed = inner.terms.map((term, k) => (on.includes(k) ? product(...moved, term) : term));
      const mistake = {
        id: 'common-factor',
        factor: formulaOf(product(...moved)),
        on: on.map((k) => inner.branches[k]),
      } as const;
      list.add(at, mistake, COST.parentheses, () => product(...stays, { ...inner, terms: changed }));
    }
  }
}
