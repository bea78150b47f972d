import { expect } from 'vitest';
import { EXERCISE_NUMBERS, EXERCISES, exerciseFile } from '../../src/dojo/exercises.js';
import { solutionText } from '../../src/dojo/stub.js';
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
