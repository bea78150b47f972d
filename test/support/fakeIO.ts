import { run } from '../../src/cli/run.js';
import type { IO, Output, StopSignal } from '../../src/cli/terminal/io.js';
import { put } from './tempDirectory.js';

export interface Surroundings {
  env?: IO['env'];
  /** Whether both streams, or the named one, are terminals. */
  tty?: boolean | 'stdout' | 'stderr';
  columns?: number;
  rows?: number;
  /** Milliseconds between two readings of the clock. */
  tick?: number;
  /** The time of day. */
  date?: string;
  /** The lines of standard input. */
  input?: readonly string[];
  /** Default: linux. */
  platform?: string;
  /** The opener of the browser. By default there must be none that is used: no test starts a browser. */
  openInBrowser?: IO['openInBrowser'];
  /** A signal to stop, and the time on the clock at which it comes, in milliseconds. */
  stop?: { signal: StopSignal; at: number };
}

/** A piece of output, and the time on the clock at which it was written, in milliseconds. */
export interface Write {
  text: string;
  at: number;
}

export interface Outcome {
  exitCode: number;
  stdout: string;
  stderr: string;
  stderrWrites: readonly Write[];
}

class FakeOutput implements Output {
  readonly writes: Write[] = [];
  readonly isTTY: boolean;
  columns: number;
  readonly rows: number;
  readonly #clock: () => number;

  constructor(isTTY: boolean, columns: number, rows: number, clock: () => number) {
    this.isTTY = isTTY;
    this.columns = columns;
    this.rows = rows;
    this.#clock = clock;
  }

  write(text: string): void {
    this.writes.push({ text, at: this.#clock() });
  }

  get text(): string {
    return this.writes.map(({ text }) => text).join('');
  }
}

export interface FakeIO extends IO {
  stdout: FakeOutput;
  stderr: FakeOutput;
}

/** An IO that collects the output. Its clock advances by `tick` at each reading. */
export function fakeIO(
  cwd: string,
  {
    env = {},
    tty = false,
    columns = 80,
    rows = 24,
    tick = 1,
    date,
    stop,
    input = [],
    platform = 'linux',
    openInBrowser = startsNoBrowser,
  }: Surroundings = {},
): FakeIO {
  let clock = 0;
  let onStop: ((signal: StopSignal) => void) | undefined;
  const output = (name: 'stdout' | 'stderr') => new FakeOutput(tty === true || tty === name, columns, rows, () => clock);
  return {
    stdout: output('stdout'),
    stderr: output('stderr'),
    env,
    cwd,
    platform,
    openInBrowser,
    now: () => {
      clock += tick;
      if (stop && clock >= stop.at && onStop) {
        onStop(stop.signal);
        onStop = undefined;
      }
      return clock;
    },
    date: () => new Date(date ?? '2020-02-02T02:02:02.020Z'),
    hasKeys: false,
    onKey: () => () => {},
    onRedraw: () => () => {},
    onContinue: () => () => {},
    inBackground: false,
    async *readLines() {
      yield* input;
    },
    onStop: (handler) => {
      onStop = handler;
      return () => {
        onStop = undefined;
      };
    },
  };
}

async function startsNoBrowser(path: string): Promise<void> {
  throw new TypeError(`a test would open ${path}`);
}

/** Runs a command line in this process. */
export async function runCli(cwd: string, argv: readonly string[], surroundings?: Surroundings): Promise<Outcome> {
  const io = fakeIO(cwd, surroundings);
  const exitCode = await run(argv, io);
  return { exitCode, stdout: io.stdout.text, stderr: io.stderr.text, stderrWrites: io.stderr.writes };
}

const BEGINNINGS = ['a', 'be', 'mi', 'ro', 'sa', 'lu'];
const ENDINGS = ['na', 'la', 'ri', 'don', 'ta', 'vi', 'len', 'ma', 'ra', 'no'];

/** 60 different names of 15 letters. */
export const NAMES: readonly string[] = BEGINNINGS.flatMap((beginning) => ENDINGS.map((ending) => beginning + ending));

export function writeNames(directory: string, names: readonly string[] = NAMES, file = 'names.txt'): string {
  return put(directory, file, `${names.join('\n')}\n`);
}

/** Options of a quick training on the names.txt of {@link writeNames}. */
export const SMALL: readonly string[] = ['--data', 'names.txt', '--steps', '50', '--hidden', '8', '--embedding', '4'];

/** Writes the names and trains the small network on them, into the given directory's `run`. Returns the report. */
export async function trainSmall(directory: string, ...more: string[]): Promise<TrainReport> {
  writeNames(directory);
  const { exitCode, stdout, stderr } = await runCli(directory, ['train', ...SMALL, '--out', 'run', '--json', ...more]);
  if (exitCode !== 0) throw new Error(`training ended with ${exitCode}: ${stderr}`);
  return JSON.parse(stdout) as TrainReport;
}

export interface TrainReport {
  run: string;
  checkpoint: string;
  parameters: number;
  steps: number;
  seconds: number;
  stepsPerSecond: number;
  trainLoss: number;
  valLoss: number;
  testLoss: number;
  valSeen: { names: number; loss: number | null };
  valUnseen: { names: number; loss: number | null };
  baselines: Record<'uniform' | 'bigram' | 'fourGram', Record<'train' | 'val' | 'test', number>>;
  samples: string[];
  emptyNameProbability: number;
  origins: string[];
}

/** The stderr of a refused command: one line that says what is wrong. */
export const ONE_ERROR_LINE = /^error: [^\n]+\n$/;
