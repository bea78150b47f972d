/** Checks a learner's lines in a Python file. */
import { basename, resolve } from 'node:path';
import { UsageError } from '../../core/errors.js';
import type { ExerciseNumber } from '../../dojo/exercises.js';
import { findPython } from '../../node/python/python.js';
import { checkPythonFile, refuseOther } from '../../node/python/pythonFile.js';
import { EXIT_NO, EXIT_SIGNAL } from '../terminal/exitCodes.js';
import { nearPath, type StopSignal, shortPath } from '../terminal/io.js';
import { looseProposals, printReport } from './cases.js';
import type { ExerciseContext } from './exerciseActions.js';
import { lineIn, type Place } from './place.js';
import { watch } from './watch.js';

/** A Python file, and what of it is checked. */
interface PythonPlace {
  /** As it is typed. */
  file: string;
  exercise: ExerciseNumber;
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
  return { file, exercise, gradient, python };
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
    await printReport(report, { file: shortPath(path, io) }, context);
    return report.ok ? 0 : EXIT_NO;
  } catch (error) {
    if (stopped.signal.aborted) return EXIT_SIGNAL[stopped.signal.reason as StopSignal];
    throw error;
  } finally {
    stopListening();
  }
}

/** Checks the file at every save. @returns the exit code: 0 for a key, the signal's code for a signal */
export async function watchPython({ file, ...place }: PythonPlace, context: ExerciseContext): Promise<number> {
  const { io } = context;
  const path = resolve(io.cwd, file);
  const shownAs = nearPath(path, io);
  refuseOther(path, shownAs);
  const python = await findPython({ python: place.python, env: io.env, cwd: io.cwd });
  return watch(
    {
      files: [[place.exercise, path]],
      first: place.exercise,
      prepare: () => refuseOther(path, shownAs),
      check: (_, signal, onPrint) => checkPythonFile(path, { ...place, python, shownAs, onPrint, signal }),
      proposals: looseProposals(io),
    },
    context,
  );
}
