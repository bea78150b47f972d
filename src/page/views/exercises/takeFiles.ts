/** Brings files of the exercises into the page. */
import type { ExerciseEntry } from '../../engine/exercises.js';
import { NoExerciseError, type ReadFile, readExerciseFile } from '../../learner/lineFile.js';
import { type Part, textOf, write } from './progress.js';

/** Bytes of a file: far more than anyone writes. */
const MAX_FILE = 2 ** 20;

/** Writes back what was there before. */
export type Restore = () => void;

export interface TakenFiles {
  taken: { file: string; count: number }[];
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
      found.taken.push({ file: file.name, count: takeOver(read, catalogue, undo) });
      found.problems.push(
        ...read.notes,
        ...read.strays.map((key) => `${file.name} has ${key}, which is no line of Exercise ${read.exercise}.`),
      );
    } catch (error) {
      if (!(error instanceof NoExerciseError)) throw error;
      found.problems.push(`${error.message}.`);
    }
  }
  return found;
}

/** @throws NoExerciseError if the file is too large, or no text */
async function textIn(file: File): Promise<string> {
  if (file.size > MAX_FILE) throw new NoExerciseError(`${file.name} is larger than 1 MiB: it is no exercise`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await file.arrayBuffer());
  } catch {
    throw new NoExerciseError(`${file.name} cannot be read as text`);
  }
}

/** Returns how many lines were taken over: those that are written. */
function takeOver({ exercise, lines, top }: ReadFile, catalogue: readonly ExerciseEntry[], undo: Restore[]): number {
  const put = (part: Part, before: string | undefined, text: string) => {
    if (text === (before ?? '')) return;
    undo.push(() => write(exercise, part, before ?? ''));
    write(exercise, part, text);
  };
  put('top', textOf(exercise, 'top'), top);
  let count = 0;
  for (const line of catalogue.find(({ number }) => number === exercise)?.lines ?? []) {
    const text = lines.get(line.name);
    if (text === undefined) continue;
    const before = textOf(exercise, line.name);
    if (text === line.stub && before === undefined) continue;
    put(line.name, before ?? line.stub, text);
    count++;
  }
  return count;
}
