import { columnAt, PANEL, ROW } from './panels';
import { endOf, firstOf, isAny } from './parts';

// x [n,N]

/** See layers/finite.ts. The threads share panels or rows, as the layers do that compute them; the answer is that of the first thread. */
export function areFinite(x: usize, n: usize, N: usize, inPanels: bool): bool {
  let differences = f32x4.splat(0);
  if (inPanels) {
    const end = endOf(N, PANEL);
    for (let j = firstOf(N, PANEL); j < end; j += 4) {
      const first = columnAt(x, n, j);
      differences = v128.or(differences, v128.and(differencesOf(first, first + n * ROW, ROW), firstLanes(end - j)));
    }
  } else {
    const first = x + ((firstOf(n, 2) * N) << 2);
    const size = (endOf(n, 2) - firstOf(n, 2)) * N;
    const vectors = first + ((size & ~3) << 2);
    differences = differencesOf(first, vectors, 16);
    // What is left is less than a vector, which may be loaded.
    if (size & 3) differences = v128.or(differences, v128.and(differencesOf(vectors, vectors + 16, 16), firstLanes(size & 3)));
  }
  return !isAny(v128.any_true(differences));
}

/** The bits of x - x of the vectors from p to before end: 0 for numbers, NaN for NaN and infinities. */
function differencesOf(p: usize, end: usize, stride: usize): v128 {
  let bits = f32x4.splat(0);
  for (; p < end; p += stride) {
    const x = v128.load(p);
    bits = v128.or(bits, f32x4.sub(x, x));
  }
  return bits;
}

/** All bits of the first lanes. */
// @ts-ignore: decorator
@inline
function firstLanes(count: usize): v128 {
  return i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(min(count, 4) as i32));
}
