import { endOf, firstOf } from './parts';

// Entries do not depend on each other: the threads share them, in cache lines.
const UNIT: usize = 16;

/** See layers/optimizer.ts: p -= rate·dp. */
export function sgdUpdate(parameters: usize, gradients: usize, rate: f32, size: usize): void {
  const first = firstOf(size, UNIT);
  size = endOf(size, UNIT) - first;
  parameters += first << 2;
  gradients += first << 2;
  const step = f32x4.splat(rate);
  const end = parameters + (size << 2);
  const distance = gradients - parameters;
  let p = parameters;
  for (const blocks = parameters + ((size & ~15) << 2); p < blocks; p += 64) {
    v128.store(p, f32x4.sub(v128.load(p), f32x4.mul(step, v128.load(p + distance))));
    v128.store(p, f32x4.sub(v128.load(p, 16), f32x4.mul(step, v128.load(p + distance, 16))), 16);
    v128.store(p, f32x4.sub(v128.load(p, 32), f32x4.mul(step, v128.load(p + distance, 32))), 32);
    v128.store(p, f32x4.sub(v128.load(p, 48), f32x4.mul(step, v128.load(p + distance, 48))), 48);
  }
  for (const vectors = parameters + ((size & ~3) << 2); p < vectors; p += 16) {
    v128.store(p, f32x4.sub(v128.load(p), f32x4.mul(step, v128.load(p + distance))));
  }
  for (; p < end; p += 4) store<f32>(p, load<f32>(p) - rate * load<f32>(p + distance));
}

/** See layers/optimizer.ts: v = momentum·v + dp, p -= rate·v, or with Nesterov's momentum p -= rate·(dp + momentum·v). */
export function momentumUpdate(
  parameters: usize, velocity: usize, gradients: usize, rate: f32, momentum: f32, nesterov: bool, size: usize,
): void {
  const first = firstOf(size, UNIT);
  size = endOf(size, UNIT) - first;
  parameters += first << 2;
  velocity += first << 2;
  gradients += first << 2;
  if (nesterov) velocityUpdate(true, parameters, velocity, gradients, rate, momentum, size);
  else velocityUpdate(false, parameters, velocity, gradients, rate, momentum, size);
}

/** nesterov is a constant where this is inlined. */
// @ts-ignore: decorator
@inline
function velocityUpdate(
  nesterov: bool, parameters: usize, velocity: usize, gradients: usize, rate: f32, momentum: f32, size: usize,
): void {
  const steps = f32x4.splat(rate);
  const momenta = f32x4.splat(momentum);
  const end = size << 2;
  let i: usize = 0;
  for (const vectors = end & ~15; i < vectors; i += 16) {
    const dp = v128.load(gradients + i);
    const v = f32x4.add(f32x4.mul(momenta, v128.load(velocity + i)), dp);
    v128.store(velocity + i, v);
    const direction = nesterov ? f32x4.add(dp, f32x4.mul(momenta, v)) : v;
    v128.store(parameters + i, f32x4.sub(v128.load(parameters + i), f32x4.mul(steps, direction)));
  }
  for (; i < end; i += 4) {
    const dp = load<f32>(gradients + i);
    const v = momentum * load<f32>(velocity + i) + dp;
    store<f32>(velocity + i, v);
    store<f32>(parameters + i, load<f32>(parameters + i) - rate * (nesterov ? dp + momentum * v : v));
  }
}

/**
 * See layers/optimizer.ts: m = beta1·m + (1 - beta1)·dp, v = beta2·v + (1 - beta2)·dp², p -= rate·m / (sqrt(v) + epsilon).
 * The betas are float64: if 0.999 were rounded to float32 first, 1 - beta2 would have a relative error of 1.3e-5.
 */
export function adamUpdate(
  parameters: usize,
  m: usize,
  v: usize,
  gradients: usize,
  rate: f32,
  beta1: f64,
  beta2: f64,
  epsilon: f32,
  size: usize,
): void {
  const first = firstOf(size, UNIT);
  size = endOf(size, UNIT) - first;
  parameters += first << 2;
  m += first << 2;
  v += first << 2;
  gradients += first << 2;
  const keptM = f32(beta1);
  const newM = f32(1 - beta1);
  const keptV = f32(beta2);
  const newV = f32(1 - beta2);
  const steps = f32x4.splat(rate);
  const epsilons = f32x4.splat(epsilon);
  const end = size << 2;
  let i: usize = 0;
  for (const vectors = end & ~15; i < vectors; i += 16) {
    const dp = v128.load(gradients + i);
    const mean = f32x4.add(f32x4.mul(f32x4.splat(keptM), v128.load(m + i)), f32x4.mul(f32x4.splat(newM), dp));
    const square = f32x4.mul(f32x4.mul(f32x4.splat(newV), dp), dp);
    const squares = f32x4.add(f32x4.mul(f32x4.splat(keptV), v128.load(v + i)), square);
    v128.store(m + i, mean);
    v128.store(v + i, squares);
    const step = f32x4.div(f32x4.mul(steps, mean), f32x4.add(f32x4.sqrt(squares), epsilons));
    v128.store(parameters + i, f32x4.sub(v128.load(parameters + i), step));
  }
  for (; i < end; i += 4) {
    const dp = load<f32>(gradients + i);
    const mean = keptM * load<f32>(m + i) + newM * dp;
    const squares = keptV * load<f32>(v + i) + newV * dp * dp;
    store<f32>(m + i, mean);
    store<f32>(v + i, squares);
    store<f32>(parameters + i, load<f32>(parameters + i) - (rate * mean) / (sqrt<f32>(squares) + epsilon));
  }
}

/** See layers/optimizer.ts: x *= factor. */
export function scale(x: usize, factor: f32, size: usize): void {
  const first = firstOf(size, UNIT);
  size = endOf(size, UNIT) - first;
  x += first << 2;
  const factors = f32x4.splat(factor);
  const end = x + (size << 2);
  for (const vectors = x + ((size & ~3) << 2); x < vectors; x += 16) v128.store(x, f32x4.mul(factors, v128.load(x)));
  for (; x < end; x += 4) store<f32>(x, factor * load<f32>(x));
}

/** See layers/optimizer.ts. One thread computes it. Four sums, one per lane, are added as (0 + 2) + (1 + 3), then the entries after the last whole vector. */
export function sumOfSquares(x: usize, size: usize): f64 {
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  const end = x + (size << 2);
  for (const vectors = x + ((size & ~3) << 2); x < vectors; x += 16) {
    const values = v128.load(x);
    const a = f64x2.promote_low_f32x4(values);
    const b = f64x2.promote_low_f32x4(v128.shuffle<i64>(values, values, 1, 1));
    low = f64x2.add(low, f64x2.mul(a, a));
    high = f64x2.add(high, f64x2.mul(b, b));
  }
  const sums = f64x2.add(low, high);
  let sum = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
  for (; x < end; x += 4) {
    const value = <f64>load<f32>(x);
    sum += value * value;
  }
  return sum;
}
