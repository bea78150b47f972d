import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  codePointTable,
  createDataset,
  createExamples,
  createVocabulary,
  encode,
  SPLITS,
  vocabularyIndex,
} from '../../src/data/dataset.js';

const name = fc.string({ unit: fc.constantFrom(...'abcéß漢😀'), minLength: 1, maxLength: 4 });
const OPTIONS = { splitSeed: 42, unique: false };

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `n${i}`);
}

function all(names: readonly string[], options = OPTIONS): string[] {
  const { parts } = createDataset(names, options);
  return SPLITS.flatMap((split) => parts[split]);
}

describe('createVocabulary', () => {
  it("puts '.' first and the characters after it in code point order", () => {
    // In UTF-16 the halves of 😀 (d83d de00) sort before ｚ (ff5a); as a code point 😀 sorts after.
    expect(createVocabulary(['zé', 'ab', '😀ｚ漢', '-Z'])).toEqual(['.', '-', 'Z', 'a', 'b', 'z', 'é', '漢', 'ｚ', '😀']);
  });

  it('lists every character once, as a whole code point', () => {
    expect(createVocabulary(['😀😀', '😁a', 'aa'])).toEqual(['.', 'a', '😀', '😁']);
  });

  it('covers the names of all splits', () => {
    const names = [...numbered(30), 'q'];
    for (const splitSeed of [1, 2, 3])
      expect(createDataset(names, { splitSeed, unique: true }).vocabulary).toEqual(createVocabulary(names));
  });

  it('gives vocabularyIndex its positions', () => {
    expect([...vocabularyIndex(['.', 'a', '😀'])]).toEqual([
      ['.', 0],
      ['a', 1],
      ['😀', 2],
    ]);
  });
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
    expect(parts.train).not.toEqual(numbered(80));
    expect(parts.train.toSorted()).not.toEqual(numbered(80).toSorted());
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

  it('keeps every distinct name exactly once with unique', () => {
    fc.assert(
      fc.property(fc.array(name, { maxLength: 60 }), fc.nat(), (names, splitSeed) => {
        expect(all(names, { splitSeed, unique: true }).sort()).toEqual([...new Set(names)].sort());
      }),
    );
  });
});

describe('encode', () => {
  const table = codePointTable(['.', 'a', 'b', '😀']);

  it('gives one index per code point and the boundary at the end', () => {
    expect(encode('b😀a', table)).toEqual([2, 3, 1, 0]);
    expect(encode('', table)).toEqual([0]);
  });

  it('throws an error with the character that the vocabulary lacks', () => {
    expect(() => encode('ab😁', table)).toThrow(new RangeError("'😁' is not in the vocabulary"));
  });
});

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
    expect([...examples.rows]).toEqual(contexts.flatMap((context, i) => [...context, [1, 2, 3, 0][i]]));
  });

  it('starts every name with boundaries', () => {
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
  ])('uses as few bytes as a vocabulary of %i allows, and keeps its last index', (V, kind) => {
    const letters = ['.', ...Array.from({ length: V - 1 }, (_, i) => String.fromCodePoint(0x20000 + i))];
    const { rows } = createExamples([letters[V - 1]], letters, 1);
    expect(rows).toBeInstanceOf(kind);
    expect([...rows]).toEqual([0, V - 1, V - 1, 0]);
  });

  it('gives no examples for no names', () => {
    expect(createExamples([], vocabulary, 3)).toEqual({ count: 0, context: 3, rows: new Uint8Array(0) });
  });

  it('gives targets that spell the names, and contexts of the characters before them', () => {
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
