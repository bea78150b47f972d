import type { FloatArray } from '../core/tensor.js';

// h, hpreact, dh, dhpreact: any shape of `size` entries

/** h = tanh(hpreact). */
export function tanhForward(h: FloatArray, hpreact: FloatArray, size: number): void {
  for (let i = 0; i < size; i++) h[i] = Math.tanh(hpreact[i]);
}

/** dhpreact from dh: the derivative of tanh is 1 - tanh², of its output. Overwrites dhpreact. */
export function tanhBackward(dhpreact: FloatArray, dh: FloatArray, h: FloatArray, size: number): void {
  // h = tanh(hpreact)
  for (let i = 0; i < size; i++) dhpreact[i] = (1 - h[i] * h[i]) * dh[i];
}
