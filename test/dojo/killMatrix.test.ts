import { describe, expect, it } from 'vitest';
import { CHECK_TEXT, CHECKS, isCaught, KillMatrix, type KillRow, verdictsOn } from '../../src/dojo/killMatrix.js';
import { findMutant } from '../../src/dojo/mutants.js';
import { exercise1 } from '../../src/lesson/exercise1.js';

const matrix = new KillMatrix();
const row = (name: string): KillRow => matrix.judge(findMutant(name));

// That no mistake is missed is shown in test/long/mutants.test.ts.
describe('the kill matrix', () => {
  it.each(['batch-norm-bessel-factor-1-for-n-over-n-minus-1', 'batch-norm-path-through-the-variance-dropped', 'batch-norm-gain-forgotten'])(
    "shows that %s passes the tolerances of llm.c and minitorch, but not PyTorch's",
    (name) => {
      expect(row(name).noticedBy).toEqual({ cmp: true, 'llm.c': false, minitorch: false, gradcheck: true, 'grad-check': true, dojo: true });
    },
  );

  it.each(['dlogit_maxes-sign-forgotten', 'db1-sign'])('shows that only checks of single lines see %s', (name) => {
    const { noticedBy } = row(name);
    expect(CHECKS.filter((check) => noticedBy[check])).toEqual(['grad-check', 'dojo']);
  });

  it("shows that the lecture's own shape of dbnmeani passes its cmp", () => {
    expect(row('dbnmeani-shape-h-for-1-h').noticedBy).toMatchObject({ cmp: false, gradcheck: false, 'grad-check': true, dojo: true });
  });

  it('has no check that is always red: the solution passes all of them', () => {
    const right = matrix.judge({ ...findMutant('dh-sign'), planted: exercise1.dh });
    expect(CHECKS.filter((check) => right.noticedBy[check])).toEqual([]);
    expect(isCaught(right)).toBe(false);
  });

  it('does not count a misnamed mistake as caught', () => {
    const misnamed = matrix.judge({ ...findMutant('dh-sign'), expected: [{ id: 'scaled', by: 'n' }] });
    expect(misnamed.naming).toBe('wrong');
    expect(isCaught(misnamed)).toBe(false);
  });

  it('says of one mistake what each check compares and whether it notices it, and what the dojo says', () => {
    const { checks, said, naming } = verdictsOn(findMutant('dh-sign'));
    expect(checks.map(({ check, text }) => [check, text])).toEqual(CHECKS.map((check) => [check, CHECK_TEXT[check]]));
    expect(checks.filter(({ notices }) => !notices).map(({ check }) => check)).toEqual(
      CHECKS.filter((check) => !row('dh-sign').noticedBy[check]),
    );
    expect([said, naming]).toEqual([row('dh-sign').said, 'right']);
  });
});
