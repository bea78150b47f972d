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
import { paintFor } from '../terminal/colors.js';
import { wrapText } from '../terminal/format.js';
import { commandName, type IO, shortPath } from '../terminal/io.js';
import { ENDLESS, reportLines, widthOf } from './exerciseReport.js';
import { firstOpenLine, type HintRange, showHint } from './hint.js';
import { dirOption, freeName, learnerFile, learnerFiles, tsconfigText, writeNew } from './learnerFolder.js';

export interface ExerciseOptions {
  /** The learner's folder. */
  dir?: string;
  /** Ends a check early. */
  signal?: AbortSignal;
  json?: boolean;
  color: boolean;
}

/** Writes the files of the exercises into a folder. Existing files stay unchanged. */
export function startCommand(directory: string, { json }: { json?: boolean }, io: IO): void {
  const folder = resolve(io.cwd, directory);
  const option = dirOption(folder, io);
  const files: Record<string, string> = { 'README.md': guideText(option), 'tsconfig.json': tsconfigText(folder) };
  for (const number of EXERCISE_NUMBERS) files[exerciseFile(number)] = stubText(EXERCISES[number], option);
  const written: string[] = [];
  const kept: string[] = [];
  for (const [name, text] of Object.entries(files)) (writeNew(join(folder, name), text) ? written : kept).push(name);
  if (json) {
    io.stdout.write(`${JSON.stringify({ folder, written, kept })}\n`);
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

/** @returns whether all lines are right */
export async function checkCommand(number: ExerciseNumber | undefined, options: ExerciseOptions, io: IO): Promise<boolean> {
  const files = learnerFiles(number === undefined ? EXERCISE_NUMBERS : [number], options.dir, io);
  const reports: ExerciseReport[] = [];
  const paint = await paintFor(io.stdout, io.env, options.color);
  const page = { ...ENDLESS, width: widthOf(io.stdout) };
  for (const [one, file] of files) {
    const report = await checkFile(file, one, { train: true, onPrint: (line) => io.stderr.write(`${line}\n`) });
    reports.push(report);
    if (!options.json) io.stdout.write(`${reportLines(report, paint, page).join('\n')}\n${number === undefined && one < 4 ? '\n' : ''}`);
  }
  const ok = reports.every((report) => report.ok);
  if (options.json) io.stdout.write(`${JSON.stringify({ ok, exercises: reports })}\n`);
  return ok;
}

/**
 * Shows how many lines of each exercise are right.
 * @throws the signal's reason, when it ends the checks early
 */
export async function statusCommand(options: ExerciseOptions, io: IO): Promise<void> {
  const reports: ExerciseReport[] = [];
  for (const [number, file] of learnerFiles(EXERCISE_NUMBERS, options.dir, io)) reports.push(await checkFile(file, number, options));
  if (options.json) {
    io.stdout.write(`${JSON.stringify({ exercises: reports })}\n`);
    return;
  }
  const paint = await paintFor(io.stdout, io.env, options.color);
  for (const report of reports) {
    for (const line of statusLines(report, widthOf(io.stdout))) io.stdout.write(`${report.ok ? paint.green(line) : line}\n`);
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
export async function hintCommand(
  number: ExerciseNumber | undefined,
  name: string | undefined,
  options: HintOptions,
  io: IO,
): Promise<void> {
  const range: HintRange = { from: 1, to: options.step, more: `--step ${options.step + 1}` };
  if (number !== undefined && name !== undefined) return showHint(number, findLine(number, name), range, options, io);
  const files = learnerFiles(number === undefined ? EXERCISE_NUMBERS : [number], options.dir, io);
  for (const [one, file] of files) {
    const line = firstOpenLine(await checkFile(file, one));
    if (line || one === files[files.length - 1][0]) return showHint(one, line, range, options, io);
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
export async function solutionCommand(number: ExerciseNumber, name: string | undefined, options: SolutionOptions, io: IO): Promise<void> {
  const line = name === undefined ? undefined : findLine(number, name);
  if (!options.force) {
    const { lines, ok } = await checkFile(learnerFile(number, options.dir, io), number);
    const solved = line ? lines.some((report) => report.name === line.name && report.verdict === 'right') : ok;
    if (!solved) {
      throw new UsageError(`${line?.name ?? `Exercise ${number}`} is not solved yet`, {
        hint: "get a hint with 'exercise hint', or see the solution with --force",
      });
    }
  }
  const code = line ? solutionOf(line) : solutionText(EXERCISES[number]);
  if (options.json) io.stdout.write(`${JSON.stringify({ exercise: number, ...(line && { gradient: line.name }), code })}\n`);
  else io.stdout.write(line ? `${code}\n` : code);
}

/** Replaces the file of an exercise by a fresh one. The old file is kept under another name. */
export function resetCommand(number: ExerciseNumber, options: ExerciseOptions, io: IO): void {
  const file = learnerFile(number, options.dir, io);
  const stub = stubText(EXERCISES[number], dirOption(dirname(file), io));
  const kept = withSystemErrors('read', file, () => readFileSync(file, 'utf8')) === stub ? null : freeName(file);
  if (kept !== null) {
    withSystemErrors('rename', file, () => renameSync(file, kept));
    writeNew(file, stub);
  }
  const shown = shortPath(file, io);
  if (options.json) io.stdout.write(`${JSON.stringify({ file, kept })}\n`);
  else if (kept === null) io.stdout.write(`${shown} is unchanged since 'exercise start'\n`);
  else io.stdout.write(`${shown} is new; your old file is ${shortPath(kept, io)}\n`);
}
