import { randomStream, shuffle } from '../core/random.js';
import { NameIndex } from './nameIndex.js';
import { NameList } from './nameList.js';
import type { Indices } from './vocabulary.js';

/** The training, validation and test split: 80, 10 and 10 % of the names. */
export type Split = 'train' | 'val' | 'test';
export const SPLITS: readonly Split[] = ['train', 'val', 'test'];

/** Names in a training, validation and test split, and the characters they use. */
export interface Dataset {
  /** The distinct characters (code points): the boundary at index 0, then the others in code point order. */
  vocabulary: readonly string[];
  /** The names of each split. */
  parts: Readonly<Record<Split, NameList>>;
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

/**
 * Next-character examples: a context of T characters and the character that follows. A name has one per character and one for its end.
 * An example is a position in a text that holds all names.
 */
export interface Examples {
  count: number;
  /** T */
  context: number;
  /**
   * Shape [1+count]: vocabulary indices of the names, with a boundary, 0, before the first and after each. The target of example k is entry k+1. Its
   * context ends with entry k and reaches back to a boundary; what is before that is boundaries.
   */
  text: Indices;
}

/** A batch of n examples: contexts Xb [n,T] and targets Yb [n]. The arrays may be longer. */
export interface Batch {
  readonly n: number;
  readonly Xb: Int32Array;
  readonly Yb: Int32Array;
}

/**
 * Splits the names 80/10/10 after a seeded shuffle. All examples of a name fall into the same split.
 * @throws RangeError if a name holds the boundary
 */
export function createDataset(names: Iterable<string>, { splitSeed, unique }: DatasetOptions): Dataset {
  const list = NameList.of(names);
  const starts = unique ? NameIndex.distinctStarts(list) : list.starts();
  shuffle(starts, randomStream('split', splitSeed));
  const [train, val, test] = list.cut(starts, [Math.floor(0.8 * starts.length), Math.floor(0.9 * starts.length)]);
  return { vocabulary: list.vocabulary, parts: { train, val, test } };
}

/** The number of examples of these names: one per character and one per name. */
export function countExamples({ text }: NameList): number {
  return text.length - 1;
}

/**
 * All examples of the names. At the start of a name, the context is padded with boundaries.
 * @throws RangeError if a character is not in the vocabulary
 */
export function createExamples(names: Iterable<string>, vocabulary: readonly string[], T: number): Examples {
  const text = NameList.of(names).textIn(vocabulary);
  return { count: text.length - 1, context: T, text };
}

/** Copies the context and the target of an example to row i of a batch. */
export function copyExample({ Xb, Yb }: Batch, i: number, { text, context: T }: Examples, example: number): void {
  const last = i * T + T - 1;
  // All ones until a boundary is met, then 0: a branch would be mispredicted for every other name.
  let mask = -1;
  for (let t = 0; t < T; t++) {
    const index = text[Math.max(example - t, 0)] & mask;
    mask = -index >> 31;
    Xb[last - t] = index;
  }
  Yb[i] = text[example + 1];
}
