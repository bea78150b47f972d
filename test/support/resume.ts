/** A small run that is stopped and resumed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { loadCheckpoint } from '../../src/node/checkpointFile.js';
import { readMetrics } from '../../src/node/metricsFile.js';
import type { MetricsRecord } from '../../src/run/records.js';
import { ONE_ERROR_LINE, type Outcome, runCli, writeNames } from './fakeIO.js';
import { makeDirectory, removeDirectory, snapshot, tempDirectory } from './tempDirectory.js';

/** The rate falls after step 12; evaluations after 5, 10, 15, 20, 24; saves after 0, 7, 14, 21, 24. */
export const TRAIN = ['train', '--data', 'names.txt', '--hidden', '8', '--embedding', '4', '--steps', '24', '--eval-every', '5'];
const SAVES = ['--save-every', '7'];
export const RESUME = ['train', '--resume', 'run'];
export const STEPS = 24;
export const RUN_FILES = ['best.safetensors', 'checkpoint.safetensors', 'metrics.jsonl', 'run.json'];

/** A signal in the turn after the given number of steps: a turn is one step, and reads the clock three times. */
export function stopAfter(steps: number): { tick: number; stop: { signal: 'SIGINT'; at: number } } {
  return { tick: 50, stop: { signal: 'SIGINT', at: 50 + 150 * steps } };
}

export async function ok(cwd: string, ...argv: string[]): Promise<Outcome> {
  const outcome = await runCli(cwd, argv);
  if (outcome.exitCode !== 0) throw new Error(`${argv.join(' ')} ended with ${outcome.exitCode}: ${outcome.stderr}`);
  return outcome;
}

export async function trainAndStop(cwd: string, steps: number, ...more: string[]): Promise<void> {
  writeNames(cwd);
  expect((await runCli(cwd, [...TRAIN, ...SAVES, '--out', 'run', ...more], stopAfter(steps))).exitCode).toBe(130);
  expect(stepOf(cwd)).toBe(steps);
}

/** The directory of a run stopped after 8 steps. */
export async function stopped(...more: string[]): Promise<string> {
  const cwd = tempDirectory();
  await trainAndStop(cwd, 8, ...more);
  return cwd;
}

export async function finished(...more: string[]): Promise<string> {
  const cwd = tempDirectory();
  writeNames(cwd);
  await ok(cwd, ...TRAIN, '--out', 'run', ...more);
  return cwd;
}

export function checkpointOf(cwd: string, file = 'checkpoint.safetensors'): ReturnType<typeof loadCheckpoint> {
  return loadCheckpoint(join(cwd, 'run', file));
}

export function stepOf(cwd: string): number {
  return checkpointOf(cwd).state.step;
}

export function metricsOf(cwd: string): MetricsRecord[] {
  return readMetrics(join(cwd, 'run', 'metrics.jsonl')).records;
}

export function aboutOf(cwd: string): { data: { path: string; sha256: string; names: number }; [key: string]: unknown } {
  return JSON.parse(readFileSync(join(cwd, 'run', 'run.json'), 'utf8'));
}

/** The bytes of all files of a run, except run.json, which holds times. */
export function computed(cwd: string): Record<string, string> {
  const { 'run.json': _, ...files } = snapshot(join(cwd, 'run'));
  return files;
}

/** The report without the values that differ between any two runs. */
export function lasting(outcome: Outcome): Record<string, unknown> {
  const { run: _run, checkpoint: _checkpoint, seconds: _seconds, stepsPerSecond: _rate, ...rest } = JSON.parse(outcome.stdout);
  return rest;
}

/** Expects a refusal that changes no file, and returns its line. */
export async function refusal(cwd: string, exitCode: number, argv: string[]): Promise<string> {
  const before = snapshot(cwd);
  const outcome = await runCli(cwd, argv);
  expect(outcome).toMatchObject({ exitCode, stdout: '' });
  expect(outcome.stderr).toMatch(ONE_ERROR_LINE);
  expect(snapshot(cwd)).toEqual(before);
  return outcome.stderr;
}

/** Files and report of the run if it is never stopped. */
export async function wholeRun(): Promise<{ files: Record<string, string>; report: Record<string, unknown> }> {
  const cwd = makeDirectory();
  writeNames(cwd);
  const report = lasting(await ok(cwd, ...TRAIN, '--out', 'run', '--json'));
  const files = computed(cwd);
  removeDirectory(cwd);
  return { files, report };
}
