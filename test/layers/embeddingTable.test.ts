import { describe, expect, it } from 'vitest';
import { randomInteger, randomStream } from '../../src/core/random.js';
import { BACKENDS, intsOf } from '../support/backends.js';

/** The characters of each position in order of first appearance, and the slots of the examples, of examples [n,T]. */
function groupsOf(examples: readonly (readonly number[])[]) {
  const characters = examples[0].map((_, t) => [...new Set(examples.map((example) => example[t]))]);
  return { characters, slots: examples.map((example) => example.map((character, t) => characters[t].indexOf(character))) };
}

describe.each(BACKENDS)('the characters of a batch on $name', ({ create }) => {
  const backend = create();

  it.each([
    [1, 1, 1],
    [2, 1, 27],
    [5, 3, 4],
    [32, 3, 27],
    [33, 4, 27],
    [64, 8, 100],
  ])('are grouped in order of first appearance: n %d, T %d, V %d', (n, T, V) => {
    const D = Math.min(n, V);
    const ints = (size: number) => backend.ints(size);
    const groups = { characters: ints(T * D), counts: ints(T), slots: ints(n * T), slotOf: ints(V) };
    const random = randomStream('grad-check', n);
    for (const limit of [V, Math.ceil(V / 2), 1]) {
      const examples = Array.from({ length: n }, () => Array.from({ length: T }, () => randomInteger(random, limit)));
      backend.groupCharacters(groups, intsOf(backend, examples.flat()), n, T, D);
      const expected = groupsOf(examples);
      expect([...groups.counts]).toEqual(expected.characters.map(({ length }) => length));
      expect(expected.characters.map(({ length }, t) => [...groups.characters.subarray(t * D, t * D + length)])).toEqual(
        expected.characters,
      );
      expect([...groups.slots]).toEqual(expected.slots.flat());
    }
  });
});
