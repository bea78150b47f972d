/** Collects the edits of a line. */
import type { Shape } from '../../core/tensor.js';
import { type GradientName, valueNamed } from '../../lesson/values.js';
import {
  apply,
  axisOf,
  broadcastTo,
  type Evaluator,
  type Expression,
  formulaOf,
  givenNames,
  type Reduced,
  type TensorName,
  value,
} from '../expression.js';
import type { ValueMistake } from '../findings.js';
import { CONFUSIONS, COST } from './alternatives.js';
import type { Edit, Position } from './edit.js';
import { hasSum, isGradient } from './trees.js';

/** The edits of a line as they are collected. */
export class EditList {
  readonly edits: Edit[] = [];
  readonly evaluator: Evaluator;
  /** The tensor whose gradient the line computes. */
  readonly own: TensorName;
  readonly given: readonly TensorName[];
  /** Whether a sum belongs to the line. */
  readonly sums: boolean;
  readonly #fitting = new Map<string, TensorName[]>();

  constructor(evaluator: Evaluator, name: GradientName, line: Expression) {
    this.evaluator = evaluator;
    this.own = valueNamed(name);
    this.given = givenNames(name);
    this.sums = hasSum(line);
  }

  /** A loop that leaves out a part, or that overwrites. */
  kept(node: Expression, at: Position, like?: TensorName): void {
    const { shape } = this.evaluator.value(node);
    const whole = like === undefined ? shape : this.evaluator.at[like].shape;
    for (const over of ['batch', 'row'] as const) {
      const length = over === 'batch' ? whole[0] : whole[whole.length - 1];
      if (whole.length < 2 || length < 2) continue;
      for (const kept of ['first', 'last', 'not-first', 'not-last'] as const) {
        const make = (of: Expression): Expression => ({ op: 'kept', over, kept, of, ...(like && { like }) });
        const axis = axisOf(node, over);
        // Along the inner dimension of a matrix product, both operands can be meant: the one with the batch is.
        const cost = axis === 'batch' || axis === 'row' ? COST.kept : COST.kept + 0.01;
        this.add(at, { id: 'kept', over: axis, kept }, cost, make, { wraps: true });
      }
    }
  }

  add(at: Position, mistake: ValueMistake, cost: number, make: Edit['make'], more: { wraps?: boolean; reshapes?: boolean } = {}): void {
    const named: ValueMistake = {
      ...mistake,
      ...(at.branch !== undefined && !('branch' in mistake) && { branch: at.branch }),
      ...(at.sum && { at: at.sum }),
    };
    this.edits.push({ path: at.path, make, wraps: more.wraps ?? false, mistake: named, cost, ...(more.reshapes && { reshapes: true }) });
  }

  shapeOf(node: Expression): Shape {
    const { shape } = this.evaluator.value(node);
    return shape.length === 1 && shape[0] !== 1 ? [1, shape[0]] : shape;
  }

  /** A row [1,H] or a column [n,1] with the dimension that a wrong tensor may add. */
  wide(shape: Shape): Shape {
    if (shape.length !== 2) return shape;
    const { n, H, V } = this.evaluator.sizes;
    if (shape[0] === 1 && (shape[1] === H || shape[1] === V)) return [n, shape[1]];
    return shape[1] === 1 ? [n, V] : shape;
  }

  /** The tensors that broadcast to a shape. */
  tensors(shape: Shape): readonly TensorName[] {
    const key = shape.join();
    const known = this.#fitting.get(key);
    if (known) return known;
    const fits = this.given.filter((name) => {
      const tensor = this.evaluator.at[name];
      // A column [n,1] belongs to the rows of V.
      const column = tensor.shape.length === 2 && tensor.shape[1] === 1 && shape[shape.length - 1] !== this.evaluator.sizes.V;
      return tensor.size > 1 && !(column && shape[shape.length - 1] !== 1) && broadcastTo(tensor, shape) !== undefined;
    });
    this.#fitting.set(key, fits);
    return fits;
  }

  missing(factor: Expression, at: Position): void {
    const role = factor.role && { role: factor.role };
    this.add(at, { id: 'factor-missing', factor: formulaOf(factor), ...role }, COST.missing, (node) => apply('ones', node));
  }

  exchange(node: Expression, at: Position, found: Expression, cost: number): void {
    const whole = at.summed && node === at.summed.of && this.isSummed(found, at.summed.over) ? at.summed : node;
    // The sum has its own exchanges.
    if (whole !== node && at.sum === 'inside-sum') return;
    const [is, belongs] = [formulaOf(found), formulaOf(whole)];
    const isFirstRow = found.op === 'apply' && found.name === 'its first row';
    const confusion = isFirstRow ? 'row-offset' : CONFUSIONS[`${is} for ${belongs}`];
    this.add(at, { id: 'exchanged', found: is, expected: belongs, ...(confusion && { confusion }) }, cost, () => found);
  }

  /** Whether a sum leaves a tensor as it is. */
  isSummed(found: Expression, over: Reduced): boolean {
    const { shape } = this.evaluator.value(found);
    return over !== 'all' && shape.length === 2 && shape[over === 'batch' ? 0 : 1] === 1;
  }

  /** Any other tensor of the pass. */
  exchanged(node: Expression, at: Position, more = 0): void {
    for (const name of this.tensors(at.shape)) {
      if (node.op === 'value' && name === node.name) continue;
      const confused = CONFUSIONS[`${name} for ${formulaOf(node)}`] !== undefined;
      this.exchange(node, at, value(name), confused ? COST.near : this.exchangeCost(node, name) + more);
    }
  }

  exchangeCost(node: Expression, found: TensorName): number {
    if (node.op !== 'value') return COST.far;
    const { name } = node;
    const counterpart = found === `d${name}` || name === `d${found}`;
    return counterpart || isGradient(name) === isGradient(found) ? COST.near : COST.far;
  }
}
