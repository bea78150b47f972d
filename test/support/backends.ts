import type { ArenaSize, Backend } from '../../src/backend/backend.js';
import { createReferenceBackend } from '../../src/backend/reference.js';
import type { DType, FloatArray } from '../../src/core/tensor.js';
import { createWasmBackend } from '../../src/node/kernels.js';

/** A backend for the suites of layers, optimizer and network, which run on all backends. */
export interface BackendUnderTest {
  name: string;
  dtype: DType;
  /** Creates it with an arena of the given size; the default is large enough for these suites. */
  create: (size?: ArenaSize) => Backend;
}

export const BACKENDS: readonly BackendUnderTest[] = [
  { name: 'reference float32', dtype: 'float32', create: () => createReferenceBackend('float32') },
  { name: 'reference float64', dtype: 'float64', create: () => createReferenceBackend('float64') },
  { name: 'wasm', dtype: 'float32', create: (size = { arrays: 10_000, entries: 500_000, workspace: 100_000 }) => createWasmBackend(size) },
];
/** The plain loops of layers/, for layers that the kernels have only as part of another. */
export const REFERENCE_BACKENDS = BACKENDS.filter(({ name }) => name.startsWith('reference'));
export const FLOAT32_BACKENDS = BACKENDS.filter(({ dtype }) => dtype === 'float32');
export const FLOAT64_BACKENDS = BACKENDS.filter(({ dtype }) => dtype === 'float64');

/** A float array of the backend with these values. */
export function floatsOf(backend: Backend, values: ArrayLike<number>): FloatArray {
  const out = backend.floats(values.length);
  out.set(values);
  return out;
}

/** Stores rows of numbers, one after the other, in a matrix of the backend. */
export function setRows(backend: Backend, matrix: FloatArray, rows: number, columns: number, values: ArrayLike<number>): void {
  const stored = matrix.slice();
  matrix.forEach((_, at) => {
    matrix[at] = at;
  });
  const places = backend.rowsOf(matrix, rows, columns).slice();
  matrix.set(stored);
  places.forEach((at, i) => {
    matrix[at] = values[i];
  });
}

/** A matrix of the backend with these rows, and NaN in what else it stores. */
export function matrixOf(backend: Backend, rows: number, columns: number, values: ArrayLike<number>): FloatArray {
  const matrix = backend.matrix(rows, columns).fill(Number.NaN);
  setRows(backend, matrix, rows, columns, values);
  return matrix;
}

/** An index array of the backend with these values. */
export function intsOf(backend: Backend, values: ArrayLike<number>): Int32Array {
  const out = backend.ints(values.length);
  out.set(values);
  return out;
}
