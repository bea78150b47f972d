import { storeLanes } from './math';
import { columnAt, PANEL, ROW } from './panels';
import { endOf, firstOf } from './parts';

// mean, squares [H]   x [n,H], in panels

/** See layers/batchNorm.ts. The threads share the panels. */
export function columnMoments(mean: usize, squares: usize, x: usize, n: usize, H: usize): void {
  const last = endOf(H, PANEL);
  const share = f32x4.splat(1 / (n as f32));
  for (let j = firstOf(H, PANEL); j < last; j += 4) {
    const first = columnAt(x, n, j);
    const end = first + n * ROW;
    let sum = f32x4.splat(0);
    for (let p = first; p < end; p += ROW) sum = f32x4.add(sum, v128.load(p));
    const middle = f32x4.mul(sum, share);
    let deviations = f32x4.splat(0);
    for (let p = first; p < end; p += ROW) {
      const d = f32x4.sub(v128.load(p), middle);
      deviations = f32x4.add(deviations, f32x4.mul(d, d));
    }
    const lanes = min(last - j, 4);
    storeLanes(mean + (j << 2), middle, lanes);
    storeLanes(squares + (j << 2), deviations, lanes);
  }
}
