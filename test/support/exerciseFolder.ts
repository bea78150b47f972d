import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { EXERCISE_NUMBERS, EXERCISES, exerciseFile } from '../../src/dojo/exercises.js';
import { solutionText } from '../../src/dojo/stub.js';
import { HANGS } from './child.js';
import { runCli } from './fakeIO.js';
import { put, tempDirectory } from './tempDirectory.js';

/** A directory with a fresh dojo/. */
export async function started(): Promise<string> {
  const cwd = tempDirectory();
  expect((await runCli(cwd, ['exercise', 'start'])).exitCode).toBe(0);
  return cwd;
}

/** Writes the solution of every exercise, changed by a function. */
export function solve(cwd: string, change: (text: string) => string = (text) => text): void {
  for (const number of EXERCISE_NUMBERS) put(cwd, `dojo/${exerciseFile(number)}`, change(solutionText(EXERCISES[number])));
}

const TSC = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));

/** The compiler's messages about the learner's folder. */
export function typeErrors(cwd: string): string {
  return spawnSync(process.execPath, [TSC, '-p', join(cwd, 'dojo')], { encoding: 'utf8', timeout: HANGS }).stdout;
}
