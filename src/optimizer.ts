import type { FloatArray } from './tensor.js';

/** One step of gradient descent over all parameters at once: p -= rate·dp. */
export function sgdUpdate(parameters: FloatArray, gradients: FloatArray, rate: number, size: number): void {
  for (let i = 0; i < size; i++) parameters[i] -= rate * gradients[i];
}
