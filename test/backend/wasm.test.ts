import { deepStrictEqual } from 'node:assert';
import { describe, expect, it } from 'vitest';
import { createWasmBackend } from '../../src/node/kernels.js';
import { floatsOf } from '../support/backends.js';

describe('an array of the kernels', () => {
  it('is equal to another one with the same numbers, whether layers have used it or not', () => {
    const backend = createWasmBackend({ arrays: 2, entries: 8, workspace: 0 });
    const [used, unused] = [floatsOf(backend, [1, 2, 3]), floatsOf(backend, [2, 4, 6])];
    backend.scale(used, 2, 3);
    expect(used).toEqual(unused);
    deepStrictEqual(used, unused);
  });

  it('is stored in the same way in every view that begins with it', () => {
    const [n, H] = [3, 20];
    const backend = createWasmBackend({ arrays: 5, entries: 200, workspace: 0 });
    const matrix = backend.matrix(n, H);
    const view = matrix.subarray(0, backend.matrixSize(n, H));
    const W = floatsOf(
      backend,
      Array.from({ length: H }, (_, j) => j),
    );
    backend.linearForward(view, floatsOf(backend, [1, 1, 1]), W, backend.floats(H), n, 1, H);
    for (const array of [matrix, view]) {
      expect([...backend.rowsOf(array, n, H)]).toEqual(Array.from({ length: n * H }, (_, k) => k % H));
    }
  });
});
