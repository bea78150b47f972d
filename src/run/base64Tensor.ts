/** Tensors in a page's JSON: little-endian float32 in base64. */
import { fromBase64, toBase64 } from '../core/base64.js';
import { allFinite } from '../core/numbers.js';
import { type FloatArray, type Shape, showShape, sizeOf, Tensor } from '../core/tensor.js';
import { loadFloats, storeFloats } from './safetensors.js';

export function toBase64Tensor(data: FloatArray): string {
  return toBase64(storeFloats(data, []).bytes);
}

/** @returns the tensor, or what is wrong with it */
export function fromBase64Tensor(name: string, base64: string, shape: Shape): Tensor | string {
  const bytes = fromBase64(base64);
  if (bytes === undefined) return `${name} is not base64`;
  if (bytes.length !== 4 * sizeOf(shape)) {
    return `${name} has ${bytes.length} bytes, expected ${4 * sizeOf(shape)} for float32 ${showShape(shape)}`;
  }
  const data = loadFloats(name, { dtype: 'F32', shape, bytes });
  return allFinite(data) ? new Tensor(data, shape) : `${name} holds NaN or Inf`;
}
