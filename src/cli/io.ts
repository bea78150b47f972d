import { isAbsolute, relative } from 'node:path';
import { showPath, showText } from '../errors.js';

/** Where a command reads its surroundings and writes its output, so that tests can stand in for the process. */
export interface Output {
  write(text: string): void;
  isTTY: boolean;
  columns: number;
}

export interface IO {
  stdout: Output;
  stderr: Output;
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  /** Milliseconds that never run backwards. */
  now(): number;
  /** The time of day, for run.json. */
  date(): Date;
  /**
   * Calls the handler at the first signal to stop; the next one ends the process at once, as if nobody listened. Returns what ends
   * the listening.
   */
  onStop(handler: (signal: StopSignal) => void): () => void;
  /** Whether keys can be read one by one. */
  readonly hasKeys: boolean;
  /** Calls the handler at each key; where there is no terminal, never. Returns what ends it. */
  onKey(handler: (key: string) => void): () => void;
}

export const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
export type StopSignal = (typeof STOP_SIGNALS)[number];
/** The exit code of a program that a signal stopped: shells add its number to 128. */
export const EXIT_SIGNAL: Record<StopSignal, number> = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };

/** The work between two looks at the event loop, so that signals, the terminal and closed pipes are noticed. */
export const TURN_MS = 50;

/** A path as a person would type it here, safe to print: from the current directory where it lies below it. */
export function shortPath(path: string, { cwd }: IO): string {
  const below = relative(cwd, path);
  if (below.startsWith('..') || isAbsolute(below) || below === '') return showPath(path);
  return showPath(below);
}

/** A path as part of a command that is proposed: it means the same to a POSIX shell. */
export function shellPath(path: string, { cwd }: IO): string {
  const below = relative(cwd, path);
  const word = below.startsWith('..') || isAbsolute(below) || below === '' ? path : below;
  // A name that begins with a dash would be taken for an option.
  const safe = word.startsWith('-') ? `./${word}` : word;
  if (/^[\w@%+=:,./-]+$/.test(safe)) return safe;
  // What would not be printed as it is becomes an escape, which $'…' reads.
  const escaped = showText(safe.replace(/[\\']/g, '\\$&'));
  return escaped.includes('\\') ? `$'${escaped}'` : `'${safe}'`;
}

/** The IO of this process. */
export function processIO(): IO {
  return {
    stdout: streamOutput(process.stdout),
    stderr: streamOutput(process.stderr),
    env: process.env,
    cwd: process.cwd(),
    now: () => performance.now(),
    date: () => new Date(),
    onStop: listenForStop,
    hasKeys: process.stdin.isTTY === true,
    onKey: listenForKeys,
  };
}

function listenForStop(handler: (signal: StopSignal) => void): () => void {
  const stopListening = () => {
    for (const name of STOP_SIGNALS) process.off(name, listener);
  };
  const listener = (signal: StopSignal) => {
    stopListening();
    handler(signal);
  };
  for (const name of STOP_SIGNALS) process.on(name, listener);
  return stopListening;
}

function listenForKeys(handler: (key: string) => void): () => void {
  const { stdin } = process;
  if (!stdin.isTTY) return () => {};
  const listener = (keys: Buffer) => {
    for (const key of keys.toString('utf8')) handler(key);
  };
  stdin.setRawMode(true);
  stdin.on('data', listener);
  return () => {
    stdin.off('data', listener);
    stdin.setRawMode(false);
    stdin.pause();
  };
}

function streamOutput(stream: NodeJS.WriteStream): Output {
  return {
    write: (text) => void stream.write(text),
    get isTTY() {
      return stream.isTTY === true;
    },
    get columns() {
      return stream.columns ?? 80;
    },
  };
}
