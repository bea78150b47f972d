/**
 * A peer is a program that gets a problem file (see problem.ts), prints what the first batch gives, and then, for each number of steps that it
 * reads, the microseconds per step. It waits while others are measured.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** What a step with the first batch gives, and a second step with it: a wrong gradient or update shows there. */
export interface FirstBatch {
  loss: number;
  /** Of all gradients together. */
  norm: number;
  /** The loss of the same batch after one update. */
  updated: number;
}

/** How a program is started. */
export interface Command {
  file: string;
  args: readonly string[];
  env?: Readonly<Record<string, string>>;
}

/** A peer that is left out, with the reason. */
export class LeftOut extends Error {}

/** The largest relative difference of float32 results that are summed in another order: 1e-6 is usual. */
const TOLERANCE = 2e-5;
/** A peer that says nothing for so long is left out. */
const PATIENCE_MS = 120_000;
const CHECK = /^loss ([^,]+), norm ([^,]+), updated (.+)$/;
const TIME = /^([\d.]+) us\/step$/;

/** A started peer. */
export class Peer {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  #errors = '';

  constructor({ file, args, env = {} }: Command) {
    this.#process = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    const { stdout, stderr, stdin } = this.#process;
    if (!stdout || !stderr || !stdin) throw new LeftOut('it has no pipes');
    this.#process.on('error', (error) => {
      this.#errors += error.message;
      stdout.destroy();
    });
    // A peer that has ended is noticed when it does not answer.
    stdin.on('error', () => {});
    stderr.on('data', (text) => {
      this.#errors += text;
    });
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  /** What the first batch gave. It has to be asked for before the times. */
  async firstBatch(): Promise<FirstBatch> {
    const [loss, norm, updated] = (await this.#answer(CHECK)).map(Number) as [number, number, number];
    return { loss, norm, updated };
  }

  /** Microseconds per step. */
  async time(steps: number): Promise<number> {
    this.#process.stdin?.write(`${steps}\n`);
    const [microseconds] = (await this.#answer(TIME)).map(Number) as [number];
    return microseconds;
  }

  end(): void {
    this.#process.kill('SIGKILL');
  }

  /** The groups of the next line of this form. */
  async #answer(form: RegExp): Promise<string[]> {
    let late = false;
    const alarm = setTimeout(() => {
      late = true;
      this.end();
    }, PATIENCE_MS);
    try {
      for (;;) {
        const { value, done } = await this.#lines.next();
        if (done) throw new LeftOut(late ? `it did not answer for ${PATIENCE_MS / 1000} s` : `it ended: ${lastLine(this.#errors)}`);
        const match = form.exec(value);
        if (match) return match.slice(1);
      }
    } finally {
      clearTimeout(alarm);
    }
  }
}

/** Where the results of a peer and ours are further apart than float32 is; undefined if they agree. */
export function difference(theirs: FirstBatch, ours: FirstBatch): string | undefined {
  const labels = { loss: 'loss', norm: 'norm of the gradient', updated: 'loss after one update' } as const;
  for (const key of ['loss', 'norm', 'updated'] as const) {
    const apart = Math.abs(theirs[key] - ours[key]) / Math.abs(ours[key]);
    if (!(apart <= TOLERANCE)) return `its ${labels[key]} is ${theirs[key]}, ours ${ours[key]}`;
  }
  return undefined;
}

/** The last line of an error, which in Python and gcc says what is wrong; in Node, it is the one with the error's name. */
export function lastLine(text: string): string {
  const lines = text.trim().split('\n');
  return lines.find((line) => /^\w*Error\b/.test(line)) ?? lines.at(-1) ?? '';
}
