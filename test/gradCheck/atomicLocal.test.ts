import { describe, expect, it } from 'vitest';
import { Tensor } from '../../src/core/tensor.js';
import { LINE_MUTANTS } from '../../src/dojo/mutants.js';
import { checkLocally } from '../../src/gradCheck/atomic.js';
import { createLessonCase, LESSON_CONFIG } from '../../src/lesson/case.js';
import { exercise1, GRADIENT_NAMES, type GradientLines } from '../../src/lesson/exercise1.js';
import { OPTIONS, redRows, SMALL } from '../support/checkOptions.js';

const CASES = [2, 3, 32].map((n) => createLessonCase(SMALL, n, OPTIONS.seed));
/** At n = 2 and 3 every entry of the small network; at 32 some, which is faster. */
const optionsFor = (n: number) => ({ ...OPTIONS, entries: n === 32 ? 30 : OPTIONS.entries });

/** Checks with some lines exchanged, at n = 3. */
const check = (lines: Partial<GradientLines>, options = OPTIONS) => checkLocally(CASES[1], options, { ...exercise1, ...lines });

describe('the local check of the atomic gradients at n = 2, 3 and 32', () => {
  it.each(CASES)('passes the solved exercise, one row for each of the 26, n = $n', (given) => {
    const rows = checkLocally(given, OPTIONS);
    expect(rows.map((row) => row.name)).toEqual(GRADIENT_NAMES);
    expect(redRows(rows)).toEqual([]);
    for (const row of rows) {
      expect(row).toMatchObject({ part: 'atomic', witness: 'local differences', n: given.n, limit: 1e-6, structuralZero: false });
      expect(row.shape).toEqual(given.values[row.name.slice(1) as 'C'].shape);
    }
  });

  it('has a mistake planted in each of the 26 lines', () => {
    expect(GRADIENT_NAMES.filter((name) => !LINE_MUTANTS.some(({ line }) => line === name))).toEqual([]);
  });

  it.each(LINE_MUTANTS)('$line, $mistake: its row turns red, and no other', ({ line, planted }) => {
    for (const given of CASES) {
      const rows = checkLocally(given, optionsFor(given.n), { ...exercise1, [line]: planted });
      expect(redRows(rows), `n = ${given.n}`).toEqual([line]);
    }
  });

  it.each([
    ['dbndiff2', 'n for n - 1'],
    ['dbnraw', 'gain forgotten'],
    ['dC', 'assigned, not added'],
  ])('sees in the lesson network: %s, %s', (name, title) => {
    const mutants = LINE_MUTANTS.filter(({ line, mistake }) => line === name && mistake === title);
    expect(mutants.length).toBe(1);
    for (const n of [2, 3, 32]) {
      const given = createLessonCase(LESSON_CONFIG, n, OPTIONS.seed);
      for (const { line, planted } of mutants) {
        expect(redRows(checkLocally(given, optionsFor(n), { ...exercise1, [line]: planted })), `n = ${n}`).toEqual([line]);
      }
    }
  });
});

describe('a row that fails says why, and the others are still judged', () => {
  const rowOf = (rows: ReturnType<typeof check>, name: string) => rows.find((row) => row.name === name);

  it('NaN in a gradient', () => {
    const rows = check({
      dh: (at) => {
        const dh = exercise1.dh(at);
        dh.data[4] = Number.NaN;
        return dh;
      },
    });
    expect(redRows(rows)).toEqual(['dh']);
    expect(rowOf(rows, 'dh')).toMatchObject({ error: Number.NaN, at: [0, 4], entries: 15 });
  });

  it('Infinity in a gradient', () => {
    expect(redRows(check({ dbnvar: ({ bnvar }) => bnvar.mul(Infinity) }))).toEqual(['dbnvar']);
  });

  it('[5] for [1, 5]', () => {
    const rows = check({ dbnmeani: (at) => exercise1.dbnmeani(at).view([5]) });
    expect(redRows(rows)).toEqual(['dbnmeani']);
    expect(rowOf(rows, 'dbnmeani')).toMatchObject({ problem: 'shape [5], expected [1, 5]', shape: [1, 5], entries: 0, error: Number.NaN });
  });

  it('an error thrown, also one that is no Error', () => {
    const rows = check({
      dW2: ({ h, dlogits }) => h.matmul(dlogits),
      dC: () => {
        throw 'not derived yet';
      },
    });
    expect(redRows(rows)).toEqual(['dW2', 'dC']);
    expect(rowOf(rows, 'dW2')?.problem).toBe('matmul needs [n,k] and [k,m], got [3, 5] and [3, 7]');
    expect(rowOf(rows, 'dC')?.problem).toBe('not derived yet');
  });

  it('a single wrong entry: where it is', () => {
    const rows = check(
      {
        dW1: (at) => {
          const dW1 = exercise1.dW1(at);
          dW1.data[5 * 7 + 3] += 1e-4;
          return dW1;
        },
      },
      { ...OPTIONS, entries: 'all' },
    );
    expect(redRows(rows)).toEqual(['dW1']);
    expect(rowOf(rows, 'dW1')?.at).toEqual([7, 3]);
    expect(rowOf(rows, 'dW1')?.maxAbsDiff).toBeCloseTo(1e-4, 8);
  });
});

describe('a line is judged on upstream gradients of its own', () => {
  it('a line that reads a gradient it has no business with fails', () => {
    expect(redRows(check({ db2: ({ dlogits, dprobs }) => dlogits.add(dprobs).sum(0) }))).toEqual(['db2']);
  });

  it('the check leaves the values as they were, to the bit', () => {
    const before = JSON.stringify(CASES[1].values);
    check({});
    expect(JSON.stringify(CASES[1].values)).toBe(before);
  });

  it('says the same again for the same seed, and checks other entries for another', () => {
    const few = { ...OPTIONS, entries: 3 };
    expect(check({}, few)).toEqual(check({}, few));
    expect(check({}, few)).not.toEqual(check({}, { ...few, seed: 'another' }));
    expect(new Set(check({}, few).map((row) => row.entries))).toEqual(new Set([3]));
  });

  it('a tolerance of 0 fails almost every row: no row is green for want of a comparison', () => {
    const exact = check({}, { ...OPTIONS, tolerance: 0 }).filter((row) => row.ok);
    expect(exact.length).toBeLessThan(5);
  });

  it('gradients of zeros fail every row', () => {
    const zeros = Object.fromEntries(
      GRADIENT_NAMES.map((name) => [name, (at: Parameters<typeof exercise1.dC>[0]) => Tensor.zerosLike(at[name.slice(1) as 'C'])]),
    );
    expect(redRows(check(zeros))).toEqual(GRADIENT_NAMES);
  });
});
