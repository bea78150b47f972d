// Exercise 4 takes 1,000 training steps once all its lines are right.
import { describe, expect, it } from 'vitest';
import { EXERCISES } from '../../src/dojo/exercises.js';
import { solutionText } from '../../src/dojo/stub.js';
import { solve, started, typeErrors } from '../support/exerciseFolder.js';
import { runCli } from '../support/fakeIO.js';
import { expectRefusal, ninja } from '../support/faults.js';

describe('exercise check 4', () => {
  it('trains with the lines once all are right, and shows the first and the last loss', async () => {
    const cwd = await started();
    solve(cwd, (text) => text.replace('export default', "console.log('loaded');\nexport default"));
    const { exitCode, stdout, stderr } = ninja(cwd, ['exercise', 'check', '4']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: 'exercise4.ts: loaded\n' });
    expect(stdout.split('\n').slice(-6, -3)).toEqual([
      expect.stringMatching(/^trained 1,000 steps with your gradients: loss 3\.\d{4} -> 2\.\d{4} \(mean of the last 100\)$/),
      'all 13 right: you have written the whole backward pass. Next:',
      expect.stringMatching(/^ {2}backprop-ninja train {3,}train with the same formulas/),
    ]);
    const report = JSON.parse(ninja(cwd, ['exercise', 'check', '4', '--json']).stdout);
    const training = { steps: 1000, firstLoss: expect.closeTo(3.3, 0), lastLoss: expect.closeTo(2.5, 0) };
    expect(report).toMatchObject({ ok: true, exercises: [{ exercise: 4, training }] });
    expect(ninja(cwd, ['exercise', 'status']).stdout).not.toContain('trained');
  });

  it.each([
    ['throws', "{ if (++calls > 500) throw new Error('tired'); return now(at); }", /^db2: it threw Error: tired \(line \d+\)$/],
    ['ends the program', '{ if (++calls > 500) process.exit(0); return now(at); }', /^it calls process.exit, which would end the program$/],
    ['diverges', '{ return now(at).mul(++calls > 500 ? 1e30 : 1); }', /^the loss is Infinity after 501 steps$/],
  ])('reports a line that %s in training only', async (_, body, problem) => {
    const cwd = await started();
    solve(cwd, (text) =>
      text
        .replace(/^ {2}db2: .*$/m, () => `  db2: (at: any) => ${body},`)
        .replace('const exercise4', `let calls = 0;\nconst now = ({ dlogits }: any) => dlogits.sum(0);\nconst exercise4`),
    );
    const { exitCode, stdout } = ninja(cwd, ['exercise', 'check', '4']);
    expect(exitCode).toBe(0);
    const remark = stdout.trimEnd().split('\n').at(-1) ?? '';
    expect(remark).toMatch(/^all lines are right, but training with them failed: /);
    expect(remark.slice('all lines are right, but training with them failed: '.length)).toMatch(problem);
  });
});

describe('the solutions', () => {
  it('have no type errors, pass (0), and are shown once they pass', async () => {
    const cwd = await started();
    expectRefusal(await runCli(cwd, ['exercise', 'solution', '1']), 2, 'Exercise 1 is not solved yet');
    const shown = await runCli(cwd, ['exercise', 'solution', '3', '--force']);
    expect(shown.stdout).toBe(solutionText(EXERCISES[3]));
    solve(cwd);
    expect(typeErrors(cwd)).toBe('');
    const { exitCode, stdout } = await runCli(cwd, ['exercise', 'check', '--json']);
    expect(exitCode).toBe(0);
    const report = JSON.parse(stdout) as { ok: boolean; exercises: { ok: boolean; lines: { verdict: string }[] }[] };
    expect(report.ok).toBe(true);
    expect(report.exercises.map(({ lines }) => lines.length)).toEqual([26, 1, 1, 13]);
    expect((await runCli(cwd, ['exercise', 'solution', '2'])).stdout).toBe(solutionText(EXERCISES[2]));
    expect((await runCli(cwd, ['exercise', 'status'])).stdout.match(/^✓/gm)).toHaveLength(4);
    expect((await runCli(cwd, ['exercise', 'hint', '2'])).stdout).toBe('all lines of Exercise 2 are right: no hint needed\n');
  });
});
