import { readFileSync, renameSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { UsageError } from '../../core/errors.js';
import { closest } from '../../core/spelling.js';
import { showText } from '../../core/text.js';
import { EXERCISE_NUMBERS, EXERCISES, type ExerciseLine, type ExerciseNumber, exerciseFile } from '../../dojo/exercises.js';
import { guideText } from '../../dojo/guide.js';
import { solutionOf, solutionText, stubText } from '../../dojo/stub.js';
import { checkFile, type ExerciseReport } from '../../node/learner/run.js';
import { withSystemErrors } from '../../node/systemErrors.js';
import type { CommandContext } from '../command.js';
import { EXIT_NO } from '../terminal/exitCodes.js';
import { wrapText } from '../terminal/format.js';
import { commandName, shortPath } from '../terminal/io.js';
import { ENDLESS, reportLines, widthOf } from './exerciseReport.js';
import { firstOpenLine, type HintRange, showHint } from './hint.js';
import { dirOption, freeName, learnerFile, learnerFiles, tsconfigText, writeNew } from './learnerFolder.js';

/** What the exercise commands use of their context. */
export type ExerciseContext = Pick<CommandContext, 'io' | 'json' | 'paint' | 'printJson'>;

export interface ExerciseOptions {
  /** The learner's folder. */
  dir?: string;
  /** Ends a check early. */
  signal?: AbortSignal;
}

/** Writes the files of the exercises into a folder. Existing files stay unchanged. */
export function startExercises(directory: string, { io, json, printJson }: ExerciseContext): void {
  const folder = resolve(io.cwd, directory);
  const option = dirOption(folder, io);
  const files: Record<string, string> = { 'README.md': guideText(option), 'tsconfig.json': tsconfigText(folder) };
  for (const number of EXERCISE_NUMBERS) files[exerciseFile(number)] = stubText(EXERCISES[number], option);
  const written: string[] = [];
  const kept: string[] = [];
  for (const [name, text] of Object.entries(files)) (writeNew(join(folder, name), text) ? written : kept).push(name);
  if (json) {
    printJson({ folder, written, kept });
    return;
  }
  if (kept.length > 0) io.stderr.write(`note: kept ${kept.join(', ')}, which existed already\n`);
  const program = commandName(io);
  io.stdout.write(
    `${shortPath(folder, io)} is ready. Read ${shortPath(join(folder, 'README.md'), io)}, ` +
      `open ${shortPath(join(folder, exerciseFile(1)), io)} in your editor, write a line, and run\n\n` +
      `  ${program} exercise check 1${option}\n  ${program} exercise hint 1${option}\n`,
  );
}

/**
 * Checks one exercise, or all.
 * @returns the exit code: 1 unless all lines are right
 */
export async function checkExercises(
  number: ExerciseNumber | undefined,
  { dir }: ExerciseOptions,
  { io, json, paint, printJson }: ExerciseContext,
): Promise<number> {
  const files = learnerFiles(number === undefined ? EXERCISE_NUMBERS : [number], dir, io);
  const reports: ExerciseReport[] = [];
  const painted = await paint();
  const page = { ...ENDLESS, width: widthOf(io.stdout) };
  for (const [one, file] of files) {
    const report = await checkFile(file, one, { train: true, onPrint: (line) => io.stderr.write(`${line}\n`) });
    reports.push(report);
    if (!json) io.stdout.write(`${reportLines(report, painted, page).join('\n')}\n${number === undefined && one < 4 ? '\n' : ''}`);
  }
  const ok = reports.every((report) => report.ok);
  if (json) printJson({ ok, exercises: reports });
  return ok ? 0 : EXIT_NO;
}

/**
 * Shows how many lines of each exercise are right.
 * @throws the signal's reason, when it ends the checks early
 */
export async function showStatus(options: ExerciseOptions, { io, json, paint, printJson }: ExerciseContext): Promise<void> {
  const reports: ExerciseReport[] = [];
  for (const [number, file] of learnerFiles(EXERCISE_NUMBERS, options.dir, io)) reports.push(await checkFile(file, number, options));
  if (json) return printJson({ exercises: reports });
  const { green } = await paint();
  for (const report of reports) {
    for (const line of statusLines(report, widthOf(io.stdout))) io.stdout.write(`${report.ok ? green(line) : line}\n`);
  }
}

function statusLines({ exercise, lines, broken, ok }: ExerciseReport, width: number): string[] {
  const right = lines.filter(({ verdict }) => verdict === 'right').length;
  const state = broken === undefined ? `${right} of ${EXERCISES[exercise].lines.length} right` : 'cannot run';
  const head = `${ok ? '✓' : '·'} Exercise ${exercise}: ${EXERCISES[exercise].title}`;
  const line = `${head.padEnd(STATE_COLUMN)}  ${state}`;
  return [...line].length <= width ? [line] : wrapText(`${head}: ${state}`, width);
}

const STATE_COLUMN = 2 + 'Exercise 1: '.length + Math.max(...EXERCISE_NUMBERS.map((number) => EXERCISES[number].title.length));

export interface HintOptions extends ExerciseOptions {
  step: number;
}

/**
 * Shows the rule behind a line; with more steps, its shape and formula too.
 * @param number by default, the first exercise that is not done
 * @param name by default, the first line that is not right
 */
export async function giveHint(
  number: ExerciseNumber | undefined,
  name: string | undefined,
  { dir, step }: HintOptions,
  context: ExerciseContext,
): Promise<void> {
  const range: HintRange = { from: 1, to: step, more: `--step ${step + 1}` };
  if (number !== undefined && name !== undefined) return showHint(number, findLine(number, name), range, context);
  const files = learnerFiles(number === undefined ? EXERCISE_NUMBERS : [number], dir, context.io);
  for (const [one, file] of files) {
    const line = firstOpenLine(await checkFile(file, one));
    if (line || one === files[files.length - 1][0]) return showHint(one, line, range, context);
  }
}

/** @throws UsageError that proposes a similar name, or lists the names */
function findLine(number: ExerciseNumber, name: string): ExerciseLine {
  const { lines } = EXERCISES[number];
  const line = lines.find((one) => one.name === name);
  if (line) return line;
  const names = lines.map((one) => one.name);
  const similar = closest(name, names);
  throw new UsageError(`Exercise ${number} has no gradient '${showText(name)}'`, {
    hint: similar === undefined ? `it has ${names.join(', ')}` : `did you mean ${similar}`,
  });
}

export interface SolutionOptions extends ExerciseOptions {
  force?: boolean;
}

/**
 * Prints the solution of an exercise or of a line.
 * @throws UsageError if the learner has not solved it, unless forced
 */
export async function showSolution(
  number: ExerciseNumber,
  name: string | undefined,
  { dir, force }: SolutionOptions,
  { io, json, printJson }: ExerciseContext,
): Promise<void> {
  const line = name === undefined ? undefined : findLine(number, name);
  if (!force) {
    const { lines, ok } = await checkFile(learnerFile(number, dir, io), number);
    const solved = line ? lines.some((report) => report.name === line.name && report.verdict === 'right') : ok;
    if (!solved) {
      throw new UsageError(`${line?.name ?? `Exercise ${number}`} is not solved yet`, {
        hint: "get a hint with 'exercise hint', or see the solution with --force",
      });
    }
  }
  const code = line ? solutionOf(line) : solutionText(EXERCISES[number]);
  if (json) printJson({ exercise: number, ...(line && { gradient: line.name }), code });
  else io.stdout.write(line ? `${code}\n` : code);
}

/** Replaces the file of an exercise by a fresh one. The old file is kept under another name. */
export function resetExercise(number: ExerciseNumber, { dir }: ExerciseOptions, { io, json, printJson }: ExerciseContext): void {
  const file = learnerFile(number, dir, io);
  const stub = stubText(EXERCISES[number], dirOption(dirname(file), io));
  const kept = withSystemErrors('read', file, () => readFileSync(file, 'utf8')) === stub ? null : freeName(file);
  if (kept !== null) {
    withSystemErrors('rename', file, () => renameSync(file, kept));
    writeNew(file, stub);
  }
  const shown = shortPath(file, io);
  if (json) printJson({ file, kept });
  else if (kept === null) io.stdout.write(`${shown} is unchanged since 'exercise start'\n`);
  else io.stdout.write(`${shown} is new; your old file is ${shortPath(kept, io)}\n`);
}
