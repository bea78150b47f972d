import { describe, expect, it } from 'vitest';
import { CHECKS, isCaught, KillMatrix, type KillRow } from '../../src/dojo/killMatrix.js';
import { findMutant, MUTANTS } from '../../src/dojo/mutants.js';
import { exercise1 } from '../../src/lesson/exercise1.js';

const matrix = new KillMatrix();
const rows = MUTANTS.map((mutant) => matrix.judge(mutant));

function row(name: string): KillRow {
  const found = rows.find(({ mutant }) => mutant.name === name);
  if (!found) throw new Error(`no ${name}`);
  return found;
}

describe('the kill matrix', () => {
  it('both of our checks notice every mistake, and none is given the name of another', () => {
    expect(rows.filter((one) => !isCaught(one)).map(({ mutant }) => mutant.name)).toEqual([]);
    expect(rows.filter(({ naming }) => naming === 'right').length / rows.length).toBeGreaterThanOrEqual(0.9);
  });

  it.each(['batch-norm-bessel-factor-1-for-n-over-n-minus-1', 'batch-norm-path-through-the-variance-dropped', 'batch-norm-gain-forgotten'])(
    "%s passes llm.c's and minitorch's tolerances, and not PyTorch's",
    (name) => {
      expect(row(name).noticedBy).toEqual({ cmp: true, 'llm.c': false, minitorch: false, gradcheck: true, 'grad-check': true, dojo: true });
    },
  );

  it.each(['dlogit_maxes-sign-forgotten', 'db1-sign'])('%s is seen by no check of the whole chain', (name) => {
    const { noticedBy } = row(name);
    expect(CHECKS.filter((check) => noticedBy[check])).toEqual(['grad-check', 'dojo']);
  });

  it("the lecture's own shape of dbnmeani passes its cmp", () => {
    expect(row('dbnmeani-shape-h-for-1-h').noticedBy).toMatchObject({ cmp: false, gradcheck: false, 'grad-check': true, dojo: true });
  });

  it('no check is always red: what is right passes all of them', () => {
    const right = matrix.judge({ ...findMutant('dh-sign'), planted: exercise1.dh });
    expect(CHECKS.filter((check) => right.noticedBy[check])).toEqual([]);
    expect(isCaught(right)).toBe(false);
  });

  it('a mistake that the dojo takes for another is not caught', () => {
    const misnamed = matrix.judge({ ...findMutant('dh-sign'), expected: [{ id: 'scaled', by: 'n' }] });
    expect(misnamed.naming).toBe('wrong');
    expect(isCaught(misnamed)).toBe(false);
  });
});
