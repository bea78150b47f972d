import { describe, expect, it } from 'vitest';
import { EXERCISES } from '../../../src/dojo/exercises.js';
import { solutionText } from '../../../src/dojo/stub.js';
import { solve, started } from '../../support/exerciseFolder.js';
import { runCli } from '../../support/fakeIO.js';
import { expectRefusal } from '../../support/faults.js';
import { put } from '../../support/tempDirectory.js';

describe('exercise hint', () => {
  it('comes in steps: the kind of rule, the rule for this line, the formula', async () => {
    const cwd = await started();
    const steps = await Promise.all(['1', '2', '3'].map((step) => runCli(cwd, ['exercise', 'hint', '1', 'dcounts_sum', '--step', step])));
    const [kind, rule, formula] = steps.map(({ stdout }) => stdout);
    expect(kind).toContain('A function of each entry on its own.');
    expect(kind).not.toContain('x^(-1)');
    expect(rule).toContain('The derivative of x^(-1) is -x^(-2). Here x is counts_sum.');
    expect(rule).not.toContain('dcounts_sum_inv');
    expect(formula).toContain('\n  -counts_sum^(-2) · dcounts_sum_inv\n');
    expect(formula).not.toContain('more:');
  });

  it('starts with the name, the shape and the forward line, and ends with the command for more', async () => {
    const cwd = await started();
    const { stdout } = await runCli(cwd, ['exercise', 'hint', '1', 'dcounts_sum']);
    expect(stdout).toBe(
      'dcounts_sum [n,1]\n  counts_sum_inv = counts_sum^(-1)\n' +
        '  A function of each entry on its own. Multiply the gradient above by the derivative of the function, entry by entry.\n' +
        'more: backprop-ninja exercise hint 1 dcounts_sum --step 2\n',
    );
    for (const step of ['1', '2', '3']) {
      const narrow = await runCli(cwd, ['exercise', 'hint', '1', 'dcounts_sum_inv', '--step', step], { tty: true, columns: 40 });
      for (const line of narrow.stdout.split('\n')) expect([...line].length).toBeLessThanOrEqual(40);
    }
  });

  it('is for the first exercise that is not done, without a number', async () => {
    const cwd = await started();
    put(cwd, 'dojo/exercise1.ts', solutionText(EXERCISES[1]));
    expect((await runCli(cwd, ['exercise', 'hint'])).stdout).toMatch(
      /^dlogits \[n,V\]\n {2}loss = -mean of log\(softmax\(logits\)\) at Yb\n/,
    );
    solve(cwd);
    expect((await runCli(cwd, ['exercise', 'hint'])).stdout).toBe('all lines of Exercise 4 are right: no hint needed\n');
  });

  it('finds the exercise by the name of the line, in which it is not right yet', async () => {
    const cwd = await started();
    const hinted = async (name: string) => JSON.parse((await runCli(cwd, ['exercise', 'hint', name, '--json'])).stdout);
    expect(await hinted('dbnvar')).toMatchObject({ exercise: 1, gradient: 'dbnvar' });
    expect(await hinted('dlogits')).toMatchObject({ exercise: 1, gradient: 'dlogits' });
    put(cwd, 'dojo/exercise1.ts', solutionText(EXERCISES[1]));
    expect(await hinted('dlogits')).toMatchObject({ exercise: 2, gradient: 'dlogits' });
    put(cwd, 'dojo/exercise2.ts', 'not a file that can run');
    expect(await hinted('dlogits')).toMatchObject({ exercise: 2, gradient: 'dlogits' });
    solve(cwd);
    expect(await hinted('dlogits')).toMatchObject({ exercise: 1, gradient: 'dlogits' });
  });

  it('proposes a gradient with a similar name (2)', async () => {
    expectRefusal(await runCli(await started(), ['exercise', 'hint', '1', 'dlogit']), 2, "gradient 'dlogit'; did you mean dlogits");
  });

  it.each(['0', '5', 'x', ''])('refuses %j as an exercise (2)', async (number) => {
    expectRefusal(await runCli(await started(), ['exercise', 'hint', number]), 2, '1 to 4');
  });
});
