import { accessSync, constants, existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  EXERCISE_NUMBERS,
  EXERCISES,
  type ExerciseLine,
  type ExerciseNumber,
  exerciseFile,
  SHAPE_TEXT,
  solutionOf,
  solutionText,
  stubText,
  valueNamed,
} from '../dojo/exercises.js';
import { DOJO_GUIDE } from '../dojo/guide.js';
import { checkFile, type ExerciseReport } from '../dojo/run.js';
import { SystemError, showText, UsageError, withSystemErrors } from '../errors.js';
import { paintFor } from './colors.js';
import { reportLines } from './exerciseReport.js';
import { wrapText } from './format.js';
import { type IO, type Output, shellPath, shortPath } from './io.js';

export interface ExerciseOptions {
  dir: string;
  /** Ends a check early. */
  signal?: AbortSignal;
  json?: boolean;
  color: boolean;
}

/** Lays out the exercises. What is there already stays as it is. */
export function startCommand(directory: string, { json }: { json?: boolean }, io: IO): void {
  const folder = resolve(io.cwd, directory);
  const files: Record<string, string> = { 'README.md': DOJO_GUIDE, 'tsconfig.json': tsconfigText(folder) };
  for (const number of EXERCISE_NUMBERS) files[exerciseFile(number)] = stubText(EXERCISES[number]);
  const written: string[] = [];
  const kept: string[] = [];
  for (const [name, text] of Object.entries(files)) (writeNew(join(folder, name), text) ? written : kept).push(name);
  if (json) {
    io.stdout.write(`${JSON.stringify({ folder, written, kept })}\n`);
    return;
  }
  if (kept.length > 0) io.stderr.write(`note: ${kept.join(', ')} ${kept.length === 1 ? 'was' : 'were'} there already, and kept\n`);
  const option = directory === DEFAULT_DIRECTORY ? '' : ` --dir ${shellPath(folder, io)}`;
  io.stdout.write(
    `${shortPath(folder, io)} is ready. Read ${shortPath(join(folder, 'README.md'), io)}, ` +
      `open ${shortPath(join(folder, exerciseFile(1)), io)} in your editor, write a line, and run\n\n` +
      `  backprop-ninja exercise check 1${option}\n  backprop-ninja exercise hint 1${option}\n`,
  );
}

const DEFAULT_DIRECTORY = 'dojo';

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
  const types = fileURLToPath(new URL('../../dist/index.d.ts', import.meta.url));
  const path = relative(folder, types);
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
  for (const [one, file] of files) {
    const report = await checkFile(file, one, { signal: options.signal, train: true, onPrint: (line) => io.stderr.write(`${line}\n`) });
    reports.push(report);
    if (!options.json)
      io.stdout.write(`${reportLines(report, paint, widthOf(io.stdout)).join('\n')}\n${number === undefined && one < 4 ? '\n' : ''}`);
  }
  const ok = reports.every((report) => report.ok);
  if (options.json) io.stdout.write(`${JSON.stringify({ ok, exercises: reports })}\n`);
  return ok;
}

/** Of a terminal; whatever else reads it breaks its own lines. */
function widthOf({ isTTY, columns }: Output): number {
  return isTTY ? columns : Number.POSITIVE_INFINITY;
}

/** All of them are looked for before the first is checked. */
function learnersFiles(numbers: readonly ExerciseNumber[], options: ExerciseOptions, io: IO): [ExerciseNumber, string][] {
  return numbers.map((number) => [number, learnersFile(number, options, io)]);
}

/** @throws SystemError if it is not there, is no file or may not be read */
export function learnersFile(number: ExerciseNumber, { dir }: ExerciseOptions, io: IO): string {
  const path = join(resolve(io.cwd, dir), exerciseFile(number));
  const status = withSystemErrors('read', path, () => statSync(path, { throwIfNoEntry: false }));
  if (!status)
    throw new SystemError(`no ${shortPath(path, io)}: begin with 'backprop-ninja exercise start', or name the folder with --dir`);
  if (!status.isFile()) throw new SystemError(`${shortPath(path, io)} is not a file; move it away, and lay it out with 'exercise start'`);
  withSystemErrors('read', path, () => accessSync(path, constants.R_OK));
  return path;
}

/** How far the learner is in each exercise. */
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
    const line = `${ok ? '✓' : '·'} Exercise ${exercise}: ${EXERCISES[exercise].title.padEnd(31)}  ${state}`;
    io.stdout.write(`${ok ? paint.green(line) : line}\n`);
  }
}

export const HINT_STEPS = ['rule', 'shape', 'formula'] as const;

export interface HintOptions extends ExerciseOptions {
  step: number;
  /** How to get the next step. */
  more?: string;
}

/** The rule; with the next steps, the shape and the formula. Without a name, of the first line that is not right. */
export async function hintCommand(number: ExerciseNumber, name: string | undefined, options: HintOptions, io: IO): Promise<void> {
  const line = name === undefined ? await firstOpenLine(number, options, io) : findLine(number, name);
  const steps = line ? hintSteps(line).slice(0, options.step) : [];
  if (options.json) {
    const hint = { exercise: number, gradient: line?.name ?? null, ...(line && { forward: line.forward }), ...Object.fromEntries(steps) };
    io.stdout.write(`${JSON.stringify(hint)}\n`);
    return;
  }
  if (!line) {
    io.stdout.write(`Exercise ${number} is done: no hint needed\n`);
    return;
  }
  const width = widthOf(io.stdout);
  const more = options.step < HINT_STEPS.length ? `${options.more ?? `--step ${options.step + 1}`}: the ${HINT_STEPS[options.step]}\n` : '';
  io.stdout.write(
    `${line.forward.map((text) => `  ${text}`).join('\n')}\n${line.name}\n${steps.flatMap(([_, text]) => wrapText(text, width - 2).map((part) => `  ${part}`)).join('\n')}\n${more}`,
  );
}

/** In the order of {@link HINT_STEPS}. */
function hintSteps({ name, knowledge: { rule, formula } }: ExerciseLine): [(typeof HINT_STEPS)[number], string][] {
  return [
    ['rule', rule],
    ['shape', `${name} has the shape of ${valueNamed(name)}, ${SHAPE_TEXT[valueNamed(name)]}.`],
    ['formula', formula],
  ];
}

async function firstOpenLine(number: ExerciseNumber, options: ExerciseOptions, io: IO): Promise<ExerciseLine | undefined> {
  const { broken, lines } = await checkFile(learnersFile(number, options, io), number, options);
  const { lines: known } = EXERCISES[number];
  if (broken !== undefined) return known[0];
  return known.find((_, i) => lines[i]?.verdict !== 'right');
}

function findLine(number: ExerciseNumber, name: string): ExerciseLine {
  const { lines } = EXERCISES[number];
  const line = lines.find((one) => one.name === name);
  if (line) return line;
  throw new UsageError(`Exercise ${number} has no gradient '${showText(name)}'; it has ${lines.map((one) => one.name).join(', ')}`);
}

export interface SolutionOptions extends ExerciseOptions {
  force?: boolean;
}

/** The solution, to whoever has one already, or insists. */
export async function solutionCommand(number: ExerciseNumber, name: string | undefined, options: SolutionOptions, io: IO): Promise<void> {
  const line = name === undefined ? undefined : findLine(number, name);
  if (!options.force) {
    const { lines, ok } = await checkFile(learnersFile(number, options, io), number, options);
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
  const stub = stubText(EXERCISES[number]);
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
