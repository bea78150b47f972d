import { randomStream, shuffled } from './random.js';

/** The character that stands before and after every name: entry 0 of every vocabulary. */
export const BOUNDARY = '.';

export type Split = 'train' | 'val' | 'test';
export const SPLITS: readonly Split[] = ['train', 'val', 'test'];

/** Names cut into a training, a validation and a test part, and the characters they are spelt with. */
export interface Dataset {
  /** Characters (code points) by index; the boundary is 0, the others follow in code point order. */
  vocabulary: readonly string[];
  parts: Readonly<Record<Split, readonly string[]>>;
}

export interface DatasetOptions {
  /** Decides which names fall into which part; independent of a run's seed. */
  splitSeed: number;
  /** Drop repeated names before the split. */
  unique: boolean;
}

/** Next-character examples: T indices of context and the index that follows: one per character of a name, one for its end. */
export interface Examples {
  count: number;
  /**
   * [count,T+1]: each context with its target behind it, in as few bytes as the vocabulary allows. An example drawn at random is a
   * miss in the cache, and this way it is one.
   */
  rows: Uint8Array | Uint16Array | Int32Array;
}

/** Splits names 80/10/10 *by name* after a seeded shuffle. */
export function createDataset(names: readonly string[], { splitSeed, unique }: DatasetOptions): Dataset {
  const order = shuffled(unique ? [...new Set(names)] : names, randomStream('split', splitSeed));
  const first = Math.floor(0.8 * order.length);
  const second = Math.floor(0.9 * order.length);
  return {
    vocabulary: createVocabulary(names),
    parts: { train: order.slice(0, first), val: order.slice(first, second), test: order.slice(second) },
  };
}

export function createVocabulary(names: readonly string[]): string[] {
  const characters = new Set<string>();
  for (const name of names) for (const character of name) characters.add(character);
  const codePoint = (character: string) => character.codePointAt(0) as number;
  return [BOUNDARY, ...[...characters].sort((a, b) => codePoint(a) - codePoint(b))];
}

/** A name's indices, code point by code point, with the boundary at the end. */
export function encode(name: string, indexOf: ReadonlyMap<string, number>): number[] {
  return [...name, BOUNDARY].map((character) => {
    const index = indexOf.get(character);
    if (index === undefined) throw new RangeError(`'${character}' is not in the vocabulary`);
    return index;
  });
}

export function vocabularyIndex(vocabulary: readonly string[]): Map<string, number> {
  return new Map(vocabulary.map((character, index) => [character, index]));
}

/** All examples of the names, with contexts of T characters; the boundary fills the context of a name's first characters. */
export function createExamples(names: readonly string[], vocabulary: readonly string[], T: number): Examples {
  const indexOf = vocabularyIndex(vocabulary);
  const encoded = names.map((name) => encode(name, indexOf));
  const count = encoded.reduce((sum, indices) => sum + indices.length, 0);
  const rows = newRows(count * (T + 1), vocabulary.length);
  let at = 0;
  for (const indices of encoded) {
    indices.forEach((target, position) => {
      for (let t = 0; t < T; t++) rows[at++] = indices[position - T + t] ?? 0;
      rows[at++] = target;
    });
  }
  return { count, rows };
}

function newRows(size: number, V: number): Examples['rows'] {
  if (V <= 2 ** 8) return new Uint8Array(size);
  return V <= 2 ** 16 ? new Uint16Array(size) : new Int32Array(size);
}

/** Copies an example's context and target to row i of a batch Xb [n,T], Yb [n]. */
export function copyExample(Xb: Int32Array, Yb: Int32Array, i: number, { rows }: Examples, example: number, T: number): void {
  const start = example * (T + 1);
  for (let t = 0; t < T; t++) Xb[i * T + t] = rows[start + t];
  Yb[i] = rows[start + T];
}
