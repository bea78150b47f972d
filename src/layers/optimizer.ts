/**
 * Optimizer updates, as in PyTorch's torch.optim: one flat loop over all parameters p and their gradients dp. The optimizer state
 * (velocity, m, v) has the layout of the parameters and is 0 before the first step.
 */
import type { FloatArray } from '../core/tensor.js';

/** Stochastic gradient descent: p -= rate·dp. */
export function sgdUpdate(parameters: FloatArray, gradients: FloatArray, rate: number, size: number): void {
  for (let i = 0; i < size; i++) parameters[i] -= rate * gradients[i];
}

/** Momentum: v = momentum·v + dp, p -= rate·v. Nesterov's momentum looks one step ahead: p -= rate·(dp + momentum·v). */
export function momentumUpdate(
  parameters: FloatArray,
  velocity: FloatArray,
  gradients: FloatArray,
  rate: number,
  momentum: number,
  nesterov: boolean,
  size: number,
): void {
  for (let i = 0; i < size; i++) {
    velocity[i] = momentum * velocity[i] + gradients[i];
    parameters[i] -= rate * (nesterov ? gradients[i] + momentum * velocity[i] : velocity[i]);
  }
}

/**
 * Adam (Kingma and Ba 2015), with running means of the gradient and of its square:
 *
 *     m = beta1·m + (1 - beta1)·dp        v = beta2·v + (1 - beta2)·dp²        p -= rate·m / (sqrt(v) + epsilon)
 *
 * The caller corrects rate and epsilon for the start of m and v at 0: see training/updater.ts.
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

/** x *= factor: clips gradients and decays weights. */
export function scale(x: FloatArray, factor: number, size: number): void {
  for (let i = 0; i < size; i++) x[i] *= factor;
}

/** The sum of the squares of x, accumulated in float64. */
export function sumOfSquares(x: FloatArray, size: number): number {
  let sum = 0;
  for (let i = 0; i < size; i++) sum += x[i] * x[i];
  return sum;
}
