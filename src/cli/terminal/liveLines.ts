import type { IO } from './io.js';

/** Lines at the end of a terminal's text that are drawn again in place. */
export class LiveLines {
  readonly #io: IO;
  /** The lengths of the lines on the terminal. */
  #drawn: number[] = [];

  constructor(io: IO) {
    this.#io = io;
  }

  /** Draws the lines in the place of those before. They must be narrower than the terminal. The cursor stays at the end of the last one. */
  draw(lines: readonly string[]): void {
    const isFewer = lines.length < this.#rows;
    this.#io.stderr.write(`${this.#toTop()}${lines.map((line) => `\r\x1b[2K${line}`).join('\n')}${isFewer ? '\x1b[J' : ''}`);
    this.#drawn = lines.map((line) => line.length);
  }

  /** Removes the lines from the terminal, to make room for other text. */
  clear(): void {
    if (this.#drawn.length > 0) this.#io.stderr.write(`${this.#toTop()}\r\x1b[2K${this.#rows > 1 ? '\x1b[J' : ''}`);
    this.#drawn = [];
  }

  /** Leaves the lines on the terminal; other text follows below them. */
  keep(): void {
    if (this.#drawn.length > 0) this.#io.stderr.write('\n');
    this.#drawn = [];
  }

  /** The next lines begin where the cursor is now, because another program has written to the terminal. */
  forget(): void {
    this.#drawn = [];
  }

  /** Rows of the terminal that the lines take: one that became narrower breaks them. */
  get #rows(): number {
    const columns = Math.max(1, this.#io.stderr.columns);
    return this.#drawn.reduce((sum, length) => sum + Math.max(1, Math.ceil(length / columns)), 0);
  }

  #toTop(): string {
    return this.#rows > 1 ? `\x1b[${this.#rows - 1}A` : '';
  }
}
