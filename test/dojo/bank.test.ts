import { describe, expect, it } from 'vitest';
import { LineChecker } from '../../src/dojo/check.js';
import { EXERCISES, type ExerciseLine, type ExerciseNumber } from '../../src/dojo/exercises.js';
import { CLOSED_FORM_MUTANTS, LINE_MUTANTS, MUTANTS } from '../../src/dojo/mutants.js';
import { GRADIENT_NAMES } from '../../src/lesson/exercise1.js';

const checker = new LineChecker();

function lineOf(exercise: ExerciseNumber, name: string): ExerciseLine {
  const line = EXERCISES[exercise].lines.find((one) => one.name === name);
  if (!line) throw new Error(`Exercise ${exercise} has no ${name}`);
  return line;
}

describe('the bank of mistakes', () => {
  it('holds mistakes in all 26 gradients and both closed forms, each with a name of its own', () => {
    expect(new Set(LINE_MUTANTS.map(({ line }) => line))).toEqual(new Set(GRADIENT_NAMES));
    expect(new Set(CLOSED_FORM_MUTANTS.map(({ line }) => line))).toEqual(new Set(['dlogits', 'dhprebn']));
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
  });

  it.each(MUTANTS)('$name: red, and said to be what it is', ({ exercise, line, planted, named }) => {
    const report = checker.check(lineOf(exercise, line), planted);
    expect(report.verdict).not.toBe('right');
    expect(report.named === undefined ? undefined : report.problem).toBe(named);
    expect(report.problem !== undefined || report.worst !== undefined).toBe(true);
  });

  it.each([
    ['dh-w2-not-transposed', 'it threw ShapeError: matmul needs [n,k] and [k,m], got [32, 27] and [64, 27]'],
    ['cross-entropy-summed-over-the-batch', 'shape [27], expected [32, 27]'],
  ])('%s has no name, and what was found is said', (name, said) => {
    const mutants = MUTANTS.filter((mutant) => mutant.name === name);
    expect(mutants.map(({ exercise, line, planted }) => checker.check(lineOf(exercise, line), planted).problem)).toEqual([said]);
  });

  it('is named in more than nine cases of ten', () => {
    expect(MUTANTS.filter(({ named }) => named !== undefined).length / MUTANTS.length).toBeGreaterThan(0.9);
  });
});

describe('what is right', () => {
  it.each(Object.values(EXERCISES).flatMap(({ number, lines }) => lines.map((line) => ({ number, name: line.name, line }))))(
    'in Exercise $number: $name',
    ({ line }) => {
      const { verdict, figures, problem } = checker.check(line, line.solution);
      expect({ verdict, problem }).toEqual({ verdict: 'right', problem: undefined });
      expect(figures).toEqual({ exact: true, close: true, maxDiff: 0, maxUlps: 0 });
    },
  );
});
