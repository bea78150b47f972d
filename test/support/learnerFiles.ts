/** Learners' files as the command checks them, in a process of their own. */
import { expect } from 'vitest';
import type { ExerciseReport } from '../../src/dojo/exerciseReport.js';
import { EXERCISE_NUMBERS, EXERCISES, type ExerciseNumber, exerciseFile } from '../../src/dojo/exercises.js';
import { solutionText } from '../../src/dojo/stub.js';
import { runCli } from './fakeIO.js';
import { put, tempDirectory } from './tempDirectory.js';

/** A directory whose dojo/ has every exercise solved, except the given files. */
export function folder(files: Record<string, string>): string {
  const cwd = tempDirectory();
  for (const number of EXERCISE_NUMBERS) put(cwd, `dojo/${exerciseFile(number)}`, solutionText(EXERCISES[number]));
  for (const [name, text] of Object.entries(files)) put(cwd, `dojo/${name}`, text);
  return cwd;
}

export interface Checked {
  exitCode: number;
  report: ExerciseReport;
  stderr: string;
}

export async function check(number: ExerciseNumber, files: Record<string, string>): Promise<Checked> {
  const { exitCode, stdout, stderr } = await runCli(folder(files), ['exercise', 'check', `${number}`, '--json']);
  const { ok, exercises } = JSON.parse(stdout) as { ok: boolean; exercises: ExerciseReport[] };
  expect({ exercises: exercises.length, ok }).toEqual({ exercises: 1, ok: exitCode === 0 });
  return { exitCode, report: exercises[0], stderr };
}

/** Exercise 1 solved, with some lines replaced by the code of a function. `was` holds the solutions. */
export function exercise1With(lines: Record<string, string>, top = ''): Record<string, string> {
  const solved = solutionText(EXERCISES[1]);
  let text = solved;
  for (const [name, code] of Object.entries(lines)) {
    const line = new RegExp(`^  ${name}: \\(.*?,\n(?=\n|};)`, 'ms');
    if (!line.test(text)) throw new Error(`no ${name}`);
    text = text.replace(line, () => `  ${name}: ${code},\n`);
  }
  const was = /^const exercise1: Exercise1 = (\{.*?^\};)/ms.exec(solved)?.[1];
  return { 'exercise1.ts': `// @ts-nocheck\n${text.replace('\nconst ', () => `\n${top}\nconst was = ${was}\nconst `)}` };
}

/** The lines that are not right, with their problems. */
export function problems({ report }: Checked): Record<string, string | undefined> {
  return Object.fromEntries(report.lines.filter(({ verdict }) => verdict !== 'right').map(({ name, problem }) => [name, problem]));
}
