import { describe, expect, it } from 'vitest';
import { graphOf } from '../../support/moduleGraph.js';

describe('the worker of a learner’s lines', () => {
  it('holds no solution, no judge and no bank of mistakes', () => {
    const modules = [...graphOf('page/learner/worker.ts')];
    expect(modules).toContain('dojo/outcome.ts');
    expect(modules.filter((path) => path.startsWith('lesson/'))).toEqual(['lesson/softmax.ts']);
    expect(
      modules.filter((path) =>
        /^(gradCheck|training|network|page\/(?!learner))\/?|Mutants|Lines|naming|check\.ts|exercises|texts|stub|hints/.test(path),
      ),
    ).toEqual([]);
  });
});
