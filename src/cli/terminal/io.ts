import { isAbsolute, relative } from 'node:path';
import { showPath, showText } from '../../core/text.js';

/** Where a command reads its surroundings and writes its output, so that tests can stand in for the process. */
export interface Output {
  write(text: string): void;
  isTTY: boolean;
  columns: number;
  rows: number;
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
  /**
   * Lines of standard input, as they come, until it ends or Ctrl-C. On a terminal each is asked for with the prompt, and the Tab key completes
   * its last word.
   */
  readLines(prompt: string, words: readonly string[]): AsyncIterable<string>;
}

export const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
export type StopSignal = (typeof STOP_SIGNALS)[number];

/** What the program is called by in a command that is proposed: npm, where it runs it, has it on no path. */
export function commandName({ env }: IO): string {
  return env.npm_command ? 'npx backprop-ninja' : 'backprop-ninja';
}

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
  return shellWord(word.startsWith('-') ? `./${word}` : word);
}

/** A word of a command, quoted where a POSIX shell needs it. */
export function shellWord(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  // What would not be printed as it is becomes an escape, which $'…' reads.
  const escaped = showText(word.replace(/[\\']/g, '\\$&'));
  return escaped.includes('\\') ? `$'${escaped}'` : `'${word}'`;
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
    readLines,
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

async function* readLines(prompt: string, words: readonly string[]): AsyncGenerator<string> {
  const { createInterface } = await import('node:readline');
  const { stdin, stdout } = process;
  const terminal = stdin.isTTY === true && stdout.isTTY === true;
  const completer = (line: string): [string[], string] => {
    const last = line.slice(line.lastIndexOf(' ') + 1);
    return [words.filter((word) => word.startsWith(last)), last];
  };
  const lines = createInterface({
    input: stdin,
    ...(terminal ? { output: stdout, completer } : {}),
    terminal,
    prompt: terminal ? prompt : '',
  });
  let interrupted = false;
  lines.on('SIGINT', () => {
    interrupted = true;
    lines.close();
  });
  try {
    if (terminal) lines.prompt();
    for await (const line of lines) {
      yield line;
      if (terminal) lines.prompt();
    }
    if (terminal) stdout.write('\n');
  } finally {
    // Also when nobody asks for more: an input that stays open would keep the process.
    lines.close();
    stdin.destroy();
    // As if the terminal had not handed it on as a key.
    if (interrupted) process.kill(process.pid, 'SIGINT');
  }
}

function streamOutput(stream: NodeJS.WriteStream): Output {
  return {
    write: (text) => void stream.write(text),
    get isTTY() {
      return stream.isTTY === true;
    },
    get columns() {
      // A terminal that does not know its width says 0.
      return stream.columns || 80;
    },
    get rows() {
      return stream.rows || 24;
    },
  };
}
