import { readFileSync } from 'node:fs';
import type { CreateBackend } from '../backend/backend.js';
import { type WasmModule, wasmBackend } from '../backend/wasm.js';
import { SystemError } from '../core/errors.js';
import { KERNELS } from './paths.js';
import { withSystemErrors } from './systemErrors.js';

let cached: CreateBackend | undefined;

/**
 * Creates a float32 backend on the SIMD kernels. The kernels are read from the disk and compiled once per process.
 * @throws SystemError if the kernels cannot be read, WebAssembly SIMD is not supported, or the memory cannot be reserved
 */
export const createWasmBackend: CreateBackend = (size) => {
  cached ??= wasmBackend(compileKernels(KERNELS));
  return cached(size);
};

/** The kernels in a file, compiled. */
export function compileKernels(path: string): WasmModule {
  if (typeof WebAssembly === 'undefined') {
    throw new SystemError('the kernels need WebAssembly, which is switched off', { hint: 'start Node.js without --jitless' });
  }
  const bytes = withSystemErrors('read', path, () => readFileSync(path));
  try {
    return new WebAssembly.Module(bytes);
  } catch (error) {
    throw new SystemError('the kernels need WebAssembly SIMD, which this Node.js or processor does not support', { cause: error });
  }
}
