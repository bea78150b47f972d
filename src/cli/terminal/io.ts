import { readFileSync } from 'node:fs';
import { isAbsolute, relative } from 'node:path';
import { SystemError } from '../../core/errors.js';
import { shellWord, showPath } from '../../core/text.js';

/** A stream that a command writes to. */
export interface Output {
  write(text: string): void;
  isTTY: boolean;
  columns: number;
  rows: number;
}

/** Everything outside the program that a command uses. Tests pass their own. */
export interface IO {
  stdout: Output;
  stderr: Output;
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  /** As in process.platform. */
  readonly platform: string;
  /** Opens a file in the default browser, without waiting for the browser's end. @throws if that fails */
  openInBrowser(path: string): Promise<void>;
  /** Milliseconds that never run backwards. */
  now(): number;
  /** The time of day, for run.json. */
  date(): Date;
  /**
   * Calls the handler at the first signal to stop; the next one ends the process at once. Returns a function that removes the listener.
   */
  onStop(handler: (signal: StopSignal) => void): () => void;
  /** Tells the sweep that started this process about its run; undefined if none did. */
  tellSweep?: ((report: { result: object } | { inUse: string | undefined } | { error: object }) => void) | undefined;
  /** Whether keys can be read one by one. */
  readonly hasKeys: boolean;
  /** Calls the handler for each key that is pressed, if there is a terminal. Returns a function that removes the listener. */
  onKey(handler: (key: string) => void): () => void;
  /** Calls the handler when the screen must be drawn again: its size changed, or the process continues. Returns a function that removes it. */
  onRedraw(handler: () => void): () => void;
  /** Calls the handler when the process continues after a stop, such as by Ctrl-Z: others have used the terminal. Returns a function that removes it. */
  onContinue(handler: () => void): () => void;
  /** Whether another program has the terminal now, as after `&` or `bg` in a shell. Known on Linux only. */
  readonly inBackground: boolean;
  /**
   * Lines of standard input, as they arrive, until its end or Ctrl-C. On a terminal, the prompt is shown before each line, and the Tab key
   * completes its last word with one of the words.
   */
  readLines(prompt: string, words: readonly string[]): AsyncIterable<string>;
}

export const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
export type StopSignal = (typeof STOP_SIGNALS)[number];

/** The program's name in a suggested command. If npm or another package manager runs it, it is not on the path. */
export function commandName({ env }: Pick<IO, 'env'>): string {
  return env.npm_command || env.npm_config_user_agent ? 'npx backprop-ninja' : 'backprop-ninja';
}

/** A path as a user would type it here: relative if it is below the current directory. */
export function nearPath(path: string, { cwd }: IO): string {
  const below = relative(cwd, path);
  return below.startsWith('..') || isAbsolute(below) || below === '' ? path : below;
}

/** The same, safe to print. */
export function shortPath(path: string, io: IO): string {
  return showPath(nearPath(path, io));
}

/** A path as part of a suggested command, quoted for a POSIX shell. */
export function shellPath(path: string, io: IO): string {
  return shellWord(nearPath(path, io), 'file');
}

function workingDirectory(): string {
  try {
    return process.cwd();
  } catch (error) {
    throw new SystemError('the working directory cannot be read: it was deleted, or it may not be entered', {
      cause: error,
      hint: 'change to another directory',
    });
  }
}

/** The IO of this process. */
export function processIO(): IO {
  return {
    stdout: streamOutput(process.stdout),
    stderr: streamOutput(process.stderr),
    env: process.env,
    // Read when it is needed: --version works in a directory that was deleted.
    get cwd() {
      return workingDirectory();
    },
    platform: process.platform,
    openInBrowser,
    now: () => performance.now(),
    date: () => new Date(),
    onStop: listenForStop,
    tellSweep: process.send && ((report) => void (process.connected && process.send?.(report, undefined, undefined, () => {}))),
    hasKeys: process.stdin.isTTY === true,
    onKey: listenForKeys,
    onRedraw: listenForRedraw,
    onContinue: listenForContinue,
    get inBackground() {
      return isInBackground();
    },
    readLines,
  };
}

/** Milliseconds after which an opener that has not failed has opened the file: without a desktop, xdg-open lives as long as the browser. */
const OPENS = 2_000;

async function openInBrowser(path: string): Promise<void> {
  const { default: open } = await import('open');
  const opener = await open(path);
  const exitCode = await new Promise<number | null>((resolve) => {
    if (opener.exitCode !== null) return resolve(opener.exitCode);
    const timer = setTimeout(() => resolve(null), OPENS);
    opener.once('exit', (code) => {
      clearTimeout(timer);
      resolve(code);
    });
  });
  if (exitCode) throw new Error(`the opener ended with ${exitCode}`);
}

/** The message by which a sweep asks its runs to save and end. */
export const STOP_MESSAGE = 'stop';

/**
 * Ends this process if the sweep that started it asks for it, or is killed, which closes the channel between the two. Ctrl-C in a terminal
 * reaches both: then this process has its own signal, and the sweep's message must not count as a second one.
 */
export function followSweep(): void {
  const stop = () => {
    // A signal that came together with the message is handled in this turn, after it.
    setImmediate(() => {
      if (!isStopping) process.kill(process.pid, 'SIGTERM');
    });
  };
  process.on('message', (message) => {
    if (message === STOP_MESSAGE) stop();
  });
  process.once('disconnect', stop);
  // The channel alone must not keep the process running.
  process.channel?.unref();
}

/** Whether a signal to stop was heard, so that this process is about to end. */
let isStopping = false;

function listenForStop(handler: (signal: StopSignal) => void): () => void {
  let isFirst = true;
  const stopListening = () => {
    for (const name of STOP_SIGNALS) process.off(name, listener);
  };
  const listener = (signal: StopSignal) => {
    if (isFirst) {
      isFirst = false;
      isStopping = true;
      handler(signal);
      // From the next turn on, a signal has its default effect, and ends the process even while it computes.
      setImmediate(stopListening);
    } else {
      // It came in the same turn as the first one.
      stopListening();
      process.kill(process.pid, signal);
    }
  };
  for (const name of STOP_SIGNALS) process.on(name, listener);
  return stopListening;
}

const CTRL_Z = '\x1a';

function listenForKeys(handler: (key: string) => void): () => void {
  const { stdin } = process;
  if (!stdin.isTTY) return () => {};
  const listener = (keys: Buffer) => {
    for (const key of keys.toString('utf8')) {
      if (key === CTRL_Z) suspend();
      else handler(key);
    }
  };
  stdin.setRawMode(true);
  stdin.on('data', listener);
  process.on('SIGCONT', readKeysAgain);
  return () => {
    stdin.off('data', listener);
    process.off('SIGCONT', readKeysAgain);
    stdin.setRawMode(false);
    stdin.pause();
  };
}

/** While a terminal sends single keys, it does not act on Ctrl-Z. The signal goes to the whole group, as from the terminal: npx runs this, too. */
function suspend(): void {
  if (process.platform === 'win32') return;
  process.stdin.setRawMode(false);
  process.kill(0, 'SIGTSTP');
  readKeysAgain();
}

/** The shell sets the terminal's modes anew while the process is stopped; Node sets only what it believes to have changed. */
function readKeysAgain(): void {
  process.stdin.setRawMode(false);
  process.stdin.setRawMode(true);
}

function listenForRedraw(handler: () => void): () => void {
  process.stdout.on('resize', handler);
  const stopListening = listenForContinue(handler);
  return () => {
    process.stdout.off('resize', handler);
    stopListening();
  };
}

function listenForContinue(handler: () => void): () => void {
  process.on('SIGCONT', handler);
  return () => process.off('SIGCONT', handler);
}

/** /proc/self/stat: after the name in parentheses come state, parent, process group, session, terminal, and the terminal's process group. */
function isInBackground(): boolean {
  try {
    const stat = readFileSync('/proc/self/stat', 'latin1');
    const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(foreground) > 0 && foreground !== group;
  } catch {
    return false;
  }
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
    // An open input would keep the process running, even if no more lines are read.
    lines.close();
    stdin.destroy();
    // Readline has consumed the Ctrl-C: send the signal that it means.
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
      // A terminal that does not know its width reports 0.
      return stream.columns || 80;
    },
    get rows() {
      return stream.rows || 24;
    },
  };
}
