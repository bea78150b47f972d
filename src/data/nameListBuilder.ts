/** Collects names, from strings or from the lines of a file, without keeping a string for each. */
import { BOUNDARY, type Indices, newIndices } from './vocabulary.js';

/** Names as vocabulary indices. */
export interface EncodedNames {
  /** The distinct characters (code points): the boundary at index 0, then the others in code point order. */
  vocabulary: readonly string[];
  /** A boundary, then each name with a boundary after it. */
  text: Indices;
  /** The number of names. */
  length: number;
}

/** Entries of a piece of the text. */
const PIECE = 2 ** 17;

/**
 * Until all names are there, a character is known by its number: characters are numbered as they come. {@link encoded} puts
 * vocabulary indices in the place of the numbers.
 */
export class NameListBuilder {
  readonly #isPlain: (codePoint: number) => boolean;
  readonly #numbers = new Map<number, number>();
  /** The code points by number; 0 is the boundary. */
  readonly #codePoints: number[] = [BOUNDARY.charCodeAt(0)];
  /** The numbers of plain characters by code point; -1 for others, and for those that did not occur yet. */
  #plain = new Int32Array(2 ** 8).fill(-1);
  readonly #pieces: Indices[] = [];
  #piece: Indices = new Uint8Array(0);
  /** The most characters that its entries can tell apart. Kept, because a power takes as long as half a line. */
  #mostCharacters = 2 ** 8;
  /** Entries in the latest piece. */
  #end = 0;
  #length = 0;

  /** @param isPlain whether {@link addLine} may take a character as it is, wherever it is in a line */
  constructor(isPlain: (codePoint: number) => boolean = () => false) {
    this.#isPlain = isPlain;
  }

  /** The number of names. */
  get length(): number {
    return this.#length;
  }

  /** Adds a name, which does not hold the boundary. */
  add(name: string): void {
    const numbers: number[] = [];
    for (const character of name) numbers.push(this.#numberOf(character.codePointAt(0) as number));
    this.#makeRoom(numbers.length + 1);
    this.#piece.set(numbers, this.#end);
    // The piece holds zeros, and so the boundary.
    this.#end += numbers.length + 1;
    this.#length++;
  }

  /**
   * Adds the name of a line of UTF-8 if it consists of plain characters that {@link add} has seen before, without blanks at its ends. This is
   * 10 times as fast as a string for each line.
   * @param most the most bytes of a line
   * @param stop where the bytes end
   * @returns the position of the line's end, or -1 if nothing was added
   */
  addLine(bytes: Uint8Array, start: number, most: number, stop = bytes.length): number {
    this.#makeRoom(most + 1);
    const plain = this.#plain;
    const piece = this.#piece;
    let end = this.#end;
    let at = start;
    while (at < stop) {
      const first = bytes[at];
      const size = first < 0x80 ? 1 : sizeOf(first);
      const number = plain[first < 0x80 ? first : codePointAt(bytes, at, size)];
      // Beyond the table it is undefined.
      if (!(number > 0)) break;
      piece[end++] = number;
      at += size;
    }
    const isEnd = at === stop || bytes[at] === 0x0a || bytes[at] === 0x0d;
    if (!isEnd || at === start || at - start > most || bytes[start] === 0x20 || bytes[at - 1] === 0x20) {
      piece.fill(0, this.#end, end);
      return -1;
    }
    this.#end = end + 1;
    this.#length++;
    return at;
  }

  /** The names, and the end of this builder. */
  encoded(): EncodedNames {
    const order = this.#codePoints.map((_, number) => number).slice(1);
    order.sort((a, b) => this.#codePoints[a] - this.#codePoints[b]);
    const indices = new Int32Array(this.#codePoints.length);
    for (const [i, number] of order.entries()) indices[number] = i + 1;
    this.#closePiece();
    const size = this.#pieces.reduce((sum, { length }) => sum + length, 1);
    const text = newIndices(size, indices.length);
    let end = 1;
    // A piece is given up as soon as it is copied.
    for (let piece = this.#pieces.shift(); piece; piece = this.#pieces.shift()) {
      for (let i = 0; i < piece.length; i++) text[end + i] = indices[piece[i]];
      end += piece.length;
    }
    const vocabulary = [BOUNDARY, ...order.map((number) => String.fromCodePoint(this.#codePoints[number]))];
    return { vocabulary, text, length: this.#length };
  }

  #numberOf(codePoint: number): number {
    const known = this.#numbers.get(codePoint);
    if (known !== undefined) return known;
    const number = this.#codePoints.push(codePoint) - 1;
    this.#numbers.set(codePoint, number);
    if (this.#isPlain(codePoint)) {
      if (codePoint >= this.#plain.length) {
        const wider = new Int32Array(2 ** Math.ceil(Math.log2(codePoint + 1))).fill(-1);
        wider.set(this.#plain);
        this.#plain = wider;
      }
      this.#plain[codePoint] = number;
    }
    return number;
  }

  /** Begins another piece if the latest one has no room for the entries, or too few bytes per entry for the largest index. */
  #makeRoom(entries: number): void {
    if (this.#end + entries <= this.#piece.length && this.#codePoints.length <= this.#mostCharacters) return;
    this.#closePiece();
    this.#piece = newIndices(Math.max(PIECE, entries), this.#codePoints.length);
    this.#mostCharacters = 2 ** (8 * this.#piece.BYTES_PER_ELEMENT);
    this.#end = 0;
  }

  #closePiece(): void {
    if (this.#end > 0) this.#pieces.push(this.#piece.subarray(0, this.#end));
  }
}

/** Bytes of a character of UTF-8 by its first byte, from 0x80 on. */
function sizeOf(first: number): number {
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/** The code point of a character of several bytes; -1 if they are not valid UTF-8. */
function codePointAt(bytes: Uint8Array, at: number, size: number): number {
  if (at + size > bytes.length) return -1;
  const first = bytes[at];
  const second = bytes[at + 1];
  if (first < 0xc2 || first > 0xf4 || (second & 0xc0) !== 0x80) return -1;
  if (size === 2) return ((first & 0x1f) << 6) | (second & 0x3f);
  const third = bytes[at + 2];
  if ((third & 0xc0) !== 0x80) return -1;
  const three = ((second & 0x3f) << 6) | (third & 0x3f);
  // Numbers that fewer bytes can hold are overlong; the table of plain characters has no surrogates.
  if (size === 3) return first > 0xe0 || second >= 0xa0 ? ((first & 0x0f) << 12) | three : -1;
  const fourth = bytes[at + 3];
  if ((fourth & 0xc0) !== 0x80 || (first === 0xf0 && second < 0x90)) return -1;
  return ((first & 0x07) << 18) | (three << 6) | (fourth & 0x3f);
}
