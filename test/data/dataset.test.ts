import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDataset, createExamples, createVocabulary, encode, SPLITS, vocabularyIndex } from '../../src/data/dataset.js';

const name = fc.string({ unit: fc.constantFrom(...'abcéß漢😀'), minLength: 1, maxLength: 4 });
const OPTIONS = { splitSeed: 42, unique: false };

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `n${i}`);
}

function all(names: readonly string[], options = OPTIONS): string[] {
  const { parts } = createDataset(names, options);
  return SPLITS.flatMap((split) => parts[split]);
}

describe('vocabulary', () => {
  it("puts '.' first and the characters after it in code point order", () => {
    // In UTF-16 the halves of 😀 (d83d de00) come before ｚ (ff5a); as code points they come after.
    expect(createVocabulary(['zé', 'ab', '😀ｚ漢', '-Z'])).toEqual(['.', '-', 'Z', 'a', 'b', 'z', 'é', '漢', 'ｚ', '😀']);
  });

  it('has every character once, as a whole code point', () => {
    expect(createVocabulary(['😀😀', '😁a', 'aa'])).toEqual(['.', 'a', '😀', '😁']);
  });

  it('is that of all names, whichever part they fall into', () => {
    const names = [...numbered(30), 'q'];
    for (const splitSeed of [1, 2, 3])
      expect(createDataset(names, { splitSeed, unique: true }).vocabulary).toEqual(createVocabulary(names));
  });

  it('is indexed by position', () => {
    expect([...vocabularyIndex(['.', 'a', '😀'])]).toEqual([
      ['.', 0],
      ['a', 1],
      ['😀', 2],
    ]);
  });
});

describe('split', () => {
  it.each([
    [6, [4, 1, 1]],
    [10, [8, 1, 1]],
    [19, [15, 2, 2]],
    [100, [80, 10, 10]],
    [32_033, [25_626, 3203, 3204]],
  ])('%i names fall into parts of %j', (count, sizes) => {
    const { parts } = createDataset(numbered(count), OPTIONS);
    expect(SPLITS.map((split) => parts[split].length)).toEqual(sizes);
  });

  it('cuts by name: every name is whole in its part', () => {
    expect(all(numbered(50)).toSorted()).toEqual(numbered(50).toSorted());
  });

  it('is the same for the same split seed', () => {
    expect(all(numbered(100))).toEqual(all(numbered(100)));
  });

  it('is another for another split seed', () => {
    const seeds = Array.from({ length: 20 }, (_, splitSeed) => all(numbered(100), { splitSeed, unique: false }).join());
    expect(new Set(seeds).size).toBe(20);
  });

  it('is shuffled: the training part is not the head of the file', () => {
    const { parts } = createDataset(numbered(100), OPTIONS);
    expect(parts.train).not.toEqual(numbered(80));
    expect(parts.train.toSorted()).not.toEqual(numbered(80).toSorted());
  });

  it('does not change the names it is given', () => {
    const names = numbered(20);
    createDataset(names, OPTIONS);
    expect(names).toEqual(numbered(20));
  });

  it('loses nothing and adds nothing, repeats included', () => {
    fc.assert(
      fc.property(fc.array(name, { maxLength: 60 }), fc.nat(), (names, splitSeed) => {
        expect(all(names, { splitSeed, unique: false }).sort()).toEqual([...names].sort());
      }),
    );
  });

  it('with unique, holds every different name exactly once', () => {
    fc.assert(
      fc.property(fc.array(name, { maxLength: 60 }), fc.nat(), (names, splitSeed) => {
        expect(all(names, { splitSeed, unique: true }).sort()).toEqual([...new Set(names)].sort());
      }),
    );
  });
});

describe('encode', () => {
  const indexOf = vocabularyIndex(['.', 'a', 'b', '😀']);

  it('gives an index per code point and the boundary at the end', () => {
    expect(encode('b😀a', indexOf)).toEqual([2, 3, 1, 0]);
    expect(encode('', indexOf)).toEqual([0]);
  });

  it('names the character that the vocabulary lacks', () => {
    expect(() => encode('ab😁', indexOf)).toThrow(new RangeError("'😁' is not in the vocabulary"));
  });
});

describe('examples', () => {
  const vocabulary = ['.', 'a', 'b', 'c'];

  // The name abc: a follows the boundary, b follows a, c follows b, the end follows c.
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
  ])("the contexts of 'abc' for T = %i, and what follows them", (T, contexts) => {
    const examples = createExamples(['abc'], vocabulary, T);
    expect(examples.count).toBe(4);
    expect([...examples.rows]).toEqual(contexts.flatMap((context, i) => [...context, [1, 2, 3, 0][i]]));
  });

  it('start afresh with every name', () => {
    const { count, rows } = createExamples(['ab', 'c'], vocabulary, 2);
    expect(count).toBe(5);
    expect([...rows]).toEqual([0, 0, 1, 0, 1, 2, 1, 2, 0, 0, 0, 3, 0, 3, 0]);
  });

  it.each([
    [2, Uint8Array],
    [256, Uint8Array],
    [257, Uint16Array],
    [65_536, Uint16Array],
    [65_537, Int32Array],
  ])('take as few bytes as a vocabulary of %i allows, and keep its last index', (V, kind) => {
    const letters = ['.', ...Array.from({ length: V - 1 }, (_, i) => String.fromCodePoint(0x20000 + i))];
    const { rows } = createExamples([letters[V - 1]], letters, 1);
    expect(rows).toBeInstanceOf(kind);
    expect([...rows]).toEqual([0, V - 1, V - 1, 0]);
  });

  it('of no names are none', () => {
    expect(createExamples([], vocabulary, 3)).toEqual({ count: 0, rows: new Uint8Array(0) });
  });

  it('spell the names: the targets of a name are its characters, the contexts what came before', () => {
    fc.assert(
      fc.property(fc.array(name, { maxLength: 10 }), fc.integer({ min: 1, max: 6 }), (names, T) => {
        const letters = createVocabulary(names);
        const { count, rows } = createExamples(names, letters, T);
        const targets = Array.from({ length: count }, (_, i) => rows[i * (T + 1) + T]);
        const texts = names.map((text) => `${text}.`);
        expect(targets.map((index) => letters[index]).join('')).toBe(texts.join(''));
        expect(rows.length).toBe(count * (T + 1));
        const expected = texts.flatMap((text) => {
          const padded = [...'.'.repeat(T), ...text];
          return [...text].map((_, position) => padded.slice(position, position + T).join(''));
        });
        const found = expected.map((_, row) =>
          [...rows.subarray(row * (T + 1), row * (T + 1) + T)].map((index) => letters[index]).join(''),
        );
        expect(found).toEqual(expected);
      }),
    );
  });
});
