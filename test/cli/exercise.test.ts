import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { EXERCISE_NUMBERS, EXERCISES, exerciseFile, solutionText, stubText } from '../../src/dojo/exercises.js';
import { expectRefusal, ninja } from '../faults/support.js';
import { runCli } from './fakeIO.js';
import { put, snapshot, tempDirectory } from './tempDirectory.js';

const TSC = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));

/** A folder in which the exercises have just been laid out. */
async function started(): Promise<string> {
  const cwd = tempDirectory();
  expect((await runCli(cwd, ['exercise', 'start'])).exitCode).toBe(0);
  return cwd;
}

function solve(cwd: string, change: (text: string) => string = (text) => text): void {
  for (const number of EXERCISE_NUMBERS) put(cwd, `dojo/${exerciseFile(number)}`, change(solutionText(EXERCISES[number])));
}

function typeErrors(cwd: string): string {
  return spawnSync(process.execPath, [TSC, '-p', join(cwd, 'dojo')], { encoding: 'utf8', timeout: 20_000 }).stdout;
}

/** The rows of exercise 1 that are not right, with what is said of them. */
function redRows(stdout: string): string[] {
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('✗'))
    .map((line) => line.replace(/^✗ +(\w+) +\[[^\]]+\] +(?:(?:yes|no) +(?:yes|no) +\S+ +\S+ +)?/, '$1: '));
}

describe('exercise start', () => {
  it('lays out a guide, the types, and a file per exercise, and says how to go on', async () => {
    const cwd = tempDirectory();
    const { exitCode, stdout, stderr } = await runCli(cwd, ['exercise', 'start']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain('backprop-ninja exercise check 1');
    expect(readdirSync(join(cwd, 'dojo')).sort()).toEqual(
      ['README.md', 'exercise1.ts', 'exercise2.ts', 'exercise3.ts', 'exercise4.ts', 'tsconfig.json'].sort(),
    );
    for (const number of EXERCISE_NUMBERS) {
      expect(readFileSync(join(cwd, 'dojo', exerciseFile(number)), 'utf8')).toBe(stubText(EXERCISES[number]));
    }
  });

  it('overwrites nothing', async () => {
    const cwd = tempDirectory();
    put(cwd, 'mine/exercise1.ts', 'my work');
    const { exitCode, stdout, stderr } = await runCli(cwd, ['exercise', 'start', 'mine']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: 'note: exercise1.ts was there already, and kept\n' });
    expect(stdout).toContain('exercise check 1 --dir mine');
    const found = snapshot(cwd);
    expect(found['mine/exercise1.ts']).toBe('my work');
    await runCli(cwd, ['exercise', 'start', 'mine']);
    expect(snapshot(cwd)).toEqual(found);
  });

  it('in a file is refused with the reason (4)', async () => {
    const cwd = tempDirectory();
    put(cwd, 'dojo', 'a file');
    expectRefusal(await runCli(cwd, ['exercise', 'start']), 4, 'cannot write');
  });
});

describe('a fresh folder', () => {
  it('has no type errors, and every line is to be written (1)', async () => {
    const cwd = await started();
    expect(typeErrors(cwd)).toBe('');
    const { exitCode, stdout, stderr } = ninja(cwd, ['exercise', 'check']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' });
    const rows = stdout.split('\n').filter((line) => line.startsWith('·'));
    expect(rows).toHaveLength(26 + 1 + 1 + 13);
    for (const row of rows) expect(row).toMatch(/to be written$/);
  });

  it('has one todo() per gradient', () => {
    for (const number of EXERCISE_NUMBERS) {
      expect(stubText(EXERCISES[number]).match(/=> todo\(\),/g)).toHaveLength(EXERCISES[number].lines.length);
    }
  });
});

describe('the solutions', () => {
  it('have no type errors, pass (0), and are shown once they do', async () => {
    const cwd = await started();
    expectRefusal(ninja(cwd, ['exercise', 'solution', '1']), 2, 'Exercise 1 is not solved yet');
    const shown = ninja(cwd, ['exercise', 'solution', '3', '--force']);
    expect(shown.stdout).toBe(solutionText(EXERCISES[3]));
    solve(cwd);
    expect(typeErrors(cwd)).toBe('');
    const { exitCode, stdout } = ninja(cwd, ['exercise', 'check', '--json']);
    expect(exitCode).toBe(0);
    const report = JSON.parse(stdout) as { ok: boolean; exercises: { ok: boolean; lines: { verdict: string }[] }[] };
    expect(report.ok).toBe(true);
    expect(report.exercises.map(({ lines }) => lines.length)).toEqual([26, 1, 1, 13]);
    expect(ninja(cwd, ['exercise', 'solution', '2']).stdout).toBe(solutionText(EXERCISES[2]));
    expect(ninja(cwd, ['exercise', 'status']).stdout.match(/^✓/gm)).toHaveLength(4);
    expect(ninja(cwd, ['exercise', 'hint', '2']).stdout).toBe('Exercise 2 is done: no hint needed\n');
  });
});

describe('a line that is wrong', () => {
  it('makes one red row with its name, whatever else is wrong', async () => {
    const cwd = await started();
    solve(cwd, (text) =>
      text
        .replace('probs.pow(-1).mul(dlogprobs)', 'probs.mul(dlogprobs)')
        .replace('counts_sum_inv.mul(dprobs).add(dcounts_sum)', 'counts_sum_inv.mul(dprobs)')
        .replace('db2: ({ dlogits }) => dlogits.sum(0)', 'db2: ({ dlogits }) => dlogits.sum(0, { keepdim: true })')
        .replace('dbngain: ({ bnraw, dhpreact })', 'dbngain: (_: unknown) => { process.exit(0); },\n  unused: ({ bnraw, dhpreact })')
        .replace(
          'dbnbias: ({ dhpreact }) =>',
          "dbnbias: ({ dhpreact }) => { throw new RangeError('\\u001b[31mno'); },\n  other: ({ dhpreact }) =>",
        )
        .replace('demb: (', 'elsewhere: ('),
    );
    const { exitCode, stdout } = ninja(cwd, ['exercise', 'check', '1']);
    expect(exitCode).toBe(1);
    expect(redRows(stdout)).toEqual([
      'dprobs: it is multiplied by probs, not divided',
      'dcounts: the branch through counts_sum is missing',
      'db2: right values in the wrong shape, [1, 27] for [27]: sum without keepdim',
      'dbngain: it ended the program',
      'dbnbias: it threw RangeError: \\x1b[31mno',
      'demb: missing from what the file exports',
    ]);
    expect(stdout).toContain('20 of 26 right; next: dprobs');
  });

  it('that never ends is stopped, and the others are checked', async () => {
    const cwd = await started();
    solve(cwd, (text) => text.replace('dlogits: (', 'dlogits: () => { for (;;); },\n  unused: ('));
    const { exitCode, stdout } = ninja(cwd, ['exercise', 'check', '4'], { timeout: 20_000 });
    expect(exitCode).toBe(1);
    expect(redRows(stdout)).toEqual(['dlogits: it did not end within 5 s']);
    expect(stdout).toContain('12 of 13 right; next: dlogits');
  });
});

describe('a file that cannot be run', () => {
  it.each([
    ['a syntax error', 'export default {'],
    ['an error while it loads', "throw new Error('on purpose');"],
    ['the end of the program while it loads', 'process.exit(0);'],
    ['no default export', 'export const exercise2 = 1;'],
    ['a number for a default', 'export default 3;'],
    ['an import of what is missing', "import 'no-such-package';\nexport default {};"],
    ['nothing', ''],
  ])('with %s is said to be so in one line (1)', async (_, text) => {
    const cwd = await started();
    put(cwd, 'dojo/exercise2.ts', text);
    const { exitCode, stdout, stderr } = ninja(cwd, ['exercise', 'check', '2']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' });
    expect(stdout).toMatch(/^Exercise 2: [^\n]+\n(exercise2\.ts cannot be run: [^\n]+|[^\n]+\n✗ +dlogits [^\n]+\n0 of 1 right[^\n]+)\n$/);
  });

  it('because there is none yet, is asked for (4)', () => {
    expectRefusal(ninja(tempDirectory(), ['exercise', 'check', '1']), 4, "begin with 'backprop-ninja exercise start'");
  });
});

describe('exercise hint', () => {
  it('goes in steps: the rule, the shape, the formula', async () => {
    const cwd = await started();
    const steps = await Promise.all(['1', '2', '3'].map((step) => runCli(cwd, ['exercise', 'hint', '1', 'dcounts_sum', '--step', step])));
    const [rule, shape, formula] = steps.map(({ stdout }) => stdout);
    expect(rule).toContain('The derivative of x^(-1)');
    expect(rule).not.toContain('[n,1]');
    expect(shape).toContain('dcounts_sum has the shape of counts_sum, [n,1].');
    expect(shape).not.toContain('dcounts_sum = ');
    expect(formula).toContain('dcounts_sum = -counts_sum^(-2) · dcounts_sum_inv');
  });

  it('names the gradients there are (2)', async () => {
    expectRefusal(await runCli(await started(), ['exercise', 'hint', '3', 'dprobs']), 2, "no gradient 'dprobs'; it has dhprebn");
  });

  it.each(['0', '5', 'x', ''])('knows no exercise %j (2)', async (number) => {
    expectRefusal(await runCli(await started(), ['exercise', 'hint', number]), 2, '1 to 4');
  });
});

describe('exercise reset', () => {
  it('keeps what was written, each time under another name', async () => {
    const cwd = await started();
    for (const work of ['first', 'second']) {
      put(cwd, 'dojo/exercise1.ts', work);
      expect((await runCli(cwd, ['exercise', 'reset', '1'])).exitCode).toBe(0);
    }
    const found = snapshot(cwd);
    expect(found['dojo/exercise1.old1.txt']).toBe('first');
    expect(found['dojo/exercise1.old2.txt']).toBe('second');
    expect(readFileSync(join(cwd, 'dojo', 'exercise1.ts'), 'utf8')).toBe(stubText(EXERCISES[1]));
    const { stdout } = await runCli(cwd, ['exercise', 'reset', '1']);
    expect(stdout).toBe('dojo/exercise1.ts is as it was in the beginning\n');
  });
});
