import { describe, expect, it } from 'vitest';
import { LineChecker } from '../../src/dojo/check.js';
import { EXERCISES } from '../../src/dojo/exercises.js';
import type { Finding } from '../../src/dojo/findings.js';
import { CLOSED_FORM_MUTANTS, findMutant, LINE_MUTANTS, MUTANTS } from '../../src/dojo/mutants.js';
import { GRADIENT_NAMES } from '../../src/lesson/exercise1.js';
import { lineOf } from '../support/dojo.js';

const checker = new LineChecker();

describe('the bank of mistakes', () => {
  it('has mistakes in all 26 gradients and both closed forms, each with its own name', () => {
    expect(new Set(LINE_MUTANTS.map(({ line }) => line))).toEqual(new Set(GRADIENT_NAMES));
    expect(new Set(CLOSED_FORM_MUTANTS.map(({ line }) => line))).toEqual(new Set(['dlogits', 'dhprebn']));
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
  });

  it.each(MUTANTS)('has $name, which turns its row red and gets its own name', ({ exercise, line, planted, expected }) => {
    const report = checker.check(lineOf(exercise, line), planted);
    expect(report.verdict).not.toBe('right');
    expect(report.named ? report.findings : []).toEqual(expected);
    expect(report.problem !== undefined || report.worst !== undefined).toBe(true);
  });

  it.each<[string, Finding]>([
    ['dh-w2-not-transposed', { id: 'threw', thrown: { text: 'ShapeError: matmul needs [n,k] and [k,m], got [32, 27] and [64, 27]' } }],
  ])('has no name for %s, but a finding', (name, finding) => {
    const { exercise, line, planted } = findMutant(name);
    expect(checker.check(lineOf(exercise, line), planted).findings).toEqual([finding]);
  });

  it('has a name for more than nine of ten mistakes', () => {
    expect(MUTANTS.filter(({ expected }) => expected.length > 0).length / MUTANTS.length).toBeGreaterThan(0.9);
  });

  it('describes each mistake of a line differently', () => {
    for (const line of GRADIENT_NAMES) {
      const mistakes = LINE_MUTANTS.filter((mutant) => mutant.line === line).map(({ mistake }) => mistake);
      expect(new Set(mistakes).size).toBe(mistakes.length);
    }
  });
});

describe('the solution', () => {
  it.each(Object.values(EXERCISES).flatMap(({ number, lines }) => lines.map((line) => ({ number, name: line.name, line }))))(
    'is right in Exercise $number, $name',
    ({ line }) => {
      const { verdict, figures, findings } = checker.check(line, line.solution);
      expect({ verdict, findings }).toEqual({ verdict: 'right', findings: undefined });
      expect(figures).toEqual({ exact: true, close: true, maxDiff: 0, maxUlps: 0 });
    },
  );
});
