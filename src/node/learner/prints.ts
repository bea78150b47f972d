/** What a learner's file prints, taken from both streams of its process, line by line. */

/** After so many lines of one speaker the rest is dropped: a line may print without an end. */
const MOST_LINES = 1_000;

export class Prints {
  readonly #say: (line: string) => void;
  #speaker: string;
  #said = 0;
  /** The beginning of a line whose end is still to come. */
  #open = '';
  #quiet = false;

  /** Takes the streams over, for good. */
  constructor(speaker: string, say: (line: string) => void) {
    this.#speaker = speaker;
    this.#say = say;
    for (const stream of [process.stdout, process.stderr]) {
      stream.write = (chunk: string | Uint8Array, ...more: unknown[]): boolean => {
        this.#take(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8'));
        const done = more.find((one) => typeof one === 'function');
        if (done) process.nextTick(done as () => void);
        return true;
      };
    }
  }

  /** Whose prints come from now on. */
  speaks(speaker: string): void {
    this.flush();
    this.#speaker = speaker;
    this.#said = 0;
  }

  /** A remark, of nobody in particular. */
  remark(text: string): void {
    if (!this.#quiet) this.#say(text);
  }

  /** Ends a line that was begun. */
  flush(): void {
    if (this.#open !== '') this.#take('\n');
  }

  /** Whether what comes is not to be heard. */
  set quiet(quiet: boolean) {
    this.#quiet = quiet;
  }

  quietly<T>(run: () => T): T {
    this.#quiet = true;
    try {
      return run();
    } finally {
      this.#quiet = false;
    }
  }

  #take(text: string): void {
    if (this.#quiet || this.#said > MOST_LINES) return;
    const lines = `${this.#open}${text}`.split('\n');
    this.#open = lines.pop() ?? '';
    for (const line of lines) {
      this.#said++;
      if (this.#said <= MOST_LINES) this.#say(`${this.#speaker}: ${line}`);
      else if (this.#said === MOST_LINES + 1) this.#say(`${this.#speaker}: …`);
    }
  }
}
