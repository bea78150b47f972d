import { EXERCISES, type ExerciseLine, type ExerciseNumber } from '../../src/dojo/exercises.js';
import { EXERCISE_4_NAMES, type Exercise4 } from '../../src/dojo/learnerFile.js';
import type { ParameterGradients } from '../../src/dojo/lessonTraining.js';
import { runPass } from '../../src/dojo/outcome.js';
import { sentenceOf } from '../../src/dojo/sentences.js';
import { type TrainingReport, trainWithGradients } from '../../src/dojo/training.js';

/** A line of an exercise by its gradient's name. */
export function lineOf(exercise: ExerciseNumber, name: string): ExerciseLine {
  const line = EXERCISES[exercise].lines.find((one) => one.name === name);
  if (!line) throw new Error(`Exercise ${exercise} has no ${name}`);
  return line;
}

/** Trains with the lines of Exercise 4, which run here. */
export function trainWith(lines: Exercise4, names: Iterable<string>, steps?: number): TrainingReport {
  const training = trainWithGradients(names, steps);
  let step = training.next();
  while (!step.done) {
    const pass = runPass(
      EXERCISE_4_NAMES.map((name) => [name, lines[name]] as const),
      step.value,
    );
    if ('fault' in pass) throw new Error(`${pass.name}: ${sentenceOf([pass.fault])}`);
    step = training.next(Object.fromEntries(pass.gradients) as ParameterGradients);
  }
  return step.value;
}
