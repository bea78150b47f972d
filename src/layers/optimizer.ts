/**
 * The updates of all parameters p at once, from their gradients dp: one flat loop each. Blocks of `size` entries are laid out alike;
 * a block that an optimizer keeps from step to step is 0 before the first. After PyTorch's torch.optim.
 */
import type { FloatArray } from '../core/tensor.js';

/** Gradient descent: p -= rate·dp. */
export function sgdUpdate(parameters: FloatArray, gradients: FloatArray, rate: number, size: number): void {
  for (let i = 0; i < size; i++) parameters[i] -= rate * gradients[i];
}

/** With a velocity: v = momentum·v + dp, p -= rate·v. */
export function momentumUpdate(
  parameters: FloatArray,
  velocity: FloatArray,
  gradients: FloatArray,
  rate: number,
  momentum: number,
  size: number,
): void {
  for (let i = 0; i < size; i++) {
    velocity[i] = momentum * velocity[i] + gradients[i];
    parameters[i] -= rate * velocity[i];
  }
}

/** Nesterov's momentum looks a step ahead: v = momentum·v + dp, p -= rate·(dp + momentum·v). */
export function nesterovUpdate(
  parameters: FloatArray,
  velocity: FloatArray,
  gradients: FloatArray,
  rate: number,
  momentum: number,
  size: number,
): void {
  for (let i = 0; i < size; i++) {
    velocity[i] = momentum * velocity[i] + gradients[i];
    parameters[i] -= rate * (gradients[i] + momentum * velocity[i]);
  }
}

/**
 * Adam (Kingma and Ba 2015): running means of the gradient and of its square,
 *
 *     m = beta1·m + (1 - beta1)·dp        v = beta2·v + (1 - beta2)·dp²        p -= rate·m / (sqrt(v) + epsilon)
 *
 * The rate and epsilon passed in are corrected for the start of m and v at 0: see updater.ts.
 */
export function adamUpdate(
  parameters: FloatArray,
  m: FloatArray,
  v: FloatArray,
  gradients: FloatArray,
  rate: number,
  beta1: number,
  beta2: number,
  epsilon: number,
  size: number,
): void {
  for (let i = 0; i < size; i++) {
    m[i] = beta1 * m[i] + (1 - beta1) * gradients[i];
    v[i] = beta2 * v[i] + (1 - beta2) * gradients[i] * gradients[i];
    parameters[i] -= (rate * m[i]) / (Math.sqrt(v[i]) + epsilon);
  }
}

/** x *= factor: what clips gradients and decays weights. */
export function scale(x: FloatArray, factor: number, size: number): void {
  for (let i = 0; i < size; i++) x[i] *= factor;
}

/** The sum of squares, in float64. */
export function sumOfSquares(x: FloatArray, size: number): number {
  let sum = 0;
  for (let i = 0; i < size; i++) sum += x[i] * x[i];
  return sum;
}
