import { readFileSync } from 'node:fs';
import type { CreateBackend } from '../backend/backend.js';
import { type WasmModule, wasmBackend } from '../backend/wasm.js';
import { SystemError } from '../core/errors.js';
import { KERNELS } from './paths.js';
import { withSystemErrors } from './systemErrors.js';

let cached: CreateBackend | undefined;

/**
 * A backend on the SIMD kernels, which are read from the disk and compiled once.
 * @throws SystemError if the kernels cannot be read, this Node has no WebAssembly SIMD, or the memory cannot be reserved
 */
export const createWasmBackend: CreateBackend = (size) => {
  cached ??= wasmBackend(compileKernels());
  return cached(size);
};

function compileKernels(): WasmModule {
  const bytes = withSystemErrors('read', KERNELS, () => readFileSync(KERNELS));
  try {
    return new WebAssembly.Module(bytes);
  } catch (error) {
    throw new SystemError('the kernels need WebAssembly with SIMD, which this Node or processor does not have', { cause: error });
  }
}
