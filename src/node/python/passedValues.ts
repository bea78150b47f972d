/** Judges what a Python file passes to `ninja.check`, and says what of it, and of the lines of other exercises, is not judged. */
import { basename } from 'node:path';
import { FileContentError, NumericalError, SystemError } from '../../core/errors.js';
import { countOf, showPath, showText } from '../../core/text.js';
import { checkAgainst } from '../../dojo/against/checkAgainst.js';
import type { AgainstReport } from '../../dojo/against/report.js';
import type { ExerciseNumber } from '../../dojo/exercises.js';
import { lessonName } from '../../lesson/tensorNames.js';
import { type Passed, readPassed, readValues } from './casesDirectory.js';

/** The report on one set of values. */
export interface ValuesReport extends AgainstReport {
  /** The line of the file that passes them; none for the variables of the file. */
  line?: number;
}

/** What the file gives, and the check leaves out. */
export interface NotJudged {
  /** 'other-exercise' is right to be left out, where the exercise is named. */
  id: 'broken-values' | 'too-many-calls' | 'other-exercise';
  text: string;
}

/** What a file passes besides the lines of the exercise. */
export interface PassedReport {
  values: ValuesReport[];
  notJudged: NotJudged[];
}

/** @param shownAs the name of the file in messages */
export function judgePassed(directory: string, exercise: ExerciseNumber, shownAs: string): PassedReport {
  const passed = readPassed(directory);
  const report: PassedReport = { values: [], notJudged: [] };
  // Exercises 2 and 3 are one line each. The variables of a file are those of Exercise 1, and a function computes Exercise 4.
  const [judged, others] = split(passed.values, ({ line }) => exercise === 1 || (exercise === 4 && line !== undefined));
  for (const one of judged) judgeValues(one, report);
  report.notJudged.push(...tooMany(passed, exercise), ...ofOthers(passed, others.length > 0, showPath(shownAs)));
  return report;
}

function judgeValues({ path, line }: Passed['values'][number], { values, notJudged }: PassedReport): void {
  const whose = line === undefined ? 'the variables of the file' : `the values in line ${line}`;
  try {
    const report = checkAgainst(readValues(path, basename(path)));
    // A notebook has the call before its gradients are written.
    if (values.length > 0 && report.compared === 0 && report.ok) return;
    values.push({ ...report, ...(line !== undefined && { line }) });
  } catch (error) {
    if (!(error instanceof FileContentError || error instanceof NumericalError || error instanceof SystemError)) throw error;
    notJudged.push({ id: 'broken-values', text: `ninja.check cannot judge ${whose}: ${showText(error.message)}` });
  }
}

function tooMany({ dropped }: Passed, exercise: ExerciseNumber): NotJudged[] {
  if (dropped.length === 0 || exercise === 2 || exercise === 3) return [];
  const where = `${dropped.length === 1 ? 'line' : 'lines'} ${dropped.join(', ')}`;
  return [{ id: 'too-many-calls', text: `the file calls ninja.check very often, and later calls in ${where} were not judged` }];
}

function ofOthers({ others }: Passed, hasValues: boolean, file: string): NotJudged[] {
  const lines = Object.entries(others).flatMap(([exercise, names]): NotJudged[] => {
    if (names.length === 0) return [];
    const were = names.length === 1 ? 'was' : 'were';
    const text = `${countOf(names.length, 'line')} of Exercise ${exercise} ${were} not judged: exercise check ${exercise} ${file}`;
    return [{ id: 'other-exercise', text }];
  });
  const values = `values that the file passes to ninja.check were not judged: exercise check 1 ${file}`;
  return [...lines, ...(hasValues ? [{ id: 'other-exercise', text: values } as const] : [])];
}

/** Of the reports on values, what they say about one gradient. */
export function onlyGradient(values: readonly ValuesReport[], gradient: string): ValuesReport[] {
  const isMeant = ({ name }: { name: string }) => lessonName(name) === gradient;
  return values.flatMap((report) => {
    const meant = report.tensors.filter(isMeant);
    if (meant.length === 0) return [];
    // The rows of the forward pass come first.
    const tensors = [...report.tensors.slice(0, report.forward.compared), ...meant];
    const culprits = report.culprits.filter((name) => lessonName(name) === gradient);
    const notShown = report.notShown.filter(isMeant);
    const ok = meant.every((row) => row.ok);
    return [{ ...report, ok, compared: meant.length, culprits, notShown, tensors, unknown: [], duplicate: [], absent: [] }];
  });
}

function split<T>(all: readonly T[], isFirst: (one: T) => boolean): [T[], T[]] {
  return [all.filter(isFirst), all.filter((one) => !isFirst(one))];
}
