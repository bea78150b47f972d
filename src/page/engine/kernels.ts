/** The kernels of training, from the page itself. */
import kernels from 'bundled:kernels';
import type { CreateBackend } from '../../backend/backend.js';
import { type WasmModule, wasmBackend } from '../../backend/wasm.js';

let module: WasmModule | undefined;

/** Makes backends on the kernels, which are compiled once. */
export function kernelsBackend(): CreateBackend {
  module ??= new WebAssembly.Module(Uint8Array.from(atob(kernels), (character) => character.charCodeAt(0)));
  return wasmBackend(module);
}
