/** Brings files of the exercises into the page. */
import type { ExerciseEntry } from '../../engine/exercises.js';
import { NoExerciseError, type ReadFile, readExerciseFile } from '../../learner/lineFile.js';
import { type Part, textOf, write } from './progress.js';

/** Bytes of a file: far more than anyone writes. */
const MAX_FILE = 2 ** 20;

/** Writes back what was there before. */
export type Restore = () => void;

/** What was taken over from a file. */
export interface Taken {
  file: string;
  /** How many lines it has written. */
  count: number;
  /** The lines that are in the place of another text of yours. */
  replaced: readonly string[];
  /** Lines of yours that the file has not written: they stay. */
  kept: readonly string[];
}

export interface TakenFiles {
  taken: Taken[];
  /** What was not taken over, in sentences. */
  problems: string[];
  restore: Restore;
}

export async function takeFiles(files: Iterable<File>, catalogue: readonly ExerciseEntry[]): Promise<TakenFiles> {
  const undo: Restore[] = [];
  const restore = () => {
    for (const one of undo) one();
  };
  const found: TakenFiles = { taken: [], problems: [], restore };
  for (const file of files) {
    try {
      const read = readExerciseFile(file.name, await textIn(file), catalogue);
      found.taken.push({ file: file.name, ...takeOver(read, catalogue, undo) });
      found.problems.push(
        ...read.notes.map((note) => `${note}.`),
        ...read.strays.map((key) => `${file.name} has ${key}, which is not a line of Exercise ${read.exercise}.`),
      );
    } catch (error) {
      if (!(error instanceof NoExerciseError)) throw error;
      found.problems.push(`${error.message}.`);
    }
  }
  return found;
}

/** @throws NoExerciseError if the file is too large, or not text */
async function textIn(file: File): Promise<string> {
  if (file.size > MAX_FILE) throw new NoExerciseError(`${file.name} is larger than 1 MiB: that is not an exercise file`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await file.arrayBuffer());
  } catch {
    throw new NoExerciseError(`${file.name} cannot be read as text`);
  }
}

/** A line that the file has not written leaves yours as it is. */
function takeOver({ exercise, lines, top }: ReadFile, catalogue: readonly ExerciseEntry[], undo: Restore[]): Omit<Taken, 'file'> {
  const replaced: string[] = [];
  const kept: string[] = [];
  const put = (part: Part, called: string, text: string, before: string, isYours: boolean) => {
    if (text === before) return;
    undo.push(() => write(exercise, part, before));
    write(exercise, part, text);
    if (isYours) replaced.push(called);
  };
  const above = textOf(exercise, 'top') ?? '';
  if (top !== '') put('top', 'the code above the lines', top, above, above !== '');
  let count = 0;
  for (const { name, stub } of catalogue.find(({ number }) => number === exercise)?.lines ?? []) {
    const text = lines.get(name);
    if (text === undefined) continue;
    const before = textOf(exercise, name) ?? stub;
    const isYours = before !== stub && before !== '';
    if (text === stub) {
      if (isYours) kept.push(name);
      continue;
    }
    put(name, name, text, before, isYours);
    count++;
  }
  return { count, replaced, kept };
}
