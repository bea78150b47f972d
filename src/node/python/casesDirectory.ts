/** A directory in which cases are handed out, and answers come back. */
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { FileContentError, namingFile, SystemError, UsageError } from '../../core/errors.js';
import { quoteText, showPath } from '../../core/text.js';
import { type Answers, byLessonName, CASES_FORMAT, CASES_VERSION, casesMetadata, ExerciseCases } from '../../dojo/cases.js';
import { EXERCISE_NUMBERS, type ExerciseNumber } from '../../dojo/exercises.js';
import { type Safetensors, type StoredTensor, writeSafetensors } from '../../run/safetensors.js';
import { atomicWrite } from '../atomicWrite.js';
import { makeDirectory } from '../makeDirectory.js';
import { readIfThere } from '../readFile.js';
import { refuseNoDirectory } from '../runDirectory.js';
import { readSafetensorsFile } from '../safetensorsFile.js';
import { withSystemErrors } from '../systemErrors.js';
import { AnswersSchema, MAX_NAMES } from './answersSchema.js';

const DESCRIPTION = 'exercise.json';
const ANSWERS = 'answers.json';
/** The name of the line that runs. */
const RUNNING = 'running';
const MAX_RUNNING = 2 ** 10;
/** The names of lines that must not run again. */
const SKIPPED = 'skipped';
/** Bytes of each: ten times what a full one needs. */
const MAX_DESCRIPTION = 2 ** 20;
const MAX_ANSWERS = 2 ** 23;
/** Bytes of the tensors of a case: 26 of the largest that are judged. */
const MAX_TENSORS = 2 ** 26;

/**
 * Writes the cases.
 * @param force whether to replace the cases and answers of a directory that is not empty
 * @returns the names of the files
 * @throws UsageError if the directory is not empty, unless forced; SystemError if it cannot be written
 */
export function writeCases(directory: string, cases: ExerciseCases, force = false): string[] {
  const description = cases.describe();
  return withSystemErrors('write in', directory, () => {
    refuseNoDirectory(directory);
    if (existsSync(directory) && readdirSync(directory).length > 0 && !force) {
      throw new UsageError(`${showPath(directory)} exists and is not empty`, { hint: '--force replaces the cases and answers in it' });
    }
    makeDirectory(directory);
    // Answers to other cases would be judged. The description goes first and comes last: with it, the cases are complete.
    for (const name of [DESCRIPTION, ANSWERS, ...description.cases.map(({ answers }) => answers)])
      rmSync(join(directory, name), { force: true });
    const files = [...cases.files()];
    for (const [name, content] of files) atomicWrite(join(directory, name), writeSafetensors(content));
    atomicWrite(join(directory, DESCRIPTION), Buffer.from(`${JSON.stringify(description, null, 2)}\n`));
    return [DESCRIPTION, ...files.map(([name]) => name)];
  });
}

const SEED = 'expected a whole number';

const DescriptionSchema = v.object(
  {
    format: v.literal(CASES_FORMAT, `it must be "${CASES_FORMAT}"`),
    version: v.literal(CASES_VERSION, `another version of the cases, expected ${CASES_VERSION}`),
    exercise: v.picklist(EXERCISE_NUMBERS, 'expected a number from 1 to 4'),
    seed: v.pipe(v.number(SEED), v.safeInteger(SEED), v.minValue(0, SEED)),
  },
  'missing: these are not cases of this program',
);

/**
 * The cases of a directory, and what came back.
 * @param word the directory as a word of a command
 * @throws SystemError if the cases or answers are missing or cannot be read; FileContentError if they are broken, or of other cases
 */
export function readCases(directory: string, word: string): { cases: ExerciseCases; answers: Answers } {
  const found = withSystemErrors('read', directory, () => statSync(directory));
  if (!found.isDirectory())
    throw new SystemError(`${showPath(directory)} is not a directory`, { hint: 'name the directory with the answers' });
  const cases = readDescription(directory, word);
  for (const { file } of cases.describe().cases) refuseOther(join(directory, file), cases);
  return { cases, answers: readAnswers(directory, cases) };
}

/**
 * What came back to the cases of a directory.
 * @throws SystemError if it cannot be read; FileContentError if it is broken, or to other cases
 */
export function readAnswers(directory: string, cases: ExerciseCases): Answers {
  const files = cases.describe().cases;
  const tensors = files.map(({ answers }) => {
    const path = join(directory, answers);
    return namingFile(path, () => byLessonName(refuseOther(path, cases)));
  });
  return { tensors, ...readNotes(join(directory, ANSWERS)) };
}

/** What a file passed to `ninja.check` and `ninja.lines` besides the lines of the exercise. */
export interface Passed {
  /** Files: the one with the variables of the learner's file first, then one for each call with other values, and the line of the call. */
  values: { path: string; line?: number }[];
  /** Lines of the file with calls whose values were not kept, because there are too many. */
  dropped: number[];
  /** Lines of other exercises, by exercise. */
  others: Partial<Record<`${ExerciseNumber}`, string[]>>;
}

export function readPassed(directory: string): Passed {
  const bytes = readIfThere(join(directory, ANSWERS), MAX_ANSWERS) ?? Buffer.from('{}');
  const { dropped, others } = parse(ANSWERS, bytes, AnswersSchema);
  const calls = readdirSync(directory).flatMap((name) => {
    const [, call, line] = /^call-(\d+)-(\d+)\.safetensors$/.exec(name) ?? [];
    return call === undefined ? [] : [{ path: join(directory, name), call: Number(call), line: Number(line) }];
  });
  const own = join(directory, 'values.safetensors');
  const values = calls.sort((a, b) => a.call - b.call).map(({ path, line }) => ({ path, line }));
  return { values: [...(existsSync(own) ? [{ path: own }] : []), ...values], dropped, others };
}

/** @throws SystemError if it cannot be read; FileContentError if it is broken or too large */
export function readValues(path: string, shownAs: string): Safetensors {
  refuseLarge(withSystemErrors('read', shownAs, () => statSync(path)).size, shownAs);
  return readSafetensorsFile(path, shownAs);
}

function refuseLarge(size: number, shownAs: string): void {
  if (size > MAX_TENSORS) throw new FileContentError(`${showPath(shownAs)} is larger than the limit of ${MAX_TENSORS / 2 ** 20} MiB`);
}

/** Whether a program has said what there is to know about its lines, which it does last. */
export function hasAnswers(directory: string): boolean {
  return existsSync(join(directory, ANSWERS));
}

/** Tells the program of these cases which lines not to run. */
export function writeSkipped(directory: string, names: readonly string[]): void {
  const path = join(directory, SKIPPED);
  withSystemErrors('write', path, () => atomicWrite(path, Buffer.from(names.join('\n'))));
}

/** The line that a program has begun with, if it says so. */
export function runningLine(directory: string): string | undefined {
  return readIfThere(join(directory, RUNNING), MAX_RUNNING)?.toString('utf8');
}

function readDescription(directory: string, word: string): ExerciseCases {
  const path = join(directory, DESCRIPTION);
  const bytes = readIfThere(path, MAX_DESCRIPTION);
  const anew = { hint: 'write the cases', command: `exercise cases 1 --out ${word}` };
  if (bytes === undefined) throw new SystemError(`there is no ${showPath(path)}`, anew);
  const { exercise, seed } = parse(path, bytes, DescriptionSchema);
  return new ExerciseCases(exercise, seed);
}

/** The tensors of a file; none if it is not there. @throws FileContentError if its metadata names other cases than exercise.json */
function refuseOther(path: string, { exercise, seed }: ExerciseCases): ReadonlyMap<string, StoredTensor> {
  const found = withSystemErrors('read', path, () => statSync(path, { throwIfNoEntry: false }));
  if (!found) return new Map();
  refuseLarge(found.size, path);
  const { metadata, tensors }: Safetensors = readSafetensorsFile(path);
  for (const [key, expected] of Object.entries(casesMetadata(exercise, seed))) {
    const value = metadata[key];
    if (value === undefined || value === expected) continue;
    const what = `${showPath(path)} is of other cases than ${DESCRIPTION}: ${key} ${quoteText(value)}, expected ${expected}`;
    throw new FileContentError(what, { hint: 'write the cases again, with --force, and compute the answers again' });
  }
  if (tensors.size > MAX_NAMES) throw new FileContentError(`${showPath(path)} has ${tensors.size} tensors, at most ${MAX_NAMES} are read`);
  return tensors;
}

function readNotes(path: string): Pick<Answers, 'lines' | 'strays' | 'fault'> {
  const bytes = readIfThere(path, MAX_ANSWERS);
  if (bytes === undefined) return { lines: new Map(), strays: [] };
  const { lines, strays, fault } = parse(path, bytes, AnswersSchema);
  const names = Object.entries(lines);
  if (names.length > MAX_NAMES) throw new FileContentError(`${showPath(path)} has ${names.length} lines, at most ${MAX_NAMES} are read`);
  return { lines: new Map(names), strays, fault };
}

/** @throws FileContentError that names the place */
function parse<const Schema extends v.GenericSchema>(path: string, bytes: Buffer, schema: Schema): v.InferOutput<Schema> {
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw new FileContentError(`${showPath(path)} is not valid JSON: ${quoteText((error as Error).message)}`, { cause: error });
  }
  if (Array.isArray(json)) throw new FileContentError(`${showPath(path)} is a list, expected an object`);
  const parsed = v.safeParse(schema, json);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const place = v.getDotPath(issue);
  throw new FileContentError(`${showPath(path)}: ${place === null ? '' : `${quoteText(place)}: `}${quoteText(issue.message)}`);
}
