import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** The program as users start it: the built one. */
export const MAIN = fileURLToPath(new URL('../../bin/backprop-ninja.js', import.meta.url));

/** Milliseconds until a process counts as hanging and is killed. It judges no speed: a busy machine takes ten times as long as a quiet one. */
export const HANGS = 240_000;

export interface Ended {
  /** null if a signal ended it. */
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** A running process. */
export interface Child {
  pid: number;
  /** Its output so far, of both streams. */
  output: () => string;
  /** Waits until the output matches. */
  says: (pattern: RegExp) => Promise<void>;
  /** Writes to its stdin. */
  type: (text: string) => void;
  kill: (signal: NodeJS.Signals) => void;
  ended: Promise<Ended>;
}

interface StartOptions {
  cwd: string;
  env?: NodeJS.ProcessEnv;
  /** Milliseconds until it is killed. */
  timeout?: number;
}

export function start(file: string, argv: readonly string[], { cwd, env = process.env, timeout = HANGS }: StartOptions): Child {
  const child = spawn(file, argv, { cwd, env, timeout, killSignal: 'SIGKILL' });
  const text = { stdout: '', stderr: '' };
  let output = '';
  const listeners = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      text[name] += chunk;
      output += chunk;
      for (const listener of listeners) listener();
    });
  }
  // The process may end before it reads its input.
  child.stdin.on('error', () => {});
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode, signal) => resolve({ exitCode, signal, ...text }));
  });
  const says = (pattern: RegExp) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (!pattern.test(output)) return false;
        listeners.delete(look);
        resolve();
        return true;
      };
      if (look()) return;
      listeners.add(look);
      ended.then(() => look() || reject(new Error(`the process ended before it printed ${pattern}: ${output}`)), reject);
    });
  return {
    pid: child.pid as number,
    output: () => output,
    says,
    type: (typed) => void child.stdin.write(typed),
    kill: (signal) => void child.kill(signal),
    ended,
  };
}

/**
 * Measures the milliseconds from now until the returned function is called, less those in which a process or this one waited for a core: others
 * may keep the machine busy.
 */
export function stopwatch(pid: number): () => number {
  const waited = () => [pid, process.pid].map(waitedForCore);
  const start = performance.now();
  const before = waited();
  let after = before;
  // What an ended process has waited can no longer be read.
  const looking = setInterval(() => {
    after = waited().map((time, i) => Math.max(time, after[i]));
  }, 5);
  return () => {
    clearInterval(looking);
    return performance.now() - start - after.reduce((sum, time, i) => sum + time - before[i], 0);
  };
}

/** Milliseconds for which a process could have run, but had no core; 0 where the system does not tell. */
function waitedForCore(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ')[1]) / 1e6;
  } catch {
    return 0;
  }
}

/** Kills every process of a session, whatever its process group, and waits until none is left. */
export async function killSession(session: number): Promise<void> {
  for (let pids = processesOf(session); pids.length > 0; pids = processesOf(session)) {
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
    await sleep(10);
  }
}

/** The processes of a session that have not ended. */
function processesOf(session: number): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      // After the command's name, in parentheses: state, parent, group, session.
      const [state, , , of] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return Number(of) === session && state !== 'Z' && state !== 'X';
    } catch {
      return false;
    }
  });
}

/** Waits until the program listens for signals to stop, where the system tells. Node itself handles SIGINT and SIGTERM, but not SIGHUP. */
export async function untilItListens(pid: number): Promise<void> {
  const bit = 1n << BigInt(constants.signals.SIGHUP - 1);
  for (;;) {
    let status: string;
    try {
      status = readFileSync(`/proc/${pid}/status`, 'latin1');
    } catch {
      return;
    }
    if ((BigInt(`0x${/^SigCgt:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`) & bit) !== 0n) return;
    await sleep(10);
  }
}

export interface ProgramOptions {
  /** The source of a module that runs before the program. */
  before?: string;
  /** Whether file permissions apply even if root runs the program. */
  withPermissions?: boolean;
  /** Shell commands that set limits first, such as `ulimit -f 4`. */
  shellLimit?: string;
}

/** Drops the capabilities that let root ignore file permissions. */
const BOUND = ['setpriv', '--bounding-set=-dac_override,-dac_read_search', '--inh-caps=-dac_override,-dac_read_search'];

/** The command that runs the built program: a file and its arguments. */
export function commandLine(argv: readonly string[], { before, withPermissions, shellLimit }: ProgramOptions): [string, string[]] {
  const preload = before === undefined ? [] : ['--import', `data:text/javascript,${encodeURIComponent(before)}`];
  const bound = withPermissions && process.getuid?.() === 0 ? BOUND : [];
  const [file, ...args] = [...bound, process.execPath, ...preload, MAIN, ...argv];
  if (shellLimit === undefined) return [file, args];
  return ['bash', ['-c', `${shellLimit}; exec "$@"`, 'bash', file, ...args]];
}

/** Starts the built program, without a terminal. */
export function startNinja(argv: readonly string[], options: StartOptions & ProgramOptions): Child {
  const [file, args] = commandLine(argv, options);
  return start(file, args, options);
}

/** Runs the built program to its end. */
export function ninja(argv: readonly string[], options: StartOptions & ProgramOptions): Promise<Ended> {
  return startNinja(argv, options).ended;
}

/** The files of a run that depend only on its configuration, not on time or place. */
export const RESULTS = ['checkpoint.safetensors', 'best.safetensors', 'metrics.jsonl'] as const;

export function results(run: string): Record<string, string> {
  return Object.fromEntries(RESULTS.map((name) => [name, readFileSync(`${run}/${name}`, 'latin1')]));
}
