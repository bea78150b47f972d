/** A list of names as one text of vocabulary indices: a byte per character in most alphabets, and no string until you ask for one. */

import { complete, type Job } from '../core/job.js';
import { type EncodedNames, NameListBuilder } from './nameListBuilder.js';
import { BOUNDARY, codePointTable, type Indices, newIndices, unknownCharacter } from './vocabulary.js';

/** Names per part of a job: about 10 ms. */
const NAMES_PER_PART = 50_000;

/** A list of names that cannot be changed. It takes a byte for each character and one for each name, up to 256 different characters. */
export class NameList implements Iterable<string>, EncodedNames {
  /** The distinct characters (code points): the boundary at index 0, then the others in code point order. */
  readonly vocabulary: readonly string[];
  /** The names as vocabulary indices: a boundary, then each name with a boundary after it. */
  readonly text: Indices;
  /** The number of names. */
  readonly length: number;
  #starts: Uint32Array | undefined;

  constructor({ vocabulary, text, length }: EncodedNames) {
    this.vocabulary = vocabulary;
    this.text = text;
    this.length = length;
  }

  /**
   * A list of these names; the same one if it is such a list already.
   * @throws RangeError if a name holds the boundary
   */
  static of(names: Iterable<string>): NameList {
    if (names instanceof NameList) return names;
    const builder = new NameListBuilder();
    for (const name of names) {
      if (name.includes(BOUNDARY)) throw new RangeError(`'${name}' holds '${BOUNDARY}', which marks the start and end of a name`);
      builder.add(name);
    }
    return new NameList(builder.encoded());
  }

  /** The name at a position; from the end if it is negative, as for an array. */
  at(position: number): string | undefined {
    const i = position < 0 ? this.length + position : position;
    if (!(i >= 0 && i < this.length)) return undefined;
    this.#starts ??= this.starts();
    return this.nameAt(this.#starts[i]);
  }

  /** The names from one position to before another, as strings. */
  slice(start: number, end: number): string[] {
    return Array.from({ length: Math.max(0, Math.min(end, this.length) - start) }, (_, i) => this.at(start + i) as string);
  }

  *[Symbol.iterator](): Generator<string, undefined, undefined> {
    for (let start = 1; start < this.text.length; start = this.#endOf(start) + 1) yield this.nameAt(start);
    return undefined;
  }

  /** The names as strings, for JSON.stringify. */
  toJSON(): string[] {
    return [...this];
  }

  /** The names as UTF-8, a line each. */
  toUtf8(): Uint8Array {
    const encoder = new TextEncoder();
    const bytes = this.vocabulary.map((character, index) => encoder.encode(index === 0 ? '\n' : character));
    const { text } = this;
    let size = 0;
    for (let at = 1; at < text.length; at++) size += bytes[text[at]].length;
    const out = new Uint8Array(size);
    for (let at = 1, end = 0; at < text.length; at++) for (const byte of bytes[text[at]]) out[end++] = byte;
    return out;
  }

  /** Where in the text the names begin. */
  starts(): Uint32Array {
    const starts = new Uint32Array(this.length);
    const { text } = this;
    for (let i = 0, at = 1; i < starts.length; i++) {
      starts[i] = at;
      while (text[at++] !== 0);
    }
    return starts;
  }

  /** The name that begins at a position in the text. */
  nameAt(start: number): string {
    let name = '';
    for (let at = start; this.text[at] !== 0; at++) name += this.vocabulary[this.text[at]];
    return name;
  }

  #endOf(start: number): number {
    let end = start;
    while (this.text[end] !== 0) end++;
    return end;
  }

  /**
   * Lists of the names that begin at these positions in the text, in this order. They share their memory.
   * @param borders how many names there are before each further list
   */
  cut(starts: Uint32Array, borders: readonly number[] = []): NameList[] {
    const { text } = this;
    const size = starts.length === this.length ? text.length : starts.reduce((sum, start) => sum + this.#endOf(start) + 1 - start, 1);
    const all = newIndices(size, this.vocabulary.length);
    const lists: NameList[] = [];
    let end = 1;
    for (let k = 0, i = 0; k <= borders.length; k++) {
      const begin = end;
      const first = i;
      const last = borders[k] ?? starts.length;
      for (; i < last; i++) {
        for (let at = starts[i]; text[at] !== 0; at++) all[end++] = text[at];
        end++;
      }
      // The boundary before the first name is the one after the last name of the list before.
      lists.push(new NameList({ vocabulary: this.vocabulary, text: all.subarray(begin - 1, end), length: last - first }));
    }
    return lists;
  }

  /** The names that pass a test. */
  filter(test: (name: string) => boolean): NameList {
    return complete(this.filterInParts(test));
  }

  /** {@link filter} in parts. */
  *filterInParts(test: (name: string) => boolean): Job<NameList> {
    return yield* this.#where((start) => test(this.nameAt(start)));
  }

  /** The names that hold, for each test, a character that passes it. A test sees each character of the vocabulary once. */
  holding(...tests: ((character: string) => boolean)[]): NameList {
    const { text } = this;
    const all = 2 ** tests.length - 1;
    const bits = Uint8Array.from(this.vocabulary, (character, index) =>
      index === 0 ? 0 : tests.reduce((sum, test, k) => sum | (test(character) ? 1 << k : 0), 0),
    );
    if (bits.reduce((sum, one) => sum | one, 0) !== all) return this.cut(new Uint32Array(0))[0];
    const holds = (start: number) => {
      let found = 0;
      for (let at = start; text[at] !== 0; at++) found |= bits[text[at]];
      return found === all;
    };
    return complete(this.#where(holds));
  }

  *#where(test: (start: number) => boolean): Job<NameList> {
    const starts = new Uint32Array(this.length);
    let count = 0;
    for (let start = 1, seen = 1; start < this.text.length; start = this.#endOf(start) + 1, seen++) {
      if (test(start)) starts[count++] = start;
      if (seen % NAMES_PER_PART === 0) yield;
    }
    return this.cut(starts.subarray(0, count))[0];
  }

  /**
   * {@link text} in the indices of another vocabulary.
   * @throws RangeError if a character is not in it
   */
  textIn(vocabulary: readonly string[]): Indices {
    const own = this.vocabulary;
    if (own === vocabulary || (own.length === vocabulary.length && own.every((one, i) => one === vocabulary[i]))) return this.text;
    const table = codePointTable(vocabulary);
    const indices = Int32Array.from(own, (character) => table[character.codePointAt(0) as number] ?? -1);
    const { text } = this;
    const out = newIndices(text.length, vocabulary.length);
    for (let at = 0; at < text.length; at++) {
      const index = indices[text[at]];
      if (index === -1) throw unknownCharacter(own[text[at]]);
      out[at] = index;
    }
    return out;
  }
}
