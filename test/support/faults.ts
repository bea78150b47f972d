import { type SpawnSyncOptions, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { FloatArray } from '../../src/core/tensor.js';
import { readSafetensors, type StoredTensor, storeFloats, writeSafetensors } from '../../src/run/safetensors.js';
import { commandLine, HANGS, MAIN, type ProgramOptions } from './child.js';
import type { Outcome } from './fakeIO.js';
import { put } from './tempDirectory.js';

/** The exit code and the output of a process or of a call. */
export type Shown = Pick<Outcome, 'exitCode' | 'stdout' | 'stderr'>;

/** Expects an empty stdout, and on stderr one error line that contains all these texts, after nothing but notes. */
export function expectRefusal({ exitCode, stdout, stderr }: Shown, expected: number, ...says: (string | RegExp)[]): void {
  const lines = stderr.split('\n');
  expect(lines.pop()).toBe('');
  const error = lines.pop() ?? '';
  expect({ exitCode, stdout, error }).toEqual({ exitCode: expected, stdout: '', error: expect.stringMatching(/^error: ./) });
  expect(lines.filter((line) => !line.startsWith('note: '))).toEqual([]);
  for (const text of says) expect(error).toEqual(typeof text === 'string' ? expect.stringContaining(text) : expect.stringMatching(text));
  expect(error).not.toMatch(/[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u);
}

/** Runs the built program as a process, to its end. */
export function ninja(cwd: string, argv: readonly string[], options: ProgramOptions & SpawnSyncOptions = {}): Shown {
  const [file, args] = commandLine(argv, options);
  const { status, signal, stdout, stderr } = spawnSync(file, args, { cwd, timeout: HANGS, ...options, encoding: 'utf8' });
  if (status === null) throw new Error(`ended by ${signal}: ${stderr}`);
  return { exitCode: status, stdout, stderr };
}

/** Lets another user into a directory. */
export function openToAll(directory: string): void {
  chmodSync(directory, 0o777);
}

const DIGEST = /"sha256":"[^"]{64}"/;

/** A checkpoint with the right digest for its bytes, so that only the test's own change is wrong. */
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

/** Changes something in a run's checkpoint and writes the right digest into it. Returns its path. */
export function rewriteCheckpoint(run: string, change: (file: CheckpointParts) => void): string {
  const { metadata, tensors } = readSafetensors(readFileSync(join(run, 'checkpoint.safetensors')));
  const file = { metadata: { ...metadata }, tensors: new Map(tensors) };
  change(file);
  return put(run, 'checkpoint.safetensors', seal(writeSafetensors(file)));
}

/** Replaces the numbers of a tensor, in the order of the file. */
export function fillTensor({ tensors }: CheckpointParts, name: string, value: (index: number) => number): void {
  const { shape, bytes } = tensors.get(name) as StoredTensor;
  const data: FloatArray = Float32Array.from({ length: bytes.length / 4 }, (_, i) => value(i));
  tensors.set(name, storeFloats(data, shape));
}

/** Runs the built program with its stdout piped to another. The exit code is the program's own. */
export function pipedTo(reader: string, cwd: string, argv: readonly string[]): Shown {
  const script = `"$@" | ${reader} >/dev/null; exit "\${PIPESTATUS[0]}"`;
  const line = ['-c', script, 'bash', process.execPath, MAIN, ...argv];
  const { status, signal, stdout, stderr } = spawnSync('bash', line, { cwd, timeout: HANGS, encoding: 'utf8' });
  if (status === null) throw new Error(`ended by ${signal}: ${stderr}`);
  return { exitCode: status, stdout, stderr };
}
