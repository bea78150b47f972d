/** Checks a learner's lines in a Python file. */
import { basename, resolve } from 'node:path';
import { UsageError } from '../../core/errors.js';
import type { ExerciseNumber } from '../../dojo/exercises.js';
import { findPython } from '../../node/python/python.js';
import { checkPythonFile, type PythonReport, refuseOther } from '../../node/python/pythonFile.js';
import { reportLines as againstLines, reportJson } from '../check/againstReport.js';
import type { Paint } from '../terminal/colors.js';
import { EXIT_NO, EXIT_SIGNAL } from '../terminal/exitCodes.js';
import { widthOf, wrapText } from '../terminal/format.js';
import { nearPath, type StopSignal, shortPath } from '../terminal/io.js';
import { looseProposals, pageFor } from './cases.js';
import type { ExerciseContext } from './exerciseActions.js';
import { ENDLESS, reportLines } from './exerciseReport.js';
import { lineIn, type Place } from './place.js';
import { watch } from './watch.js';

/** A Python file, and what of it is checked. */
interface PythonPlace {
  /** As it is typed. */
  file: string;
  exercise: ExerciseNumber;
  /** Whether the command names it. */
  isNamed: boolean;
  gradient: string | undefined;
  /** The value of --python. */
  python: string | undefined;
}

/**
 * The Python file that is named; undefined if none is. Its exercise is the one that is named, that of its name (exercise2.py), or the first.
 * @throws UsageError for an option that does not go with it
 */
export function pythonPlace(
  { python: file, number, gradient }: Place,
  { python, dir }: { python?: string; dir?: string },
): PythonPlace | undefined {
  if (file === undefined) {
    if (python === undefined) return undefined;
    throw new UsageError('--python runs a Python file, and none is named', { hint: 'for example', command: 'exercise check lines.py' });
  }
  if (dir !== undefined) throw new UsageError('--dir names a folder of exercises, and cannot be used with a Python file');
  const [, named] = /^exercise([1-4])\.py$/.exec(basename(file)) ?? [];
  const exercise = number ?? ((named === undefined ? 1 : Number(named)) as ExerciseNumber);
  if (gradient !== undefined) lineIn(exercise, gradient);
  return { file, exercise, isNamed: number !== undefined, gradient, python };
}

/** @returns the exit code: 1 unless all checked lines are right, a signal's code if one ended the check */
export async function checkPython({ file, ...place }: PythonPlace, context: ExerciseContext): Promise<number> {
  const { io } = context;
  const path = resolve(io.cwd, file);
  const shownAs = nearPath(path, io);
  const stopped = new AbortController();
  const stopListening = io.onStop((signal) => stopped.abort(signal));
  const onPrint = (line: string) => io.stderr.write(`${line}\n`);
  try {
    refuseOther(path, shownAs);
    const python = await findPython({ python: place.python, env: io.env, cwd: io.cwd });
    const report = await checkPythonFile(path, { ...place, python, shownAs, onPrint, signal: stopped.signal });
    await printPython(report, shortPath(path, io), context);
    return report.ok ? 0 : EXIT_NO;
  } catch (error) {
    if (stopped.signal.aborted) return EXIT_SIGNAL[stopped.signal.reason as StopSignal];
    throw error;
  } finally {
    stopListening();
  }
}

/** Prints the report on the functions of a file, and that on its values. */
async function printPython(report: PythonReport, file: string, context: ExerciseContext): Promise<void> {
  const { io, json, paint, printJson } = context;
  if (json) printJson(documentOf(report));
  else {
    const width = widthOf(io.stdout);
    const page = report.values.length > 0 ? { ...ENDLESS, width } : pageFor(report.lines, io);
    const painted = await paint();
    const lines = hasLines(report) ? reportLines(report.lines, painted, page, looseProposals(io), file) : [];
    io.stdout.write(`${[...lines, ...passedLines(report, painted, width)].join('\n')}\n`);
  }
}

/** The JSON document of a check. */
function documentOf({ ok, lines, values: [values, ...moreValues], notJudged }: PythonReport): object {
  return {
    ok,
    exercises: [lines],
    ...(values && { values: reportJson(values) }),
    ...(moreValues.length > 0 && { moreValues: moreValues.map(reportJson) }),
    ...(notJudged.length > 0 && { notJudged }),
  };
}

/** A file may consist of values alone. */
function hasLines({ lines, values }: PythonReport): boolean {
  return values.length === 0 || lines.lines.length > 0 || lines.broken !== undefined || lines.strays !== undefined;
}

/** The report on the values, after that on the functions; and what was not judged. */
function passedLines(report: PythonReport, paint: Paint, width: number): string[] {
  const titled = report.values.map((values) => {
    const where = values.line === undefined ? '' : `, in line ${values.line}`;
    return [paint.bold(`Values, as ninja.check judges them${where}`), ...againstLines(values, paint, width)];
  });
  const tone = report.ok ? paint.dim : paint.red;
  const notJudged = report.notJudged.flatMap(({ text }) => wrapText(text, width)).map((line) => tone(line));
  const parts = [...titled, ...(notJudged.length > 0 ? [notJudged] : [])];
  return parts.flatMap((part, i) => [...(i > 0 || hasLines(report) ? [''] : []), ...part]);
}

/** Checks the file at every save. @returns the exit code: 0 for a key, the signal's code for a signal */
export async function watchPython({ file, ...place }: PythonPlace, context: ExerciseContext): Promise<number> {
  const { io } = context;
  const path = resolve(io.cwd, file);
  const shownAs = nearPath(path, io);
  refuseOther(path, shownAs);
  const python = await findPython({ python: place.python, env: io.env, cwd: io.cwd });
  let last: PythonReport | undefined;
  return watch(
    {
      files: [[place.exercise, path]],
      first: place.exercise,
      prepare: () => refuseOther(path, shownAs),
      check: async (_, signal, onPrint) => {
        last = await checkPythonFile(path, { ...place, python, shownAs, onPrint, signal });
        return last.lines;
      },
      more: (paint, width) => (last ? passedLines(last, paint, width) : []),
      document: () => (last ? documentOf(last) : {}),
      proposals: looseProposals(io),
    },
    context,
  );
}
