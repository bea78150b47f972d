import { describe, expect, it } from 'vitest';
import { graphOf } from '../../support/moduleGraph.js';

describe('the process of a learner’s file', () => {
  it('loads no solution, no judge and no bank of mistakes', () => {
    const modules = [...graphOf('node/learner/worker.ts'), ...graphOf('node/guest/watchdog.ts')];
    expect(modules).toContain('dojo/outcome.ts');
    expect(
      modules.filter((path) => /^(lesson|gradCheck|training|network)\/|Mutants|Lines|naming|check\.ts|exercises|texts|valibot/.test(path)),
    ).toEqual([]);
  });
});
