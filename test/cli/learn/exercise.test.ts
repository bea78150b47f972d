import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXERCISE_NUMBERS, EXERCISES, exerciseFile } from '../../../src/dojo/exercises.js';
import { solutionText, stubText } from '../../../src/dojo/stub.js';
import { solve, started, typeErrors } from '../../support/exerciseFolder.js';
import { runCli } from '../../support/fakeIO.js';
import { expectRefusal, ninja, openToAll } from '../../support/faults.js';
import { put, snapshot, tempDirectory } from '../../support/tempDirectory.js';

/** The red rows of Exercise 1: the gradient and its remark. */
function redRows(stdout: string): string[] {
  return stdout
    .split('\n')
    .filter((line) => /^✗ +\w+ +\[/.test(line))
    .map((line) => line.replace(/^✗ +(\w+) +\[[^\]]+\] +(?:(?:yes|no) +(?:yes|no) +\S+ +\S+ +)?/, '$1: '));
}

describe('exercise start', () => {
  it('writes a guide, a tsconfig.json and a file per exercise, and says how to continue', async () => {
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

  it('overwrites no file', async () => {
    const cwd = tempDirectory();
    put(cwd, 'mine/exercise1.ts', 'my work');
    const { exitCode, stdout, stderr } = await runCli(cwd, ['exercise', 'start', 'mine']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: 'note: kept exercise1.ts, which existed already\n' });
    expect(stdout).toContain('exercise check 1 --dir mine');
    const found = snapshot(cwd);
    expect(found['mine/exercise1.ts']).toBe('my work');
    await runCli(cwd, ['exercise', 'start', 'mine']);
    expect(snapshot(cwd)).toEqual(found);
  });

  it('is refused with the reason if the folder is a file (4)', async () => {
    const cwd = tempDirectory();
    put(cwd, 'dojo', 'a file');
    expectRefusal(await runCli(cwd, ['exercise', 'start']), 4, 'cannot write in dojo: it is a file');
  });
});

describe('a fresh folder', () => {
  it('has no type errors, and no line is written yet (1)', async () => {
    const cwd = await started();
    expect(typeErrors(cwd)).toBe('');
    const { exitCode, stdout, stderr } = await runCli(cwd, ['exercise', 'check']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' });
    const rows = stdout.split('\n').filter((line) => line.startsWith('·'));
    expect(rows).toHaveLength(26 + 1 + 1 + 13);
    for (const row of rows) expect(row).toMatch(/not written yet$/);
  });

  it('of an earlier version, whose types are those of the whole library, has no type errors', async () => {
    const cwd = await started();
    const path = 'dojo/tsconfig.json';
    const text = readFileSync(join(cwd, path), 'utf8');
    expect(text.match(/dist\/dojo\.d\.ts/g)).toHaveLength(2);
    put(cwd, path, text.replaceAll('dist/dojo.d.ts', 'dist/index.d.ts'));
    solve(cwd);
    expect(typeErrors(cwd)).toBe('');
  });

  it('has one todo() per gradient', () => {
    for (const number of EXERCISE_NUMBERS) {
      expect(stubText(EXERCISES[number]).match(/=> todo\(\),/g)).toHaveLength(EXERCISES[number].lines.length);
    }
  });
});

describe('a line that is wrong', () => {
  it('gives one red row with its own remark, whatever else is wrong', async () => {
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
    const { exitCode, stdout } = await runCli(cwd, ['exercise', 'check', '1']);
    expect(exitCode).toBe(1);
    expect(redRows(stdout)).toEqual([
      'dprobs: you multiply by probs where you should divide',
      'dcounts: the branch through counts_sum is missing',
      'db2: right values in the wrong shape: [1, 27], expected [27] (sum without keepdim)',
      'dbngain: it calls process.exit, which would end the program',
      expect.stringMatching(/^dbnbias: it threw RangeError: \\x1b\[31mno \(line \d+\)$/),
      'demb: missing from the default export',
    ]);
    expect(stdout).toContain('20 of 26 right; next: dprobs');
  });
});

describe('exercise check 1 dprobs', () => {
  it('runs that line only: the others neither print nor take time', async () => {
    const cwd = await started();
    solve(cwd, (text) =>
      text
        .replace('probs.pow(-1).mul(dlogprobs)', "(console.log('here'), probs.mul(dlogprobs))")
        .replace('dcounts_sum.mul', 'dcounts_sum.mull')
        .replace('dh: ({ W2, dlogits }) =>', "dh: ({ W2, dlogits }) => console.log('elsewhere') as never || (() => { for (;;); })() ||"),
    );
    const wrong = await runCli(cwd, ['exercise', 'check', '1', 'dprobs']);
    expect(wrong).toMatchObject({ exitCode: 1, stderr: 'dprobs: here\n' });
    expect(redRows(wrong.stdout)).toEqual(['dprobs: you multiply by probs where you should divide']);
    const right = await runCli(cwd, ['exercise', 'check', 'dbnvar', '--json']);
    expect(right).toMatchObject({ exitCode: 0, stderr: '' });
    const { ok, exercises } = JSON.parse(right.stdout);
    expect([ok, exercises.length, exercises[0].lines.length, exercises[0].lines[0].name]).toEqual([true, 1, 1, 'dbnvar']);
  });
});

// Exercise 4 trains with the lines: test/long/exercise4.test.ts.
describe('exercise check 4', () => {
  it('does not train while a line is wrong', async () => {
    const cwd = await started();
    solve(cwd, (text) => text.replace('db1: (', 'db1: () => 0,\n  other: ('));
    const report = JSON.parse((await runCli(cwd, ['exercise', 'check', '4', '--json'])).stdout);
    expect(report.exercises[0].lines).toHaveLength(13);
    expect(report.exercises[0]).not.toHaveProperty('training');
  });
});

describe('the status of the exercises', () => {
  it('fits a narrow terminal: a line that continues is indented', async () => {
    const { stdout } = await runCli(await started(), ['exercise', 'status'], { tty: 'stdout', columns: 40 });
    expect(stdout).toContain('· Exercise 2: cross-entropy in one\n  expression: 0 of 1 right\n');
  });
});

describe('a file that cannot run', () => {
  it('is reported in one line (1)', async () => {
    const cwd = await started();
    put(cwd, 'dojo/exercise2.ts', "throw new Error('on\\u001b[31m\\npurpose');");
    const { exitCode, stdout, stderr } = await runCli(cwd, ['exercise', 'check', '2']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' });
    expect(stdout).toBe('Exercise 2: cross-entropy in one expression\nexercise2.ts cannot run: Error: on\\x1b[31m (line 1)\n');
    expect((await runCli(cwd, ['exercise', 'status'])).stdout).toContain('Exercise 2: cross-entropy in one expression  cannot run');
  });

  it.each([
    ['a directory', (path: string) => mkdirSync(path)],
    ['a pipe', (path: string) => spawnSync('mkfifo', [path])],
  ])('because it is %s is refused by every command, with its path (4)', async (_, make) => {
    const cwd = await started();
    rmSync(join(cwd, 'dojo/exercise2.ts'));
    make(join(cwd, 'dojo/exercise2.ts'));
    const before = readdirSync(join(cwd, 'dojo'));
    for (const argv of [
      ['check', '2'],
      ['hint', '2'],
      ['solution', '2'],
      ['reset', '2'],
      ['watch', '2'],
    ]) {
      expectRefusal(await runCli(cwd, ['exercise', ...argv]), 4, 'dojo/exercise2.ts is not a file');
    }
    expectRefusal(await runCli(cwd, ['exercise', 'status']), 4, 'dojo/exercise2.ts is not a file');
    expectRefusal(await runCli(cwd, ['exercise', 'check']), 4, 'dojo/exercise2.ts is not a file');
    expect(readdirSync(join(cwd, 'dojo'))).toEqual(before);
  });

  it('because it is not readable is refused by every command, with its path (4)', async () => {
    const cwd = await started();
    openToAll(cwd);
    chmodSync(join(cwd, 'dojo/exercise2.ts'), 0o000);
    for (const argv of [['check', '2'], ['hint', '2'], ['solution', '2'], ['reset', '2'], ['watch', '2'], ['status']]) {
      expectRefusal(ninja(cwd, ['exercise', ...argv], { withPermissions: true }), 4, /cannot read dojo\/exercise2\.ts: permission denied/);
    }
  });

  it('because it does not exist is refused, with the command that creates it (4)', async () => {
    expectRefusal(
      await runCli(tempDirectory(), ['exercise', 'check', '1']),
      4,
      'there is no dojo/exercise1.ts; name the folder with --dir, or create it: backprop-ninja exercise start',
    );
  });
});

describe('the folder', () => {
  it('may be the current directory, or that of a given file', async () => {
    const cwd = await started();
    put(cwd, 'dojo/exercise2.ts', solutionText(EXERCISES[2]));
    const inside = join(cwd, 'dojo');
    expect(await runCli(inside, ['exercise', 'check', '2'])).toMatchObject({ exitCode: 0, stderr: '' });
    for (const path of ['dojo/exercise2.ts', './dojo/exercise2.ts', join(inside, 'exercise2.ts')]) {
      expect(await runCli(cwd, ['exercise', 'check', path])).toMatchObject({ exitCode: 0, stderr: '' });
    }
    expect(await runCli(inside, ['exercise', 'check', 'exercise2.ts'])).toMatchObject({ exitCode: 0 });
    expect((await runCli(inside, ['exercise', 'reset', '1'])).stdout).toMatch(/ is unchanged since the start\n$/);
    expectRefusal(
      await runCli(cwd, ['exercise', 'check', 'dojo/other.ts']),
      2,
      'an exercise from 1 to 4, its file, such as dojo/exercise1.ts',
    );
    expectRefusal(
      await runCli(tempDirectory(), ['exercise', 'check', 'away/exercise1.ts']),
      4,
      'there is no away/exercise1.ts; name the folder with --dir, or create it: backprop-ninja exercise start away',
    );
  });

  it('is in the commands that its own files show', async () => {
    const cwd = tempDirectory();
    await runCli(cwd, ['exercise', 'start', 'fresh']);
    for (const name of ['README.md', 'exercise1.ts', 'exercise4.ts']) {
      const commands = readFileSync(join(cwd, 'fresh', name), 'utf8').match(/npx backprop-ninja exercise (check|hint) \d.*/g) ?? [];
      expect(commands.length).toBeGreaterThan(1);
      for (const command of commands) expect(command).toMatch(/ --dir fresh$/);
    }
    expect((await runCli(cwd, ['exercise', 'reset', '4', '--dir', 'fresh'])).stdout).toBe(
      'fresh/exercise4.ts is unchanged since the start\n',
    );
  });

  it('is named in every command that is proposed, quoted for a shell', async () => {
    const cwd = tempDirectory();
    expect((await runCli(cwd, ['exercise', 'start', "it's mine"])).stdout).toContain(" exercise watch --dir 'it'\\''s mine'");
    const option = ['--dir', "it's mine"];
    expect((await runCli(cwd, ['exercise', 'check', '2', ...option])).stdout).toContain(
      "\nhint: backprop-ninja exercise hint 2 --dir 'it'\\''s mine'\n",
    );
    expectRefusal(
      await runCli(cwd, ['exercise', 'solution', '2', ...option]),
      2,
      "or get a hint: backprop-ninja exercise hint 2 --dir 'it'\\''s mine'",
    );
    put(cwd, "it's mine/exercise2.ts", solutionText(EXERCISES[2]));
    expect((await runCli(cwd, ['exercise', 'check', "it's mine/exercise2.ts"])).stdout).toContain(
      "\nright; next: backprop-ninja exercise watch 3 --dir 'it'\\''s mine'\n",
    );
  });

  it('is named if another one in it would be found without it', async () => {
    const cwd = await started();
    expect((await runCli(cwd, ['exercise', 'start', '.'])).stdout).toContain(`exercise watch --dir ${cwd}`);
  });

  it('is used with npx in the commands if npx runs the program', async () => {
    const { stdout } = await runCli(tempDirectory(), ['exercise', 'start'], { env: { npm_command: 'exec' } });
    expect(stdout).toMatch(/^ {2}npx backprop-ninja exercise watch +check at every save$/m);
  });
});

describe('exercise reset', () => {
  it('keeps the old file, each time under another name', async () => {
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
    expect(stdout).toBe('dojo/exercise1.ts is unchanged since the start\n');
  });
});
