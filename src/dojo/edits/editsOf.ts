/**
 * The mistakes that a line can have, derived from its tree: any factor missing, squared, inverted or exchanged, any sum missing or over
 * something else, and so on. Constant factors and signs are not among them: naming fits them.
 */
import { type Shape, sameShape } from '../../core/tensor.js';
import { type GradientName, valueNamed } from '../../lesson/values.js';
import { ARRANGEMENTS, RIGHT_SCATTERING, SCATTERING_MISTAKES, type Scattering } from '../arrangements.js';
import { ATOMIC_LINES } from '../atomicLines.js';
import {
  apply,
  axisOf,
  broadcastTo,
  type Evaluator,
  type Expression,
  epsilonText,
  exponentText,
  formulaOf,
  givenNames,
  matmul,
  number,
  place,
  power,
  product,
  productOf,
  type Reduced,
  splitNumber,
  sum,
  type TensorName,
  value,
} from '../expression.js';
import type { Dimension, ValueMistake } from '../findings.js';
import type { Scale } from '../scale.js';
import { ALTERNATIVES, APPLIED, APPLIED_TO_BASE, APPLIED_TO_OTHERS, APPLIED_TO_RESULT, CONFUSIONS, COST, PLACES } from './alternatives.js';
import type { Edit, Position } from './edit.js';
import { hasBatchSum, hasSum, inBatchSums, isGradient, namesIn, renamed } from './trees.js';

/** All single mistakes of a line. */
export function editsOf(name: GradientName, line: Expression, evaluator: Evaluator): Edit[] {
  return new EditList(evaluator, name).of(line);
}

class EditList {
  readonly #evaluator: Evaluator;
  readonly #own: TensorName;
  readonly #given: readonly TensorName[];
  readonly #edits: Edit[] = [];
  readonly #fitting = new Map<string, TensorName[]>();
  /** Whether a sum belongs to the line. */
  #sums = false;

  constructor(evaluator: Evaluator, name: GradientName) {
    this.#evaluator = evaluator;
    this.#own = valueNamed(name);
    this.#given = givenNames(name);
  }

  of(line: Expression): Edit[] {
    this.#sums = hasSum(line);
    const at: Position = { path: [], shape: this.#shapeOf(line), top: true };
    this.#node(line, at);
    this.#summed(line, at, 1.2);
    this.#everywhere(line, at);
    this.#ofResult(at);
    this.#inEverySum(line, at);
    if (line.op !== 'scattered') this.#kept(line, at, this.#own);
    return this.#edits;
  }

  /** A tensor that is exchanged wherever the line has it. */
  #everywhere(line: Expression, at: Position): void {
    const counts = new Map<TensorName, number>();
    for (const name of namesIn(line)) counts.set(name, (counts.get(name) ?? 0) + 1);
    for (const [name, count] of counts) {
      if (count < 2) continue;
      for (const found of this.#tensors(this.#evaluator.at[name].shape)) {
        if (found === name) continue;
        const cost = this.#exchangeCost({ op: 'value', name }, found) + 0.1;
        this.#add(at, { id: 'exchanged', found, expected: name }, cost, (node) => renamed(node, name, found), { wraps: true });
      }
    }
  }

  /** A function of the right result. */
  #ofResult(at: Position): void {
    for (const found of APPLIED_TO_RESULT) {
      const make = (node: Expression): Expression => ({ op: 'whole', of: apply(found, node) });
      this.#add(at, { id: 'result-applied', found }, 1.6, make, { wraps: true });
    }
  }

  /** The same mistake in all sums of a loop. */
  #inEverySum(line: Expression, at: Position): void {
    if (!hasBatchSum(line)) return;
    const cost = 1.55;
    // A lone sum has its own mistakes.
    for (const kept of line.op === 'sum' ? [] : (['first', 'last', 'not-first', 'not-last'] as const)) {
      const make = (of: Expression): Expression => inBatchSums(of, (inner) => sum('batch', { op: 'kept', over: 'batch', kept, of: inner }));
      this.#add(at, { id: 'kept', over: 'batch', kept, sums: true }, cost, make, { wraps: true });
    }
    const running = (of: Expression): Expression => inBatchSums(of, (inner) => apply('running sum', sum('batch', inner)));
    this.#add(at, { id: 'sums-run-on' }, cost, running, { wraps: true });
  }

  /** A loop that leaves out a part, or that overwrites. */
  #kept(node: Expression, at: Position, like?: TensorName): void {
    const { shape } = this.#evaluator.value(node);
    const whole = like === undefined ? shape : this.#evaluator.at[like].shape;
    for (const over of ['batch', 'row'] as const) {
      const length = over === 'batch' ? whole[0] : whole[whole.length - 1];
      if (whole.length < 2 || length < 2) continue;
      for (const kept of ['first', 'last', 'not-first', 'not-last'] as const) {
        const make = (of: Expression): Expression => ({ op: 'kept', over, kept, of, ...(like && { like }) });
        const axis = axisOf(node, over);
        // Along the inner dimension of a matrix product, both operands can be meant: the one with the batch is.
        const cost = axis === 'batch' || axis === 'row' ? COST.kept : COST.kept + 0.01;
        this.#add(at, { id: 'kept', over: axis, kept }, cost, make, { wraps: true });
      }
    }
  }

  #add(at: Position, mistake: ValueMistake, cost: number, make: Edit['make'], more: { wraps?: boolean; reshapes?: boolean } = {}): void {
    const named: ValueMistake = {
      ...mistake,
      ...(at.branch !== undefined && !('branch' in mistake) && { branch: at.branch }),
      ...(at.sum && { at: at.sum }),
    };
    this.#edits.push({ path: at.path, make, wraps: more.wraps ?? false, mistake: named, cost, ...(more.reshapes && { reshapes: true }) });
  }

  #shapeOf(node: Expression): Shape {
    const { shape } = this.#evaluator.value(node);
    return shape.length === 1 && shape[0] !== 1 ? [1, shape[0]] : shape;
  }

  /** The mistakes inside of a node, as far as they do not depend on what is beside it. */
  #node(node: Expression, at: Position): void {
    const child = (index: number, more: Partial<Position> = {}): Position => ({ ...at, top: false, path: [...at.path, index], ...more });
    switch (node.op) {
      case 'product':
        this.#product(node, at);
        return;
      case 'total':
        for (const [k, term] of node.terms.entries()) {
          this.#node(term, child(k, { branch: node.branches[k], shape: this.#wide(this.#shapeOf(term)) }));
        }
        this.#total(node, at);
        return;
      case 'sum':
        this.#node(node.of, child(0, { shape: this.#shapeOf(node.of), sum: at.top ? undefined : 'inside-sum', summed: node }));
        this.#kept(node.of, child(0));
        this.#sum(node, at);
        if (at.top) this.#extraSums({ ...at, shape: this.#shapeOf(node) });
        else this.#exchangedSum(node, at);
        return;
      case 'matmul':
        this.#operand(node.left, child(0));
        this.#operand(node.right, child(1));
        this.#extra([node], at);
        this.#sumsForMatmul(node, at);
        return;
      case 'arranged':
        this.#operand(node.of, child(0));
        for (const how of ARRANGEMENTS) if (how !== 'right') this.#add(at, { id: 'rearranged', how }, 1, () => ({ ...node, how }));
        return;
      case 'scattered':
        this.#operand(node.of, child(0));
        for (const name of ['dembact', 'embact'] as const) {
          const viewed: Expression = { op: 'arranged', how: 'right', of: value(name) };
          this.#exchange(node.of, child(0), viewed, COST.near);
        }
        this.#scattered(at);
        return;
      case 'number':
        return;
      default:
        this.#factor(node, { ...at, shape: this.#wide(at.shape) });
        this.#missing(node, at);
        this.#extra([node], { ...at, shape: this.#wide(at.shape) });
        if (node.op === 'value') this.#ofAnyShape(node, at);
    }
  }

  /** A tensor whose shape does not fit. */
  #ofAnyShape(node: Expression & { op: 'value' }, at: Position): void {
    const fits = new Set(this.#tensors(this.#wide(at.shape)));
    for (const name of this.#given) {
      const { shape } = this.#evaluator.at[name];
      if (fits.has(name) || shape.length !== 2 || shape.includes(1)) continue;
      const mistake = { id: 'exchanged', found: name, expected: node.name } as const;
      this.#add(at, mistake, COST.far + 0.1, () => value(name), { reshapes: true });
    }
  }

  /** Sums of both operands, multiplied: Σ a · Σ b for Σ a b. */
  #sumsForMatmul({ left, right }: Expression & { op: 'matmul' }, at: Position): void {
    const mistake = { id: 'sums-multiplied', a: formulaOf(left), b: formulaOf(right), over: 'inner' } as const;
    this.#add(at, mistake, COST.parentheses, () => product(sum('row', left), sum('batch', right)));
  }

  /** A row [1,H] or a column [n,1] with the dimension that a wrong tensor may add. */
  #wide(shape: Shape): Shape {
    if (shape.length !== 2) return shape;
    const { n, H, V } = this.#evaluator.sizes;
    if (shape[0] === 1 && (shape[1] === H || shape[1] === V)) return [n, shape[1]];
    return shape[1] === 1 ? [n, V] : shape;
  }

  /** The tensors that broadcast to a shape. */
  #tensors(shape: Shape): readonly TensorName[] {
    const key = shape.join();
    const known = this.#fitting.get(key);
    if (known) return known;
    const fits = this.#given.filter((name) => {
      const tensor = this.#evaluator.at[name];
      // A column [n,1] belongs to the rows of V.
      const column = tensor.shape.length === 2 && tensor.shape[1] === 1 && shape[shape.length - 1] !== this.#evaluator.sizes.V;
      return tensor.size > 1 && !(column && shape[shape.length - 1] !== 1) && broadcastTo(tensor, shape) !== undefined;
    });
    this.#fitting.set(key, fits);
    return fits;
  }

  // Factors ----------------------------------------------------------------------------------------------------------

  #product(node: Expression & { op: 'product' }, at: Position): void {
    const shape = this.#wide(at.shape);
    const { scale, rest } = splitNumber(node);
    const before = !at.top && at.branch !== undefined && node.factors.some(({ op }) => op === 'sum') ? 'before-sum' : at.sum;
    for (const [i, factor] of node.factors.entries()) {
      const inner: Position = { ...at, shape, top: false, path: [...at.path, i], sum: factor.op === 'sum' ? undefined : before };
      if (factor.op === 'number') continue;
      if (factor.op === 'total' || factor.op === 'sum') this.#node(factor, inner);
      else this.#factor(factor, inner);
      if (factor.op === 'total') this.#commonFactors(node, i, at);
      if (factor.op !== 'total' && factor.op !== 'place') this.#missing(factor, inner);
      this.#parentheses(node, i, at);
      if (factor.op === 'sum' && rest.length > 1) this.#sumOfAll(node, i, at);
    }
    this.#extra(node.factors, { ...at, shape });
    this.#derivatives(node, at);
    this.#added(rest, scale, at);
  }

  #missing(factor: Expression, at: Position): void {
    const role = factor.role && { role: factor.role };
    this.#add(at, { id: 'factor-missing', factor: formulaOf(factor), ...role }, COST.missing, (node) => apply('ones', node));
  }

  /** Another expression in place of a factor. */
  #factor(node: Expression, at: Position): void {
    switch (node.op) {
      case 'value':
        this.#valueFactor(node, at);
        return;
      case 'power':
        this.#powerFactor(node, at);
        return;
      case 'apply':
        this.#applyFactor(node, at);
        return;
      case 'place':
        for (const found of PLACES) {
          if (found !== node.at) this.#add(at, { id: 'misplaced', found, expected: node.at }, COST.place, () => place(found));
        }
        for (const name of this.#tensors(at.shape)) {
          const found = apply('one-hot of its row maximum', value(name));
          if (name !== 'logits' && this.#evaluator.at[name].shape.length === 2) this.#exchange(node, at, found, COST.function);
        }
        this.#exchanged(node, at);
        this.#exchange(node, at, { op: 'whole', of: number(1, { V: -1 }) }, COST.function);
        this.#exchange(node, at, place('index'), COST.function);
        return;
      default:
        this.#node(node, at);
        return;
    }
  }

  #exchange(node: Expression, at: Position, found: Expression, cost: number): void {
    const whole = at.summed && node === at.summed.of && this.#isSummed(found, at.summed.over) ? at.summed : node;
    // The sum has its own exchanges.
    if (whole !== node && at.sum === 'inside-sum') return;
    const [is, belongs] = [formulaOf(found), formulaOf(whole)];
    const isFirstRow = found.op === 'apply' && found.name === 'its first row';
    const confusion = isFirstRow ? 'row-offset' : CONFUSIONS[`${is} for ${belongs}`];
    this.#add(at, { id: 'exchanged', found: is, expected: belongs, ...(confusion && { confusion }) }, cost, () => found);
  }

  /** Whether a sum leaves a tensor as it is. */
  #isSummed(found: Expression, over: Reduced): boolean {
    const { shape } = this.#evaluator.value(found);
    return over !== 'all' && shape.length === 2 && shape[over === 'batch' ? 0 : 1] === 1;
  }

  /** Any other tensor of the pass. */
  #exchanged(node: Expression, at: Position, more = 0): void {
    for (const name of this.#tensors(at.shape)) {
      if (node.op === 'value' && name === node.name) continue;
      const confused = CONFUSIONS[`${name} for ${formulaOf(node)}`] !== undefined;
      this.#exchange(node, at, value(name), confused ? COST.near : this.#exchangeCost(node, name) + more);
    }
  }

  #exchangeCost(node: Expression, found: TensorName): number {
    if (node.op !== 'value') return COST.far;
    const { name } = node;
    const counterpart = found === `d${name}` || name === `d${found}`;
    return counterpart || isGradient(name) === isGradient(found) ? COST.near : COST.far;
  }

  #valueFactor(node: Expression & { op: 'value' }, at: Position): void {
    this.#exchanged(node, at);
    const { name } = node;
    this.#add(at, { id: 'divided', by: name }, COST.inverted, () => power(node, -1));
    this.#add(at, { id: 'factor-squared', factor: name }, COST.squared, () => power(node, 2));
    for (const exponent of [-2, -3, -1.5]) this.#exchange(node, at, power(node, exponent), COST.rarePower);
    for (const applied of APPLIED) {
      const centred = applied === 'minus its mean over the batch';
      this.#exchange(node, at, apply(applied, node), centred ? COST.extra : isGradient(name) ? 2 : COST.rareFunction);
    }
    this.#exchangedForSums(node, at);
    // The gradient above computed again, from those above it.
    if (isGradient(name)) {
      const again = { id: 'exchanged', found: `your own ${name}, computed from the gradients above it,`, expected: name } as const;
      this.#add(at, again, 1.4, () => ATOMIC_LINES[name].expression);
    }
    if (sameShape(this.#evaluator.at[name].shape, [1, this.#evaluator.sizes.H])) {
      this.#exchange(node, at, apply('its entries repeated', node), COST.rareFunction);
    }
    if (name === 'bnvar_inv') this.#exchange(node, at, apply('biased bnvar_inv', value('bnvar')), COST.near);
    if (name === 'counts') {
      this.#exchange(node, at, apply('exp', value('logits')), COST.near);
      this.#exchange(node, at, apply('x · exp(x - 1)', value('norm_logits')), COST.near);
    }
    for (const other of this.#tensors(at.shape)) {
      if (other === name) continue;
      if (!isGradient(other)) {
        this.#exchange(node, at, power(value(other), -1), COST.rare + 0.4);
        for (const applied of APPLIED_TO_OTHERS) this.#exchange(node, at, apply(applied, value(other)), COST.rare);
      }
      this.#shifted(node, other, at);
    }
    this.#summed(node, at, 1.4);
  }

  /** The sum of a larger tensor, for a row [1,H] or a column [n,1]. */
  #exchangedForSums(node: Expression & { op: 'value' }, at: Position): void {
    const { shape } = this.#evaluator.at[node.name];
    if (shape.length !== 2 || !shape.includes(1)) return;
    const over = shape[0] === 1 ? 'batch' : 'row';
    for (const name of this.#tensors(at.shape)) {
      if (this.#evaluator.at[name].shape.includes(1) || this.#evaluator.at[name].shape.length !== 2) continue;
      this.#exchange(node, at, sum(over, value(name)), COST.extra);
    }
  }

  /** a + b or a - b for a. */
  #shifted(node: Expression & { op: 'value' }, other: TensorName, at: Position): void {
    const more = other === 'bnbias' || other === 'b1' || other === 'b2' ? -0.2 : 0;
    for (const second of [value(other), product(number(-1), value(other))]) {
      const found: Expression = { op: 'whole', of: { op: 'total', terms: [node, second], branches: [] } };
      this.#add(
        at,
        { id: 'exchanged', found: formulaOf(found), expected: formulaOf(node) },
        COST.rare + more,
        (inner) => ({ op: 'whole', of: { op: 'total', terms: [inner, second], branches: [] } }),
        { wraps: true },
      );
    }
  }

  #powerFactor(node: Expression & { op: 'power' }, at: Position): void {
    const base = formulaOf(node.of);
    const inner: Position = { ...at, path: [...at.path, 0] };
    if (node.power === -1) {
      this.#add(at, { id: 'multiplied', by: base }, COST.inverted, () => node.of);
      for (const exponent of [-2, 2, -0.5, 0.5]) this.#exchange(node, at, power(node.of, exponent), COST.power);
    } else {
      for (const exponent of [-2.5, -2, -1.5, -1, -0.5, 0.5, 1, 1.5, 2, 3, -3, 2.5]) {
        if (exponent === node.power) continue;
        const same = sameAs(node.of, exponent);
        const mistake = { id: 'wrong-power', base, found: exponentText(exponent), expected: exponentText(node.power), ...same } as const;
        const changed = (inner: Expression): Expression => (inner.op === 'power' ? { ...inner, power: exponent } : inner);
        this.#add(at, mistake, COST.power, changed, { wraps: true });
      }
    }
    this.#exchanged(node, at);
    for (const applied of APPLIED_TO_BASE) {
      this.#exchange(node, at, apply(applied, node.of), COST.rareFunction - 0.1);
      this.#exchange(node, at, power(apply(applied, node.of), node.power), COST.rareFunction);
    }
    if (node.of.op === 'epsilon') {
      for (const exponent of [-1.5, 1.5, 0.5, 6]) this.#exchange(node, at, power(value('bnvar_inv'), exponent), COST.power + 0.1);
      this.#epsilon(node, node.of, at);
      this.#exchanged(node.of, inner, 0.1);
      return;
    }
    if (node.of.op === 'value') {
      for (const name of this.#tensors(at.shape)) {
        if (name === node.of.name) continue;
        this.#exchange(node, at, power(value(name), node.power), this.#exchangeCost(node.of, name) + 0.1);
      }
    }
  }

  #epsilon(node: Expression & { op: 'power' }, { of, epsilon }: Expression & { op: 'epsilon' }, at: Position): void {
    const inner: Position = { ...at, path: [...at.path, 0] };
    this.#add(inner, { id: 'epsilon-missing' }, COST.epsilon, () => of);
    this.#add(at, { id: 'epsilon-outside' }, COST.epsilon, () => ({ op: 'epsilon', of: power(of, node.power), epsilon }));
    const found = `${formulaOf(of)} + ${epsilonText(epsilon)}^(${exponentText(node.power)})`;
    const unbracketed = { id: 'parentheses', found, expected: formulaOf(node) } as const;
    this.#add(at, unbracketed, COST.parentheses, () => ({ op: 'epsilon', of, epsilon: epsilon ** node.power }));
    for (const found of [1e-3, 1e-4, 1e-6, 1e-7, 1e-8, 1e-10, -1e-5, 1e-2, 0.1, 0.5, 1, 1e5, 1e-9, 1e-12]) {
      const text = `${found < 0 ? '-' : ''}${epsilonText(found)}`;
      this.#add(inner, { id: 'epsilon-other', found: text }, COST.epsilon + 0.1, () => ({ op: 'epsilon', of, epsilon: found }));
    }
  }

  #applyFactor(node: Expression & { op: 'apply' }, at: Position): void {
    const { of } = node;
    if (node.name === 'softmax') this.#add(at, { id: 'softmax-missing' }, COST.missing, () => of);
    else this.#exchange(node, at, of, COST.function);
    for (const name of ALTERNATIVES[node.name] ?? []) {
      if (node.name === 'softmax') this.#add(at, { id: 'softmax-other', found: name }, COST.function, () => apply(name, of));
      else this.#exchange(node, at, apply(name, of), COST.function);
    }
    if (node.name === 'softmax') this.#add(at, { id: 'softmax-other', found: 'softmax' }, COST.function, () => apply('softmax', node));
    if (of.op !== 'value') return;
    if (node.name === '1 - x²') {
      for (const name of this.#tensors(at.shape)) {
        if (name !== of.name)
          this.#exchange(node, at, apply('1 - x', product(of, value(name))), isGradient(name) ? COST.rare : COST.extra + 0.05);
      }
    }
    for (const name of this.#tensors(at.shape)) {
      if (name === of.name) continue;
      this.#exchange(node, at, apply(node.name, value(name)), this.#exchangeCost(of, name) + 0.2);
      if (!['hpreact', 'bnraw', 'norm_logits', 'counts', 'probs'].includes(name)) continue;
      for (const other of ALTERNATIVES[node.name] ?? []) this.#exchange(node, at, apply(other, value(name)), COST.function + 0.4);
    }
    if (node.name === 'softmax') this.#softmaxArguments(node, at);
    this.#exchanged(node, at);
    this.#add(at, { id: 'divided', by: formulaOf(node) }, COST.inverted, () => power(node, -1));
    this.#add(at, { id: 'factor-squared', factor: `(${formulaOf(node)})` }, COST.squared, () => power(node, 2));
  }

  #softmaxArguments(node: Expression, at: Position): void {
    const withoutBias = matmul(value('h'), value('W2'));
    for (const argument of [withoutBias, value('b2')]) {
      this.#exchange(node, at, apply('softmax', argument), COST.function);
    }
  }

  /** An expression that belongs nowhere in a product. */
  #extra(factors: readonly Expression[], at: Position): void {
    const there = new Set(factors.map(formulaOf));
    const extra = (factor: Expression, cost: number, more: { role?: 'gain' } = {}) =>
      this.#add(at, { id: 'factor-extra', factor: formulaOf(factor), ...more }, cost, (node) => product(node, factor), { wraps: true });
    for (const name of this.#tensors(at.shape)) {
      if (there.has(name)) continue;
      extra(value(name), name === this.#own ? COST.extraOwn : COST.extra, name === 'bngain' ? { role: 'gain' } : {});
      this.#add(at, { id: 'division-extra', by: name }, COST.divided, (node) => product(node, power(value(name), -1)), { wraps: true });
    }
    if (at.path.length === 0) this.#extraSums(at);
    const { n, H, V } = this.#evaluator.sizes;
    if (sameShape(at.shape, [n, V])) {
      const derivative = apply('x (1 - x)', value('probs'));
      for (const factor of [derivative, apply('1 - x', value('probs'))]) extra(factor, 1.6);
      for (const where of PLACES) {
        if (where !== 'everywhere' && !there.has(formulaOf(place(where))))
          this.#add(at, { id: 'only-at', place: where }, COST.extra, (node) => product(node, place(where)), { wraps: true });
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
      if (factors.some(({ op }) => op === 'place')) this.#add(at, { id: 'row-offset-missing' }, COST.kept, make, { wraps: true });
    }
    if (at.path.length > 0 && factors.length > 1) this.#summed(productOf(factors), at, 1.35);
    if (at.branch !== undefined && !at.sum) this.#kept(productOf(factors), at, this.#own);
  }

  /** A sum of another tensor as a factor. */
  #extraSums(at: Position): void {
    for (const name of this.#given) {
      const { shape } = this.#evaluator.at[name];
      if (shape.length > 2 || this.#evaluator.at[name].size === 1) continue;
      for (const factor of [sum('batch', value(name)), sum('row', value(name)), apply('total', value(name))]) {
        if (broadcastTo(this.#evaluator.value(factor), at.shape) === undefined) continue;
        const make = (node: Expression) => product(node, factor);
        this.#add(at, { id: 'factor-extra', factor: formulaOf(factor) }, 1.75, make, { wraps: true });
      }
    }
  }

  /** A function for its derivative: x² for 2x, and a power for the derivative of the power. */
  #derivatives({ factors }: Expression & { op: 'product' }, at: Position): void {
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
      this.#add(at, { id: 'exchanged', found, expected, confusion: 'function-for-derivative' }, COST.primitive, () => productOf(others));
    }
  }

  /** Factors added or subtracted where they should be multiplied. */
  #added(factors: readonly Expression[], own: Scale, at: Position): void {
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
      this.#add(at, { id: 'factors-added', ...scaledNames }, COST.added + 0.1, () => scaledFirst(b));
      this.#add(at, { id: 'factors-subtracted', ...scaledNames }, COST.added + 0.1, () => scaledFirst(product(number(-1), b)));
    }
    this.#add(at, { id: 'factors-added', ...names }, COST.added, () => whole(b));
    this.#add(at, { id: 'factors-subtracted', ...names }, COST.added, () => whole(product(number(-1), b)));
  }

  /** 1 - h² · dh for (1 - h²) · dh. */
  #parentheses({ factors }: Expression & { op: 'product' }, i: number, at: Position): void {
    const factor = factors[i];
    if (factor.op !== 'apply' || factor.name !== '1 - x²') return;
    const others = factors.filter((_, k) => k !== i);
    const found: Expression = { op: 'whole', of: apply('1 - x', product(power(factor.of, 2), ...others)) };
    const expected = formulaOf({ op: 'product', factors });
    const square = product(number(-1), power(factor.of, 2));
    const minus: Expression = { op: 'whole', of: { op: 'total', terms: [...others, square], branches: [] } };
    for (const one of [found, minus]) {
      this.#add(at, { id: 'parentheses', found: formulaOf(one), expected }, COST.parentheses, () => one);
    }
  }

  /** Σ (a · b) for a · Σ b. */
  #sumOfAll({ factors }: Expression & { op: 'product' }, i: number, at: Position): void {
    const inner = factors[i];
    if (inner.op !== 'sum') return;
    const { scale, rest } = splitNumber({ op: 'product', factors: factors.filter((_, k) => k !== i) });
    const found = sum(inner.over, productOf([...rest, ...splitNumber(inner.of).rest]));
    const mistake = { id: 'parentheses', found: formulaOf(found), expected: formulaOf(productOf([...rest, inner])) } as const;
    this.#add(at, mistake, COST.parentheses, () => product({ op: 'number', scale }, found));
  }

  /** Common factors of a sum that multiply only some of its terms. */
  #commonFactors({ factors }: Expression & { op: 'product' }, i: number, at: Position): void {
    const inner = factors[i];
    if (inner.op !== 'total') return;
    const common = factors.filter((_, k) => k !== i);
    const tensors = common.filter(({ op }) => op !== 'number');
    if (tensors.length === 0) return;
    if (tensors.length > 1) {
      const mistake = { id: 'factor-missing', factor: formulaOf(product(...tensors)) } as const;
      this.#add(at, mistake, COST.missing + 0.2, () => productOf([...common.filter((one) => !tensors.includes(one)), inner]));
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
        this.#add(at, mistake, COST.parentheses, () => product(...stays, { ...inner, terms: changed }));
      }
    }
  }

  // Sums -------------------------------------------------------------------------------------------------------------

  #total(node: Expression & { op: 'total' }, at: Position): void {
    for (const [k, term] of node.terms.entries()) this.#shared(term, k, node, at);
    const squared = { id: 'exchanged', found: `(${formulaOf(node)})²`, expected: formulaOf(node) } as const;
    this.#add(at, squared, COST.squared, (inner) => ({ op: 'whole', of: power(inner, 2) }), { wraps: true });
    if (node.branches.includes('softmax')) {
      const inside = apply('softmax', difference(value('logits'), place('target')));
      const mistake = { id: 'parentheses', found: formulaOf(inside), expected: formulaOf(node) } as const;
      this.#add(at, mistake, COST.parentheses, () => ({ op: 'whole', of: inside }));
    }
    for (const [k, term] of node.terms.length > 2 ? node.terms.entries() : []) {
      const rest: Expression = { op: 'total', terms: node.terms.filter((_, i) => i !== k), branches: [] };
      const mistake = { id: 'branches-multiplied', these: [node.branches[k]] } as const;
      this.#add(at, mistake, COST.parentheses, () => ({ op: 'whole', of: product(rest, term) }));
    }
    const pairs = node.terms.flatMap((_, a) => node.terms.flatMap((__, b) => (a < b ? [[a, b]] : [])));
    for (const [a, b] of pairs) {
      const multiplied: Expression = { op: 'whole', of: product(node.terms[a], node.terms[b]) };
      if (node.terms.length === 2) {
        const subtracts = splitNumber(node.terms[b]).scale.number < 0;
        const unsigned: Expression = { op: 'whole', of: product(...[a, b].map((k) => withoutSign(node.terms[k]))) };
        const subtracted = { id: 'branches-multiplied', these: [node.branches[b]], subtract: true } as const;
        this.#add(at, subtracts ? subtracted : { id: 'branches-multiplied' }, COST.added, () => unsigned);
        continue;
      }
      const these = [node.branches[a], node.branches[b]];
      this.#add(at, { id: 'branches-multiplied', these }, COST.parentheses, () => ({
        ...node,
        terms: node.terms.flatMap((other, k) => (k === b ? [] : [k === a ? multiplied : other])),
        branches: node.branches.filter((_, k) => k !== b),
      }));
    }
  }

  /** A factor of one branch that multiplies another one, too. */
  #shared(term: Expression, k: number, { terms, branches }: Expression & { op: 'total' }, at: Position): void {
    const there = new Set(splitNumber(term).rest.map(formulaOf));
    for (const other of terms.filter((_, i) => i !== k)) {
      for (const factor of splitNumber(other).rest) {
        if (factor.op !== 'value' || there.has(factor.name) || factor.role === 'gradient-above') continue;
        const mistake = { id: 'factor-extra', factor: factor.name, shared: true } as const;
        const inner = { ...at, top: false, path: [...at.path, k], branch: branches[k] };
        this.#add(inner, mistake, COST.near, (node) => product(node, factor), { wraps: true });
      }
    }
  }

  /** A tensor in the shape of the sum in its place. */
  #exchangedSum(node: Expression & { op: 'sum' }, at: Position): void {
    const shape = this.#shapeOf(node);
    for (const name of this.#given) {
      const found = this.#evaluator.at[name].shape;
      if (sameShape(found, shape))
        this.#exchange(node, { ...at, summed: undefined }, value(name), isGradient(name) ? COST.near : COST.extra);
    }
  }

  #sum(node: Expression & { op: 'sum' }, at: Position): void {
    const of = formulaOf(node.of);
    const over = dimensionOf(node.over);
    const reshapes = at.top;
    const where = at.top ? {} : { of };
    const inside = (inner: Expression): Expression => (inner.op === 'sum' ? inner.of : inner);
    const more = { wraps: true, reshapes };
    this.#add(at, { id: 'not-summed', over, ...where }, COST.sum, inside, more);
    for (const other of (['batch', 'row', 'all'] as const).filter((one) => one !== node.over)) {
      const instead = other === 'all' ? other : axisOf(node.of, other);
      this.#add(at, { id: 'summed-over', instead, over, ...where }, COST.sum, (inner) => sum(other, inside(inner)), more);
    }
    const { scale, rest } = splitNumber(node.of);
    const outside = { op: 'number', scale } as const;
    const maximum = (of: Expression) => apply(node.over === 'row' ? 'maximum over the row' : 'maximum over the batch', of);
    this.#add(at, { id: 'maximum', over }, COST.function, () => product(outside, maximum(productOf(rest))));
    if (scale.number < 0) this.#add(at, { id: 'maximum', over }, COST.function, () => maximum(node.of));
    const viewed: Expression = sum(node.over === 'row' ? 'batch' : 'row', { op: 'transposed', how: 'viewed', of: node.of });
    const mixed = { id: 'viewed-before-sum', value: formulaOf(productOf(rest)), over } as const;
    if (at.top) this.#add(at, mixed, COST.function, () => viewed, { reshapes: true });
    if (rest.length !== 2) return;
    const [a, b] = rest;
    const names = { a: formulaOf(a), b: formulaOf(b), over };
    this.#add(at, { id: 'sums-multiplied', ...names }, COST.parentheses - 0.1, () =>
      product(outside, sum(node.over, a), sum(node.over, b)),
    );
    for (const [inner, outer] of [
      [a, b],
      [b, a],
    ]) {
      const mistake = { id: 'sum-partial', of: formulaOf(inner), outside: formulaOf(outer), over } as const;
      this.#add(at, mistake, COST.parentheses, () => product(outside, sum(node.over, inner), outer), { reshapes });
    }
  }

  /** A sum or a mean that belongs nowhere. */
  #summed(node: Expression, at: Position, cost: number): void {
    const of = formulaOf(productOf(splitNumber(node).rest));
    const shape = this.#shapeOf(node);
    for (const over of ['batch', 'row', 'all'] as const) {
      // A row [1,H] has no other sum than that over the row.
      const sums = over === 'all' ? shape.filter((length) => length > 1).length > 1 : shape[over === 'batch' ? 0 : shape.length - 1] > 1;
      if (!sums || (node.op === 'sum' && node.over === over)) continue;
      const where = at.top ? {} : { of };
      const more = { wraps: true, reshapes: at.top };
      const axis = over === 'all' ? over : axisOf(node, over);
      const besides = this.#sums && ({ besides: true } as const);
      this.#add(at, { id: 'sum-extra', over: axis, ...where, ...besides }, cost, (inner) => sum(over, inner), more);
      if (over === 'all' || shape.length !== 2) continue;
      const lengths = over === 'batch' ? { n: -1 } : shape[1] === this.#evaluator.sizes.V ? { V: -1 } : { H: -1 };
      const mean = (inner: Expression) => product(number(1, lengths), sum(over, inner));
      this.#add(at, { id: 'sum-extra', over: axis, mean: true, ...where, ...besides }, cost + 0.1, mean, more);
    }
  }

  // Matrices, views and rows -----------------------------------------------------------------------------------------

  #operand(node: Expression, at: Position): void {
    if (node.op === 'transposed') {
      const name = formulaOf(node.of);
      this.#add(at, { id: 'viewed', value: name }, COST.near, () => ({ ...node, how: 'viewed' }));
      this.#operand(node.of, { ...at, path: [...at.path, 0] });
      return;
    }
    if (node.op !== 'value') return;
    const { shape } = this.#evaluator.at[node.name];
    const here = { ...at, shape };
    for (const name of this.#tensors(shape)) {
      if (name === node.name || !sameShape(this.#evaluator.at[name].shape, shape)) continue;
      const confused = CONFUSIONS[`${name} for ${node.name}`] !== undefined;
      this.#exchange(node, here, value(name), confused ? COST.near : this.#exchangeCost(node, name));
    }
    this.#missing(node, here);
    this.#kept(node, here);
    this.#summed(node, here, 1.5);
    this.#add(here, { id: 'factor-squared', factor: node.name }, COST.squared, () => power(node, 2));
    this.#add(here, { id: 'divided', by: node.name }, COST.divided, () => power(node, -1));
    for (const applied of APPLIED) this.#exchange(node, here, apply(applied, node), applied === '1 + x' ? 2.1 : COST.rareFunction);
    for (const name of this.#tensors(shape)) {
      if (name === node.name) continue;
      const mistake = { id: 'factor-extra', factor: name } as const;
      this.#add(here, mistake, name === this.#own ? COST.extraOwn : COST.extra + 0.05, (inner) => product(inner, value(name)), {
        wraps: true,
      });
      this.#shifted(node, name, here);
    }
    this.#composed(node, here);
    const { n, H } = this.#evaluator.sizes;
    if (!sameShape(shape, [n, H])) return;
    const derivative = apply('1 - x²', value('h'));
    this.#add(here, { id: 'factor-extra', factor: `(${formulaOf(derivative)})` }, COST.extra, (inner) => product(inner, derivative), {
      wraps: true,
    });
  }

  /** A product in place of an operand: a gradient times a row, or the transpose of one tensor times another. */
  #composed(node: Expression & { op: 'value' }, at: Position): void {
    if (isGradient(node.name) && at.shape.length === 2) {
      for (const gradient of this.#tensors(at.shape)) {
        if (!isGradient(gradient) || !sameShape(this.#evaluator.at[gradient].shape, at.shape)) continue;
        for (const row of this.#tensors(at.shape)) {
          if (gradient === node.name || isGradient(row)) continue;
          this.#exchange(node, at, product(value(gradient), value(row)), COST.rare);
        }
      }
    }
    if (!/^W/.test(node.name)) return;
    const { n } = this.#evaluator.sizes;
    const [rows, columns] = at.shape;
    const withColumns = (count: number) => this.#given.filter((name) => sameShape(this.#evaluator.at[name].shape, [n, count]));
    for (const a of withColumns(rows)) {
      for (const b of withColumns(columns))
        this.#exchange(node, at, matmul({ op: 'transposed', of: value(a), how: 'transpose' }, value(b)), COST.rare);
    }
  }

  #scattered(at: Position): void {
    for (const aspect of Object.keys(RIGHT_SCATTERING) as (keyof Scattering)[]) {
      for (const found of SCATTERING_MISTAKES[aspect]) {
        // Positions have their own aspect.
        if (aspect === 'order' && /position|shifted/.test(found) && !/next|previous|everywhere/.test(found)) continue;
        const how = { [aspect]: found };
        const mistake: ValueMistake = aspect === 'order' ? ({ id: 'rearranged', how: found } as ValueMistake) : { id: 'scattered', ...how };
        this.#add(at, mistake, 1, (inner) => withScattering(inner, how), { wraps: true });
      }
    }
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

function withScattering(node: Expression, how: Partial<Scattering>): Expression {
  return node.op === 'scattered' ? { ...node, how: { ...node.how, ...how } } : node;
}

function dimensionOf(over: Reduced): Dimension {
  return over === 'row' ? 'row' : 'batch';
}

/** Another way to write a power: bnvar_inv is (bnvar + 1e-5)^(-1/2), counts_sum_inv is 1/counts_sum. */
function sameAs(base: Expression, exponent: number): { same?: string } {
  const isVariance = base.op === 'epsilon' && base.of.op === 'value' && base.of.name === 'bnvar';
  if (isVariance) return { same: formulaOf(power(value('bnvar_inv'), -2 * exponent)) };
  if (base.op === 'value' && base.name === 'counts_sum') return { same: formulaOf(power(value('counts_sum_inv'), -exponent)) };
  return {};
}
