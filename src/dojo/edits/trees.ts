/** The tensors and sums in the tree of a line. */
import { GRADIENT_NAMES } from '../../lesson/exercise1.js';
import type { GradientName } from '../../lesson/values.js';
import { childrenOf, type Expression, type TensorName, value, withChild } from '../expression.js';

export const isGradient = (name: TensorName): name is GradientName => (GRADIENT_NAMES as readonly string[]).includes(name);

/** The tensors of an expression, one by one. */
export function namesIn(node: Expression): TensorName[] {
  return node.op === 'value' ? [node.name] : childrenOf(node).flatMap(namesIn);
}

export function renamed(node: Expression, name: TensorName, found: TensorName): Expression {
  if (node.op === 'value') return node.name === name ? value(found) : node;
  return childrenOf(node).reduce((changed, child, i) => withChild(changed, i, renamed(child, name, found)), node);
}

export function hasSum(node: Expression): boolean {
  return ['sum', 'matmul', 'scattered'].includes(node.op) || childrenOf(node).some(hasSum);
}

function isBatchSum(node: Expression): node is Expression & { op: 'sum' } {
  return node.op === 'sum' && node.over === 'batch';
}

export function hasBatchSum(node: Expression): boolean {
  return isBatchSum(node) || childrenOf(node).some(hasBatchSum);
}

/** The node with other expressions in place of its sums over the batch. */
export function inBatchSums(node: Expression, make: (inner: Expression) => Expression): Expression {
  if (isBatchSum(node)) return make(node.of);
  return childrenOf(node).reduce((changed, child, i) => withChild(changed, i, inBatchSums(child, make)), node);
}
