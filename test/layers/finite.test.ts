import { describe, expect, it } from 'vitest';
import { BACKENDS, floatsOf, matrixOf } from '../support/backends.js';

describe.each(BACKENDS)('areFinite on $name', ({ create }) => {
  const SIZES = [1, 2, 3, 4, 7, 16, 17, 33].flatMap((N) => [1, 2, 5].map((n) => ({ n, N })));
  const numbers = (size: number) => Array.from({ length: size }, (_, i) => (i % 3 === 0 ? -3e38 : i / 7 - 1e-40));

  it.each(SIZES)('accepts numbers, in rows and in a matrix, whatever follows them: n $n, N $N', ({ n, N }) => {
    const backend = create();
    const rows = floatsOf(backend, [...numbers(n * N), ...new Array(8).fill(Number.NaN)]);
    expect(backend.areFinite(rows, n, N)).toBe(true);
    expect(backend.areFinite(matrixOf(backend, n, N, numbers(n * N)), n, N)).toBe(true);
  });

  it.each(SIZES)('finds NaN and both infinities at every place: n $n, N $N', ({ n, N }) => {
    for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      for (let at = 0; at < n * N; at++) {
        const values = numbers(n * N).map((x, i) => (i === at ? wrong : x));
        const backend = create({ arrays: 2, entries: 2_000, workspace: 16 });
        expect([backend.areFinite(floatsOf(backend, values), n, N), backend.areFinite(matrixOf(backend, n, N, values), n, N)]).toEqual([
          false,
          false,
        ]);
      }
    }
  });
});
