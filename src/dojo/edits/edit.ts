/** A mistake at one node of a line, and the line with mistakes. */
import type { Shape } from '../../core/tensor.js';
import { childrenOf, type Expression, withChild } from '../expression.js';
import type { BranchName, ValueMistake } from '../findings.js';

/** A mistake at one node of the tree. */
export interface Edit {
  /** The node, as child indices from the root. */
  path: readonly number[];
  make: (node: Expression) => Expression;
  /** Whether the node stays, inside of something else. Otherwise it is replaced. */
  wraps: boolean;
  mistake: ValueMistake;
  /** How far-fetched the mistake is; about 1 for a common one. */
  cost: number;
  /** Whether the result has another shape because of the mistake. */
  reshapes?: boolean;
}

/** The surroundings of a node. */
export interface Position {
  path: readonly number[];
  branch?: BranchName | undefined;
  /** The shape of the product or the sum that the node is part of. */
  shape: Shape;
  /** Whether the node's value is the result of the line. */
  top: boolean;
  /** Set inside and in front of a sum that is part of a branch. */
  sum?: 'inside-sum' | 'before-sum' | undefined;
  /** The sum whose only operand is the node. */
  summed?: (Expression & { op: 'sum' }) | undefined;
}

/** The line with the mistakes; undefined where one of them removes the place of the other. */
export function withEdits(line: Expression, edits: readonly Edit[]): Expression | undefined {
  // The deepest first; what wraps a node comes after what replaces it.
  const ordered = [...edits].sort((a, b) => b.path.length - a.path.length || Number(a.wraps) - Number(b.wraps));
  for (const [i, { path, wraps }] of ordered.entries()) {
    const inside = (other: Edit) => path.every((step, k) => other.path[k] === step);
    if (!wraps && ordered.slice(0, i).some(inside)) return undefined;
  }
  return ordered.reduce((node, { path, make }) => changedAt(node, path, make), line);
}

function changedAt(node: Expression, path: readonly number[], make: Edit['make']): Expression {
  const [first, ...rest] = path;
  return first === undefined ? make(node) : withChild(node, first, changedAt(childrenOf(node)[first], rest, make));
}
