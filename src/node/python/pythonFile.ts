/**
 * Checks a learner's file in Python. Its process gets cases in a temporary directory, and leaves answers there; this one judges them, as it judges
 * the answers of any other program.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { FileContentError, NumericalError } from '../../core/errors.js';
import { RECOGNISABLE_BYTES, recognise } from '../../core/recognise.js';
import { showPath, showText } from '../../core/text.js';
import { checkAgainst } from '../../dojo/against/checkAgainst.js';
import type { AgainstReport } from '../../dojo/against/report.js';
import { type Answers, ExerciseCases } from '../../dojo/cases.js';
import type { ExerciseReport } from '../../dojo/exerciseReport.js';
import { EXERCISES, type ExerciseNumber, lessonShape } from '../../dojo/exercises.js';
import type { Fault } from '../../dojo/findings.js';
import { sentenceOf } from '../../dojo/sentences.js';
import { lessonName } from '../../lesson/tensorNames.js';
import { type GradientName, valueNamed } from '../../lesson/values.js';
import { Printed } from '../guest/printed.js';
import { residentBytes } from '../guest/process.js';
import { NINJA_PY } from '../paths.js';
import { startOfFile } from '../readFile.js';
import { systemError, withSystemErrors } from '../systemErrors.js';
import { hasAnswers, keptValues, readAnswers, runningLine, writeCases, writeSkipped } from './casesDirectory.js';

/** Elapsed seconds for the file and all of its lines. Importing torch takes a few of them on a busy machine. */
const TIME_LIMIT = 60;
/** Gigabytes that its process may use; torch needs a third of one. */
const MEMORY_LIMIT = 4;
/** How often the file is run again, without the lines that ended its process. */
const MAX_RUNS = 3;
/** The seed of the cases. */
const SEED = 0;

export interface PythonFileOptions {
  exercise: ExerciseNumber;
  /** The command that starts Python. */
  python: string;
  /** The gradient to check; by default, all of the exercise. */
  gradient?: string | undefined;
  /** The name of the file in messages. */
  shownAs: string;
  /** Called with each line that the file prints. Control and bidirectional characters are escaped. */
  onPrint: (line: string) => void;
  /** Ends the check early. */
  signal: AbortSignal;
}

/** The reports on a Python file. */
export interface PythonReport {
  ok: boolean;
  /** On its functions, each alone. */
  lines: ExerciseReport;
  /** On the values that it passes to `ninja.check`, together. */
  values?: AgainstReport;
}

/**
 * @throws the signal's reason, when it ends the check early
 * @throws SystemError if the file is missing or cannot be read, or Python cannot be started; FileContentError if the file has no line
 */
export async function checkPythonFile(path: string, options: PythonFileOptions): Promise<PythonReport> {
  const { exercise, gradient, shownAs, signal } = options;
  refuseOther(path, shownAs);
  signal.throwIfAborted();
  const directory = withSystemErrors('write in', tmpdir(), () => mkdtempSync(join(tmpdir(), 'backprop-ninja-')));
  try {
    const cases = new ExerciseCases(exercise, SEED);
    writeCases(directory, cases);
    const ended = new Map<string, Fault>();
    for (let runs = 1; ; runs++) {
      const fault = await runPython(path, directory, options, runs > 1);
      signal.throwIfAborted();
      // With all answers there, it does not matter how the process ended: perhaps a module crashed at the very end.
      if (!fault || hasAnswers(directory)) break;
      const line = lineNamed(exercise, runningLine(directory));
      if (!line || fault.id === 'timeout' || runs > MAX_RUNS || ended.has(line))
        return { ok: false, lines: endedReport(fault, line, exercise) };
      // The others run without it.
      ended.set(line, fault);
      writeSkipped(directory, [...ended.keys()]);
    }
    const answers = readAnswers(directory, cases);
    const values = valuesReport(directory, options);
    if (gradient === undefined && ended.size === 0 && !values) refuseEmpty(answers, exercise, shownAs);
    const notes = new Map(answers.lines);
    for (const [name, fault] of ended) notes.set(name, { fault });
    const elsewhere = values ? values.tensors.map(({ name }) => lessonName(name)) : [];
    const lines = cases.judge({ ...answers, lines: notes }, { gradient, complete: true, elsewhere });
    const isEmpty = lines.lines.length === 0 && lines.broken === undefined && lines.strays === undefined;
    return { ok: (lines.ok || isEmpty) && (values?.ok ?? true), lines, ...(values && { values }) };
  } finally {
    withSystemErrors('remove', directory, () => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }));
  }
}

/** @throws SystemError if there is no such file; FileContentError if it is no source code */
export function refuseOther(path: string, shownAs: string): void {
  const other = recognise(startOfFile(path, RECOGNISABLE_BYTES, shownAs));
  if (other && other.group !== 'source') throw new FileContentError(`${showPath(shownAs)}: this is ${other.kind}; expected Python`);
}

/** @throws FileContentError if a file has neither lines nor misspelt ones */
function refuseEmpty({ tensors, lines, strays, fault }: Answers, exercise: ExerciseNumber, shownAs: string): void {
  if (fault || lines.size > 0 || strays.length > 0 || tensors.some(({ size }) => size > 0)) return;
  const names = EXERCISES[exercise].lines.map(({ name }) => name);
  const looked =
    names.length === 1 ? `a function named ${names[0]}` : `functions named ${names.slice(0, 3).join(', ')} ... ${names.at(-1)}`;
  throw new FileContentError(`${showPath(shownAs)} has no line of Exercise ${exercise}: looked for ${looked}`, {
    hint: `write one, such as ${names[0]} = lambda at: …`,
  });
}

function lineNamed(exercise: ExerciseNumber, running: string | undefined): GradientName | undefined {
  return EXERCISES[exercise].lines.find(({ name }) => name === running)?.name;
}

/** The report on the values that a file passed to `ninja.check`. */
function valuesReport(directory: string, { exercise, onPrint, shownAs }: PythonFileOptions): AgainstReport | undefined {
  const values = keptValues(directory, exercise);
  try {
    return values && checkAgainst(values);
  } catch (error) {
    if (!(error instanceof FileContentError || error instanceof NumericalError)) throw error;
    onPrint(`note: the values in ${showPath(shownAs)} cannot be judged: ${showText(error.message)}`);
    return undefined;
  }
}

/** The report on a file whose process was ended. @param name the line in which it was, if it had begun with one */
function endedReport(fault: Fault, name: GradientName | undefined, exercise: ExerciseNumber): ExerciseReport {
  const problem = sentenceOf([fault], 'python');
  if (name === undefined) return { exercise, ok: false, broken: problem, lines: [] };
  const report = { name, shape: lessonShape(valueNamed(name)), verdict: 'failed', findings: [fault], problem } as const;
  const notGiven = EXERCISES[exercise].lines.flatMap((one) => (one.name === name ? [] : [one.name]));
  return { exercise, ok: false, lines: [report], ...(notGiven.length > 0 && { notGiven }) };
}

/**
 * Runs the file on the cases in a directory.
 * @param quiet whether to drop what it prints: it has printed that before
 * @returns the reason why its process ended before it had answered
 */
function runPython(path: string, directory: string, options: PythonFileOptions, quiet: boolean): Promise<Fault | undefined> {
  const { python, gradient, onPrint, signal } = options;
  const file = resolve(path);
  const printed = new Printed(onPrint);
  printed.startSource(quiet ? undefined : showText(basename(path)));
  return new Promise((done, fail) => {
    const child = spawn(python, [NINJA_PY, directory, file, ...(gradient === undefined ? [] : [gradient])], {
      cwd: dirname(file),
      // It leads a process group of its own, which ends with it.
      detached: true,
      windowsHide: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', PYTHONIOENCODING: 'utf-8', PYTHONUNBUFFERED: '1' },
    });
    let fault: Fault | undefined;
    const end = (reason?: Fault) => {
      fault ??= reason;
      kill(child);
    };
    const stop = () => end();
    signal.addEventListener('abort', stop);
    const ticks = watch(child, end);
    child.stdout.on('data', (chunk: Buffer) => printed.take(0, chunk));
    child.stderr.on('data', (chunk: Buffer) => printed.take(1, chunk));
    child.on('error', (error) => fail(systemError(`cannot start ${showPath(python)}`, error)));
    child.on('exit', (code, by) => {
      if (code !== 0) fault ??= { id: 'process-ended', by: by ?? `exit code ${code}` };
      // Its children would hold the streams.
      kill(child);
    });
    child.on('close', () => {
      clearInterval(ticks);
      signal.removeEventListener('abort', stop);
      printed.startSource(undefined);
      done(fault);
    });
  });
}

/** Ends a process that takes too long or too much. It counts ticks, not the clock: a machine that was suspended loses nothing. */
function watch(child: ChildProcess, end: (reason: Fault) => void): NodeJS.Timeout {
  let seconds = 0;
  return setInterval(() => {
    seconds++;
    if (seconds > TIME_LIMIT) end({ id: 'timeout', seconds: TIME_LIMIT });
    else if (residentBytes(child.pid) > MEMORY_LIMIT * 1e9) end({ id: 'memory', gigabytes: MEMORY_LIMIT });
  }, 1_000);
}

/** Ends a process and its children. */
function kill(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Windows has no process groups.
    if (child.exitCode === null) child.kill('SIGKILL');
  }
}
