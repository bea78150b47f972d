// Mistakes in the network of the lesson itself. The fast tests plant all mistakes in a small network.
import { describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../../src/backend/reference.js';
import { LINE_MUTANTS } from '../../src/dojo/mutants.js';
import { checkLocally } from '../../src/gradCheck/atomic.js';
import { BATCH_SIZES } from '../../src/gradCheck/gradCheck.js';
import { checkModel } from '../../src/gradCheck/modelCheck.js';
import { createLessonCase, createNetworkCase, LESSON_CONFIG } from '../../src/lesson/case.js';
import { exercise1 } from '../../src/lesson/exercise1.js';
import { BACKEND_MUTANTS, withMistake } from '../support/backendMutants.js';
import { OPTIONS, redRows } from '../support/checkOptions.js';
import { runCli } from '../support/fakeIO.js';
import { tempDirectory } from '../support/tempDirectory.js';

describe('in the network of the lesson', () => {
  it.each([
    ['dbndiff2', 'n instead of n - 1'],
    ['dbnraw', 'gain forgotten'],
    ['dC', 'assigned, not added'],
  ])('the local check fails exactly the row of the wrong line: %s, %s', (name, title) => {
    const mutants = LINE_MUTANTS.filter(({ line, mistake }) => line === name && mistake === title);
    expect(mutants.length).toBe(1);
    const [{ line, planted }] = mutants;
    for (const n of BATCH_SIZES) {
      const lessonCase = createLessonCase(LESSON_CONFIG, n, OPTIONS.seed);
      const options = { ...OPTIONS, entries: n === 32 ? 30 : OPTIONS.entries };
      expect(redRows(checkLocally(lessonCase, options, { ...exercise1, [line]: planted })), `n = ${n}`).toEqual([line]);
    }
  });

  it.each(['Bessel factor 1 instead of n/(n-1)', "'=' instead of '+='"])('the check of the network fails for %s', (mistake) => {
    const mutants = BACKEND_MUTANTS.filter((mutant) => mutant.mistake === mistake);
    expect(mutants.length).toBe(1);
    const mistaken = withMistake(createReferenceBackend('float64'), mutants[0]);
    for (const n of BATCH_SIZES) {
      const networkCase = createNetworkCase(LESSON_CONFIG, n, OPTIONS.seed);
      expect(redRows(checkModel(networkCase, OPTIONS, mistaken)).sort(), `n = ${n}`).toEqual([...mutants[0].red].sort());
    }
  });

  it('grad-check compares all entries with --entries all', async () => {
    const { stdout } = await runCli(tempDirectory(), ['grad-check', '--part', 'closed-forms', '--entries', 'all', '--json']);
    const { tensors } = JSON.parse(stdout);
    expect(tensors).toHaveLength(12);
    for (const { entries, shape } of tensors) expect(entries).toBe(shape[0] * shape[1]);
  });
});
