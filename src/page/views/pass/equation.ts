/** A line of the pass as the picture of its equation: which tensors lie where, with which signs between. Drawn from the line's tree. */

import { sameShape, Tensor } from '../../../core/tensor.js';
import { ATOMIC_LINES } from '../../../dojo/atomicLines.js';
import { AXES, Evaluator, type Expression, formulaOf, splitNumber } from '../../../dojo/expression.js';
import type { ValuesAndGradients } from '../../../dojo/learnerFile.js';
import { isOne, type Scale, textOf } from '../../../dojo/scale.js';
import type { TensorName } from '../../../lesson/entry.js';
import type { StepName } from '../../../lesson/values.js';
import type { PassData, TensorData } from '../../engine/pass.js';
import { gridOf } from '../../parts/numbers.js';
import { FORWARD_TREES, type Gathered } from './forwardTrees.js';
import { isGradient, lettersOf, namesIn } from './steps.js';

/** A tensor as a heat map. */
export interface MapBlock {
  kind: 'map';
  /** What it is: a name, a transpose, or a formula. */
  text: string;
  tensor: TensorData;
  /** What its dimensions are, in the lesson's letters: n, H. */
  letters: readonly (string | number)[];
  /** The tensor of the pass that it is, if it is one. */
  name?: TensorName;
  transposed?: true;
  /** A row [1,H] repeated downwards, or a column [n,1] repeated to the right: how many copies the step uses. */
  copies?: { along: 'rows' | 'columns'; count: number };
  /** What the line computes. */
  isResult?: true;
  /** Which entries make an entry of the result, where that is not clear from the place of the map. */
  part?: Part;
  /** The tensor is drawn above, too, and is a tab stop there. */
  isAgain?: boolean;
}

/** The entries of a map that an entry of the result is made of: the one at its place, its row or column, and those that an index leads to. */
export type Part = 'cell' | 'row' | 'column' | 'all' | 'viewed' | 'gathered' | 'scattered';

/** A part of a line, and the sign before it. */
export interface Item {
  sign: string;
  block: Block;
}

/** Rows of the left, columns of the right: the result lies where they cross. */
export interface MatmulBlock {
  kind: 'matmul';
  left: MapBlock;
  right: MapBlock;
  result: MapBlock;
}

/** A tensor, and below it or beside it what its columns or rows are reduced to. */
export interface ReducedBlock {
  kind: 'reduced';
  text: string;
  over: 'batch' | 'row' | 'all';
  of: MapBlock;
  result: MapBlock;
}

/** The contributions of several uses, and their sum. */
export interface BranchesBlock {
  kind: 'branches';
  branches: readonly { label: string; items: readonly Item[] }[];
  result: MapBlock;
}

export type Block = MapBlock | MatmulBlock | ReducedBlock | BranchesBlock;

/** The heat maps of a block. */
export function mapsOf(block: Block): MapBlock[] {
  switch (block.kind) {
    case 'map':
      return [block];
    case 'matmul':
      return [block.left, block.right, block.result];
    case 'reduced':
      return [block.of, block.result];
    case 'branches':
      return [...block.branches.flatMap(({ items }) => items.flatMap((item) => mapsOf(item.block))), block.result];
  }
}

// The values of a pass -----------------------------------------------------------------------------------------------

const PASSES = new WeakMap<PassData, ValuesAndGradients>();

/** The tensors of a pass as the lesson's lines take them. */
export function valuesOf(data: PassData): ValuesAndGradients {
  const known = PASSES.get(data);
  if (known) return known;
  const tensors = Object.entries(data.tensors).map(([name, { data: entries, shape }]) => [name, new Tensor(entries, shape)]);
  const values = { ...Object.fromEntries(tensors), ...data.batch, n: data.source.n } as ValuesAndGradients;
  PASSES.set(data, values);
  return values;
}

// From tree to picture -----------------------------------------------------------------------------------------------

/** The equation of a step, in the order of its formula; the result comes last. */
export function equationOf(data: PassData, step: TensorName): readonly Item[] {
  const tree = isGradient(step) ? ATOMIC_LINES[step].expression : FORWARD_TREES[step as StepName];
  return new Drawing(data).items(tree, { ...mapOf(data, step), isResult: true });
}

/** A tensor of the pass as a heat map. */
export function mapOf(data: PassData, name: TensorName): MapBlock {
  return { kind: 'map', text: name, name, tensor: data.tensors[name], letters: lettersOf(name) };
}

/** Characters of a caption that needs more room than most heat maps. */
const LONG_CAPTION = 30;

class Drawing {
  readonly data: PassData;
  readonly #evaluator: Evaluator;

  constructor(data: PassData) {
    this.data = data;
    this.#evaluator = new Evaluator(valuesOf(data));
  }

  /** How the value of a node comes about. The last item shows the value: as `result`, where that is given. */
  items(node: Expression | Gathered, result?: MapBlock): Item[] {
    switch (node.op) {
      case 'gathered':
        return [{ sign: '', block: { ...this.#map(node.of), part: 'gathered' } }, ...reached('rows at Xb', result)];
      case 'arranged':
        return [{ sign: '', block: { ...this.#map(node.of), part: 'viewed' } }, ...reached('viewed', result)];
      case 'scattered':
        return [{ sign: '', block: { ...this.#map(node.of), part: 'scattered' } }, ...reached('rows added at Xb', result)];
      case 'matmul':
        return [
          {
            sign: '',
            block: { kind: 'matmul', left: this.#map(node.left), right: this.#map(node.right), result: result ?? this.#map(node) },
          },
        ];
      case 'sum':
        return this.#reduced(node, sumText(node, undefined), result);
      case 'total':
        return node.branches.length > 0 ? this.#branches(node, result) : this.#plus(node, result);
      case 'product':
        return this.#product(node, result);
      case 'apply':
      case 'power':
      case 'epsilon':
        if (result) return this.#function(node, result);
    }
    return [{ sign: '', block: this.#map(node) }, ...(result ? [{ sign: '=', block: result }] : [])];
  }

  #value(node: Expression): TensorData {
    const { data, shape } = this.#evaluator.value(node);
    return { data: data as Float64Array, shape };
  }

  #map(node: Expression): MapBlock {
    if (node.op === 'value') return mapOf(this.data, node.name);
    const formula = formulaOf(node).replaceAll('the one-hot', 'one-hot');
    // Its factors are named before it.
    const text = node.op === 'product' && formula.length > LONG_CAPTION ? 'their product' : formula;
    if (node.op === 'transposed' && node.of.op === 'value') return { ...mapOf(this.data, node.of.name), text, transposed: true };
    const tensor = this.#value(node);
    return { kind: 'map', text, tensor, letters: this.#letters(node, tensor.shape) };
  }

  /** The letters of a value: those of a tensor in it that has its shape. */
  #letters(node: Expression, shape: readonly number[]): MapBlock['letters'] {
    if (node.op === 'place') return lettersOf('logits');
    if (node.op === 'matmul') return [this.#letters(node.left, [])[0] ?? 1, this.#letters(node.right, [])[1] ?? 1];
    const alike = namesIn(node).find((name) => shape.length === 0 || sameShape(this.data.tensors[name].shape, shape));
    return alike === undefined ? [] : lettersOf(alike);
  }

  #function(node: Expression & { of: Expression }, result: MapBlock): Item[] {
    let inner: Expression = node;
    while (inner.op === 'power' || inner.op === 'epsilon' || inner.op === 'apply') inner = inner.of;
    const of = this.#map(inner);
    if (node.op === 'apply' && node.name === 'maximum over the row') {
      return [{ sign: '', block: { kind: 'reduced', text: 'maximum of the row', over: 'row', of, result } }];
    }
    return [{ sign: '', block: of }, ...reached(formulaOf(node).replace(of.text, 'x'), result)];
  }

  #product(node: Expression, result?: MapBlock): Item[] {
    const { scale, rest } = splitNumber(node);
    const [only] = rest;
    if (rest.length === 1 && only?.op === 'sum') return this.#reduced(only, sumText(only, scale), result);
    const whole = result ?? this.#map(node);
    return [...this.#factors(rest, scaleSign(scale), whole.tensor.shape), { sign: '=', block: whole }];
  }

  #factors(factors: readonly Expression[], sign: string, shape: readonly number[]): Item[] {
    return factors.flatMap((factor, i) =>
      this.items(factor).map((item, k): Item => ({ sign: k > 0 ? item.sign : i > 0 ? '·' : sign, block: spread(item.block, shape) })),
    );
  }

  #reduced(node: Expression & { op: 'sum' }, text: string, result?: MapBlock): Item[] {
    const items = this.items(node.of);
    const last = items[items.length - 1] as Item;
    const block: Block = { kind: 'reduced', text, over: node.over, of: last.block as MapBlock, result: result ?? this.#map(node) };
    return [...items.slice(0, -1), { sign: last.sign, block }];
  }

  /** A sum in one line: a + b - c = result. */
  #plus(node: Expression & { op: 'total' }, result?: MapBlock): Item[] {
    const whole = result ?? this.#map(node);
    const terms = node.terms.flatMap((term, i) => {
      const { scale, rest } = splitNumber(term);
      const negative = scale.number < 0;
      const sign = negative ? '−' : i > 0 ? '+' : '';
      const [only] = rest;
      if (rest.length > 1 || only === undefined) return this.#factors(rest, sign, whole.tensor.shape);
      return this.items(only).map((item, k): Item => ({ sign: k > 0 ? item.sign : sign, block: spread(item.block, whole.tensor.shape) }));
    });
    return [...terms, { sign: '=', block: whole }];
  }

  #branches(node: Expression & { op: 'total' }, result?: MapBlock): Item[] {
    const whole = result ?? this.#map(node);
    const branches = node.terms.map((term, i) => {
      const items = this.items(term);
      const last = items[items.length - 1] as Item;
      return {
        label: `through ${node.branches[i]}`,
        items: [...items.slice(0, -1), { sign: last.sign, block: spread(last.block, whole.tensor.shape) }],
      };
    });
    return [{ sign: '', block: { kind: 'branches', branches, result: whole } }];
  }
}

/** An arrow to the result. */
function reached(text: string, result: MapBlock | undefined): Item[] {
  return result ? [{ sign: `${text} →`, block: result }] : [];
}

/** A constant before a product: `-1/2 ·`, `−`. */
function scaleSign(scale: Scale): string {
  if (isOne(scale)) return '';
  const text = textOf(scale).replace('-', '−');
  return text === '−1' ? '−' : `${text} ·`;
}

function sumText({ over }: Expression & { op: 'sum' }, scale: Scale | undefined): string {
  const sign = scale === undefined ? '' : `${scaleSign(scale)} `;
  const where = over === 'all' ? 'all entries' : AXES[over];
  return `${sign}Σ over ${where}`;
}

/** A map that the shape has more rows or columns of: with its copies. */
function spread(block: Block, shape: readonly number[]): Block {
  if (block.kind !== 'map') return block;
  const [rows, columns] = gridOf(block.tensor.shape);
  const [allRows, allColumns] = gridOf(shape);
  if (rows === 1 && allRows > 1 && columns === allColumns) return { ...block, copies: { along: 'rows', count: allRows } };
  if (columns === 1 && allColumns > 1 && rows === allRows) return { ...block, copies: { along: 'columns', count: allColumns } };
  return block;
}
