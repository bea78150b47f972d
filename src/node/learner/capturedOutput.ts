/** Captures the output of a learner's file: both streams of its process, line by line. */

/** Lines kept per source: a line of the exercise may print without end. */
const MAX_LINES = 1_000;

export class CapturedOutput {
  readonly #emit: (line: string) => void;
  #source: string;
  #count = 0;
  /** The beginning of a line that is not complete. */
  #open = '';
  #quiet = false;

  /**
   * Takes over both streams for the rest of the process.
   * @param source the name before each line, until {@link startSource}
   * @param emit called with each line
   */
  constructor(source: string, emit: (line: string) => void) {
    this.#source = source;
    this.#emit = emit;
    for (const stream of [process.stdout, process.stderr]) {
      stream.write = (chunk: string | Uint8Array, ...more: unknown[]): boolean => {
        this.#take(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8'));
        const done = more.find((one) => typeof one === 'function');
        if (done) process.nextTick(done as () => void);
        return true;
      };
    }
  }

  /** Sets the source of the output that follows. */
  startSource(name: string): void {
    this.flush();
    this.#source = name;
    this.#count = 0;
  }

  /** Emits a line without a source. */
  remark(text: string): void {
    if (!this.#quiet) this.#emit(text);
  }

  /** Ends an open line. */
  flush(): void {
    if (this.#open !== '') this.#take('\n');
  }

  /** Whether output is dropped. */
  set quiet(quiet: boolean) {
    this.#quiet = quiet;
  }

  /** Drops the output of a function. */
  quietly<T>(run: () => T): T {
    this.#quiet = true;
    try {
      return run();
    } finally {
      this.#quiet = false;
    }
  }

  #take(text: string): void {
    if (this.#quiet || this.#count > MAX_LINES) return;
    const lines = `${this.#open}${text}`.split('\n');
    this.#open = lines.pop() ?? '';
    for (const line of lines) {
      this.#count++;
      if (this.#count <= MAX_LINES) this.#emit(`${this.#source}: ${line}`);
      else if (this.#count === MAX_LINES + 1) this.#emit(`${this.#source}: …`);
    }
  }
}
