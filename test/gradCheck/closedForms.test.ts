import { describe, expect, it } from 'vitest';
import { CLOSED_FORM_MUTANTS } from '../../src/dojo/mutants.js';
import { checkClosedForms } from '../../src/gradCheck/closedForms.js';
import { createLessonCase, LESSON_CONFIG } from '../../src/lesson/case.js';
import { exercise2 } from '../../src/lesson/exercise2.js';
import { exercise3 } from '../../src/lesson/exercise3.js';
import { OPTIONS, redRows, SMALL } from '../support/checkOptions.js';

const CASES = [2, 3, 32].map((n) => createLessonCase(SMALL, n, OPTIONS.seed));
const LESSON = createLessonCase(LESSON_CONFIG, 32, OPTIONS.seed);
const solved = { dlogits: exercise2.dlogits, dhprebn: exercise3.dhprebn };

describe('the check of the closed forms', () => {
  it.each([...CASES, LESSON])('passes the solved exercises, each against two witnesses, H = $config.hidden, n = $n', (lessonCase) => {
    const rows = checkClosedForms(lessonCase, OPTIONS);
    expect(redRows(rows)).toEqual([]);
    expect(rows.map((row) => [row.part, row.name, row.witness])).toEqual([
      ['closed-forms', 'dlogits', 'local differences'],
      ['closed-forms', 'dlogits', 'atomic chain'],
      ['closed-forms', 'dhprebn', 'local differences'],
      ['closed-forms', 'dhprebn', 'atomic chain'],
    ]);
  });

  it.each(CLOSED_FORM_MUTANTS)('fails exactly the two rows of the wrong form: $line, $mistake', ({ line, planted }) => {
    for (const lessonCase of CASES) {
      const rows = checkClosedForms(lessonCase, OPTIONS, { ...solved, [line]: planted });
      expect(redRows(rows), `n = ${lessonCase.n}`).toEqual([line, line]);
    }
  });

  it.each(['one-hot not subtracted', 'Bessel factor 1 instead of n/(n-1)', 'gain forgotten'])(
    'also in the lesson network: %s',
    (mistake) => {
      const mutants = CLOSED_FORM_MUTANTS.filter((mutant) => mutant.mistake === mistake);
      expect(mutants.length).toBe(1);
      for (const { line, planted } of mutants) {
        expect(redRows(checkClosedForms(LESSON, OPTIONS, { ...solved, [line]: planted }))).toEqual([line, line]);
      }
    },
  );

  it('fails the rows of a form that throws, and reports its error', () => {
    const rows = checkClosedForms(CASES[1], OPTIONS, {
      ...solved,
      dhprebn: () => {
        throw new Error('TODO');
      },
    });
    expect(rows.map((row) => row.problem)).toEqual([undefined, undefined, 'TODO', 'TODO']);
    expect(redRows(rows)).toEqual(['dhprebn', 'dhprebn']);
  });
});
