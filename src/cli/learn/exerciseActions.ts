import { readFileSync, renameSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { UsageError } from '../../core/errors.js';
import { countOf } from '../../core/text.js';
import type { ExerciseReport } from '../../dojo/exerciseReport.js';
import { EXERCISE_NUMBERS, EXERCISES, type ExerciseLine, type ExerciseNumber, exerciseFile } from '../../dojo/exercises.js';
import { guideText } from '../../dojo/guide.js';
import { solutionOf, solutionText, stubText } from '../../dojo/stub.js';
import { checkFile } from '../../node/learner/run.js';
import { withSystemErrors } from '../../node/systemErrors.js';
import type { CommandContext } from '../command.js';
import type { Paint } from '../terminal/colors.js';
import { EXIT_NO } from '../terminal/exitCodes.js';
import { listCommands, say, widthOf, wrapText } from '../terminal/format.js';
import { commandName, type IO, shortPath } from '../terminal/io.js';
import { whileShowing } from '../terminal/whileShowing.js';
import { displayWidth } from '../terminal/width.js';
import { ENDLESS, type Proposals, pageOf } from './exerciseReport.js';
import { findLine } from './findLine.js';
import { type HintRange, showHint } from './hint.js';
import {
  dirOption,
  exerciseCommand,
  folderOf,
  freeName,
  keptNote,
  learnerFile,
  learnerFiles,
  tsconfigText,
  writeFiles,
  writeNew,
} from './learnerFolder.js';
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
  const inText = option === undefined ? '' : ` ${option}`;
  const files: Record<string, string> = { 'README.md': guideText(inText), 'tsconfig.json': tsconfigText(folder) };
  for (const number of EXERCISE_NUMBERS) files[exerciseFile(number)] = stubText(EXERCISES[number], inText);
  const { written, kept } = writeFiles(folder, files);
  if (json) {
    printJson({ folder, written, kept });
    return;
  }
  if (kept.length > 0) say(io.stderr, keptNote(kept));
  const path = (name: string) => shortPath(join(folder, name), io);
  say(
    io.stdout,
    `${shortPath(folder, io)} is ready. Read ${path('README.md')}, open ${path(exerciseFile(1))} in your editor, write a line, and run`,
  );
  const commands = [
    [exerciseCommand(folder, io, 'watch'), 'check at every save'],
    [exerciseCommand(folder, io, 'check', 1), 'check once'],
    [exerciseCommand(folder, io, 'hint', 1), 'a hint for the next line'],
  ] as const;
  io.stdout.write(`\n${listCommands(commands, widthOf(io.stdout)).join('\n')}\n`);
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
  for (const [one, file] of files) {
    const onPrint = (line: string) => io.stderr.write(`${line}\n`);
    reports.push(await checkFile(file, one, { train: place.gradient === undefined, gradient: place.gradient, onPrint }));
  }
  const ok = reports.every((report) => report.ok);
  if (json) printJson({ ok, exercises: reports });
  else {
    const page = { ...ENDLESS, width: widthOf(io.stdout) };
    // The last line is for the prompt. A line that was asked for is shown in full.
    const height = io.stdout.isTTY && place.gradient === undefined ? io.stdout.rows - 1 : page.height;
    const lines = pageOf(reports, await paint(), { ...page, height }, proposalsIn(folderOf(dir, io), io));
    io.stdout.write(`${lines.join('\n')}\n`);
  }
  return ok ? 0 : EXIT_NO;
}

/** The commands to propose for a folder. */
export function proposalsIn(folder: string, io: IO): Proposals {
  return { exercise: (...words) => exerciseCommand(folder, io, ...words), program: commandName(io) };
}

/**
 * Shows how many lines of each exercise are right, one exercise after the other.
 * @throws the signal's reason, when it ends the checks early
 */
export async function showStatus(options: ExerciseOptions, { io, json, paint, printJson }: ExerciseContext): Promise<ExerciseReport[]> {
  const files = learnerFiles(EXERCISE_NUMBERS, options.dir, io);
  const reports: ExerciseReport[] = [];
  const painted = await paint();
  for (const [number, file] of files) {
    const check = () => checkFile(file, number, options);
    reports.push(json ? await check() : await whileShowing(`checking Exercise ${number}…`, io.stdout, io, check));
    if (!json) printStatus(reports.slice(-1), painted, io);
  }
  if (json) printJson({ exercises: reports });
  return reports;
}

/** A line for each exercise: how many of its lines are right. */
export function printStatus(reports: readonly ExerciseReport[], { green }: Paint, { stdout }: IO): void {
  for (const report of reports) {
    for (const line of statusLines(report, widthOf(stdout))) stdout.write(`${report.ok ? green(line) : line}\n`);
  }
}

function statusLines({ exercise, lines, strays = [], broken, ok }: ExerciseReport, width: number): string[] {
  const right = lines.filter(({ verdict }) => verdict === 'right').length;
  const extra = strays.length === 0 ? '' : `, ${countOf(strays.length, 'key')} too many`;
  const state = broken === undefined ? `${right} of ${EXERCISES[exercise].lines.length} right${extra}` : 'cannot run';
  const head = `${ok ? '✓' : '·'} Exercise ${exercise}: ${EXERCISES[exercise].title}`;
  const line = `${head.padEnd(STATE_COLUMN)}  ${state}`;
  if (displayWidth(line) <= width) return [line];
  return wrapText(`${head}: ${state}`, width - 2).map((text, i) => (i === 0 ? text : `  ${text}`));
}

const STATE_COLUMN = 2 + 'Exercise 1: '.length + Math.max(...EXERCISE_NUMBERS.map((number) => EXERCISES[number].title.length));

export interface HintOptions extends ExerciseOptions {
  step: number;
}

/**
 * Shows the kind of rule behind a line; with more steps, the rule on its tensors, and the formula.
 * @param place by default, the first line that is not right
 */
export async function giveHint(place: Place, { dir, step }: HintOptions, context: ExerciseContext): Promise<void> {
  const { number, line } = await findLine(place, { dir }, context, 'line');
  const { io } = context;
  const more = ({ name }: ExerciseLine) => exerciseCommand(folderOf(dir, io), io, 'hint', number, name, `--step ${step + 1}`);
  const range: HintRange = { from: 1, to: step, more };
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
    const report = await checkFile(learnerFile(number, dir, io), number, { gradient: line?.name });
    if (report.broken !== undefined || report.lines.some(({ verdict }) => verdict !== 'right')) {
      const option = dirOption(folderOf(dir, io), io);
      const words = line ? [number, line.name] : [number];
      throw new UsageError(`${line ? `${line.name} of ` : ''}Exercise ${number} is not solved yet`, {
        hint: 'see the solution with --force, or get a hint',
        command: ['exercise', 'hint', ...words, ...(option === undefined ? [] : [option])].join(' '),
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
  const option = dirOption(dirname(file), io);
  const stub = stubText(EXERCISES[number], option === undefined ? '' : ` ${option}`);
  const kept = withSystemErrors('read', file, () => readFileSync(file, 'utf8')) === stub ? null : freeName(file);
  if (kept !== null) {
    withSystemErrors('rename', file, () => renameSync(file, kept));
    writeNew(file, stub);
  }
  const shown = shortPath(file, io);
  if (json) printJson({ file, kept });
  else say(io.stdout, kept === null ? `${shown} is unchanged since the start` : `${shown} is new; your old file is ${shortPath(kept, io)}`);
}
