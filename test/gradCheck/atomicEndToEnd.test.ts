import { describe, expect, it } from 'vitest';
import { LINE_MUTANTS } from '../../src/dojo/mutants.js';
import { checkEndToEnd, lossDerivative } from '../../src/gradCheck/atomic.js';
import { remembering } from '../../src/gradCheck/differences.js';
import { createLessonCase } from '../../src/lesson/case.js';
import { exercise1, GRADIENT_NAMES, type GradientLines } from '../../src/lesson/exercise1.js';
import { OPTIONS, redRows, SMALL } from '../support/checkOptions.js';

// Each entry costs a pass through all later steps, so fewer entries are compared than by default.
const CASES = [2, 3, 32].map((n) => {
  const lessonCase = createLessonCase(SMALL, n, OPTIONS.seed);
  const options = { ...OPTIONS, entries: n === 32 ? 20 : 12 };
  const derivative = remembering(lossDerivative);
  const check = (lines: GradientLines) => checkEndToEnd(lessonCase, options, lines, derivative);
  return { n, lessonCase, options, check };
});

const INVISIBLE = LINE_MUTANTS.filter(({ invisibleEndToEnd }) => invisibleEndToEnd !== undefined);
const VISIBLE = LINE_MUTANTS.filter(({ invisibleEndToEnd }) => invisibleEndToEnd === undefined);

describe('the end-to-end check of the atomic gradients at n = 2, 3 and 32', () => {
  it.each(CASES)('passes the solved exercise in 26 rows, n = $n', ({ n, lessonCase, options }) => {
    const rows = checkEndToEnd(lessonCase, options);
    expect(rows.map((row) => row.name)).toEqual(GRADIENT_NAMES);
    expect(redRows(rows)).toEqual([]);
    for (const row of rows) expect(row).toMatchObject({ part: 'atomic', witness: 'end-to-end differences', n });
  });

  it('judges db1 and dlogit_maxes by their magnitude, because they are 0 except for rounding', () => {
    const zeros = checkEndToEnd(CASES[1].lessonCase, OPTIONS).filter((row) => row.structuralZero);
    expect(zeros.map((row) => [row.name, row.limit])).toEqual([
      ['dlogit_maxes', 1e-9],
      ['db1', 1e-9],
    ]);
  });

  it.each(VISIBLE)('fails first in the row of the wrong line: $line, $mistake', ({ line, planted }) => {
    for (const { n, check } of CASES) {
      expect(redRows(check({ ...exercise1, [line]: planted }))[0], `n = ${n}`).toBe(line);
    }
  });

  // The true upstream gradients sum to zero there, which hides the mistake. The local check catches these.
  it.each(INVISIBLE)('cannot see $line, $mistake: $invisibleEndToEnd', ({ line, planted }) => {
    for (const { n, check } of CASES) {
      expect(redRows(check({ ...exercise1, [line]: planted })), `n = ${n}`).toEqual([]);
    }
  });

  it('reports the error of a line that throws, judges the rows before it and marks those after it as not reached', () => {
    const rows = checkEndToEnd(
      CASES[1].lessonCase,
      { ...OPTIONS, entries: 4 },
      { ...exercise1, dh: ({ W2, dlogits }) => dlogits.matmul(W2) },
    );
    const dh = GRADIENT_NAMES.indexOf('dh');
    expect(redRows(rows)).toEqual(GRADIENT_NAMES.slice(dh));
    expect(rows[dh].problem).toBe('matmul needs [n,k] and [k,m], got [3, 7] and [5, 7]');
    expect(new Set(rows.slice(dh + 1).map((row) => row.problem))).toEqual(new Set(['not reached: dh threw an error']));
  });

  it('leaves the values unchanged to the last bit', () => {
    const { lessonCase } = CASES[1];
    const before = JSON.stringify(lessonCase.values);
    checkEndToEnd(lessonCase, { ...OPTIONS, entries: 4 });
    expect(JSON.stringify(lessonCase.values)).toBe(before);
  });
});

describe('lossDerivative', () => {
  it('is d(loss)/d(entry): -1/n for the log-probability of a target, 0 for another', () => {
    const { values, n } = CASES[1].lessonCase;
    const V = SMALL.vocabulary;
    const target = values.Yb.data[1];
    expect(lossDerivative(values, 'logprobs', V + target, 1e-3).right).toBeCloseTo(-1 / n, 10);
    expect(lossDerivative(values, 'logprobs', V + ((target + 1) % V), 1e-3).right).toBe(0);
  });
});
