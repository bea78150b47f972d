import { describe, expect, it } from 'vitest';
import { Tensor } from '../../src/core/tensor.js';
import { LINE_MUTANTS } from '../../src/dojo/mutants.js';
import { checkLocally, localDerivative } from '../../src/gradCheck/atomic.js';
import { remembering } from '../../src/gradCheck/differences.js';
import { createLessonCase } from '../../src/lesson/case.js';
import { exercise1, GRADIENT_NAMES, type GradientLines } from '../../src/lesson/exercise1.js';
import { OPTIONS, redRows, SMALL } from '../support/checkOptions.js';

const CASES = [2, 3, 32].map((n) => createLessonCase(SMALL, n, OPTIONS.seed));
/** Compares every entry of the small network at n = 2 and 3, and only some at 32, to save time. */
const optionsFor = (n: number) => ({ ...OPTIONS, entries: n === 32 ? 30 : OPTIONS.entries });

/** Checks at n = 3, with some lines replaced. */
const check = (lines: Partial<GradientLines>, options = OPTIONS) => checkLocally(CASES[1], options, { ...exercise1, ...lines });

describe('the local check of the atomic gradients at n = 2, 3 and 32', () => {
  it.each(CASES)('passes the solved exercise in 26 rows, n = $n', (lessonCase) => {
    const rows = checkLocally(lessonCase, OPTIONS);
    expect(rows.map((row) => row.name)).toEqual(GRADIENT_NAMES);
    expect(redRows(rows)).toEqual([]);
    for (const row of rows) {
      expect(row).toMatchObject({ part: 'atomic', witness: 'local differences', n: lessonCase.n, limit: 1e-6, structuralZero: false });
      expect(row.shape).toEqual(lessonCase.values[row.name.slice(1) as 'C'].shape);
    }
  });

  it('is tested with a mistake in each of the 26 lines', () => {
    expect(GRADIENT_NAMES.filter((name) => !LINE_MUTANTS.some(({ line }) => line === name))).toEqual([]);
  });

  const derivatives = new Map(CASES.map(({ n }) => [n, remembering(localDerivative)]));

  it.each(LINE_MUTANTS)('fails exactly the row of the wrong line: $line, $mistake', ({ line, planted }) => {
    for (const lessonCase of CASES) {
      const { n } = lessonCase;
      const rows = checkLocally(lessonCase, optionsFor(n), { ...exercise1, [line]: planted }, GRADIENT_NAMES, derivatives.get(n));
      expect(redRows(rows), `n = ${lessonCase.n}`).toEqual([line]);
    }
  });
});

describe('the local check fails one row, and judges the others, for', () => {
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

  it('a gradient of shape [5] instead of [1, 5]', () => {
    const rows = check({ dbnmeani: (at) => exercise1.dbnmeani(at).view([5]) });
    expect(redRows(rows)).toEqual(['dbnmeani']);
    expect(rowOf(rows, 'dbnmeani')).toMatchObject({ problem: 'shape [5], expected [1, 5]', shape: [1, 5], entries: 0, error: Number.NaN });
  });

  it('a thrown value, Error or not', () => {
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

  it('a single wrong entry, and reports its index', () => {
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

describe('the local check gives each line its own upstream gradients and', () => {
  it('fails a line that reads a gradient it must not read', () => {
    expect(redRows(check({ db2: ({ dlogits, dprobs }) => dlogits.add(dprobs).sum(0) }))).toEqual(['db2']);
  });

  it('leaves the values unchanged to the last bit', () => {
    const before = JSON.stringify(CASES[1].values);
    check({});
    expect(JSON.stringify(CASES[1].values)).toBe(before);
  });

  it('gives the same rows for the same seed and compares other entries for another', () => {
    const few = { ...OPTIONS, entries: 3 };
    expect(check({}, few)).toEqual(check({}, few));
    expect(check({}, few)).not.toEqual(check({}, { ...few, seed: 'another' }));
    expect(new Set(check({}, few).map((row) => row.entries))).toEqual(new Set([3]));
  });

  it('fails every row if all gradients are off by a share of 1e-5', () => {
    const off = Object.fromEntries(
      GRADIENT_NAMES.map((name) => [name, (at: Parameters<typeof exercise1.dC>[0]) => exercise1[name](at).mul(1 + 1e-5)]),
    );
    expect(redRows(check(off))).toEqual(GRADIENT_NAMES);
  });

  it('fails every row if all gradients are zeros', () => {
    const zeros = Object.fromEntries(
      GRADIENT_NAMES.map((name) => [name, (at: Parameters<typeof exercise1.dC>[0]) => Tensor.zerosLike(at[name.slice(1) as 'C'])]),
    );
    expect(redRows(check(zeros))).toEqual(GRADIENT_NAMES);
  });
});
