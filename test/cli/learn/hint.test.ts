import { describe, expect, it } from 'vitest';
import { EXERCISES } from '../../../src/dojo/exercises.js';
import { solutionText } from '../../../src/dojo/stub.js';
import { solve, started } from '../../support/exerciseFolder.js';
import { runCli } from '../../support/fakeIO.js';
import { expectRefusal } from '../../support/faults.js';
import { put } from '../../support/tempDirectory.js';

describe('exercise hint', () => {
  it('comes in steps: the rule, the shape, the formula', async () => {
    const cwd = await started();
    const steps = await Promise.all(['1', '2', '3'].map((step) => runCli(cwd, ['exercise', 'hint', '1', 'dcounts_sum', '--step', step])));
    const [rule, shape, formula] = steps.map(({ stdout }) => stdout);
    expect(rule).toContain('The derivative of x^(-1)');
    expect(rule).not.toContain('[n,1]');
    expect(shape).toContain('dcounts_sum has the shape of counts_sum, [n,1].');
    expect(shape).not.toContain('dcounts_sum = ');
    expect(formula).toContain('dcounts_sum = -counts_sum^(-2) · dcounts_sum_inv');
  });

  it('starts with the name and the forward line, and says how to get more', async () => {
    const { stdout } = await runCli(await started(), ['exercise', 'hint', '1', 'dcounts_sum']);
    expect(stdout).toBe(
      'dcounts_sum\n  counts_sum_inv = counts_sum^(-1)\n  The derivative of x^(-1) is -x^(-2), times the gradient above.\nmore: --step 2 (its shape)\n',
    );
    const narrow = await runCli(await started(), ['exercise', 'hint', '1', 'dcounts_sum_inv', '--step', '3'], { tty: true, columns: 40 });
    for (const line of narrow.stdout.split('\n')) expect([...line].length).toBeLessThanOrEqual(40);
  });

  it('is for the first exercise that is not done, without a number', async () => {
    const cwd = await started();
    put(cwd, 'dojo/exercise1.ts', solutionText(EXERCISES[1]));
    expect((await runCli(cwd, ['exercise', 'hint'])).stdout).toMatch(/^dlogits\n {2}loss = -mean of log\(softmax\(logits\)\) at Yb\n/);
    solve(cwd);
    expect((await runCli(cwd, ['exercise', 'hint'])).stdout).toBe('Exercise 4 is done: no hint needed\n');
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
