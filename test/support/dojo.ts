import { EXERCISES, type ExerciseLine, type ExerciseNumber } from '../../src/dojo/exercises.js';

/** A line of an exercise by its gradient's name. */
export function lineOf(exercise: ExerciseNumber, name: string): ExerciseLine {
  const line = EXERCISES[exercise].lines.find((one) => one.name === name);
  if (!line) throw new Error(`Exercise ${exercise} has no ${name}`);
  return line;
}
