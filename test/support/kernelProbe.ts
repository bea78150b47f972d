// The kernels' elementary functions over arrays, compiled by math.test.ts: the program only inlines them.
import { exp4, expInPlace16, logOfTwo, storeTanh16, tanh4 } from '../../src/kernels/math';

/** size is a multiple of 4; the two functions alternate. */
export function tanhOf(out: usize, x: usize, size: usize): void {
  let i: usize = 0;
  for (; i + 80 <= size << 2; i += 80) {
    v128.store(out + i, tanh4(v128.load(x + i)));
    storeTanh16(out + i + 16, v128.load(x + i, 16), v128.load(x + i, 32), v128.load(x + i, 48), v128.load(x + i, 64));
  }
  for (; i < size << 2; i += 16) v128.store(out + i, tanh4(v128.load(x + i)));
}

/** size is a multiple of 32; the two functions alternate. */
export function expOf(out: usize, x: usize, size: usize): void {
  for (let i: usize = 0; i < size << 2; i += 128) {
    for (let j = i; j < i + 64; j += 16) v128.store(out + j, exp4(v128.load(x + j)));
    for (let j = i + 64; j < i + 128; j += 16) v128.store(out + j, v128.load(x + j));
    expInPlace16(out + i + 64);
  }
}

/** size is a multiple of 2 */
export function logOf(out: usize, x: usize, size: usize): void {
  for (let i: usize = 0; i < size << 2; i += 8) v128.store64_lane(out + i, logOfTwo(f64x2.promote_low_f32x4(v128.load64_zero(x + i))), 0);
}
