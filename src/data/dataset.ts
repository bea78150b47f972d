import { randomStream, shuffled } from '../core/random.js';

/** The character before and after every name: entry 0 of every vocabulary. */
export const BOUNDARY = '.';

/** The training, validation and test split: 80, 10 and 10 % of the names. */
export type Split = 'train' | 'val' | 'test';
export const SPLITS: readonly Split[] = ['train', 'val', 'test'];

/** Names in a training, validation and test split, and the characters they use. */
export interface Dataset {
  /** The distinct characters (code points): the boundary at index 0, then the others in code point order. */
  vocabulary: readonly string[];
  /** The names of each split. */
  parts: Readonly<Record<Split, readonly string[]>>;
}

/** Options of {@link createDataset}. */
export interface DatasetOptions {
  /** Determines the split of each name; independent of the seed of a run. */
  splitSeed: number;
  /** Whether to drop repeated names before the split. */
  unique: boolean;
}

/** The split of a data set unless a run asks for another one. */
export const DEFAULT_SPLIT: DatasetOptions = { splitSeed: 42, unique: false };

/** Next-character examples: a context of T characters and the character that follows. A name has one per character and one for its end. */
export interface Examples {
  count: number;
  /** T */
  context: number;
  /**
   * Shape [count,T+1]: each context followed by its target, as vocabulary indices, in as few bytes as the vocabulary allows. Context and target
   * are adjacent so that drawing a random example costs one cache miss, not two.
   */
  rows: Uint8Array | Uint16Array | Int32Array;
}

/** A batch of n examples: contexts Xb [n,T] and targets Yb [n]. The arrays may be longer. */
export interface Batch {
  readonly n: number;
  readonly Xb: Int32Array;
  readonly Yb: Int32Array;
}

/** Splits the names 80/10/10 after a seeded shuffle. All examples of a name fall into the same split. */
export function createDataset(names: readonly string[], { splitSeed, unique }: DatasetOptions): Dataset {
  const order = shuffled(unique ? [...new Set(names)] : names, randomStream('split', splitSeed));
  const first = Math.floor(0.8 * order.length);
  const second = Math.floor(0.9 * order.length);
  return {
    vocabulary: createVocabulary(names),
    parts: { train: order.slice(0, first), val: order.slice(first, second), test: order.slice(second) },
  };
}

/** The boundary, then the distinct characters of the names in code point order. */
export function createVocabulary(names: readonly string[]): string[] {
  const characters = new Set<string>();
  for (const name of names) for (const character of name) characters.add(character);
  const codePoint = (character: string) => character.codePointAt(0) as number;
  return [BOUNDARY, ...[...characters].sort((a, b) => codePoint(a) - codePoint(b))];
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
 * The vocabulary index of each character (code point) of a name, then that of the boundary.
 * @throws RangeError if a character is not in the vocabulary
 */
export function encode(name: string, table: CodePointTable): number[] {
  const indices: number[] = [];
  for (let i = 0; i < name.length; i += unitsAt(name, i)) indices.push(indexAt(name, i, table));
  indices.push(0);
  return indices;
}

/** The vocabulary index of the character at a position. */
function indexAt(name: string, position: number, table: CodePointTable): number {
  const codePoint = name.codePointAt(position) as number;
  const index = table[codePoint] ?? -1;
  if (index === -1) throw new RangeError(`'${String.fromCodePoint(codePoint)}' is not in the vocabulary`);
  return index;
}

/** UTF-16 units of the character at a position: 1 or 2. */
function unitsAt(name: string, position: number): number {
  return (name.codePointAt(position) as number) > 0xffff ? 2 : 1;
}

/** The index of each character. */
export function vocabularyIndex(vocabulary: readonly string[]): Map<string, number> {
  return new Map(vocabulary.map((character, index) => [character, index]));
}

/** The number of examples of these names: one per character and one per name. */
export function countExamples(names: readonly string[]): number {
  let count = names.length;
  for (const name of names) for (let i = 0; i < name.length; i += unitsAt(name, i)) count++;
  return count;
}

/**
 * All examples of the names. At the start of a name, the context is padded with boundaries.
 * @throws RangeError if a character is not in the vocabulary
 */
export function createExamples(names: readonly string[], vocabulary: readonly string[], T: number): Examples {
  const table = codePointTable(vocabulary);
  const count = countExamples(names);
  const rows = newRows(count * (T + 1), vocabulary.length);
  let at = 0;
  for (const name of names) {
    let length = 0;
    for (let i = 0; i <= name.length; length++) {
      // The context is the row before without its first entry; the rows begin as boundaries, which are 0.
      for (let end = at + T, past = Math.min(T, length), t = end - past; t < end; t++) rows[t] = rows[t - T];
      if (i < name.length) rows[at + T] = indexAt(name, i, table);
      at += T + 1;
      i += i < name.length ? unitsAt(name, i) : 1;
    }
  }
  return { count, context: T, rows };
}

function newRows(size: number, V: number): Examples['rows'] {
  if (V <= 2 ** 8) return new Uint8Array(size);
  return V <= 2 ** 16 ? new Uint16Array(size) : new Int32Array(size);
}

/** Copies the context and the target of an example to row i of a batch. */
export function copyExample({ Xb, Yb }: Batch, i: number, { rows, context: T }: Examples, example: number): void {
  const start = example * (T + 1);
  for (let t = 0; t < T; t++) Xb[i * T + t] = rows[start + t];
  Yb[i] = rows[start + T];
}
