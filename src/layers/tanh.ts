import type { FloatArray } from '../core/tensor.js';

// h, hpreact, dh, dhpreact: any shape of `size` entries

/** h = tanh(hpreact). Overwrites h; both may be the same array. */
export function tanhForward(h: FloatArray, hpreact: FloatArray, size: number): void {
  for (let i = 0; i < size; i++) h[i] = Math.tanh(hpreact[i]);
}

/** dhpreact = (1 - h²)·dh: the derivative of tanh, from its output. Overwrites dhpreact; dh may be the same array. */
export function tanhBackward(dhpreact: FloatArray, dh: FloatArray, h: FloatArray, size: number): void {
  // h = tanh(hpreact)
  for (let i = 0; i < size; i++) dhpreact[i] = (1 - h[i] * h[i]) * dh[i];
}
