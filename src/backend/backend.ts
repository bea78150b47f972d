import type { FloatArray } from '../core/tensor.js';
import type * as batchNorm from '../layers/batchNorm.js';
import type * as batchNormTanh from '../layers/batchNormTanh.js';
import type * as crossEntropy from '../layers/crossEntropy.js';
import type * as embedding from '../layers/embedding.js';
import type * as embeddingTable from '../layers/embeddingTable.js';
import type * as finite from '../layers/finite.js';
import type * as linear from '../layers/linear.js';
import type * as optimizer from '../layers/optimizer.js';
import type * as tanh from '../layers/tanh.js';
import type { Pace } from './pace.js';

/** The memory that a model needs: see arenaSize in network/arrays.ts. */
export interface ArenaSize {
  /** The number of arrays. */
  arrays: number;
  /** Floats and indices in all arrays together, 4 bytes each. A matrix counts with its padding: rows to an odd number, columns to a multiple of 16. */
  entries: number;
  /** Floats of scratch memory for the layers. */
  workspace: number;
  /** Floats of it that each further thread adds. Default: as many as {@link workspace}. */
  workspacePerThread?: number;
}

/** A linear layer with fewer columns than this, whose output is in rows, is computed in turn by any number of threads: see kernels/linear.ts. */
export const SUMMED_IN_TURN = 64;

/** The columns of a panel: see kernels/panels.ts. */
export const PANEL = 16;

/** The entries of a matrix in panels, with padding: the most that a matrix may have. */
export function paddedSize(rows: number, columns: number): number {
  return (rows | 1) * PANEL * Math.ceil(columns / PANEL);
}

/**
 * Creates a backend with an arena of that size.
 * @throws SystemError if the memory cannot be reserved
 */
export type CreateBackend = (size: ArenaSize) => Backend;

/** How many threads compute the layers. */
export interface Threads {
  /** The most there can be, the caller's with them: fewer than the backends were made for, if the memory has no workspace for more. */
  readonly most: number;
  /** How many computed the last layer: fewer than wanted until threads have started, or when they are missing. */
  readonly working: number;
  /**
   * Sets how many compute the next layers of this network, 1 to {@link most}; the others sleep.
   * @throws RangeError if it is another number
   */
  use(count: number): void;
}

/**
 * The engine that a model runs on: memory, and the layers that compute in it.
 *
 * Each layer function has the contract of the function of the same name in layers/: outputs first, then inputs, then sizes; dense
 * row-major arrays; outputs are overwritten. A backend may round differently and sum in another order; nothing else may differ. All arrays
 * passed to a layer must come from this backend's {@link floats} and {@link ints}, and from {@link matrix} the matrices of a block: hprebn,
 * bnraw, h, their gradients, and the table. How these are stored is the backend's own; dx of a layer is stored like x.
 */
export interface Backend {
  /** The name in reports: wasm, or reference float32. */
  readonly name: string;
  /**
   * A new array of zeros, in the precision of the backend.
   * @throws RangeError if the arena is full
   */
  floats(size: number): FloatArray;
  /**
   * A new array of zero indices.
   * @throws RangeError if the arena is full
   */
  ints(size: number): Int32Array;
  /**
   * A new matrix of zeros, in the precision of the backend. A layer may compute fewer rows, n: then the matrix has n rows, and
   * {@link rowsOf} must be given their number.
   * @throws RangeError if the arena is full
   */
  matrix(rows: number, columns: number): FloatArray;
  /** The entries that a matrix has in the array, from its start, with padding: at most those of an odd number of rows, and of columns in multiples of 16. */
  matrixSize(rows: number, columns: number): number;
  /**
   * The rows of a matrix, dense and row-major: the matrix itself if it is stored so, otherwise a copy.
   * @param rows as many as the layer that wrote it has computed
   */
  rowsOf(matrix: FloatArray, rows: number, columns: number): FloatArray;

  embeddingForward: typeof embedding.embeddingForward;
  embeddingBackward: typeof embedding.embeddingBackward;
  groupCharacters: typeof embeddingTable.groupCharacters;
  embeddingTableForward: typeof embeddingTable.embeddingTableForward;
  embeddingTableBackward: typeof embeddingTable.embeddingTableBackward;
  linearForward: typeof linear.linearForward;
  linearBackward: typeof linear.linearBackward;
  batchNormTanhForward: typeof batchNormTanh.batchNormTanhForward;
  batchNormTanhBackward: typeof batchNormTanh.batchNormTanhBackward;
  batchNormTanhInference: typeof batchNormTanh.batchNormTanhInference;
  tanhForward: typeof tanh.tanhForward;
  tanhBackward: typeof tanh.tanhBackward;
  columnMoments: typeof batchNorm.columnMoments;
  crossEntropyForward: typeof crossEntropy.crossEntropyForward;
  crossEntropyBackward: typeof crossEntropy.crossEntropyBackward;
  sgdUpdate: typeof optimizer.sgdUpdate;
  momentumUpdate: typeof optimizer.momentumUpdate;
  adamUpdate: typeof optimizer.adamUpdate;
  scale: typeof optimizer.scale;
  sumOfSquares: typeof optimizer.sumOfSquares;
  areFinite: typeof finite.areFinite;

  /**
   * Makes two layer calls, of which the second reads nothing but what each thread has written itself in the first, or has waited for within it, and
   * what was there before: then no thread waits for another in between. Such are a linear layer and the batch norm of its output, the gradients of
   * both, and logits with their cross-entropy, if there are fewer than 64 characters. Absent without threads.
   */
  inTurn?(first: () => void, second: () => void): void;

  /** A pace for a kind of work that is done many times: see pace.ts. Absent if the number of threads is fixed. */
  newPace?(): Pace;

  /** Keeps the SIMD multipliers and adders busy, to measure the peak that kernels are compared with. 96 floating-point operations per turn. */
  peakLoop?(turns: number): void;

  /** The threads of a backend that has several. The results do not depend on their number. */
  readonly threads?: Threads;
}
