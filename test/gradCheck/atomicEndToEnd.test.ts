import { describe, expect, it } from 'vitest';
import { LINE_MUTANTS } from '../../src/dojo/mutants.js';
import { checkEndToEnd, lossDerivative } from '../../src/gradCheck/atomic.js';
import { createLessonCase } from '../../src/lesson/case.js';
import { exercise1, GRADIENT_NAMES } from '../../src/lesson/exercise1.js';
import { OPTIONS, redRows, SMALL } from '../support/checkOptions.js';

// Every entry's difference costs a pass through what follows, so fewer are moved than by default.
const CASES = [2, 3, 32].map((n) => ({
  n,
  given: createLessonCase(SMALL, n, OPTIONS.seed),
  options: { ...OPTIONS, entries: n === 32 ? 20 : 12 },
}));

const INVISIBLE = LINE_MUTANTS.filter(({ invisibleEndToEnd }) => invisibleEndToEnd !== undefined);
const VISIBLE = LINE_MUTANTS.filter(({ invisibleEndToEnd }) => invisibleEndToEnd === undefined);

describe('the end-to-end check of the atomic gradients at n = 2, 3 and 32', () => {
  it.each(CASES)('passes the solved exercise, one row for each of the 26, n = $n', ({ n, given, options }) => {
    const rows = checkEndToEnd(given, options);
    expect(rows.map((row) => row.name)).toEqual(GRADIENT_NAMES);
    expect(redRows(rows)).toEqual([]);
    for (const row of rows) expect(row).toMatchObject({ part: 'atomic', witness: 'end-to-end differences', n });
  });

  it('judges db1 and dlogit_maxes by their size: both sides are 0 but for rounding', () => {
    const zeros = checkEndToEnd(CASES[1].given, OPTIONS).filter((row) => row.structuralZero);
    expect(zeros.map((row) => [row.name, row.limit])).toEqual([
      ['dlogit_maxes', 1e-9],
      ['db1', 1e-9],
    ]);
  });

  it.each(VISIBLE)('$line, $mistake: the first red row is its own', ({ line, planted }) => {
    for (const { n, given, options } of CASES) {
      expect(redRows(checkEndToEnd(given, options, { ...exercise1, [line]: planted }))[0], `n = ${n}`).toBe(line);
    }
  });

  // The true upstream gradients sum to zero there, and the mistake with them: this is what the local check is for.
  it.each(INVISIBLE)('$line, $mistake: all rows stay green, for $invisibleEndToEnd', ({ line, planted }) => {
    for (const { n, given, options } of CASES) {
      expect(redRows(checkEndToEnd(given, options, { ...exercise1, [line]: planted })), `n = ${n}`).toEqual([]);
    }
  });

  it('names the problem of a line that throws; the rows before it are judged, those after it were not reached', () => {
    const rows = checkEndToEnd(CASES[1].given, { ...OPTIONS, entries: 4 }, { ...exercise1, dh: ({ W2, dlogits }) => dlogits.matmul(W2) });
    const dh = GRADIENT_NAMES.indexOf('dh');
    expect(redRows(rows)).toEqual(GRADIENT_NAMES.slice(dh));
    expect(rows[dh].problem).toBe('matmul needs [n,k] and [k,m], got [3, 7] and [5, 7]');
    expect(new Set(rows.slice(dh + 1).map((row) => row.problem))).toEqual(new Set(['not reached: dh threw an error']));
  });

  it('leaves the values as they were, to the bit', () => {
    const { given } = CASES[1];
    const before = JSON.stringify(given.values);
    checkEndToEnd(given, { ...OPTIONS, entries: 4 });
    expect(JSON.stringify(given.values)).toBe(before);
  });
});

describe('lossDerivative', () => {
  it('is d(loss)/d(entry): of a target log-probability -1/n, of another 0', () => {
    const { values, n } = CASES[1].given;
    const V = SMALL.vocabulary;
    const target = values.Yb.data[1];
    expect(lossDerivative(values, 'logprobs', V + target, 1e-3)).toBeCloseTo(-1 / n, 10);
    expect(lossDerivative(values, 'logprobs', V + ((target + 1) % V), 1e-3)).toBe(0);
  });
});
