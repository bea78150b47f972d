// The kernels' elementary functions over arrays, compiled by math.test.ts: the program only inlines them.
import { exp4, expPairInPlace, log, storeTanh16, tanh4 } from '../../src/kernels/math';

/** size is a multiple of 4; the two functions alternate. */
export function tanhOf(out: usize, x: usize, size: usize): void {
  let i: usize = 0;
  for (; i + 80 <= size << 2; i += 80) {
    v128.store(out + i, tanh4(v128.load(x + i)));
    storeTanh16(out + i + 16, v128.load(x + i, 16), v128.load(x + i, 32), v128.load(x + i, 48), v128.load(x + i, 64));
  }
  for (; i < size << 2; i += 16) v128.store(out + i, tanh4(v128.load(x + i)));
}

/** size is a multiple of 8; the two functions alternate. */
export function expOf(out: usize, x: usize, size: usize): void {
  for (let i: usize = 0; i < size << 2; i += 32) {
    v128.store(out + i, exp4(v128.load(x + i)));
    v128.store(out + i, exp4(v128.load(x + i, 16)), 16);
    i += 32;
    if (i >= size << 2) return;
    v128.store(out + i, v128.load(x + i));
    v128.store(out + i, v128.load(x + i, 16), 16);
    expPairInPlace(out + i);
  }
}

export function logOf(out: usize, x: usize, size: usize): void {
  for (let i: usize = 0; i < size << 2; i += 4) store<f32>(out + i, log(load<f32>(x + i)));
}
