import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXERCISES } from '../../../src/dojo/exercises.js';
import { solutionText } from '../../../src/dojo/stub.js';
import { solve, started } from '../../support/exerciseFolder.js';
import { runCli } from '../../support/fakeIO.js';
import { expectRefusal } from '../../support/faults.js';
import { put, tempDirectory } from '../../support/tempDirectory.js';

describe('exercise --json prints one document on stdout', () => {
  /** The document that a command prints. */
  async function json(cwd: string, argv: readonly string[]): Promise<unknown> {
    const { stdout, stderr } = await runCli(cwd, ['exercise', ...argv, '--json']);
    expect({ stderr, lines: stdout.split('\n').length }).toEqual({ stderr: '', lines: 2 });
    return JSON.parse(stdout);
  }

  it('for start: the folder, the new files and those that it kept', async () => {
    const cwd = tempDirectory();
    const files = ['README.md', 'tsconfig.json', 'exercise1.ts', 'exercise2.ts', 'exercise3.ts', 'exercise4.ts'];
    expect(await json(cwd, ['start'])).toEqual({ folder: join(cwd, 'dojo'), written: files, kept: [] });
    rmSync(join(cwd, 'dojo/exercise3.ts'));
    expect(await json(cwd, ['start'])).toEqual({
      folder: join(cwd, 'dojo'),
      written: ['exercise3.ts'],
      kept: files.filter((name) => name !== 'exercise3.ts'),
    });
  });

  it('for hint: the gradient, its forward lines and the steps', async () => {
    const cwd = await started();
    const hint = {
      exercise: 1,
      gradient: 'dcounts_sum',
      forward: ['counts_sum_inv = counts_sum^(-1)'],
      shape: '[n,1]',
      kind: 'A function of each entry on its own. Multiply the gradient above by the derivative of the function, entry by entry.',
    };
    const rule = 'The derivative of x^(-1) is -x^(-2). Here x is counts_sum.';
    const formula = '-counts_sum^(-2) · dcounts_sum_inv';
    expect(await json(cwd, ['hint', '1', 'dcounts_sum'])).toEqual(hint);
    expect(await json(cwd, ['hint', '1', 'dcounts_sum', '--step', '2'])).toEqual({ ...hint, rule });
    expect(await json(cwd, ['hint', '1', 'dcounts_sum', '--step', '3'])).toEqual({ ...hint, rule, formula });
    expect(await json(cwd, ['hint', '1'])).toMatchObject({ exercise: 1, gradient: 'dlogprobs' });
    solve(cwd);
    expect(await json(cwd, ['hint', '1'])).toEqual({ exercise: 1, gradient: null });
  });

  it('for solution: the code of the file or of a line', async () => {
    const cwd = await started();
    expect(await json(cwd, ['solution', '3', '--force'])).toEqual({ exercise: 3, code: solutionText(EXERCISES[3]) });
    expect(await json(cwd, ['solution', '1', 'db2', '--force'])).toEqual({
      exercise: 1,
      gradient: 'db2',
      code: 'db2: ({ dlogits }) => dlogits.sum(0)',
    });
    expectRefusal(await runCli(cwd, ['exercise', 'solution', '3', '--json']), 2, 'not solved yet');
  });

  it('for reset: the file, and the name of the old one', async () => {
    const cwd = await started();
    const file = join(cwd, 'dojo', 'exercise1.ts');
    expect(await json(cwd, ['reset', '1'])).toEqual({ file, kept: null });
    put(cwd, 'dojo/exercise1.ts', 'mine');
    expect(await json(cwd, ['reset', '1'])).toEqual({ file, kept: join(cwd, 'dojo', 'exercise1.old1.txt') });
  });

  it('for status and check, whatever a file prints', async () => {
    const cwd = await started();
    put(cwd, 'dojo/exercise2.ts', `console.log('hello');\n${solutionText(EXERCISES[2])}`);
    for (const command of ['status', 'check']) {
      const { stdout, stderr } = await runCli(cwd, ['exercise', command, '--json']);
      expect((JSON.parse(stdout) as { exercises: { ok: boolean }[] }).exercises.map(({ ok }) => ok)).toEqual([false, true, false, false]);
      // Only check shows the output of a file.
      expect(stderr).toBe(command === 'check' ? 'exercise2.ts: hello\n' : '');
    }
  });
});
