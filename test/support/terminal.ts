/** A real terminal. `script` (bsdutils, an essential package of Debian) makes it. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Child, HANGS, MAIN, start } from './child.js';

export interface TerminalOptions {
  columns?: number;
  rows?: number;
  env?: NodeJS.ProcessEnv;
  /** A shell command that runs in parallel with the program. */
  parallel?: string;
  /** Whether the terminal will be closed while the program runs. */
  toBeClosed?: boolean;
}

/** The file for the program's exit code, in a shell's convention: 128 and the signal's number if a signal ended it. */
const STATUS = 'status';
/** The file for the program's process number. */
const PID = 'pid';
/** The file for the terminal's modes after the program has ended. */
const MODES = 'modes';

/** Starts the program in a terminal. Its exit code, process number and modes are written to files in the directory. */
export function startInTerminal(
  cwd: string,
  argv: readonly string[],
  { columns = 80, rows = 24, env = {}, parallel = 'true', toBeClosed = false }: TerminalOptions = {},
): Child {
  rmSync(join(cwd, STATUS), { force: true });
  const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  const line = ['sh', '-c', `echo $$ > ${PID}; exec "$0" "$@"`, process.execPath, MAIN, ...argv].map(quote).join(' ');
  // The shell outlives the program to report its exit code. When the terminal closes, it passes SIGHUP on, as an interactive shell does to its jobs.
  const program = toBeClosed
    ? `${line} & pid=$!; trap 'kill -HUP $pid; wait $pid; echo $? > ${STATUS}; exit' HUP; wait`
    : `trap : INT; ${line}; code=$?; stty -a > ${MODES}; echo $code > ${STATUS}`;
  const script = `stty cols ${columns} rows ${rows}; (${parallel}) & ${program}`;
  const { NO_COLOR: _, FORCE_COLOR: __, ...rest } = process.env;
  return start('script', ['-qfec', script, '/dev/null'], { cwd, env: { ...rest, SHELL: '/bin/sh', TERM: 'xterm', ...env } });
}

/** Waits until the program in a terminal has ended. Returns its exit code. */
export async function exitCodeIn(cwd: string, { ended, output }: Child): Promise<number> {
  await ended;
  for (const end = performance.now() + HANGS; performance.now() < end; ) {
    const status = existsSync(join(cwd, STATUS)) ? readFileSync(join(cwd, STATUS), 'utf8') : '';
    if (status.endsWith('\n')) return Number(status);
    await sleep(50);
  }
  throw new Error(`the program did not end with its terminal: ${output()}`);
}

/** The terminal's modes after the program has ended, such as `icanon` or `-echo`. */
export function modesIn(cwd: string): string[] {
  return readFileSync(join(cwd, MODES), 'utf8').split(/[\s;]+/);
}

/** The number of the program's process. */
export function pidIn(cwd: string): number {
  return Number(readFileSync(join(cwd, PID), 'utf8'));
}
