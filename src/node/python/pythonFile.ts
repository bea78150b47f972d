/**
 * Checks a learner's file in Python. Its process gets cases in a temporary directory, and leaves answers there; this one judges them, as it judges
 * the answers of any other program.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { FileContentError } from '../../core/errors.js';
import { RECOGNISABLE_BYTES, recognise } from '../../core/recognise.js';
import { showPath, showText } from '../../core/text.js';
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
import { hasAnswers, readAnswers, runningLine, writeCases, writeSkipped } from './casesDirectory.js';
import { judgePassed, onlyGradient, type PassedReport } from './passedValues.js';

/** Elapsed seconds for the file and all of its lines, however often it is run. Importing torch takes a few of them on a busy machine. */
const TIME_LIMIT = 60;
/** Gigabytes that its process may use; torch needs a third of one. */
const MEMORY_LIMIT = 4;
/** How often the file is run again, without the lines that ended its process. */
const MAX_RUNS = 3;
/** The seed of the cases. */
const SEED = 0;

export interface PythonFileOptions {
  exercise: ExerciseNumber;
  /** Whether the exercise is asked for. Otherwise, what the file has of others may not be left out without a word. */
  isNamed: boolean;
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
export interface PythonReport extends PassedReport {
  ok: boolean;
  /** On its functions, each alone. */
  lines: ExerciseReport;
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
    const { ended, broken } = await runRepeatedly(path, directory, options);
    const passed = judgePassed(directory, exercise, shownAs);
    if (broken) return reportOf({ exercise, ok: false, broken: sentenceOf([broken], 'python'), lines: [] }, passed, options);
    if (!hasAnswers(directory)) return reportOf(endedReport(ended, exercise), passed, options);
    const answers = readAnswers(directory, cases);
    if (gradient === undefined && ended.size === 0 && !isAnything(answers)) refuseEmpty(passed, exercise, shownAs);
    const notes = new Map(answers.lines);
    for (const [name, fault] of ended) notes.set(name, { fault });
    const elsewhere = passed.values.flatMap(({ tensors }) => tensors.map(({ name }) => lessonName(name)));
    return reportOf(cases.judge({ ...answers, lines: notes }, { gradient, complete: true, elsewhere }), passed, options);
  } finally {
    withSystemErrors('remove', directory, () => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }));
  }
}

/** @throws SystemError if there is no such file; FileContentError if it is no source code */
export function refuseOther(path: string, shownAs: string): void {
  const other = recognise(startOfFile(path, RECOGNISABLE_BYTES, shownAs));
  if (other && other.group !== 'source') throw new FileContentError(`${showPath(shownAs)}: this is ${other.kind}; expected Python`);
}

/** Puts the reports together. */
function reportOf(lines: ExerciseReport, passed: PassedReport, { gradient, isNamed }: PythonFileOptions): PythonReport {
  const isEmpty = lines.lines.length === 0 && lines.broken === undefined && lines.strays === undefined;
  // A function goes before the values; of the values, only those of the gradient count.
  const values = gradient === undefined ? passed.values : isEmpty ? onlyGradient(passed.values, gradient) : [];
  const notJudged = gradient === undefined ? passed.notJudged : [];
  const isComplete = notJudged.every(({ id }) => isNamed && id === 'other-exercise');
  return { ok: (lines.ok || isEmpty) && values.every(({ ok }) => ok) && isComplete, lines, values, notJudged };
}

/** The time that is left for all runs. */
interface Budget {
  seconds: number;
}

/** What is known after the last run. */
interface Runs {
  /** The lines that ended a process, and how. */
  ended: ReadonlyMap<GradientName, Fault>;
  /** The reason why no line could run. */
  broken?: Fault;
}

/** Runs the file, and again without each line that ends its process, as long as there is time. */
async function runRepeatedly(path: string, directory: string, options: PythonFileOptions): Promise<Runs> {
  const ended = new Map<GradientName, Fault>();
  const budget = { seconds: TIME_LIMIT };
  for (let runs = 1; ; runs++) {
    const fault = await runPython(path, directory, options, budget, runs > 1);
    options.signal.throwIfAborted();
    // With all answers there, it does not matter how the process ended: perhaps a module crashed at the very end.
    if (hasAnswers(directory)) return { ended };
    const line = lineNamed(options.exercise, runningLine(directory));
    if (!line) return { ended, broken: fault };
    if (ended.has(line)) return { ended };
    ended.set(line, fault);
    if (fault.id === 'timeout' || runs > MAX_RUNS) return { ended };
    writeSkipped(directory, [...ended.keys()]);
  }
}

/** Whether a file has lines, or misspelt ones. */
function isAnything({ tensors, lines, strays, fault }: Answers): boolean {
  return fault !== undefined || lines.size > 0 || strays.length > 0 || tensors.some(({ size }) => size > 0);
}

/** @throws FileContentError if a file without lines has no values that can be judged, either */
function refuseEmpty({ values, notJudged }: PassedReport, exercise: ExerciseNumber, shownAs: string): void {
  const [other] = notJudged;
  if (values.length > 0 || (other && other.id !== 'other-exercise')) return;
  const names = EXERCISES[exercise].lines.map(({ name }) => name);
  const looked =
    names.length === 1 ? `a function named ${names[0]}` : `functions named ${names.slice(0, 3).join(', ')} ... ${names.at(-1)}`;
  throw new FileContentError(`${showPath(shownAs)} has no line of Exercise ${exercise}: looked for ${looked}`, {
    hint: other?.text ?? `write one, such as ${names[0]} = lambda at: ...`,
  });
}

function lineNamed(exercise: ExerciseNumber, running: string | undefined): GradientName | undefined {
  return EXERCISES[exercise].lines.find(({ name }) => name === running)?.name;
}

/** The report on a file that never answered: the lines that ended its processes. Nothing is known of the others. */
function endedReport(ended: ReadonlyMap<GradientName, Fault>, exercise: ExerciseNumber): ExerciseReport {
  const names = EXERCISES[exercise].lines.map(({ name }) => name);
  const lines = names.flatMap((name) => {
    const fault = ended.get(name);
    const shape = lessonShape(valueNamed(name));
    return fault ? [{ name, shape, verdict: 'failed', findings: [fault], problem: sentenceOf([fault], 'python') } as const] : [];
  });
  const notGiven = names.filter((name) => !ended.has(name));
  return { exercise, ok: false, lines, ...(notGiven.length > 0 && { notGiven }) };
}

/**
 * Runs the file on the cases in a directory.
 * @param budget the time that is left; it shrinks
 * @param quiet whether to drop what it prints: it has printed that before
 * @returns how its process ended
 */
function runPython(path: string, directory: string, options: PythonFileOptions, budget: Budget, quiet: boolean): Promise<Fault> {
  const { python, gradient, onPrint, signal } = options;
  const file = resolve(path);
  const printed = new Printed(onPrint);
  printed.startSource(quiet ? undefined : showText(basename(path)));
  return new Promise((done, fail) => {
    let fault: Fault | undefined;
    const child = spawn(python, [NINJA_PY, directory, file, ...(gradient === undefined ? [] : [gradient])], {
      cwd: dirname(file),
      // It leads a process group of its own, which ends with it.
      detached: true,
      windowsHide: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', PYTHONIOENCODING: 'utf-8', PYTHONUNBUFFERED: '1' },
    });
    const end = (reason?: Fault) => {
      fault ??= reason;
      kill(child);
    };
    const stop = () => end();
    signal.addEventListener('abort', stop);
    const ticks = watch(child, budget, end);
    child.stdout.on('data', (chunk: Buffer) => printed.take(0, chunk));
    child.stderr.on('data', (chunk: Buffer) => printed.take(1, chunk));
    child.on('error', (error) => fail(systemError(`cannot start ${showPath(python)}`, error)));
    child.on('exit', (code, by) => {
      fault ??= { id: 'process-ended', by: by ?? `exit code ${code}` };
      // Its children would hold the streams.
      kill(child);
    });
    child.on('close', () => {
      clearInterval(ticks);
      signal.removeEventListener('abort', stop);
      printed.startSource(undefined);
      done(fault as Fault);
    });
  });
}

/** Ends a process that takes too long or too much. It counts ticks, not the clock: a machine that was suspended loses nothing. */
function watch(child: ChildProcess, budget: Budget, end: (reason: Fault) => void): NodeJS.Timeout {
  return setInterval(() => {
    budget.seconds--;
    if (budget.seconds < 0) end({ id: 'timeout', seconds: TIME_LIMIT });
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
