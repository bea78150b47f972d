import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The built program. */
export const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface Ended {
  /** As shells have it: 128 and the signal's number, if a signal ended it. */
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** A process that is running. */
export interface Child {
  pid: number;
  /** What it has written, on both streams. */
  output: () => string;
  /** Waits until the output matches. */
  says: (pattern: RegExp) => Promise<void>;
  /** As if typed. */
  type: (text: string) => void;
  kill: (signal: NodeJS.Signals) => void;
  ended: Promise<Ended>;
}

interface StartOptions {
  cwd: string;
  env?: NodeJS.ProcessEnv;
  /** It is killed after so many milliseconds. */
  timeout?: number;
}

export function start(file: string, argv: readonly string[], { cwd, env = process.env, timeout = 60_000 }: StartOptions): Child {
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
  // It may have ended before it reads what is typed.
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
      ended.then(() => look() || reject(new Error(`it ended before it said ${pattern}: ${output}`)), reject);
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

/** Starts the built program, without a terminal. */
export function startNinja(argv: readonly string[], options: StartOptions): Child {
  return start(process.execPath, [MAIN, ...argv], options);
}

/** Runs the built program to its end. */
export function ninja(argv: readonly string[], options: StartOptions): Promise<Ended> {
  return startNinja(argv, options).ended;
}

/** The files of a run that do not say when and where it was trained. */
export const RESULTS = ['checkpoint.safetensors', 'best.safetensors', 'metrics.jsonl'] as const;

export function results(run: string): Record<string, string> {
  return Object.fromEntries(RESULTS.map((name) => [name, readFileSync(`${run}/${name}`, 'latin1')]));
}
