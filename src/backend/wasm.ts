import { SystemError } from '../core/errors.js';
import type { FloatArray } from '../core/tensor.js';
import { type ArenaSize, type Backend, type CreateBackend, PANEL, paddedSize, type Threads } from './backend.js';
import { instantiateShared } from './controlBlock.js';
import type { SharedKernels, Team } from './threads.js';

const PAGE_BYTES = 65_536;
/** A memory is addressed by 32 bits. */
const MOST_PAGES = 65_536;
/** Arrays start on a cache line. */
const ALIGNMENT = 64;

declare const brand: unique symbol;
/** A byte offset in the memory of the kernels. */
type Pointer = number & { readonly [brand]: 'pointer' };

/** The functions of the kernels: those of layers/, with a pointer for each array and for the workspace. */
interface Kernels {
  arenaStart(threads: number): Pointer;
  nextTurn(): number;
  embeddingForward(emb: Pointer, C: Pointer, Xb: Pointer, rows: number, E: number): void;
  embeddingBackward(dC: Pointer, demb: Pointer, Xb: Pointer, rows: number, E: number, V: number): void;
  groupCharacters(
    characters: Pointer,
    counts: Pointer,
    slots: Pointer,
    slotOf: Pointer,
    Xb: Pointer,
    n: number,
    T: number,
    D: number,
    V: number,
  ): void;
  embeddingTableForward(
    hprebn: Pointer,
    table: Pointer,
    C: Pointer,
    W1: Pointer,
    b1: Pointer,
    characters: Pointer,
    counts: Pointer,
    slots: Pointer,
    workspace: Pointer,
    n: number,
    T: number,
    E: number,
    H: number,
    D: number,
  ): void;
  embeddingTableBackward(
    dC: Pointer,
    dW1: Pointer,
    db1: Pointer,
    dtable: Pointer,
    dhprebn: Pointer,
    C: Pointer,
    W1: Pointer,
    characters: Pointer,
    counts: Pointer,
    slots: Pointer,
    workspace: Pointer,
    n: number,
    T: number,
    E: number,
    H: number,
    V: number,
    D: number,
    turn: number,
  ): void;
  linearForward(
    out: Pointer,
    x: Pointer,
    W: Pointer,
    b: Pointer,
    n: number,
    I: number,
    O: number,
    from: number,
    to: number,
    outInPanels: boolean,
    xInPanels: boolean,
    turn: number,
  ): void;
  linearBackward(
    dx: Pointer,
    dW: Pointer,
    db: Pointer,
    dout: Pointer,
    x: Pointer,
    W: Pointer,
    workspace: Pointer,
    n: number,
    I: number,
    O: number,
    doutInPanels: boolean,
    xInPanels: boolean,
  ): void;
  batchNormTanhForward(
    h: Pointer,
    bnraw: Pointer,
    bnvar_inv: Pointer,
    hprebn: Pointer,
    bngain: Pointer,
    bnbias: Pointer,
    n: number,
    H: number,
  ): void;
  batchNormTanhBackward(
    dhprebn: Pointer,
    dbngain: Pointer,
    dbnbias: Pointer,
    dh: Pointer,
    h: Pointer,
    bnraw: Pointer,
    bnvar_inv: Pointer,
    bngain: Pointer,
    n: number,
    H: number,
  ): void;
  batchNormTanhInference(
    h: Pointer,
    hprebn: Pointer,
    bnmean: Pointer,
    bnvar: Pointer,
    bngain: Pointer,
    bnbias: Pointer,
    n: number,
    H: number,
  ): void;
  tanhForward(h: Pointer, hpreact: Pointer, size: number): void;
  tanhBackward(dhpreact: Pointer, dh: Pointer, h: Pointer, size: number): void;
  columnMoments(mean: Pointer, squares: Pointer, x: Pointer, n: number, H: number): void;
  crossEntropyForward(losses: Pointer, probs: Pointer, logits: Pointer, Yb: Pointer, n: number, V: number): void;
  crossEntropyBackward(dlogits: Pointer, probs: Pointer, Yb: Pointer, n: number, V: number): void;
  sgdUpdate(parameters: Pointer, gradients: Pointer, rate: number, size: number): void;
  momentumUpdate(
    parameters: Pointer,
    velocity: Pointer,
    gradients: Pointer,
    rate: number,
    momentum: number,
    nesterov: boolean,
    size: number,
  ): void;
  adamUpdate(
    parameters: Pointer,
    m: Pointer,
    v: Pointer,
    gradients: Pointer,
    rate: number,
    beta1: number,
    beta2: number,
    epsilon: number,
    size: number,
  ): void;
  scale(x: Pointer, factor: number, size: number): void;
  sumOfSquares(x: Pointer, size: number): number;
  /** @returns 1 or 0 */
  areFinite(x: Pointer, n: number, N: number, inPanels: boolean): number;
  peakLoop(turns: number): void;
}

/**
 * A compiled WebAssembly module: the instance type of `WebAssembly.Module`. TypeScript's ES2023 library and Node 20's types do not declare
 * that name, so a public signature cannot use it.
 */
export type WasmModule = object;

/**
 * Makes backends that run on the SIMD kernels, in float32.
 * @param module dist/kernels.wasm, compiled: Node reads it from disk, a page fetches it or embeds it
 */
export function wasmBackend(module: WasmModule): CreateBackend {
  return (size) => createWasmBackend(module, size);
}

/** Makes backends on the same kernels, computed by several threads. The results are the same bytes. */
export function sharedWasmBackend(team: Team): CreateBackend {
  return (size) => createWasmBackend(team.module, size, team);
}

/** The kernels that are split into parts: each thread computes its own. */
const SPLIT: ReadonlySet<string> = new Set<keyof Kernels>([
  'embeddingForward',
  'embeddingBackward',
  'embeddingTableForward',
  'embeddingTableBackward',
  'linearForward',
  'linearBackward',
  'batchNormTanhForward',
  'batchNormTanhBackward',
  'batchNormTanhInference',
  'tanhForward',
  'tanhBackward',
  'columnMoments',
  'crossEntropyForward',
  'crossEntropyBackward',
  'sgdUpdate',
  'momentumUpdate',
  'adamUpdate',
  'scale',
  'areFinite',
]);

/** The kernels on one WebAssembly memory, reserved in full at the start, so that no array ever moves. */
function createWasmBackend(
  module: WasmModule,
  { arrays, entries, workspace: alone, workspacePerThread = alone }: ArenaSize,
  team?: Team,
): Backend {
  // One spare cache line at the end: kernels may load a whole vector starting at the last entry.
  const bytesAlone = 4 * (entries + alone) + ALIGNMENT * (arrays + 4);
  const room = (MOST_PAGES - 1) * PAGE_BYTES - bytesAlone;
  const perHelper = 4 * workspacePerThread + ALIGNMENT;
  // Whether a network fits does not depend on the cores: a large one has fewer helpers.
  const helpers = Math.max(0, Math.min(team?.most ?? 0, Math.floor(room / perHelper)));
  const workspace = alone + workspacePerThread * helpers;
  const bytes = bytesAlone + perHelper * helpers;
  const memory = reserve(Math.ceil(bytes / PAGE_BYTES) + 1, team !== undefined);
  const instance = (team
    ? instantiateShared(module, memory)
    : new WebAssembly.Instance(module, { env: { memory } }).exports) as unknown as Kernels;
  const shared = team?.share(instance, memory, SPLIT, helpers);
  const kernels = shared?.kernels ?? instance;
  let next: number = kernels.arenaStart(helpers + 1);

  const allocate = (size: number): Pointer => {
    const start = Math.ceil(next / ALIGNMENT) * ALIGNMENT;
    next = start + 4 * size;
    if (next > memory.buffer.byteLength - ALIGNMENT) {
      throw new RangeError(`the arena of ${bytes} bytes has no room for ${size} more entries`);
    }
    return start as Pointer;
  };
  const scratch = allocate(workspace);
  const floats = (size: number) => new Float32Array(memory.buffer, allocate(size), size);
  const matrices = new Set<Pointer>();
  const isInPanels: IsInPanels = (array) => array.inPanels ?? keep(array, 'inPanels', matrices.has(at(array)));

  return {
    name: 'wasm',
    floats,
    ints: (size) => new Int32Array(memory.buffer, allocate(size), size),
    matrix: (rows, columns) => {
      const matrix = floats(paddedSize(rows, columns));
      matrices.add(at(matrix));
      return matrix;
    },
    matrixSize: paddedSize,
    rowsOf: (matrix, rows, columns) => (isInPanels(matrix) ? fromPanels(matrix, rows, columns) : matrix.subarray(0, rows * columns)),
    ...embeddings(kernels, scratch),
    ...blockLayers(kernels, scratch, isInPanels),
    ...crossEntropy(kernels),
    ...updates(kernels),
    areFinite: (x, n, N) => kernels.areFinite(at(x), n, N, isInPanels(x)) === 1,
    peakLoop: (turns) => kernels.peakLoop(turns),
    ...(shared && { inTurn: shared.inTurn, threads: threadsOf(shared, helpers + 1) }),
  };
}

function threadsOf({ working, use }: SharedKernels<Kernels>, most: number): Threads {
  return {
    most,
    get working() {
      return working();
    },
    use: (count) => {
      if (!Number.isInteger(count) || count < 1 || count > most) {
        throw new RangeError(`threads: expected a whole number from 1 to ${most}, found ${count}`);
      }
      use(count - 1);
    },
  };
}

function reserve(pages: number, shared: boolean): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
  } catch (error) {
    throw new SystemError(`no memory for the network: ${(pages * PAGE_BYTES) / 2 ** 20} MiB could not be reserved`, {
      cause: error,
      // V8 surrounds each memory with guard pages, whatever its size.
      hint: "end other programs, or, if the address space is limited ('ulimit -v'), allow 16 GiB more",
    });
  }
}

/**
 * What is kept with an array once it was found: Node 20 takes 7 ns to read byteOffset, and a step at H 64, of 22 us, needs 60 of them. Names, not
 * symbols, which take V8 longer.
 */
interface Kept {
  address?: Pointer;
  inPanels?: boolean;
}

/** Not enumerable: arrays with the same numbers are still equal. */
function keep<T>(array: FloatArray | Int32Array, key: keyof Kept, value: T): T {
  Object.defineProperty(array, key, { value });
  return value;
}

/** The address of an array in the kernels' memory. */
function at(array: (FloatArray | Int32Array) & Kept): Pointer {
  return array.address ?? keep(array, 'address', array.byteOffset as Pointer);
}

type IsInPanels = (array: FloatArray & Kept) => boolean;

/** The rows of a matrix in panels: see kernels/panels.ts. */
function fromPanels(matrix: FloatArray, n: number, H: number): FloatArray {
  const rows = new Float32Array(n * H);
  for (let j = 0; j < H; j += PANEL) {
    const width = Math.min(PANEL, H - j);
    for (let i = 0, from = (n | 1) * j; i < n; i++, from += PANEL) {
      for (let k = 0, to = i * H + j; k < width; k++) rows[to + k] = matrix[from + k];
    }
  }
  return rows;
}

type Layers<Name extends keyof Backend> = Pick<Backend, Name>;

function embeddings(
  kernels: Kernels,
  scratch: Pointer,
): Layers<'embeddingForward' | 'embeddingBackward' | 'groupCharacters' | 'embeddingTableForward' | 'embeddingTableBackward'> {
  return {
    embeddingForward: (emb, C, Xb, rows, E) => kernels.embeddingForward(at(emb), at(C), at(Xb), rows, E),
    embeddingBackward: (dC, demb, Xb, rows, E, V) => kernels.embeddingBackward(at(dC), at(demb), at(Xb), rows, E, V),
    groupCharacters: ({ characters, counts, slots, slotOf }, Xb, n, T, D) =>
      kernels.groupCharacters(at(characters), at(counts), at(slots), at(slotOf), at(Xb), n, T, D, slotOf.length),
    embeddingTableForward: (hprebn, table, C, W1, b1, { characters, counts, slots }, n, { T, E, H, D }) =>
      kernels.embeddingTableForward(
        at(hprebn),
        at(table),
        at(C),
        at(W1),
        at(b1),
        at(characters),
        at(counts),
        at(slots),
        scratch,
        n,
        T,
        E,
        H,
        D,
      ),
    embeddingTableBackward: (dC, dW1, db1, dtable, dhprebn, C, W1, { characters, counts, slots }, n, { T, E, H, V, D }) =>
      kernels.embeddingTableBackward(
        at(dC),
        at(dW1),
        at(db1),
        at(dtable),
        at(dhprebn),
        at(C),
        at(W1),
        at(characters),
        at(counts),
        at(slots),
        scratch,
        n,
        T,
        E,
        H,
        V,
        D,
        kernels.nextTurn(),
      ),
  };
}

function blockLayers(
  kernels: Kernels,
  scratch: Pointer,
  isInPanels: IsInPanels,
): Layers<
  | 'linearForward'
  | 'linearBackward'
  | 'batchNormTanhForward'
  | 'batchNormTanhBackward'
  | 'batchNormTanhInference'
  | 'tanhForward'
  | 'tanhBackward'
  | 'columnMoments'
> {
  return {
    linearForward: (out, x, W, b, n, I, O, from = 0, to = n) =>
      kernels.linearForward(at(out), at(x), at(W), at(b), n, I, O, from, to, isInPanels(out), isInPanels(x), kernels.nextTurn()),
    linearBackward: (dx, dW, db, dout, x, W, n, I, O) =>
      kernels.linearBackward(at(dx), at(dW), at(db), at(dout), at(x), at(W), scratch, n, I, O, isInPanels(dout), isInPanels(x)),
    batchNormTanhForward: (h, bnraw, bnvar_inv, hprebn, bngain, bnbias, n, H) =>
      kernels.batchNormTanhForward(at(h), at(bnraw), at(bnvar_inv), at(hprebn), at(bngain), at(bnbias), n, H),
    batchNormTanhBackward: (dhprebn, dbngain, dbnbias, dh, h, bnraw, bnvar_inv, bngain, n, H) =>
      kernels.batchNormTanhBackward(at(dhprebn), at(dbngain), at(dbnbias), at(dh), at(h), at(bnraw), at(bnvar_inv), at(bngain), n, H),
    batchNormTanhInference: (h, hprebn, bnmean, bnvar, bngain, bnbias, n, H) =>
      kernels.batchNormTanhInference(at(h), at(hprebn), at(bnmean), at(bnvar), at(bngain), at(bnbias), n, H),
    tanhForward: (h, hpreact, size) => kernels.tanhForward(at(h), at(hpreact), size),
    tanhBackward: (dhpreact, dh, h, size) => kernels.tanhBackward(at(dhpreact), at(dh), at(h), size),
    columnMoments: (mean, squares, x, n, H) => kernels.columnMoments(at(mean), at(squares), at(x), n, H),
  };
}

function crossEntropy(kernels: Kernels): Layers<'crossEntropyForward' | 'crossEntropyBackward'> {
  return {
    crossEntropyForward: (losses, probs, logits, Yb, n, V) => kernels.crossEntropyForward(at(losses), at(probs), at(logits), at(Yb), n, V),
    crossEntropyBackward: (dlogits, probs, Yb, n, V) => kernels.crossEntropyBackward(at(dlogits), at(probs), at(Yb), n, V),
  };
}

function updates(kernels: Kernels): Layers<'sgdUpdate' | 'momentumUpdate' | 'adamUpdate' | 'scale' | 'sumOfSquares'> {
  return {
    sgdUpdate: (parameters, gradients, rate, size) => kernels.sgdUpdate(at(parameters), at(gradients), rate, size),
    momentumUpdate: (parameters, velocity, gradients, rate, momentum, nesterov, size) =>
      kernels.momentumUpdate(at(parameters), at(velocity), at(gradients), rate, momentum, nesterov, size),
    adamUpdate: (parameters, m, v, gradients, rate, beta1, beta2, epsilon, size) =>
      kernels.adamUpdate(at(parameters), at(m), at(v), at(gradients), rate, beta1, beta2, epsilon, size),
    scale: (x, factor, size) => kernels.scale(at(x), factor, size),
    sumOfSquares: (x, size) => kernels.sumOfSquares(at(x), size),
  };
}
