import { type ChildProcess, type SpawnSyncOptions, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { FloatArray } from '../../src/core/tensor.js';
import { readSafetensors, type StoredTensor, storeFloats, writeSafetensors } from '../../src/run/safetensors.js';
import type { Outcome } from './fakeIO.js';
import { put } from './tempDirectory.js';

/** What a child process shows: no clock, as nobody looks at it. */
export type Shown = Pick<Outcome, 'exitCode' | 'stdout' | 'stderr'>;

/** Nothing on stdout; on stderr one line that says all these things, and before it nothing but notes. */
export function expectRefusal({ exitCode, stdout, stderr }: Shown, expected: number, ...says: (string | RegExp)[]): void {
  const lines = stderr.split('\n');
  expect(lines.pop()).toBe('');
  const error = lines.pop() ?? '';
  expect({ exitCode, stdout, error }).toEqual({ exitCode: expected, stdout: '', error: expect.stringMatching(/^error: ./) });
  expect(lines.filter((line) => !line.startsWith('note: '))).toEqual([]);
  for (const text of says) expect(error).toEqual(typeof text === 'string' ? expect.stringContaining(text) : expect.stringMatching(text));
  expect(error).not.toMatch(/[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u);
}

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

interface ChildOptions extends SpawnSyncOptions {
  /** A script that runs before the program. */
  before?: string;
  /** Runs it bound by the permissions of files, as root is only without these capabilities. */
  withPermissions?: boolean;
  /** Limits that a shell sets before, `ulimit -f 4` for example. */
  shellLimit?: string;
}

const BOUND = ['setpriv', '--bounding-set=-dac_override,-dac_read_search', '--inh-caps=-dac_override,-dac_read_search'];

function commandLine(argv: readonly string[], { before, withPermissions, shellLimit }: ChildOptions): [string, string[]] {
  const preload = before === undefined ? [] : ['--import', `data:text/javascript,${encodeURIComponent(before)}`];
  const bound = withPermissions && process.getuid?.() === 0 ? BOUND : [];
  const [file, ...args] = [...bound, process.execPath, ...preload, MAIN, ...argv];
  if (shellLimit === undefined) return [file, args];
  return ['bash', ['-c', `${shellLimit}; exec "$@"`, 'bash', file, ...args]];
}

/** Runs the built program as a process. */
export function ninja(cwd: string, argv: readonly string[], options: ChildOptions = {}): Shown {
  const [file, args] = commandLine(argv, options);
  const { status, signal, stdout, stderr } = spawnSync(file, args, { cwd, timeout: 10_000, ...options, encoding: 'utf8' });
  if (status === null) throw new Error(`ended by ${signal}: ${stderr}`);
  return { exitCode: status, stdout, stderr };
}

/** A program that is running: what it has said on stderr, and how it ends. */
export interface Running {
  child: ChildProcess;
  stderr: () => string;
  /** Waits until stderr matches. */
  says: (pattern: RegExp) => Promise<void>;
  ended: Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }>;
}

/** Starts the built program; it is killed after 10 s. */
export function startNinja(cwd: string, argv: readonly string[], options: ChildOptions = {}): Running {
  const [file, args] = commandLine(argv, options);
  const child = spawn(file, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'], timeout: 10_000, killSignal: 'SIGKILL' });
  let text = '';
  const listeners = new Set<() => void>();
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    for (const listener of listeners) listener();
  });
  const ended = new Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.on('close', (exitCode, signal) => resolve({ exitCode, signal }));
  });
  const says = (pattern: RegExp) =>
    new Promise<void>((resolve, reject) => {
      const listener = () => {
        if (pattern.test(text)) resolve();
      };
      listeners.add(listener);
      listener();
      ended.then(() => reject(new Error(`it ended before it said ${pattern}: ${text}`)));
    });
  return { child, stderr: () => text, says, ended };
}

/** Lets another user into a directory. */
export function openToAll(directory: string): void {
  chmodSync(directory, 0o777);
}

const DIGEST = /"sha256":"[^"]{64}"/;

/** A checkpoint with the digest that its bytes have, so that only what the test changed in it is wrong. */
export function seal(file: Uint8Array): Buffer {
  const text = Buffer.from(file)
    .toString('latin1')
    .replace(DIGEST, `"sha256":"${'0'.repeat(64)}"`);
  const digest = createHash('sha256').update(text, 'latin1').digest('hex');
  return Buffer.from(text.replace(DIGEST, `"sha256":"${digest}"`), 'latin1');
}

export interface CheckpointParts {
  metadata: Record<string, string>;
  tensors: Map<string, StoredTensor>;
}

/** Rewrites a run's checkpoint with something changed in it, and the digest right. Returns its path. */
export function rewriteCheckpoint(run: string, change: (file: CheckpointParts) => void): string {
  const { metadata, tensors } = readSafetensors(readFileSync(join(run, 'checkpoint.safetensors')));
  const file = { metadata: { ...metadata }, tensors: new Map(tensors) };
  change(file);
  return put(run, 'checkpoint.safetensors', seal(writeSafetensors(file)));
}

/** Changes the numbers of a tensor, in the file's own order. */
export function fillTensor({ tensors }: CheckpointParts, name: string, value: (index: number) => number): void {
  const { shape, bytes } = tensors.get(name) as StoredTensor;
  const data: FloatArray = Float32Array.from({ length: bytes.length / 4 }, (_, i) => value(i));
  tensors.set(name, storeFloats(data, shape));
}

/** Runs the built program with its stdout piped to another. The exit code is the program's own. */
export function pipedTo(reader: string, cwd: string, argv: readonly string[]): Shown {
  const script = `"$@" | ${reader} >/dev/null; exit "\${PIPESTATUS[0]}"`;
  const line = ['-c', script, 'bash', process.execPath, MAIN, ...argv];
  const { status, signal, stdout, stderr } = spawnSync('bash', line, { cwd, timeout: 10_000, encoding: 'utf8' });
  if (status === null) throw new Error(`ended by ${signal}: ${stderr}`);
  return { exitCode: status, stdout, stderr };
}
