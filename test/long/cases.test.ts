import { describe, expect, it } from 'vitest';
import { ExerciseCases } from '../../src/dojo/cases.js';
import { EXERCISE_NUMBERS, EXERCISES } from '../../src/dojo/exercises.js';
import { answersOf, CASE_MUTANTS, expectNamed } from '../support/cases.js';

describe.each([...EXERCISE_NUMBERS])('the cases of Exercise %i', (exercise) => {
  const solutions = Object.fromEntries(EXERCISES[exercise].lines.map(({ name, solution }) => [name, solution]));

  it('have right answers in float32 with any seed', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const cases = new ExerciseCases(exercise, seed);
      const { lines } = cases.judge(answersOf(cases, solutions, 'float32'));
      expect(lines.filter(({ verdict }) => verdict !== 'right')).toEqual([]);
    }
  });

  const cases = new ExerciseCases(exercise, 0);

  it.each(CASE_MUTANTS.filter((mutant) => mutant.exercise === exercise))('show $name, with the name that the dojo gives it', (mutant) =>
    expectNamed(cases, mutant),
  );
});
