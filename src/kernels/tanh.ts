import { storeLanes, storeTanh16, tanh4 } from './math';
import { endOf, firstOf } from './parts';

// h, hpreact, dh, dhpreact: `size` entries
//
// No result depends on another, so an array may be computed in place. The last vectors may reach beyond the inputs, and are cut when stored.

/** See layers/tanh.ts. */
export function tanhForward(h: usize, hpreact: usize, size: usize): void {
  const toH = h - hpreact;
  const end = hpreact + (endOf(size, 16) << 2);
  const last = hpreact + ((size & ~15) << 2);
  let p = hpreact + (firstOf(size, 16) << 2);
  for (const blocks = min(end, last); p < blocks; p += 64) {
    storeTanh16(p + toH, v128.load(p), v128.load(p, 16), v128.load(p, 32), v128.load(p, 48));
  }
  for (; p < end; p += 16) storeLanes(p + toH, tanh4(v128.load(p)), min((end - p) >> 2, 4));
}

/** See layers/tanh.ts. */
export function tanhBackward(dhpreact: usize, dh: usize, h: usize, size: usize): void {
  const end = endOf(size, 16) << 2;
  let j = firstOf(size, 16) << 2;
  for (const vectors = end & ~15; j < vectors; j += 16) v128.store(dhpreact + j, dtanh(v128.load(dh + j), v128.load(h + j)));
  for (; j < end; j += 4) {
    const y = load<f32>(h + j);
    store<f32>(dhpreact + j, ((1 as f32) - y * y) * load<f32>(dh + j));
  }
}

/** (1 - h²)·dh */
// @ts-ignore: decorator
@inline
export function dtanh(dh: v128, h: v128): v128 {
  return f32x4.mul(f32x4.sub(f32x4.splat(1), f32x4.mul(h, h)), dh);
}
