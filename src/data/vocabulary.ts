/** Characters as indices of a vocabulary. */

/** The character before and after every name: entry 0 of every vocabulary. */
export const BOUNDARY = '.';

/** Vocabulary indices, in as few bytes as the vocabulary allows. */
export type Indices = Uint8Array | Uint16Array | Int32Array;

/** @param V the size of the vocabulary */
export function newIndices(size: number, V: number): Indices {
  if (V <= 2 ** 8) return new Uint8Array(size);
  return V <= 2 ** 16 ? new Uint16Array(size) : new Int32Array(size);
}

/** The vocabulary index of each code point up to the largest one in use; -1 for others. A table, because a large data set has 10^8 characters. */
export type CodePointTable = Int32Array;

export function codePointTable(vocabulary: readonly string[]): CodePointTable {
  const codePoints = vocabulary.map((character) => character.codePointAt(0) as number);
  const table = new Int32Array(codePoints.reduce((most, codePoint) => Math.max(most, codePoint), 0) + 1).fill(-1);
  for (const [index, codePoint] of codePoints.entries()) table[codePoint] = index;
  return table;
}

/**
 * The vocabulary index of each character (code point) of a text.
 * @throws RangeError if a character is not in the vocabulary
 */
export function encode(text: string, table: CodePointTable): number[] {
  return [...text].map((character) => {
    const index = table[character.codePointAt(0) as number] ?? -1;
    if (index === -1) throw unknownCharacter(character);
    return index;
  });
}

export function unknownCharacter(character: string): RangeError {
  return new RangeError(`'${character}' is not in the vocabulary`);
}

/** The index of each character. */
export function vocabularyIndex(vocabulary: readonly string[]): Map<string, number> {
  return new Map(vocabulary.map((character, index) => [character, index]));
}
