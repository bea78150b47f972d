/** The report on an exercise, wherever its lines ran. */
import { similarName } from '../lesson/tensorNames.js';
import type { LineReport } from './check.js';
import { EXERCISE_NUMBERS, EXERCISES, type ExerciseNumber } from './exercises.js';
import type { TrainingReport } from './training.js';

export interface ExerciseReport {
  exercise: ExerciseNumber;
  ok: boolean;
  /** The reason why the file cannot be loaded at all. */
  broken?: string;
  /** In backward order. */
  lines: LineReport[];
  /** Lines that were not given, where some may be left out. */
  notGiven?: string[];
  /** Names beside the lines that are no lines of the exercise, if there are any. With them, the file is not right. */
  strays?: StrayKey[];
  /** Exercise 4, once all lines are right: the result of training with them, or the reason why training failed. */
  training?: TrainingReport | { problem: string };
}

/** A name that is no line of its exercise: a key of a file's default export, or the name of a tensor. */
export interface StrayKey {
  key: string;
  /** The line that was probably meant. */
  suggestion?: string;
  /** The first exercise with such a line. */
  exercise?: ExerciseNumber;
}

/** What the names may mean that are no lines of the exercise. */
export function strayKeys(exercise: ExerciseNumber, keys: readonly string[]): StrayKey[] {
  const names = EXERCISES[exercise].lines.map(({ name }) => name);
  return keys.map((key): StrayKey => {
    const other = EXERCISE_NUMBERS.find((number) => EXERCISES[number].lines.some(({ name }) => name === key));
    if (other !== undefined) return { key, exercise: other };
    const suggestion = similarName(key, names);
    return { key, ...(suggestion !== undefined && { suggestion }) };
  });
}
