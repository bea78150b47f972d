/**
 * The mistakes that a line can have, derived from its tree: any factor missing, squared, inverted or exchanged, any sum missing or over
 * something else, and so on. Constant factors and signs are not among them: naming fits them.
 */
import type { GradientName } from '../../lesson/values.js';
import { ARRANGEMENTS } from '../arrangements.js';
import {
  apply,
  type Evaluator,
  type Expression,
  formulaOf,
  number,
  place,
  product,
  splitNumber,
  sum,
  type TensorName,
  value,
} from '../expression.js';
import { APPLIED_TO_RESULT, COST, PLACES } from './alternatives.js';
import type { Edit, Position } from './edit.js';
import { EditList } from './editList.js';
import { functionEdits, powerEdits, valueEdits } from './factors.js';
import { operandEdits, scatteringEdits } from './operands.js';
import { addedFactors, commonFactors, extraFactors, extraSums, functionsForDerivatives, sumOfAll, wrongParentheses } from './products.js';
import { exchangedSum, extraSum, sumEdits, totalEdits } from './sums.js';
import { hasBatchSum, inBatchSums, namesIn, renamed } from './trees.js';

/** All single mistakes of a line. */
export function editsOf(name: GradientName, line: Expression, evaluator: Evaluator): Edit[] {
  const list = new EditList(evaluator, name, line);
  const at: Position = { path: [], shape: list.shapeOf(line), top: true };
  nodeEdits(list, line, at);
  extraSum(list, line, at, 1.2);
  exchangedEverywhere(list, line, at);
  resultEdits(list, at);
  editsInEverySum(list, line, at);
  if (line.op !== 'scattered') list.kept(line, at, list.own);
  return list.edits;
}

/** A tensor that is exchanged wherever the line has it. */
function exchangedEverywhere(list: EditList, line: Expression, at: Position): void {
  const counts = new Map<TensorName, number>();
  for (const name of namesIn(line)) counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const [name, count] of counts) {
    if (count < 2) continue;
    for (const found of list.tensors(list.evaluator.at[name].shape)) {
      if (found === name) continue;
      const cost = list.exchangeCost({ op: 'value', name }, found) + 0.1;
      list.add(at, { id: 'exchanged', found, expected: name }, cost, (node) => renamed(node, name, found), { wraps: true });
    }
  }
}

/** A function of the right result. */
function resultEdits(list: EditList, at: Position): void {
  for (const found of APPLIED_TO_RESULT) {
    const make = (node: Expression): Expression => ({ op: 'whole', of: apply(found, node) });
    list.add(at, { id: 'result-applied', found }, 1.6, make, { wraps: true });
  }
}

/** The same mistake in all sums of a loop. */
function editsInEverySum(list: EditList, line: Expression, at: Position): void {
  if (!hasBatchSum(line)) return;
  const cost = 1.55;
  // A lone sum has its own mistakes.
  for (const kept of line.op === 'sum' ? [] : (['first', 'last', 'not-first', 'not-last'] as const)) {
    const make = (of: Expression): Expression => inBatchSums(of, (inner) => sum('batch', { op: 'kept', over: 'batch', kept, of: inner }));
    list.add(at, { id: 'kept', over: 'batch', kept, sums: true }, cost, make, { wraps: true });
  }
  const running = (of: Expression): Expression => inBatchSums(of, (inner) => apply('running sum', sum('batch', inner)));
  list.add(at, { id: 'sums-run-on' }, cost, running, { wraps: true });
}

/** The mistakes inside of a node, as far as they do not depend on what is beside it. */
function nodeEdits(list: EditList, node: Expression, at: Position): void {
  const child = (index: number, more: Partial<Position> = {}): Position => ({ ...at, top: false, path: [...at.path, index], ...more });
  switch (node.op) {
    case 'product':
      productEdits(list, node, at);
      return;
    case 'total':
      for (const [k, term] of node.terms.entries()) {
        nodeEdits(list, term, child(k, { branch: node.branches[k], shape: list.wide(list.shapeOf(term)) }));
      }
      totalEdits(list, node, at);
      return;
    case 'sum':
      nodeEdits(list, node.of, child(0, { shape: list.shapeOf(node.of), sum: at.top ? undefined : 'inside-sum', summed: node }));
      list.kept(node.of, child(0));
      sumEdits(list, node, at);
      if (at.top) extraSums(list, { ...at, shape: list.shapeOf(node) });
      else exchangedSum(list, node, at);
      return;
    case 'matmul':
      operandEdits(list, node.left, child(0));
      operandEdits(list, node.right, child(1));
      extraFactors(list, [node], at);
      sumsForMatmul(list, node, at);
      return;
    case 'arranged':
      operandEdits(list, node.of, child(0));
      for (const how of ARRANGEMENTS) if (how !== 'right') list.add(at, { id: 'rearranged', how }, 1, () => ({ ...node, how }));
      return;
    case 'scattered':
      operandEdits(list, node.of, child(0));
      for (const name of ['dembact', 'embact'] as const) {
        const viewed: Expression = { op: 'arranged', how: 'right', of: value(name) };
        list.exchange(node.of, child(0), viewed, COST.near);
      }
      scatteringEdits(list, at);
      return;
    case 'number':
      return;
    default:
      factorEdits(list, node, { ...at, shape: list.wide(at.shape) });
      list.missing(node, at);
      extraFactors(list, [node], { ...at, shape: list.wide(at.shape) });
      if (node.op === 'value') valuesOfAnyShape(list, node, at);
  }
}

/** A tensor whose shape does not fit. */
function valuesOfAnyShape(list: EditList, node: Expression & { op: 'value' }, at: Position): void {
  const fits = new Set(list.tensors(list.wide(at.shape)));
  for (const name of list.given) {
    const { shape } = list.evaluator.at[name];
    if (fits.has(name) || shape.length !== 2 || shape.includes(1)) continue;
    const mistake = { id: 'exchanged', found: name, expected: node.name } as const;
    list.add(at, mistake, COST.far + 0.1, () => value(name), { reshapes: true });
  }
}

/** Sums of both operands, multiplied: Σ a · Σ b for Σ a b. */
function sumsForMatmul(list: EditList, { left, right }: Expression & { op: 'matmul' }, at: Position): void {
  const mistake = { id: 'sums-multiplied', a: formulaOf(left), b: formulaOf(right), over: 'inner' } as const;
  list.add(at, mistake, COST.parentheses, () => product(sum('row', left), sum('batch', right)));
}

function productEdits(list: EditList, node: Expression & { op: 'product' }, at: Position): void {
  const shape = list.wide(at.shape);
  const { scale, rest } = splitNumber(node);
  const before = !at.top && at.branch !== undefined && node.factors.some(({ op }) => op === 'sum') ? 'before-sum' : at.sum;
  for (const [i, factor] of node.factors.entries()) {
    const inner: Position = { ...at, shape, top: false, path: [...at.path, i], sum: factor.op === 'sum' ? undefined : before };
    if (factor.op === 'number') continue;
    if (factor.op === 'total' || factor.op === 'sum') nodeEdits(list, factor, inner);
    else factorEdits(list, factor, inner);
    if (factor.op === 'total') commonFactors(list, node, i, at);
    if (factor.op !== 'total' && factor.op !== 'place') list.missing(factor, inner);
    wrongParentheses(list, node, i, at);
    if (factor.op === 'sum' && rest.length > 1) sumOfAll(list, node, i, at);
  }
  extraFactors(list, node.factors, { ...at, shape });
  functionsForDerivatives(list, node, at);
  addedFactors(list, rest, scale, at);
}

/** Another expression in place of a factor. */
function factorEdits(list: EditList, node: Expression, at: Position): void {
  switch (node.op) {
    case 'value':
      valueEdits(list, node, at);
      return;
    case 'power':
      powerEdits(list, node, at);
      return;
    case 'apply':
      functionEdits(list, node, at);
      return;
    case 'place':
      for (const found of PLACES) {
        if (found !== node.at) list.add(at, { id: 'misplaced', found, expected: node.at }, COST.place, () => place(found));
      }
      for (const name of list.tensors(at.shape)) {
        const found = apply('one-hot of its row maximum', value(name));
        if (name !== 'logits' && list.evaluator.at[name].shape.length === 2) list.exchange(node, at, found, COST.function);
      }
      list.exchanged(node, at);
      list.exchange(node, at, { op: 'whole', of: number(1, { V: -1 }) }, COST.function);
      list.exchange(node, at, place('index'), COST.function);
      return;
    default:
      nodeEdits(list, node, at);
      return;
  }
}
