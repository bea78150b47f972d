import { randomStream, shuffled } from '../core/random.js';

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
   * Shape [count,T+1]: each context with its target behind it, in as few bytes as the vocabulary allows. An example drawn at random is a
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
  const indices: number[] = [];
  for (const character of name) {
    const index = indexOf.get(character);
    if (index === undefined) throw new RangeError(`'${character}' is not in the vocabulary`);
    indices.push(index);
  }
  indices.push(0);
  return indices;
}

export function vocabularyIndex(vocabulary: readonly string[]): Map<string, number> {
  return new Map(vocabulary.map((character, index) => [character, index]));
}

/** How many examples the names make: one per character, and one per end. */
export function countExamples(names: readonly string[]): number {
  let count = names.length;
  for (const name of names) for (const _ of name) count++;
  return count;
}

/** All examples of the names, with contexts of T characters; the boundary fills the context of a name's first characters. */
export function createExamples(names: readonly string[], vocabulary: readonly string[], T: number): Examples {
  const indexOf = vocabularyIndex(vocabulary);
  const count = countExamples(names);
  const rows = newRows(count * (T + 1), vocabulary.length);
  let at = 0;
  for (const name of names) {
    const indices = encode(name, indexOf);
    for (let position = 0; position < indices.length; position++) {
      for (let from = position - T; from < position; from++) rows[at++] = from < 0 ? 0 : indices[from];
      rows[at++] = indices[position];
    }
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
