/** The kernels of training, from the page itself. */
import kernels from 'bundled:kernels';
import type { CreateBackend } from '../../backend/backend.js';
import { type WasmModule, wasmBackend } from '../../backend/wasm.js';
import { fromBase64 } from '../../core/base64.js';

let module: WasmModule | undefined;

/** Makes backends on the kernels, which are compiled once. */
export function kernelsBackend(): CreateBackend {
  module ??= new WebAssembly.Module(fromBase64(kernels) as Uint8Array<ArrayBuffer>);
  return wasmBackend(module);
}
