import { describe, expect, it } from 'vitest';
import { BACKENDS, floatsOf, intsOf } from '../support/backends.js';

describe.each(BACKENDS)('embedding on $name', ({ create }) => {
  const backend = create();
  const Xb = intsOf(backend, [2, 0, 2, 2]);

  it('copies the rows of C', () => {
    const emb = backend.floats(8);
    backend.embeddingForward(emb, floatsOf(backend, [1, 2, 3, 4, 5, 6]), Xb, 4, 2);
    expect([...emb]).toEqual([5, 6, 1, 2, 5, 6, 5, 6]);
  });

  it('adds the gradients of a repeated character, and gives 0 to an unused one', () => {
    const dC = floatsOf(backend, [9, 9, 9, 9, 9, 9]);
    backend.embeddingBackward(dC, floatsOf(backend, [1, 10, 2, 20, 4, 40, 8, 80]), Xb, 4, 2, 3);
    expect([...dC]).toEqual([2, 20, 0, 0, 13, 130]);
  });
});
