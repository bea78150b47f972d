import { SystemError } from '../core/errors.js';
import type { ArenaSize, Backend, CreateBackend } from './backend.js';

const PAGE = 65_536;
/** Arrays begin on a cache line. */
const ALIGNMENT = 64;

/** The kernels' functions, with pointers in place of arrays. */
interface Kernels {
  arenaStart(): number;
  embeddingForward(...args: number[]): void;
  embeddingBackward(...args: number[]): void;
  embeddingTableForward(...args: number[]): void;
  embeddingTableBackward(...args: number[]): void;
  linearForward(...args: number[]): void;
  linearBackward(...args: number[]): void;
  batchNormTanhForward(...args: number[]): void;
  batchNormTanhBackward(...args: number[]): void;
  batchNormTanhInference(...args: number[]): void;
  columnMoments(...args: number[]): void;
  crossEntropyForward(...args: number[]): void;
  crossEntropyBackward(...args: number[]): void;
  sgdUpdate(...args: number[]): void;
  momentumUpdate(...args: number[]): void;
  nesterovUpdate(...args: number[]): void;
  adamUpdate(...args: number[]): void;
  scale(...args: number[]): void;
  sumOfSquares(...args: number[]): number;
  peakLoop(turns: number): void;
}

/**
 * A compiled WebAssembly module: the instance type of `WebAssembly.Module`. TypeScript's ES2023 library and Node 20's types do not declare that name,
 * so a public signature cannot use it.
 */
export type WasmModule = object;

/**
 * Makes backends that run on the SIMD kernels.
 * @param module dist/kernels.wasm, compiled: Node reads it from the disk, a page fetches it or holds it as text
 */
export function wasmBackend(module: WasmModule): CreateBackend {
  return (size) => createWasmBackend(module, size);
}

/**
 * The kernels on one WebAssembly memory, which is reserved at once, so that no array ever moves. Allocating more than the arena holds throws.
 * @throws SystemError if the memory cannot be reserved
 */
function createWasmBackend(module: WasmModule, { arrays, entries, workspace }: ArenaSize): Backend {
  // A vector may be read from the last entry on: hence the last line of slack.
  const bytes = 4 * (entries + workspace) + ALIGNMENT * (arrays + 2);
  const memory = reserve(Math.ceil(bytes / PAGE) + 1);
  const kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Kernels;
  let next = kernels.arenaStart();

  const allocate = (size: number): number => {
    const start = Math.ceil(next / ALIGNMENT) * ALIGNMENT;
    next = start + 4 * size;
    if (next > memory.buffer.byteLength - ALIGNMENT)
      throw new RangeError(`the arena of ${bytes} bytes has no room for ${size} more entries`);
    return start;
  };
  const space = allocate(workspace);

  return {
    name: 'wasm',
    floats: (size) => new Float32Array(memory.buffer, allocate(size), size),
    ints: (size) => new Int32Array(memory.buffer, allocate(size), size),
    embeddingForward: (emb, C, Xb, rows, E) => kernels.embeddingForward(emb.byteOffset, C.byteOffset, Xb.byteOffset, rows, E),
    embeddingBackward: (dC, demb, Xb, rows, E, V) => kernels.embeddingBackward(dC.byteOffset, demb.byteOffset, Xb.byteOffset, rows, E, V),
    embeddingTableForward: (hprebn, table, C, W1, b1, { characters, counts, slots }, n, T, E, H, D) =>
      kernels.embeddingTableForward(
        hprebn.byteOffset,
        table.byteOffset,
        C.byteOffset,
        W1.byteOffset,
        b1.byteOffset,
        characters.byteOffset,
        counts.byteOffset,
        slots.byteOffset,
        space,
        n,
        T,
        E,
        H,
        D,
      ),
    embeddingTableBackward: (dC, dW1, db1, dtable, dhprebn, C, W1, { characters, counts, slots }, n, T, E, H, V, D) =>
      kernels.embeddingTableBackward(
        dC.byteOffset,
        dW1.byteOffset,
        db1.byteOffset,
        dtable.byteOffset,
        dhprebn.byteOffset,
        C.byteOffset,
        W1.byteOffset,
        characters.byteOffset,
        counts.byteOffset,
        slots.byteOffset,
        space,
        n,
        T,
        E,
        H,
        V,
        D,
      ),
    linearForward: (out, x, W, b, n, I, O) => kernels.linearForward(out.byteOffset, x.byteOffset, W.byteOffset, b.byteOffset, n, I, O),
    linearBackward: (dx, dW, db, dout, x, W, n, I, O) =>
      kernels.linearBackward(dx.byteOffset, dW.byteOffset, db.byteOffset, dout.byteOffset, x.byteOffset, W.byteOffset, space, n, I, O),
    batchNormTanhForward: (h, bnraw, bnvar_inv, hprebn, bngain, bnbias, n, H) =>
      kernels.batchNormTanhForward(
        h.byteOffset,
        bnraw.byteOffset,
        bnvar_inv.byteOffset,
        hprebn.byteOffset,
        bngain.byteOffset,
        bnbias.byteOffset,
        n,
        H,
      ),
    batchNormTanhBackward: (dhprebn, dbngain, dbnbias, dh, h, bnraw, bnvar_inv, bngain, n, H) =>
      kernels.batchNormTanhBackward(
        dhprebn.byteOffset,
        dbngain.byteOffset,
        dbnbias.byteOffset,
        dh.byteOffset,
        h.byteOffset,
        bnraw.byteOffset,
        bnvar_inv.byteOffset,
        bngain.byteOffset,
        n,
        H,
      ),
    batchNormTanhInference: (h, hprebn, bnmean, bnvar, bngain, bnbias, n, H) =>
      kernels.batchNormTanhInference(
        h.byteOffset,
        hprebn.byteOffset,
        bnmean.byteOffset,
        bnvar.byteOffset,
        bngain.byteOffset,
        bnbias.byteOffset,
        n,
        H,
      ),
    columnMoments: (mean, squares, x, n, H) => kernels.columnMoments(mean.byteOffset, squares.byteOffset, x.byteOffset, n, H),
    crossEntropyForward: (losses, probs, logits, Yb, n, V) =>
      kernels.crossEntropyForward(losses.byteOffset, probs.byteOffset, logits.byteOffset, Yb.byteOffset, n, V),
    crossEntropyBackward: (dlogits, probs, Yb, n, V) =>
      kernels.crossEntropyBackward(dlogits.byteOffset, probs.byteOffset, Yb.byteOffset, n, V),
    sgdUpdate: (parameters, gradients, rate, size) => kernels.sgdUpdate(parameters.byteOffset, gradients.byteOffset, rate, size),
    momentumUpdate: (parameters, velocity, gradients, rate, momentum, size) =>
      kernels.momentumUpdate(parameters.byteOffset, velocity.byteOffset, gradients.byteOffset, rate, momentum, size),
    nesterovUpdate: (parameters, velocity, gradients, rate, momentum, size) =>
      kernels.nesterovUpdate(parameters.byteOffset, velocity.byteOffset, gradients.byteOffset, rate, momentum, size),
    adamUpdate: (parameters, m, v, gradients, rate, beta1, beta2, epsilon, size) =>
      kernels.adamUpdate(parameters.byteOffset, m.byteOffset, v.byteOffset, gradients.byteOffset, rate, beta1, beta2, epsilon, size),
    scale: (x, factor, size) => kernels.scale(x.byteOffset, factor, size),
    sumOfSquares: (x, size) => kernels.sumOfSquares(x.byteOffset, size),
    peakLoop: (turns) => kernels.peakLoop(turns),
  };
}

function reserve(pages: number): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages });
  } catch (error) {
    throw new SystemError(`no memory for the network: ${(pages * PAGE) / 2 ** 20} MiB could not be reserved`, { cause: error });
  }
}
