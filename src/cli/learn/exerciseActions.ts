import { readFileSync, renameSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { UsageError } from '../../core/errors.js';
import { EXERCISE_NUMBERS, EXERCISES, type ExerciseNumber, exerciseFile } from '../../dojo/exercises.js';
import { guideText } from '../../dojo/guide.js';
import { solutionOf, solutionText, stubText } from '../../dojo/stub.js';
import { checkFile, type ExerciseReport } from '../../node/learner/run.js';
import { withSystemErrors } from '../../node/systemErrors.js';
import type { CommandContext } from '../command.js';
import { EXIT_NO } from '../terminal/exitCodes.js';
import { wrapText } from '../terminal/format.js';
import { commandName, shortPath } from '../terminal/io.js';
import { ENDLESS, reportLines, widthOf } from './exerciseReport.js';
import { findLine, onlyLine } from './findLine.js';
import { type HintRange, showHint } from './hint.js';
import { dirOption, freeName, learnerFile, learnerFiles, tsconfigText, writeNew } from './learnerFolder.js';
import { lineIn, type Place } from './place.js';

/** What the exercise commands use of their context. */
export type ExerciseContext = Pick<CommandContext, 'io' | 'json' | 'paint' | 'printJson'>;

export interface ExerciseOptions {
  /** The learner's folder. */
  dir?: string | undefined;
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
 * Checks one exercise, all of them, or one line.
 * @returns the exit code: 1 unless all checked lines are right
 */
export async function checkExercises(place: Place, { dir }: ExerciseOptions, context: ExerciseContext): Promise<number> {
  const { io, json, paint, printJson } = context;
  const number = place.gradient === undefined ? place.number : (await findLine(place, { dir }, context)).number;
  const files = learnerFiles(number === undefined ? EXERCISE_NUMBERS : [number], dir, io);
  const reports: ExerciseReport[] = [];
  const painted = await paint();
  const page = { ...ENDLESS, width: widthOf(io.stdout) };
  for (const [one, file] of files) {
    const sources = [place.gradient, exerciseFile(one)];
    const onPrint = (line: string) => {
      if (place.gradient === undefined || sources.includes(line.split(':')[0])) io.stderr.write(`${line}\n`);
    };
    const report = onlyLine(await checkFile(file, one, { train: place.gradient === undefined, onPrint }), place.gradient);
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
 * @param place by default, the first line that is not right
 */
export async function giveHint(place: Place, { dir, step }: HintOptions, context: ExerciseContext): Promise<void> {
  const range: HintRange = { from: 1, to: step, more: `--step ${step + 1}` };
  const { number, line } = await findLine(place, { dir }, context, 'line');
  showHint(number, line, range, context);
}

export interface SolutionOptions extends ExerciseOptions {
  force?: boolean;
}

/**
 * Prints the solution of an exercise or of a line.
 * @throws UsageError if the learner has not solved it, unless forced
 */
export async function showSolution(place: Place, { dir, force }: SolutionOptions, context: ExerciseContext): Promise<void> {
  const { io, json, printJson } = context;
  const { number } = await findLine(place, { dir }, context);
  const line = place.gradient === undefined ? undefined : lineIn(number, place.gradient);
  if (!force) {
    const report = onlyLine(await checkFile(learnerFile(number, dir, io), number), line?.name);
    if (!report.ok) {
      throw new UsageError(`${line === undefined ? '' : `${line.name} of `}Exercise ${number} is not solved yet`, {
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
