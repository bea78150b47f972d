/** Results that have little to do with the line: a tensor of the pass, a product of two, the answer to another line. */
import type { Shape } from '../core/tensor.js';
import { GRADIENT_NAMES } from '../lesson/exercise1.js';
import { type GradientName, type ValueName, valueNamed } from '../lesson/values.js';
import { ATOMIC_LINES } from './atomicLines.js';
import { CLOSED_LINES } from './closedLines.js';
import { isGradient, namesIn } from './edits/trees.js';
import {
  apply,
  broadcastTo,
  Evaluator,
  type Expression,
  formulaOf,
  givenNames,
  matmul,
  number,
  place,
  power,
  product,
  splitNumber,
  stripped,
  sum,
  type TensorName,
  transposed,
  value,
} from './expression.js';
import type { Belonging, Dimension, ValueMistake } from './findings.js';
import type { FunctionName } from './functions.js';
import { ONE } from './scale.js';

export interface OtherExpression {
  node: Expression;
  mistake: ValueMistake;
  cost: number;
}

/** Expressions that may be added to a result of this shape. */
export function extraTerms(own: GradientName, line: Expression, { at }: Evaluator, shape: Shape): OtherExpression[] {
  const term = (node: Expression, cost: number): OtherExpression => ({
    node,
    mistake: { id: 'term-extra', term: formulaOf(node), by: '1' },
    cost,
  });
  const has = new Set(namesIn(line));
  const fits = givenNames(own).filter((name) => at[name].size > 1 && broadcastTo(at[name], shape));
  const evaluator = new Evaluator(at);
  const reaches = (node: Expression) => broadcastTo(evaluator.value(node), shape) !== undefined;
  const matrices = givenNames(own).filter((name) => at[name].size > 1 && at[name].shape.length <= 2);
  const sums = matrices.flatMap((name) => SUMS.map((over) => term(sum(over, value(name)), has.has(name) ? 1.6 : 1.7)));
  return [
    ...ofTheLine(line, fits, evaluator.value(line).shape).map(({ node, cost }) => term(node, cost)),
    ...productTerms(line, fits).map((node) => term(node, 1.85)),
    // A gradient that the line has already is more likely to have a wrong factor.
    ...fits.map((name) => term(value(name), has.has(name) ? 1.65 : isGradient(name) ? 1.5 : 1.6)),
    term({ op: 'number', scale: ONE }, 1.7),
    ...sums.filter(({ node }) => reaches(node)),
  ];
}

const SUMS: readonly Dimension[] = ['batch', 'row'];

/** The line's own sum, and the weighted one of a whole softmax. */
function ofTheLine(line: Expression, fits: readonly TensorName[], shape: Shape): { node: Expression; cost: number }[] {
  if (!['product', 'matmul', 'value'].includes(line.op) || shape.length !== 2 || shape.includes(1)) return [];
  const [first] = namesIn(line).filter((name) => !isGradient(name) && fits.includes(name));
  return SUMS.flatMap((over) => [
    // Along the row of a matrix product, an operand with its mean subtracted is more likely.
    { node: sum(over, line), cost: line.op === 'matmul' && over === 'row' ? 1.9 : 1.55 },
    ...(first === undefined ? [] : [{ node: product(value(first), sum(over, line)), cost: 1.5 }]),
  ]);
}

/** A tensor of the line times a gradient: another branch. */
function productTerms(line: Expression, fits: readonly TensorName[]): Expression[] {
  const values = [...new Set(namesIn(line))].filter((name) => !isGradient(name) && fits.includes(name));
  return values.flatMap((a) => fits.filter(isGradient).map((b) => product(value(a), value(b))));
}

/** The operations of a line. */
function belongingOf(line: Expression): Belonging {
  const above = namesIn(line).find(isGradient);
  const more = above === undefined ? {} : { above };
  switch (line.op) {
    case 'sum': {
      const { rest } = splitNumber(line.of);
      const over = line.over === 'row' ? 'row' : 'batch';
      return { operation: rest.length > 1 ? 'sum-of-products' : 'sum', over, ...more };
    }
    case 'matmul':
      return { operation: 'matrix-product', ...more };
    case 'total':
      return { operation: 'branches' };
    case 'arranged':
      return { operation: 'view', ...more };
    case 'scattered':
      return { operation: 'rows', ...more };
    default:
      return { operation: 'product', ...more };
  }
}

/** The gradients that the forward pass computes from this one's tensor are above it. */
function kindOf(name: TensorName, own: GradientName, above: ReadonlySet<TensorName>): ValueMistake {
  const is = name === valueNamed(own) ? 'value' : above.has(name) ? 'gradient-above' : undefined;
  return { id: 'other-expression', found: name, ...(is && { is }) };
}

/** Whole results: a constant, a tensor, the answer to another line. */
export function* simpleResults(own: GradientName, line: Expression, { at }: Evaluator): Generator<OtherExpression> {
  yield { node: { op: 'number', scale: ONE }, mistake: { id: 'constant', value: '1' }, cost: 1.2 };
  const above = new Set(namesIn(line).filter(isGradient));
  const over = line.op === 'sum' ? (line.over === 'row' ? 'row' : 'batch') : undefined;
  for (const name of namesIn(line)) {
    const node = apply('total', value(name));
    yield { node, mistake: { id: 'entries-alike', of: formulaOf(node), by: '1', ...(over && { over }) }, cost: 1.2 };
  }
  for (const name of givenNames(own)) if (at[name].size > 1) yield { node: value(name), mistake: kindOf(name, own, above), cost: 1.9 };
  for (const other of GRADIENT_NAMES) {
    if (other === own) continue;
    const { expression } = ATOMIC_LINES[other];
    yield { node: expression, mistake: { id: 'other-expression', found: other, is: 'other-line' }, cost: 1.9 };
  }
  for (const other of ['dlogits', 'dhprebn'] as const) {
    const { expression } = CLOSED_LINES[other];
    if (expression !== line) yield { node: expression, mistake: { id: 'other-expression', found: other, is: 'closed-form' }, cost: 1.9 };
  }
}

const FUNCTIONS_OF_ONE: readonly FunctionName[] = [
  ...(['exp', 'log', 'tanh', 'x²', '1 - x²', 'x (1 - x)', '1 - x', 'softmax', '|x|', 'sign', 'sigmoid'] as const),
  ...(['minus its mean over the batch', 'minus its mean over the row', 'minus its row maximum'] as const),
  ...(['maximum over the row', 'maximum over the batch'] as const),
];

/** Whole results: simple expressions of one or two tensors. */
export function* otherResults(own: GradientName, line: Expression, evaluator: Evaluator): Generator<OtherExpression> {
  const { at } = evaluator;
  const belongs = belongingOf(line);
  const other = (node: Expression, cost: number): OtherExpression => ({
    node,
    mistake: { id: 'other-expression', found: formulaOf(node), belongs },
    cost,
  });
  for (const name of givenNames(own)) {
    if (at[name].size === 1) continue;
    const lone = value(name);
    for (const node of [...summed(lone), ...(at[name].shape.length === 2 ? [transposed(lone)] : [])]) yield other(node, 2.3);
    if (at[name].shape.length === 2) for (const applied of FUNCTIONS_OF_ONE) yield other(apply(applied, lone), 2.5);
  }
  for (const line of GRADIENT_NAMES) {
    if (line === own) continue;
    for (const node of summed(ATOMIC_LINES[line].expression)) yield other(node, 2.5);
  }
  yield* products(own, evaluator, belongs);
}

function* summed(node: Expression): Generator<Expression> {
  for (const over of ['batch', 'row', 'all'] as const) yield sum(over, node);
}

const whole = (...terms: Expression[]): Expression => ({ op: 'whole', of: { op: 'total', terms, branches: [] } });

/** Products, quotients and matrix products of two tensors, also summed. */
function* products(own: GradientName, { at, sizes: { n, H, V, T, E } }: Evaluator, belongs: Belonging): Generator<OtherExpression> {
  const groups = [
    [n, H],
    [n, V],
    [n, T * E],
    [V, E],
    [T * E, H],
    [H, V],
    [n, T, E],
  ].map((shape) => givenNames(own).filter((name) => at[name].size > 1 && broadcastTo(at[name], shape)));
  const expression = (node: Expression, cost: number): OtherExpression => ({
    node,
    mistake: { id: 'other-expression', found: formulaOf(node), belongs },
    cost,
  });
  for (const group of groups) {
    const factors: Expression[] = group.map((name) => value(name));
    if (group.includes('h')) factors.push(apply('1 - x²', value('h')));
    if (group.includes('probs')) factors.push(place('target'), place('row-maximum'));
    for (const [i, a] of factors.entries()) {
      for (const [k, b] of factors.entries()) {
        const both = [...(k >= i ? [product(a, b)] : []), ...(k !== i ? [product(a, power(b, -1))] : [])];
        for (const node of both) {
          yield expression(node, 3);
          for (const total of summed(node)) yield expression(total, 3.3);
        }
        if (k !== i) {
          yield expression(product(a, apply('1 - x²', b)), 3.2);
          for (const total of summed(b)) yield expression(product(a, total), 3.4);
          yield expression(whole(a, b), 3.3);
          yield expression(whole(a, product(number(-1), b)), 3.2);
        }
      }
    }
  }
  const matrices = givenNames(own).filter((name) => at[name].shape.length === 2 && stripped(at[name].shape).length === 2);
  const wanted = stripped(at[valueNamed(own) as ValueName].shape);
  for (const a of matrices) {
    for (const b of matrices) {
      for (const left of [value(a), transposed(value(a))]) {
        for (const right of [value(b), transposed(value(b))]) {
          const [rows, inner] = left.op === 'value' ? at[a].shape : [at[a].shape[1], at[a].shape[0]];
          const [same, columns] = right.op === 'value' ? at[b].shape : [at[b].shape[1], at[b].shape[0]];
          if (inner === same && wanted.includes(rows) && wanted.includes(columns)) yield expression(matmul(left, right), 3);
        }
      }
    }
  }
}
