import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copyExample, countExamples, createDataset, createExamples, type Examples, SPLITS } from '../../src/data/dataset.js';
import { NameList } from '../../src/data/nameList.js';

const name = fc.string({ unit: fc.constantFrom(...'abcéß漢😀'), minLength: 1, maxLength: 4 });
const OPTIONS = { splitSeed: 42, unique: false };

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `n${i}`);
}

function all(names: readonly string[], options = OPTIONS): string[] {
  const { parts } = createDataset(names, options);
  return SPLITS.flatMap((split) => [...parts[split]]);
}

it('a data set has the characters of all of its names, in whichever split they are', () => {
  const names = [...numbered(30), 'q'];
  for (const splitSeed of [1, 2, 3]) {
    expect(createDataset(names, { splitSeed, unique: true }).vocabulary).toEqual(NameList.of(names).vocabulary);
  }
});

describe('createDataset', () => {
  it.each([
    [6, [4, 1, 1]],
    [10, [8, 1, 1]],
    [19, [15, 2, 2]],
    [100, [80, 10, 10]],
    [32_033, [25_626, 3203, 3204]],
  ])('splits %i names into %j', (count, sizes) => {
    const { parts } = createDataset(numbered(count), OPTIONS);
    expect(SPLITS.map((split) => parts[split].length)).toEqual(sizes);
  });

  it('puts every name into exactly one split', () => {
    expect(all(numbered(50)).toSorted()).toEqual(numbered(50).toSorted());
  });

  it('gives the same splits for the same split seed', () => {
    expect(all(numbered(100))).toEqual(all(numbered(100)));
  });

  it('gives other splits for another split seed', () => {
    const seeds = Array.from({ length: 20 }, (_, splitSeed) => all(numbered(100), { splitSeed, unique: false }).join());
    expect(new Set(seeds).size).toBe(20);
  });

  it('shuffles: the training split is not the head of the file', () => {
    const { parts } = createDataset(numbered(100), OPTIONS);
    expect([...parts.train]).not.toEqual(numbered(80));
    expect([...parts.train].sort()).not.toEqual(numbered(80).toSorted());
  });

  it('does not change its argument', () => {
    const names = numbered(20);
    createDataset(names, OPTIONS);
    expect(names).toEqual(numbered(20));
  });

  it('keeps all names, including repeats', () => {
    fc.assert(
      fc.property(fc.array(name, { maxLength: 60 }), fc.nat(), (names, splitSeed) => {
        expect(all(names, { splitSeed, unique: false }).sort()).toEqual([...names].sort());
      }),
    );
  });

  it('drops with unique what is there again, before the shuffle', () => {
    fc.assert(
      fc.property(fc.array(name, { maxLength: 60 }), fc.nat(), (names, splitSeed) => {
        const once = [...new Set(names)];
        expect(all(names, { splitSeed, unique: true })).toEqual(all(once, { splitSeed, unique: false }));
      }),
    );
  });

  it('keeps every distinct name exactly once with unique', () => {
    fc.assert(
      fc.property(fc.array(name, { maxLength: 60 }), fc.nat(), (names, splitSeed) => {
        expect(all(names, { splitSeed, unique: true }).sort()).toEqual([...new Set(names)].sort());
      }),
    );
  });
});

/** Each context followed by its target. */
function rowsOf(examples: Examples): number[][] {
  const { count, context: T } = examples;
  const batch = { n: count, Xb: new Int32Array(count * T), Yb: new Int32Array(count) };
  for (let i = 0; i < count; i++) copyExample(batch, i, examples, i);
  return Array.from(batch.Yb, (target, i) => [...batch.Xb.subarray(i * T, (i + 1) * T), target]);
}

describe('createExamples', () => {
  const vocabulary = ['.', 'a', 'b', 'c'];

  // In the name abc, a follows the boundary, b follows a, c follows b, and the end follows c.
  it.each([
    [1, [[0], [1], [2], [3]]],
    [
      3,
      [
        [0, 0, 0],
        [0, 0, 1],
        [0, 1, 2],
        [1, 2, 3],
      ],
    ],
    [
      5,
      [
        [0, 0, 0, 0, 0],
        [0, 0, 0, 0, 1],
        [0, 0, 0, 1, 2],
        [0, 0, 1, 2, 3],
      ],
    ],
  ])("gives for 'abc' at T = %i every context with the character that follows", (T, contexts) => {
    const examples = createExamples(['abc'], vocabulary, T);
    expect(examples.count).toBe(4);
    expect(rowsOf(examples)).toEqual(contexts.map((context, i) => [...context, [1, 2, 3, 0][i]]));
  });

  it('starts every name with boundaries', () => {
    expect(rowsOf(createExamples(['ab', 'c'], vocabulary, 2))).toEqual([
      [0, 0, 1],
      [0, 1, 2],
      [1, 2, 0],
      [0, 0, 3],
      [0, 3, 0],
    ]);
  });

  it.each([
    [2, Uint8Array],
    [256, Uint8Array],
    [257, Uint16Array],
    [65_536, Uint16Array],
    [65_537, Int32Array],
  ])('uses as few bytes as a vocabulary of %i allows, and keeps its last index', (V, kind) => {
    const letters = ['.', ...Array.from({ length: V - 1 }, (_, i) => String.fromCodePoint(0x20000 + i))];
    const examples = createExamples([letters[V - 1]], letters, 1);
    expect(examples.text).toBeInstanceOf(kind);
    expect(rowsOf(examples)).toEqual([
      [0, V - 1],
      [V - 1, 0],
    ]);
  });

  it('takes the text of the names as it is, at any T, if the vocabulary is theirs', () => {
    const names = NameList.of(['ab', 'c']);
    for (const T of [1, 3, 8]) expect(createExamples(names, names.vocabulary, T).text).toBe(names.text);
  });

  it('gives no examples for no names', () => {
    expect(createExamples([], vocabulary, 3)).toEqual({ count: 0, context: 3, text: new Uint8Array(1) });
  });

  it('throws an error with the character that the vocabulary lacks', () => {
    expect(() => createExamples(['ab😁'], vocabulary, 3)).toThrow(new RangeError("'😁' is not in the vocabulary"));
  });

  it('gives targets that spell the names, and contexts of the characters before them, in either vocabulary', () => {
    fc.assert(
      fc.property(fc.array(name, { maxLength: 10 }), fc.integer({ min: 1, max: 6 }), fc.boolean(), (names, T, isOwn) => {
        const letters = isOwn ? NameList.of(names).vocabulary : ['.', ...'😀漢ßécba'];
        const examples = createExamples(names, letters, T);
        const expected = names.flatMap((text) => {
          const padded = [...'.'.repeat(T), ...text, '.'];
          return Array.from({ length: padded.length - T }, (_, k) => padded.slice(k, k + T + 1).join(''));
        });
        expect(rowsOf(examples).map((row) => row.map((index) => letters[index]).join(''))).toEqual(expected);
        expect(countExamples(NameList.of(names))).toBe(examples.count);
      }),
    );
  });
});
