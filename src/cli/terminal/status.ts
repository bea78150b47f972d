import type { IO } from './io.js';

const REDRAW_MS = 100;
const LINE_MS = 5_000;
/** Work that is done sooner shows nothing. */
const PATIENCE_MS = 1_000;

/** What long work is at, on stderr: on a terminal, one line that is redrawn in place; elsewhere, a plain line every five seconds. */
export class Status {
  readonly #io: IO;
  readonly #live: boolean;
  #due: number;
  #drawn = false;

  constructor(io: IO) {
    this.#io = io;
    this.#live = io.stderr.isTTY && io.env.TERM !== 'dumb';
    this.#due = io.now() + (this.#live ? PATIENCE_MS : LINE_MS);
  }

  /** Shows the text if a redraw is due. */
  update(text: () => string): void {
    const now = this.#io.now();
    if (now < this.#due) return;
    this.#due = now + (this.#live ? REDRAW_MS : LINE_MS);
    this.#io.stderr.write(this.#live ? `\r\x1b[2K${text().slice(0, Math.max(1, this.#io.stderr.columns - 1))}` : `${text()}\n`);
    this.#drawn = this.#live;
  }

  /** Removes the line from the terminal, to make room for other output. */
  clear(): void {
    if (this.#drawn) this.#io.stderr.write('\r\x1b[2K');
    this.#drawn = false;
  }
}
