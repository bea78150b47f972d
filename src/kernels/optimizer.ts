/** See optimizer.ts: p -= rate·dp. */
export function sgdUpdate(parameters: usize, gradients: usize, rate: f32, size: usize): void {
  const step = f32x4.splat(rate);
  const end = parameters + (size << 2);
  const distance = gradients - parameters;
  let p = parameters;
  for (const vectors = parameters + ((size & ~3) << 2); p < vectors; p += 16) {
    v128.store(p, f32x4.sub(v128.load(p), f32x4.mul(step, v128.load(p + distance))));
  }
  for (; p < end; p += 4) store<f32>(p, load<f32>(p) - rate * load<f32>(p + distance));
}
