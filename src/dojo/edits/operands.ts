/** Mistakes in the operands of matrix products, views and scattered rows. */
import { sameShape } from '../../core/tensor.js';
import { RIGHT_SCATTERING, SCATTERING_MISTAKES, type Scattering } from '../arrangements.js';
import { apply, type Expression, formulaOf, matmul, power, product, value } from '../expression.js';
import type { ValueMistake } from '../findings.js';
import { APPLIED, CONFUSIONS, COST } from './alternatives.js';
import type { Position } from './edit.js';
import type { EditList } from './editList.js';
import { shiftedValue } from './factors.js';
import { extraSum } from './sums.js';
import { isGradient } from './trees.js';

export function operandEdits(list: EditList, node: Expression, at: Position): void {
  if (node.op === 'transposed') {
    const name = formulaOf(node.of);
    list.add(at, { id: 'viewed', value: name }, COST.near, () => ({ ...node, how: 'viewed' }));
    operandEdits(list, node.of, { ...at, path: [...at.path, 0] });
    return;
  }
  if (node.op !== 'value') return;
  const { shape } = list.evaluator.at[node.name];
  const here = { ...at, shape };
  for (const name of list.tensors(shape)) {
    if (name === node.name || !sameShape(list.evaluator.at[name].shape, shape)) continue;
    const confused = CONFUSIONS[`${name} for ${node.name}`] !== undefined;
    list.exchange(node, here, value(name), confused ? COST.near : list.exchangeCost(node, name));
  }
  list.missing(node, here);
  list.kept(node, here);
  extraSum(list, node, here, 1.5);
  list.add(here, { id: 'factor-squared', factor: node.name }, COST.squared, () => power(node, 2));
  list.add(here, { id: 'divided', by: node.name }, COST.divided, () => power(node, -1));
  for (const applied of APPLIED) list.exchange(node, here, apply(applied, node), applied === '1 + x' ? 2.1 : COST.rareFunction);
  for (const name of list.tensors(shape)) {
    if (name === node.name) continue;
    const mistake = { id: 'factor-extra', factor: name } as const;
    list.add(here, mistake, name === list.own ? COST.extraOwn : COST.extra + 0.05, (inner) => product(inner, value(name)), {
      wraps: true,
    });
    shiftedValue(list, node, name, here);
  }
  composedOperands(list, node, here);
  const { n, H } = list.evaluator.sizes;
  if (!sameShape(shape, [n, H])) return;
  const derivative = apply('1 - x²', value('h'));
  list.add(here, { id: 'factor-extra', factor: `(${formulaOf(derivative)})` }, COST.extra, (inner) => product(inner, derivative), {
    wraps: true,
  });
}

/** A product in place of an operand: a gradient times a row, or the transpose of one tensor times another. */
function composedOperands(list: EditList, node: Expression & { op: 'value' }, at: Position): void {
  if (isGradient(node.name) && at.shape.length === 2) {
    for (const gradient of list.tensors(at.shape)) {
      if (!isGradient(gradient) || !sameShape(list.evaluator.at[gradient].shape, at.shape)) continue;
      for (const row of list.tensors(at.shape)) {
        if (gradient === node.name || isGradient(row)) continue;
        list.exchange(node, at, product(value(gradient), value(row)), COST.rare);
      }
    }
  }
  if (!/^W/.test(node.name)) return;
  const { n } = list.evaluator.sizes;
  const [rows, columns] = at.shape;
  const withColumns = (count: number) => list.given.filter((name) => sameShape(list.evaluator.at[name].shape, [n, count]));
  for (const a of withColumns(rows)) {
    for (const b of withColumns(columns))
      list.exchange(node, at, matmul({ op: 'transposed', of: value(a), how: 'transpose' }, value(b)), COST.rare);
  }
}

export function scatteringEdits(list: EditList, at: Position): void {
  for (const aspect of Object.keys(RIGHT_SCATTERING) as (keyof Scattering)[]) {
    for (const found of SCATTERING_MISTAKES[aspect]) {
      // Positions have their own aspect.
      if (aspect === 'order' && /position|shifted/.test(found) && !/next|previous|everywhere/.test(found)) continue;
      const how = { [aspect]: found };
      const mistake: ValueMistake = aspect === 'order' ? ({ id: 'rearranged', how: found } as ValueMistake) : { id: 'scattered', ...how };
      list.add(at, mistake, 1, (inner) => withScattering(inner, how), { wraps: true });
    }
  }
}

function withScattering(node: Expression, how: Partial<Scattering>): Expression {
  return node.op === 'scattered' ? { ...node, how: { ...node.how, ...how } } : node;
}
