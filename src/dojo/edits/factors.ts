/** Other expressions in place of a factor. */
import { sameShape } from '../../core/tensor.js';
import { ATOMIC_LINES } from '../atomicLines.js';
import {
  apply,
  type Expression,
  epsilonText,
  exponentText,
  formulaOf,
  matmul,
  number,
  power,
  product,
  sum,
  type TensorName,
  value,
} from '../expression.js';
import { ALTERNATIVES, APPLIED, APPLIED_TO_BASE, APPLIED_TO_OTHERS, COST } from './alternatives.js';
import type { Position } from './edit.js';
import type { EditList } from './editList.js';
import { extraSum } from './sums.js';
import { isGradient } from './trees.js';

export function valueEdits(list: EditList, node: Expression & { op: 'value' }, at: Position): void {
  list.exchanged(node, at);
  const { name } = node;
  list.add(at, { id: 'divided', by: name }, COST.inverted, () => power(node, -1));
  list.add(at, { id: 'factor-squared', factor: name }, COST.squared, () => power(node, 2));
  for (const exponent of [-2, -3, -1.5]) list.exchange(node, at, power(node, exponent), COST.rarePower);
  for (const applied of APPLIED) {
    const centred = applied === 'minus its mean over the batch';
    list.exchange(node, at, apply(applied, node), centred ? COST.extra : isGradient(name) ? 2 : COST.rareFunction);
  }
  exchangedForSums(list, node, at);
  // The gradient above computed again, from those above it.
  if (isGradient(name)) {
    const again = { id: 'exchanged', found: `your own ${name}, computed from the gradients above it,`, expected: name } as const;
    list.add(at, again, 1.4, () => ATOMIC_LINES[name].expression);
  }
  if (sameShape(list.evaluator.at[name].shape, [1, list.evaluator.sizes.H])) {
    list.exchange(node, at, apply('its entries repeated', node), COST.rareFunction);
  }
  if (name === 'bnvar_inv') list.exchange(node, at, apply('biased bnvar_inv', value('bnvar')), COST.near);
  if (name === 'counts') {
    list.exchange(node, at, apply('exp', value('logits')), COST.near);
    list.exchange(node, at, apply('x · exp(x - 1)', value('norm_logits')), COST.near);
  }
  for (const other of list.tensors(at.shape)) {
    if (other === name) continue;
    if (!isGradient(other)) {
      list.exchange(node, at, power(value(other), -1), COST.rare + 0.4);
      for (const applied of APPLIED_TO_OTHERS) list.exchange(node, at, apply(applied, value(other)), COST.rare);
    }
    shiftedValue(list, node, other, at);
  }
  extraSum(list, node, at, 1.4);
}

/** The sum of a larger tensor, for a row [1,H] or a column [n,1]. */
function exchangedForSums(list: EditList, node: Expression & { op: 'value' }, at: Position): void {
  const { shape } = list.evaluator.at[node.name];
  if (shape.length !== 2 || !shape.includes(1)) return;
  const over = shape[0] === 1 ? 'batch' : 'row';
  for (const name of list.tensors(at.shape)) {
    if (list.evaluator.at[name].shape.includes(1) || list.evaluator.at[name].shape.length !== 2) continue;
    list.exchange(node, at, sum(over, value(name)), COST.extra);
  }
}

/** a + b or a - b for a. */
export function shiftedValue(list: EditList, node: Expression & { op: 'value' }, other: TensorName, at: Position): void {
  const more = other === 'bnbias' || other === 'b1' || other === 'b2' ? -0.2 : 0;
  for (const second of [value(other), product(number(-1), value(other))]) {
    const found: Expression = { op: 'whole', of: { op: 'total', terms: [node, second], branches: [] } };
    list.add(
      at,
      { id: 'exchanged', found: formulaOf(found), expected: formulaOf(node) },
      COST.rare + more,
      (inner) => ({ op: 'whole', of: { op: 'total', terms: [inner, second], branches: [] } }),
      { wraps: true },
    );
  }
}

export function powerEdits(list: EditList, node: Expression & { op: 'power' }, at: Position): void {
  const base = formulaOf(node.of);
  const inner: Position = { ...at, path: [...at.path, 0] };
  if (node.power === -1) {
    list.add(at, { id: 'multiplied', by: base }, COST.inverted, () => node.of);
    for (const exponent of [-2, 2, -0.5, 0.5]) list.exchange(node, at, power(node.of, exponent), COST.power);
  } else {
    for (const exponent of [-2.5, -2, -1.5, -1, -0.5, 0.5, 1, 1.5, 2, 3, -3, 2.5]) {
      if (exponent === node.power) continue;
      const same = sameAs(node.of, exponent);
      const mistake = { id: 'wrong-power', base, found: exponentText(exponent), expected: exponentText(node.power), ...same } as const;
      const changed = (inner: Expression): Expression => (inner.op === 'power' ? { ...inner, power: exponent } : inner);
      list.add(at, mistake, COST.power, changed, { wraps: true });
    }
  }
  list.exchanged(node, at);
  for (const applied of APPLIED_TO_BASE) {
    list.exchange(node, at, apply(applied, node.of), COST.rareFunction - 0.1);
    list.exchange(node, at, power(apply(applied, node.of), node.power), COST.rareFunction);
  }
  if (node.of.op === 'epsilon') {
    for (const exponent of [-1.5, 1.5, 0.5, 6]) list.exchange(node, at, power(value('bnvar_inv'), exponent), COST.power + 0.1);
    epsilonEdits(list, node, node.of, at);
    list.exchanged(node.of, inner, 0.1);
    return;
  }
  if (node.of.op === 'value') {
    for (const name of list.tensors(at.shape)) {
      if (name === node.of.name) continue;
      list.exchange(node, at, power(value(name), node.power), list.exchangeCost(node.of, name) + 0.1);
    }
  }
}

function epsilonEdits(
  list: EditList,
  node: Expression & { op: 'power' },
  { of, epsilon }: Expression & { op: 'epsilon' },
  at: Position,
): void {
  const inner: Position = { ...at, path: [...at.path, 0] };
  list.add(inner, { id: 'epsilon-missing' }, COST.epsilon, () => of);
  list.add(at, { id: 'epsilon-outside' }, COST.epsilon, () => ({ op: 'epsilon', of: power(of, node.power), epsilon }));
  const found = `${formulaOf(of)} + ${epsilonText(epsilon)}^(${exponentText(node.power)})`;
  const unbracketed = { id: 'parentheses', found, expected: formulaOf(node) } as const;
  list.add(at, unbracketed, COST.parentheses, () => ({ op: 'epsilon', of, epsilon: epsilon ** node.power }));
  for (const found of [1e-3, 1e-4, 1e-6, 1e-7, 1e-8, 1e-10, -1e-5, 1e-2, 0.1, 0.5, 1, 1e5, 1e-9, 1e-12]) {
    const text = `${found < 0 ? '-' : ''}${epsilonText(found)}`;
    list.add(inner, { id: 'epsilon-other', found: text }, COST.epsilon + 0.1, () => ({ op: 'epsilon', of, epsilon: found }));
  }
}

export function functionEdits(list: EditList, node: Expression & { op: 'apply' }, at: Position): void {
  const { of } = node;
  if (node.name === 'softmax') list.add(at, { id: 'softmax-missing' }, COST.missing, () => of);
  else list.exchange(node, at, of, COST.function);
  for (const name of ALTERNATIVES[node.name] ?? []) {
    if (node.name === 'softmax') list.add(at, { id: 'softmax-other', found: name }, COST.function, () => apply(name, of));
    else list.exchange(node, at, apply(name, of), COST.function);
  }
  if (node.name === 'softmax') list.add(at, { id: 'softmax-other', found: 'softmax' }, COST.function, () => apply('softmax', node));
  if (of.op !== 'value') return;
  if (node.name === '1 - x²') {
    for (const name of list.tensors(at.shape)) {
      if (name !== of.name)
        list.exchange(node, at, apply('1 - x', product(of, value(name))), isGradient(name) ? COST.rare : COST.extra + 0.05);
    }
  }
  for (const name of list.tensors(at.shape)) {
    if (name === of.name) continue;
    list.exchange(node, at, apply(node.name, value(name)), list.exchangeCost(of, name) + 0.2);
    if (!['hpreact', 'bnraw', 'norm_logits', 'counts', 'probs'].includes(name)) continue;
    for (const other of ALTERNATIVES[node.name] ?? []) list.exchange(node, at, apply(other, value(name)), COST.function + 0.4);
  }
  if (node.name === 'softmax') softmaxArguments(list, node, at);
  list.exchanged(node, at);
  list.add(at, { id: 'divided', by: formulaOf(node) }, COST.inverted, () => power(node, -1));
  list.add(at, { id: 'factor-squared', factor: `(${formulaOf(node)})` }, COST.squared, () => power(node, 2));
}

function softmaxArguments(list: EditList, node: Expression, at: Position): void {
  const withoutBias = matmul(value('h'), value('W2'));
  for (const argument of [withoutBias, value('b2')]) {
    list.exchange(node, at, apply('softmax', argument), COST.function);
  }
}

/** Another way to write a power: bnvar_inv is (bnvar + 1e-5)^(-1/2), counts_sum_inv is 1/counts_sum. */
export function sameAs(base: Expression, exponent: number): { same?: string } {
  const isVariance = base.op === 'epsilon' && base.of.op === 'value' && base.of.name === 'bnvar';
  if (isVariance) return { same: formulaOf(power(value('bnvar_inv'), -2 * exponent)) };
  if (base.op === 'value' && base.name === 'counts_sum') return { same: formulaOf(power(value('counts_sum_inv'), -exponent)) };
  return {};
}
