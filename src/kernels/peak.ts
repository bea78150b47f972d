/**
 * Twelve independent chains of multiply and add, as many as the registers hold. They reach the peak of a core without fused multiply-add; the
 * benchmark compares the kernels with it. 12 · 4 · 2 = 96 operations per turn.
 */
export function peakLoop(turns: usize): f32 {
  // 0.5·x + 1 stays near 2. The constants come from memory, so that the compiler cannot precompute the result.
  const m = v128.load32_splat(PEAK);
  const a = v128.load32_splat(PEAK, 4);
  let c0 = a;
  let c1 = a;
  let c2 = a;
  let c3 = a;
  let c4 = a;
  let c5 = a;
  let c6 = a;
  let c7 = a;
  let c8 = a;
  let c9 = a;
  let c10 = a;
  let c11 = a;
  for (let t: usize = 0; t < turns; t++) {
    c0 = f32x4.add(f32x4.mul(c0, m), a);
    c1 = f32x4.add(f32x4.mul(c1, m), a);
    c2 = f32x4.add(f32x4.mul(c2, m), a);
    c3 = f32x4.add(f32x4.mul(c3, m), a);
    c4 = f32x4.add(f32x4.mul(c4, m), a);
    c5 = f32x4.add(f32x4.mul(c5, m), a);
    c6 = f32x4.add(f32x4.mul(c6, m), a);
    c7 = f32x4.add(f32x4.mul(c7, m), a);
    c8 = f32x4.add(f32x4.mul(c8, m), a);
    c9 = f32x4.add(f32x4.mul(c9, m), a);
    c10 = f32x4.add(f32x4.mul(c10, m), a);
    c11 = f32x4.add(f32x4.mul(c11, m), a);
  }
  const low = f32x4.add(f32x4.add(f32x4.add(c0, c1), f32x4.add(c2, c3)), f32x4.add(c4, c5));
  const high = f32x4.add(f32x4.add(f32x4.add(c6, c7), f32x4.add(c8, c9)), f32x4.add(c10, c11));
  return f32x4.extract_lane(f32x4.add(low, high), 0);
}

const PEAK = memory.data<f32>([0.5, 1]);
