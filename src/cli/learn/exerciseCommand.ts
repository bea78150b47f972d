import { accessSync, constants, existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { SystemError, UsageError } from '../../core/errors.js';
import { didYouMean } from '../../core/spelling.js';
import { showText } from '../../core/text.js';
import { EXERCISE_NUMBERS, EXERCISES, type ExerciseLine, type ExerciseNumber, exerciseFile, shapeText } from '../../dojo/exercises.js';
import { guideText } from '../../dojo/guide.js';
import { solutionOf, solutionText, stubText } from '../../dojo/stub.js';
import { valueNamed } from '../../lesson/values.js';
import { checkFile, type ExerciseReport } from '../../node/learner/run.js';
import { LEARNER_TYPES } from '../../node/paths.js';
import { withSystemErrors } from '../../node/systemErrors.js';
import { paintFor } from '../terminal/colors.js';
import { wrapText } from '../terminal/format.js';
import { commandName, type IO, type Output, shellPath, shortPath } from '../terminal/io.js';
import { ENDLESS, reportLines } from './exerciseReport.js';

export interface ExerciseOptions {
  /** The learner's folder. */
  dir?: string;
  /** Ends a check early. */
  signal?: AbortSignal;
  json?: boolean;
  color: boolean;
}

/** Lays out the exercises. What is there already stays as it is. */
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
  if (kept.length > 0) io.stderr.write(`note: ${kept.join(', ')} ${kept.length === 1 ? 'was' : 'were'} there already, and kept\n`);
  const program = commandName(io);
  io.stdout.write(
    `${shortPath(folder, io)} is ready. Read ${shortPath(join(folder, 'README.md'), io)}, ` +
      `open ${shortPath(join(folder, exerciseFile(1)), io)} in your editor, write a line, and run\n\n` +
      `  ${program} exercise check 1${option}\n  ${program} exercise hint 1${option}\n`,
  );
}

const DEFAULT_DIRECTORY = 'dojo';

/** What a command needs, to be run from here: nothing for the folder that it looks for by itself. */
function dirOption(folder: string, io: IO): string {
  return folder === io.cwd || folder === resolve(io.cwd, DEFAULT_DIRECTORY) ? '' : ` --dir ${shellPath(folder, io)}`;
}

/** The folder that is named; without one, dojo/, or the current one where the exercises are there. */
function folderOf({ dir }: ExerciseOptions, { cwd }: IO): string {
  if (dir !== undefined) return resolve(cwd, dir);
  const folder = resolve(cwd, DEFAULT_DIRECTORY);
  const isHere = !existsSync(folder) && EXERCISE_NUMBERS.some((number) => existsSync(join(cwd, exerciseFile(number))));
  return isHere ? cwd : folder;
}

/** Returns whether the file is new. */
function writeNew(path: string, text: string): boolean {
  return withSystemErrors('write', path, () => {
    mkdirSync(dirname(path), { recursive: true });
    try {
      writeFileSync(path, text, { flag: 'wx' });
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    }
  });
}

/** Lets an editor find the types, wherever this program is installed. */
function tsconfigText(folder: string): string {
  const path = relative(folder, LEARNER_TYPES);
  return `${JSON.stringify(
    {
      compilerOptions: {
        target: 'es2023',
        module: 'esnext',
        moduleResolution: 'bundler',
        strict: true,
        skipLibCheck: true,
        noEmit: true,
        types: [],
        paths: { 'backprop-ninja': [path.startsWith('.') ? path : `./${path}`] },
      },
      include: ['*.ts'],
    },
    null,
    2,
  )}\n`;
}

/** @returns whether all lines are right */
export async function checkCommand(number: ExerciseNumber | undefined, options: ExerciseOptions, io: IO): Promise<boolean> {
  const files = learnersFiles(number === undefined ? EXERCISE_NUMBERS : [number], options, io);
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

/** Of a terminal; whatever else reads it breaks its own lines. */
export function widthOf({ isTTY, columns }: Output): number {
  return isTTY ? columns : Number.POSITIVE_INFINITY;
}

/** All of them are looked for before the first is checked. */
function learnersFiles(numbers: readonly ExerciseNumber[], options: ExerciseOptions, io: IO): [ExerciseNumber, string][] {
  return numbers.map((number) => [number, learnersFile(number, options, io)]);
}

/** @throws SystemError if it is not there, is no file or may not be read */
export function learnersFile(number: ExerciseNumber, options: ExerciseOptions, io: IO): string {
  const path = join(folderOf(options, io), exerciseFile(number));
  const status = withSystemErrors('read', path, () => statSync(path, { throwIfNoEntry: false }));
  if (!status)
    throw new SystemError(`no ${shortPath(path, io)}: begin with 'backprop-ninja exercise start', or name the folder with --dir`);
  if (!status.isFile()) throw new SystemError(`${shortPath(path, io)} is not a file; move it away, and lay it out with 'exercise start'`);
  withSystemErrors('read', path, () => accessSync(path, constants.R_OK));
  return path;
}

/**
 * How far the learner is in each exercise.
 * @throws the signal's reason, when it ends the checks early
 */
export async function statusCommand(options: ExerciseOptions, io: IO): Promise<void> {
  const reports: ExerciseReport[] = [];
  for (const [number, file] of learnersFiles(EXERCISE_NUMBERS, options, io)) {
    reports.push(await checkFile(file, number, options));
  }
  if (options.json) {
    io.stdout.write(`${JSON.stringify({ exercises: reports })}\n`);
    return;
  }
  const paint = await paintFor(io.stdout, io.env, options.color);
  for (const { exercise, lines, broken, ok } of reports) {
    const total = EXERCISES[exercise].lines.length;
    const right = lines.filter(({ verdict }) => verdict === 'right').length;
    const state = broken === undefined ? `${right} of ${total} right` : 'cannot be run';
    const head = `${ok ? '✓' : '·'} Exercise ${exercise}: ${EXERCISES[exercise].title}`;
    const line = `${head.padEnd(STATE_COLUMN)}  ${state}`;
    const fits = [...line].length <= widthOf(io.stdout);
    for (const text of fits ? [line] : wrapText(`${head}: ${state}`, widthOf(io.stdout)))
      io.stdout.write(`${ok ? paint.green(text) : text}\n`);
  }
}

const STATE_COLUMN = 2 + 'Exercise 1: '.length + Math.max(...EXERCISE_NUMBERS.map((number) => EXERCISES[number].title.length));

export const HINT_STEPS = ['rule', 'shape', 'formula'] as const;

export interface HintOptions extends ExerciseOptions {
  step: number;
}

/**
 * The rule; with the next steps, the shape and the formula.
 * @param number of the first exercise that is not done, where there is none
 * @param name of the first line that is not right, where there is none
 */
export async function hintCommand(
  number: ExerciseNumber | undefined,
  name: string | undefined,
  options: HintOptions,
  io: IO,
): Promise<void> {
  const steps: HintRange = { from: 1, to: options.step, more: `--step ${options.step + 1}` };
  if (number !== undefined && name !== undefined) return showHint(number, findLine(number, name), steps, options, io);
  const files = learnersFiles(number === undefined ? EXERCISE_NUMBERS : [number], options, io);
  for (const [one, file] of files) {
    const line = firstOpenLine(await checkFile(file, one));
    if (line || one === files[files.length - 1][0]) return showHint(one, line, steps, options, io);
  }
}

/** Which steps of a hint to show, counted from 1, and how to get the next one. */
export interface HintRange {
  from: number;
  to: number;
  more: string;
}

/** @param line undefined where the exercise is done */
export function showHint(
  number: ExerciseNumber,
  line: ExerciseLine | undefined,
  range: HintRange,
  { json }: { json?: boolean },
  io: IO,
): void {
  const steps = line ? hintSteps(line).slice(range.from - 1, range.to) : [];
  if (json) {
    const hint = { exercise: number, gradient: line?.name ?? null, ...(line && { forward: line.forward }), ...Object.fromEntries(steps) };
    io.stdout.write(`${JSON.stringify(hint)}\n`);
    return;
  }
  if (!line) {
    io.stdout.write(`Exercise ${number} is done: no hint needed\n`);
    return;
  }
  const width = widthOf(io.stdout);
  const said = [...(range.from === 1 ? line.forward : []), ...steps.map(([_, text]) => text)];
  const more = range.to < HINT_STEPS.length ? `more: ${range.more} (its ${HINT_STEPS[range.to]})\n` : '';
  const body = said.flatMap((text) => wrapText(text, width - 2).map((part) => `  ${part}\n`));
  io.stdout.write(`${line.name}\n${body.join('')}${more}`);
}

/** In the order of {@link HINT_STEPS}. */
function hintSteps({ name, knowledge: { rule, formula } }: ExerciseLine): [(typeof HINT_STEPS)[number], string][] {
  return [
    ['rule', rule],
    ['shape', `${name} has the shape of ${valueNamed(name)}, ${shapeText(valueNamed(name))}.`],
    ['formula', formula],
  ];
}

/** The first line that is not right. */
export function firstOpenLine({ exercise, broken, lines }: ExerciseReport): ExerciseLine | undefined {
  const { lines: known } = EXERCISES[exercise];
  if (broken !== undefined) return known[0];
  return known.find((_, i) => lines[i]?.verdict !== 'right');
}

function findLine(number: ExerciseNumber, name: string): ExerciseLine {
  const { lines } = EXERCISES[number];
  const line = lines.find((one) => one.name === name);
  if (line) return line;
  const names = lines.map((one) => one.name);
  const meant = didYouMean(name, names) || `; it has ${names.join(', ')}`;
  throw new UsageError(`Exercise ${number} has no gradient '${showText(name)}'${meant}`);
}

export interface SolutionOptions extends ExerciseOptions {
  force?: boolean;
}

/** The solution, to whoever has one already, or insists. */
export async function solutionCommand(number: ExerciseNumber, name: string | undefined, options: SolutionOptions, io: IO): Promise<void> {
  const line = name === undefined ? undefined : findLine(number, name);
  if (!options.force) {
    const { lines, ok } = await checkFile(learnersFile(number, options, io), number);
    const done = line ? lines.some((report) => report.name === line.name && report.verdict === 'right') : ok;
    if (!done)
      throw new UsageError(`${line?.name ?? `Exercise ${number}`} is not solved yet; 'exercise hint' helps, --force shows the solution`);
  }
  const code = line ? solutionOf(line) : solutionText(EXERCISES[number]);
  if (options.json) io.stdout.write(`${JSON.stringify({ exercise: number, ...(line && { gradient: line.name }), code })}\n`);
  else io.stdout.write(line ? `${code}\n` : code);
}

/** A fresh file for an exercise; the old one is kept under another name. */
export function resetCommand(number: ExerciseNumber, options: ExerciseOptions, io: IO): void {
  const file = learnersFile(number, options, io);
  const stub = stubText(EXERCISES[number], dirOption(dirname(file), io));
  const kept = withSystemErrors('read', file, () => readFileSync(file, 'utf8')) === stub ? null : freeName(file);
  if (kept !== null) {
    withSystemErrors('rename', file, () => renameSync(file, kept));
    writeNew(file, stub);
  }
  const shown = shortPath(file, io);
  if (options.json) io.stdout.write(`${JSON.stringify({ file, kept })}\n`);
  else if (kept === null) io.stdout.write(`${shown} is as it was in the beginning\n`);
  else io.stdout.write(`${shown} is new; what was in it is kept in ${shortPath(kept, io)}\n`);
}

function freeName(path: string): string {
  for (let number = 1; ; number++) {
    const name = `${path.slice(0, -'.ts'.length)}.old${number}.txt`;
    if (!existsSync(name)) return name;
  }
}
