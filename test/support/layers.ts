import type { Backend } from '../../src/backend/backend.js';
import { normal, randomInteger, randomStream } from '../../src/core/random.js';
import { type FloatArray, type Shape, sizeOf } from '../../src/core/tensor.js';
import type { Layer as LayerToCheck, SizeChoices } from '../../src/gradcheck.js';
import { batchNormBackward, batchNormForward } from '../../src/layers/batchNorm.js';
import type { CharacterGroups, TableSizes } from '../../src/layers/embeddingTable.js';
import { setRows } from './backends.js';

/** Sizes by letter: n batch, T context, E embedding, I inputs, O outputs, H hidden, V vocabulary, N entries. */
export type Sizes = Readonly<Record<string, number>>;
/** Arrays by the lesson's names; the gradient of x is dx. */
export type Arrays = Record<string, FloatArray>;

/** A layer for the test suite: the shapes of its arrays, and how to call it. */
export interface Layer {
  name: string;
  /** 1, and sizes around the width of a vector register. */
  sizes: readonly Sizes[];
  /** Sizes at which its gradients are checked, by differences. */
  checked: SizeChoices;
  inputs: (s: Sizes) => Record<string, Shape>;
  /** The input that multiplies: a gain of 1 would hide mistakes. */
  gain?: string;
  /** For a layer that reads by index: the number of indices, and the number of rows they refer to. */
  indices?: (s: Sizes) => { count: number; limit: number };
  output: string;
  /** The arrays that the forward pass writes: the output, and those the backward pass needs. */
  writes: (s: Sizes) => Record<string, Shape>;
  /** The arrays that are matrices of a block; their gradients are, too. */
  matrices?: readonly string[];
  forward: (backend: Backend, a: Arrays, at: Int32Array, s: Sizes) => void;
  /** Reads the gradient of the output, writes the gradients of the inputs. */
  backward: (backend: Backend, a: Arrays, at: Int32Array, s: Sizes) => void;
  /** The upstream gradient, if the caller cannot choose it. */
  upstream?: (s: Sizes) => number;
  /** Says that examples are independent. The indices count as the input "indices". */
  batch?: LayerToCheck['batch'];
}

/** Rows of sizes in the order of the letters. */
const sizes = (letters: string, ...rows: number[][]): Sizes[] =>
  rows.map((row) => Object.fromEntries(row.map((size, i) => [letters[i], size])));

/** 1, the width of a vector register, its multiples, and their neighbours. */
const RAGGED = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33];

interface Table {
  groups: CharacterGroups;
  table: FloatArray;
  sizes: TableSizes;
}
const tables = new WeakMap<Arrays, Table>();

/** The table that a layer's forward pass leaves for its backward pass. */
function tableOf(backend: Backend, a: Arrays, { n, T, E, H, V }: Sizes): Table {
  const D = Math.min(n, V);
  const ints = (size: number) => backend.ints(size);
  const table = tables.get(a) ?? {
    groups: { characters: ints(T * D), counts: ints(T), slots: ints(n * T), slotOf: ints(V) },
    table: backend.matrix(T * D, H).fill(Number.NaN),
    sizes: { T, E, H, V, D },
  };
  tables.set(a, table);
  return table;
}

/** A linear layer below, between and above blocks, and without any. */
const LINEARS: readonly (readonly [name: string, matrices: readonly string[]])[] = [
  ['linear', []],
  ['linear, below a block', ['out']],
  ['linear, between blocks', ['x', 'out']],
  ['linear, above a block', ['x']],
];

export const LAYERS: readonly Layer[] = [
  {
    name: 'embedding',
    checked: { n: [1, 4], T: [3], E: [9], V: [2, 6] },
    batch: { letter: 'n', inputs: ['indices'] },
    sizes: sizes(
      'nTEV',
      ...RAGGED.map((E, i) => [1 + (i % 4), 1 + (i % 3), E, RAGGED[(3 * i) % 13]]),
      [1, 1, 1, 1],
      [2, 3, 5, 8],
      [3, 2, 8, 2],
      [5, 8, 17, 3],
      [17, 1, 3, 27],
      [8, 5, 2, 17],
    ),
    inputs: ({ V, E }) => ({ C: [V, E] }),
    indices: ({ n, T, V }) => ({ count: n * T, limit: V }),
    output: 'emb',
    writes: ({ n, T, E }) => ({ emb: [n, T, E] }),
    forward: (backend, { emb, C }, Xb, { n, T, E }) => backend.embeddingForward(emb, C, Xb, n * T, E),
    backward: (backend, { dC, demb }, Xb, { n, T, E, V }) => backend.embeddingBackward(dC, demb, Xb, n * T, E, V),
  },
  ...LINEARS.map(
    ([name, matrices]): Layer => ({
      name,
      matrices,
      checked: { n: [1, 3], I: [5], O: [4, 9] },
      batch: { letter: 'n', inputs: ['x'] },
      sizes: sizes(
        'nIO',
        ...RAGGED.map((O, i) => [RAGGED[(5 * i) % 13], RAGGED[(7 * i + 4) % 13], O]),
        [1, 1, 1],
        [2, 3, 5],
        [3, 8, 1],
        [5, 17, 2],
        [8, 1, 17],
        [17, 5, 8],
        [1, 2, 3],
        [4, 8, 16],
        [9, 15, 27],
        [3, 300, 5],
        [4, 49, 260],
      ),
      inputs: ({ n, I, O }) => ({ x: [n, I], W: [I, O], b: [O] }),
      output: 'out',
      writes: ({ n, O }) => ({ out: [n, O] }),
      forward: (backend, { out, x, W, b }, _, { n, I, O }) => {
        // A large product is cut into groups of rows.
        const half = n >> 1;
        backend.linearForward(out, x, W, b, n, I, O, half, n);
        backend.linearForward(out, x, W, b, n, I, O, 0, half);
      },
      backward: (backend, { dx, dW, db, dout, x, W }, _, { n, I, O }) => backend.linearBackward(dx, dW, db, dout, x, W, n, I, O),
    }),
  ),
  {
    name: 'batchNorm',
    checked: { n: [2, 3], H: [4, 9] },
    sizes: sizes('nH', [2, 1], [2, 3], [3, 2], [3, 17], [5, 8], [8, 5], [17, 3], [32, 16]),
    inputs: ({ n, H }) => ({ hprebn: [n, H], bngain: [H], bnbias: [H] }),
    gain: 'bngain',
    output: 'hpreact',
    writes: ({ n, H }) => ({ hpreact: [n, H], bnraw: [n, H], bnvar_inv: [H] }),
    forward: (_backend, { hpreact, bnraw, bnvar_inv, hprebn, bngain, bnbias }, _, { n, H }) =>
      batchNormForward(hpreact, bnraw, bnvar_inv, hprebn, bngain, bnbias, n, H),
    backward: (_backend, { dhprebn, dbngain, dbnbias, dhpreact, bnraw, bnvar_inv, bngain }, _, { n, H }) =>
      batchNormBackward(dhprebn, dbngain, dbnbias, dhpreact, bnraw, bnvar_inv, bngain, n, H),
  },
  {
    name: 'tanh',
    checked: { N: [1, 3, 9] },
    batch: { letter: 'N', inputs: ['hpreact'] },
    sizes: sizes('N', ...RAGGED.map((N) => [N]), [64]),
    inputs: ({ N }) => ({ hpreact: [N] }),
    output: 'h',
    writes: ({ N }) => ({ h: [N] }),
    forward: (backend, { h, hpreact }, _, { N }) => backend.tanhForward(h, hpreact, N),
    backward: (backend, { dhpreact, dh, h }, _, { N }) => backend.tanhBackward(dhpreact, dh, h, N),
  },
  {
    name: 'batchNormTanh',
    checked: { n: [2, 3], H: [4, 9] },
    sizes: sizes('nH', ...RAGGED.map((H, i) => [3 + ((5 * i) % 33), H]), [3, 17], [32, 200]),
    inputs: ({ n, H }) => ({ hprebn: [n, H], bngain: [H], bnbias: [H] }),
    gain: 'bngain',
    output: 'h',
    writes: ({ n, H }) => ({ h: [n, H], bnraw: [n, H], bnvar_inv: [H] }),
    matrices: ['hprebn', 'h', 'bnraw'],
    forward: (backend, { h, bnraw, bnvar_inv, hprebn, bngain, bnbias }, _, { n, H }) =>
      backend.batchNormTanhForward(h, bnraw, bnvar_inv, hprebn, bngain, bnbias, n, H),
    backward: (backend, { dhprebn, dbngain, dbnbias, dh, h, bnraw, bnvar_inv, bngain }, _, { n, H }) =>
      backend.batchNormTanhBackward(dhprebn, dbngain, dbnbias, dh, h, bnraw, bnvar_inv, bngain, n, H),
  },
  {
    name: 'embeddingTable',
    checked: { n: [1, 7], T: [3], E: [2], H: [4, 9], V: [6] },
    batch: { letter: 'n', inputs: ['indices'] },
    sizes: sizes(
      'nTEHV',
      ...RAGGED.map((H, i) => [RAGGED[(5 * i) % 13], 1 + (i % 5), RAGGED[(7 * i + 4) % 13], H, RAGGED[(3 * i + 2) % 13]]),
      [32, 3, 10, 64, 27],
    ),
    inputs: ({ T, E, H, V }) => ({ C: [V, E], W1: [T, E, H], b1: [H] }),
    indices: ({ n, T, V }) => ({ count: n * T, limit: V }),
    output: 'hprebn',
    writes: ({ n, H }) => ({ hprebn: [n, H] }),
    matrices: ['hprebn'],
    forward: (backend, a, Xb, s) => {
      const { groups, table, sizes } = tableOf(backend, a, s);
      backend.groupCharacters(groups, Xb, s.n, sizes.T, sizes.D);
      backend.embeddingTableForward(a.hprebn, table, a.C, a.W1, a.b1, groups, s.n, sizes);
    },
    backward: (backend, a, _, s) => {
      const { groups, table, sizes } = tableOf(backend, a, s);
      backend.embeddingTableBackward(a.dC, a.dW1, a.db1, table, a.dhprebn, a.C, a.W1, groups, s.n, sizes);
    },
  },
  {
    name: 'crossEntropy',
    checked: { n: [1, 3], V: [4, 9] },
    sizes: sizes(
      'nV',
      ...RAGGED.map((V, i) => [RAGGED[(5 * i) % 13], V]),
      [1, 1],
      [1, 2],
      [2, 3],
      [3, 5],
      [5, 8],
      [8, 17],
      [17, 1],
      [2, 27],
      [32, 27],
    ),
    inputs: ({ n, V }) => ({ logits: [n, V] }),
    indices: ({ n, V }) => ({ count: n, limit: V }),
    output: 'losses',
    writes: ({ n, V }) => ({ losses: [n], probs: [n, V] }),
    forward: (backend, { losses, probs, logits }, Yb, { n, V }) => backend.crossEntropyForward(losses, probs, logits, Yb, n, V),
    backward: (backend, { dlogits, probs }, Yb, { n, V }) => backend.crossEntropyBackward(dlogits, probs, Yb, n, V),
    // Its backward pass starts at the mean loss.
    upstream: ({ n }) => 1 / n,
  },
];

export const showSizes = (s: Sizes): string =>
  Object.entries(s)
    .map(([letter, size]) => `${letter} ${size}`)
    .join(', ');

const GUARDS = 8;
const GUARD = 7777;

/** One layer at one size on one backend, with random inputs. */
export class LayerRun {
  readonly indices: Int32Array;
  readonly #layer: Layer;
  readonly #backend: Backend;
  readonly #sizes: Sizes;
  readonly #shapes: Record<string, Shape> = {};
  /** The arrays passed to the layer: those that are no matrices are longer than necessary. */
  readonly #passed: Arrays = {};
  /** What follows each array. */
  readonly #guards: FloatArray[] = [];

  /** @param stale initial value of the outputs. In both precisions, the random inputs are float32 numbers. */
  constructor(layer: Layer, backend: Backend, s: Sizes, stale = Number.NaN) {
    this.#layer = layer;
    this.#backend = backend;
    this.#sizes = s;
    const random = randomStream('grad-check', `${layer.name} ${showSizes(s)}`);
    const { count, limit } = layer.indices?.(s) ?? { count: 0, limit: 1 };
    const drawn = (shape: Shape) => Array.from({ length: sizeOf(shape) }, () => Math.fround(normal(random)));
    const staleOf = (shape: Shape) => new Array<number>(sizeOf(shape)).fill(stale);
    for (const [name, shape] of Object.entries(layer.inputs(s))) {
      this.#allocate(name, shape, drawn(shape));
      this.#allocate(`d${name}`, shape, staleOf(shape));
    }
    for (const [name, shape] of Object.entries(layer.writes(s))) this.#allocate(name, shape, staleOf(shape));
    const shape = layer.writes(s)[layer.output];
    const fixed = layer.upstream?.(s);
    this.#allocate(`d${layer.output}`, shape, fixed === undefined ? drawn(shape) : new Array<number>(sizeOf(shape)).fill(fixed));
    this.indices = backend.ints(count);
    for (let i = 0; i < count; i++) this.indices[i] = randomInteger(random, limit);
  }

  #allocate(name: string, shape: Shape, values: readonly number[]): void {
    this.#shapes[name] = shape;
    if (this.#isMatrix(name)) {
      this.#passed[name] = this.#backend.matrix(shape[0], shape[1]).fill(Number.NaN);
      // In an arena, it lies after the matrix.
      this.#guards.push(this.#backend.floats(GUARDS).fill(GUARD));
    } else {
      this.#passed[name] = this.#backend.floats(values.length + GUARDS).fill(GUARD);
      this.#guards.push(this.#passed[name].subarray(values.length));
    }
    this.set(name, values);
  }

  #isMatrix(name: string): boolean {
    return this.#layer.matrices?.includes(name.replace(/^d/, '')) ?? false;
  }

  /** The entries of an array, in rows. */
  get(name: string): FloatArray {
    const [rows, columns] = this.#shapes[name];
    const array = this.#passed[name];
    return this.#isMatrix(name) ? this.#backend.rowsOf(array, rows, columns) : array.subarray(0, sizeOf(this.#shapes[name]));
  }

  set(name: string, values: ArrayLike<number>): void {
    const [rows, columns] = this.#shapes[name];
    if (this.#isMatrix(name)) setRows(this.#backend, this.#passed[name], rows, columns, values);
    else this.#passed[name].set(values);
  }

  forward(): this {
    this.#layer.forward(this.#backend, this.#passed, this.indices, this.#sizes);
    return this;
  }

  backward(): this {
    this.#layer.backward(this.#backend, this.#passed, this.indices, this.#sizes);
    return this;
  }

  /** The names of the arrays that the layer only reads. */
  get inputNames(): string[] {
    return Object.keys(this.#layer.inputs(this.#sizes));
  }

  /** The names of the arrays that the layer writes: those of the forward pass, and a gradient for every input. */
  get outputNames(): string[] {
    return [...Object.keys(this.#layer.writes(this.#sizes)), ...this.inputNames.map((name) => `d${name}`)];
  }

  /** The name of the output's gradient. */
  get upstream(): string {
    return `d${this.#layer.output}`;
  }

  get output(): string {
    return this.#layer.output;
  }

  /** Whether nothing was written past the end of an array. */
  get guardsIntact(): boolean {
    return this.#guards.every((guard) => guard.every((x) => x === GUARD));
  }
}
