// How a matrix [n,H] of a block is stored: hprebn, bnraw, h, their gradients, and the table. 16 columns make a panel: n rows
// of 64 bytes, one after the other; then the next panel. The last panel has rows of 64 bytes, too. Its columns from H on are padding: they may
// be computed, but nothing else depends on them.
//
// Threads share panels, so each has memory of its own. With rows of H floats, a thread that reads its columns makes the processor fetch
// what follows them, the columns of the next thread, from that thread's cache: two threads took up to three times as long as one for the same sums.

/** The columns of a panel: a cache line. */
export const PANEL: usize = 16;
/** Bytes of a row of a panel. */
export const ROW: usize = 64;

/**
 * Bytes of a panel of n rows. Their number of cache lines is odd: an example's entries would otherwise share a few sets of the cache, and evict
 * each other.
 */
// @ts-ignore: decorator
@inline
export function panelBytes(n: usize): usize {
  return (n | 1) * ROW;
}

/** The address of the panel that has column j. */
// @ts-ignore: decorator
@inline
export function panelAt(matrix: usize, n: usize, j: usize): usize {
  return matrix + j / PANEL * panelBytes(n);
}

/** The address of the first entry of column j. */
// @ts-ignore: decorator
@inline
export function columnAt(matrix: usize, n: usize, j: usize): usize {
  return panelAt(matrix, n, j) + ((j % PANEL) << 2);
}

/** The number of panels of H columns. */
// @ts-ignore: decorator
@inline
export function panels(H: usize): usize {
  return (H + PANEL - 1) / PANEL;
}

// Operations on a row of a panel, without a loop.

/** out [16] = a */
// @ts-ignore: decorator
@inline
export function copy16(out: usize, a: usize): void {
  v128.store(out, v128.load(a));
  v128.store(out, v128.load(a, 16), 16);
  v128.store(out, v128.load(a, 32), 32);
  v128.store(out, v128.load(a, 48), 48);
}

/** out [16] += a */
// @ts-ignore: decorator
@inline
export function add16(out: usize, a: usize): void {
  v128.store(out, f32x4.add(v128.load(out), v128.load(a)));
  v128.store(out, f32x4.add(v128.load(out, 16), v128.load(a, 16)), 16);
  v128.store(out, f32x4.add(v128.load(out, 32), v128.load(a, 32)), 32);
  v128.store(out, f32x4.add(v128.load(out, 48), v128.load(a, 48)), 48);
}

/** out [16] = a + b + c */
// @ts-ignore: decorator
@inline
export function sumOfThree16(out: usize, a: usize, b: usize, c: usize): void {
  v128.store(out, f32x4.add(f32x4.add(v128.load(a), v128.load(b)), v128.load(c)));
  v128.store(out, f32x4.add(f32x4.add(v128.load(a, 16), v128.load(b, 16)), v128.load(c, 16)), 16);
  v128.store(out, f32x4.add(f32x4.add(v128.load(a, 32), v128.load(b, 32)), v128.load(c, 32)), 32);
  v128.store(out, f32x4.add(f32x4.add(v128.load(a, 48), v128.load(b, 48)), v128.load(c, 48)), 48);
}
