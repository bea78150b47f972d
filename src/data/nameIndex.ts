/** Which names are in a list: a hash table of their positions in its text. */
import { complete, type Job } from '../core/job.js';
import type { NameList } from './nameList.js';
import { type CodePointTable, codePointTable } from './vocabulary.js';

/** Names per part of a job: about 10 ms. */
const NAMES_PER_PART = 50_000;

/** The different names of a list. It takes 6 to 12 bytes for each name. */
export class NameIndex {
  readonly #list: NameList;
  readonly #table: CodePointTable;
  /** Open addressing: where a name begins in the text, or 0. */
  readonly #slots: Uint32Array;

  /** An index without names. */
  private constructor(list: NameList) {
    this.#list = list;
    this.#table = codePointTable(list.vocabulary);
    this.#slots = new Uint32Array(2 ** Math.ceil(Math.log2(1.5 * list.length + 2)));
  }

  /** An index of all names of a list, in parts. */
  static *inParts(list: NameList): Job<NameIndex> {
    const index = new NameIndex(list);
    yield* index.#addAll(() => {});
    return index;
  }

  /** Where the different names of a list begin in its text, in order. */
  static distinctStarts(list: NameList): Uint32Array {
    const starts = new Uint32Array(list.length);
    let count = 0;
    complete(
      new NameIndex(list).#addAll((start) => {
        starts[count++] = start;
      }),
    );
    return starts.subarray(0, count);
  }

  /** Whether a name is in the list. */
  has(name: string): boolean {
    const indices: number[] = [];
    for (const character of name) {
      const index = this.#table[character.codePointAt(0) as number] ?? -1;
      if (index <= 0) return false;
      indices.push(index);
    }
    return this.#slots[this.#slotOf([...indices, 0], 0)] !== 0;
  }

  /** Takes in all names of the list, in parts, and calls back with the beginning of each that is there for the first time. */
  *#addAll(onNew: (start: number) => void): Job<void> {
    const { text } = this.#list;
    let count = 0;
    for (let start = 1; start < text.length; start++) {
      const slot = this.#slotOf(text, start);
      if (this.#slots[slot] === 0) {
        this.#slots[slot] = start;
        onNew(start);
      }
      while (text[start] !== 0) start++;
      if (++count % NAMES_PER_PART === 0) yield;
    }
  }

  /** The slot of the name that begins at a position in a text, or the empty one in which it would be. */
  #slotOf(text: ArrayLike<number>, start: number): number {
    // FNV-1a, with its high bits mixed into the low ones.
    let hash = 0x811c9dc5;
    for (let at = start; text[at] !== 0; at++) hash = Math.imul(hash ^ text[at], 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    const mask = this.#slots.length - 1;
    let slot = (hash ^ (hash >>> 13)) & mask;
    while (this.#slots[slot] !== 0 && !this.#isSame(this.#slots[slot], text, start)) slot = (slot + 1) & mask;
    return slot;
  }

  #isSame(own: number, text: ArrayLike<number>, start: number): boolean {
    const { text: names } = this.#list;
    let at = 0;
    while (names[own + at] === text[start + at]) if (names[own + at++] === 0) return true;
    return false;
  }
}
