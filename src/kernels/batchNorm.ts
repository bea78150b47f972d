import { endOf, firstOf } from './parts';

// mean, squares [H]   x [n,H]

/** See layers/batchNorm.ts. The threads share the columns. The last vector overlaps the one before it, which is safe because inputs and outputs are separate. */
export function columnMoments(mean: usize, squares: usize, x: usize, n: usize, H: usize): void {
  const stride = H << 2;
  const end = x + n * stride;
  const first = firstOf(H, 16);
  const own = endOf(H, 16);
  if (H < 4) {
    if (first < own) for (let j: usize = 0; j < stride; j += 4) momentsOfColumn(mean + j, squares + j, x + j, end, stride, n);
    return;
  }
  const share = f32x4.splat(1 / (n as f32));
  for (let j = first; j < own; j += 4) {
    const at: usize = min(j, H - 4) << 2;
    let sum = f32x4.splat(0);
    for (let p = x + at; p < end; p += stride) sum = f32x4.add(sum, v128.load(p));
    const middle = f32x4.mul(sum, share);
    let deviations = f32x4.splat(0);
    for (let p = x + at; p < end; p += stride) {
      const d = f32x4.sub(v128.load(p), middle);
      deviations = f32x4.add(deviations, f32x4.mul(d, d));
    }
    v128.store(mean + at, middle);
    v128.store(squares + at, deviations);
  }
}

function momentsOfColumn(mean: usize, squares: usize, x: usize, end: usize, stride: usize, n: usize): void {
  let sum: f32 = 0;
  for (let p = x; p < end; p += stride) sum += load<f32>(p);
  const middle = sum / (n as f32);
  let deviations: f32 = 0;
  for (let p = x; p < end; p += stride) {
    const d: f32 = load<f32>(p) - middle;
    deviations += d * d;
  }
  store<f32>(mean, middle);
  store<f32>(squares, deviations);
}
