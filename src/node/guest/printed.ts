/** What a guest's process and its children print: line by line, escaped, and cut by lines and by size. */
import { StringDecoder } from 'node:string_decoder';
import { showText } from '../../core/text.js';

/** Lines and characters kept per source: a guest may print without end. */
const MAX_LINES = 1_000;
const MAX_CHARACTERS = 100_000;
/** Characters kept of a line. */
const MAX_LENGTH = 2_000;

export class Printed {
  readonly #emit: (line: string) => void;
  readonly #most: number;
  /** One for stdout, one for stderr. */
  readonly #streams = [new OpenLine(), new OpenLine()];
  /** The name before each line; undefined drops the output. */
  #source: string | undefined;
  #lines = 0;
  #characters = 0;

  /**
   * @param emit called with each line, which is safe to print
   * @param most lines that are kept per source
   */
  constructor(emit: (line: string) => void, most = MAX_LINES) {
    this.#emit = emit;
    this.#most = most;
  }

  /** Ends open lines, and starts to count anew. */
  startSource(name: string | undefined): void {
    for (const stream of this.#streams) this.#put(stream.end());
    if (name !== this.#source) {
      this.#lines = 0;
      this.#characters = 0;
    }
    this.#source = name;
  }

  /** @param stream 0 for stdout, 1 for stderr */
  take(stream: 0 | 1, chunk: Buffer): void {
    if (this.#source !== undefined && this.#lines <= this.#most) this.#put(this.#streams[stream].push(chunk));
  }

  #put(lines: readonly string[]): void {
    for (const line of lines) {
      if (this.#source === undefined || this.#lines > this.#most) return;
      this.#lines++;
      this.#characters += line.length;
      if (this.#lines <= this.#most && this.#characters <= MAX_CHARACTERS) {
        this.#emit(`${this.#source}: ${showText(line.replaceAll('\t', '    '))}`);
      } else {
        this.#lines = this.#most + 1;
        this.#emit(`${this.#source}: …`);
      }
    }
  }
}

/** Cuts a stream into lines. It keeps the beginning of a line without an end, and no more. */
class OpenLine {
  readonly #decoder = new StringDecoder('utf8');
  #text = '';
  #isOpen = false;

  /** The lines that a chunk ends. */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    for (const [i, part] of this.#decoder.write(chunk).split('\n').entries()) {
      if (i > 0) lines.push(this.#take());
      this.#add(part);
    }
    return lines;
  }

  /** The line that has no end, if there is one. */
  end(): string[] {
    this.#add(this.#decoder.end());
    return this.#isOpen ? [this.#take()] : [];
  }

  #add(part: string): void {
    if (part === '') return;
    this.#isOpen = true;
    if (this.#text.length <= MAX_LENGTH) this.#text += part.slice(0, MAX_LENGTH + 1);
  }

  #take(): string {
    const text = this.#text.endsWith('\r') ? this.#text.slice(0, -1) : this.#text;
    this.#text = '';
    this.#isOpen = false;
    return text.length <= MAX_LENGTH ? text : `${text.slice(0, MAX_LENGTH)}…`;
  }
}
