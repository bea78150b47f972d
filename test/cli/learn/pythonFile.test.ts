// What the program does with a Python file and a Python. The Python is a stand-in; test/python/ has the real one.
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Tensor } from '../../../src/core/tensor.js';
import { ExerciseCases } from '../../../src/dojo/cases.js';
import { EXERCISES } from '../../../src/dojo/exercises.js';
import { GRADIENT_NAMES } from '../../../src/lesson/exercise1.js';
import type { GradientName } from '../../../src/lesson/values.js';
import { storeFloats, writeSafetensors } from '../../../src/run/safetensors.js';
import { againstCase, fileOf, gradientsOf } from '../../support/against.js';
import { answersOf, type Lines } from '../../support/cases.js';
import { HANGS, startNinja } from '../../support/child.js';
import { lineOf } from '../../support/dojo.js';
import { runCli } from '../../support/fakeIO.js';
import { fakePython } from '../../support/fakePython.js';
import { expectRefusal } from '../../support/faults.js';
import { put, tempDirectory } from '../../support/tempDirectory.js';

let cwd: string;
beforeEach(() => {
  cwd = tempDirectory();
  fakePython(cwd, 'python');
  mkdirSync(join(cwd, 'tmp'));
});

/** A check with a temporary directory of its own, so that leftovers are seen. */
async function check(...words: string[]) {
  const before = process.env.TMPDIR;
  process.env.TMPDIR = join(cwd, 'tmp');
  try {
    return await runCli(cwd, ['exercise', 'check', ...words, '--python', './python']);
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    expect(readdirSync(join(cwd, 'tmp'))).toEqual([]);
  }
}

/** The text of a file that answers with what the lines return. */
function answering(lines: Lines, exercise: 1 | 2 | 3 | 4 = 1): string {
  const cases = new ExerciseCases(exercise, 0);
  const { tensors } = answersOf(cases, lines);
  const files = cases
    .describe()
    .cases.map(({ answers }, i) => {
      const bytes = Buffer.from(writeSafetensors({ metadata: {}, tensors: tensors[i] })).toString('base64');
      return `fs.writeFileSync(directory + '/${answers}', Buffer.from('${bytes}', 'base64'));`;
    })
    .join('\n');
  return `${files}\nsay('answers.json', {});`;
}

const solutions = (exercise: 1 | 2 | 3 | 4): Lines =>
  Object.fromEntries(EXERCISES[exercise].lines.map(({ name, solution }) => [name, solution]));

describe('exercise check FILE.py', () => {
  it('judges what the lines of the file return, and shows what it prints', async () => {
    put(cwd, 'lines.py', `console.log('a\\x1b[31m'); console.error('b');\n${answering({ dprobs: lineOf(1, 'dprobs').solution })}`);
    const { exitCode, stdout, stderr } = await check('lines.py');
    expect(exitCode).toBe(1);
    expect(stderr.split('\n').sort()).toEqual(['', 'lines.py: a\\x1b[31m', 'lines.py: b']);
    expect(stdout).toMatch(/^✓ dprobs /m);
    expect(stdout.match(/^· .* not written yet$/gm)).toHaveLength(25);
    expect(stdout).toContain('1 of 26 right; next: dlogprobs\nhint: backprop-ninja exercise hint 1 dlogprobs\n');
  });

  it.each([
    [['exercise2.py'], 2],
    [['2', 'lines.py'], 2],
    [['lines.py', '3'], 3],
    [['4', 'exercise2.py'], 4],
    [['exercise1.py'], 1],
  ] as const)('takes the exercise from the words %j: %i', async (words, exercise) => {
    put(cwd, words.find((word) => word.endsWith('.py')) ?? '', answering(solutions(exercise), exercise));
    const { exitCode, stdout } = await check(...words);
    expect({ exitCode, title: stdout.split('\n')[0] }).toEqual({
      exitCode: 0,
      title: `Exercise ${exercise}: ${EXERCISES[exercise].title}`,
    });
    expect(stdout).not.toContain('exercise watch');
  });

  it('passes the gradient on, and shows its row alone, in the JSON of today', async () => {
    put(cwd, 'lines.py', `say('answers.json', { lines: { dh: { fault: { id: 'threw', thrown: { text: 'KeyError: ' + gradient } } } } });`);
    const { exitCode, stdout } = await check('lines.py', 'dh', '--json');
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      exercises: [{ exercise: 1, ok: false, lines: [{ name: 'dh', verdict: 'failed', problem: 'it threw KeyError: dh' }] }],
    });
    expect((await check('lines.py', 'dh')).stdout).toMatch(/^✗ dh .*KeyError: dh\nhint: backprop-ninja exercise hint 1 dh\n$/m);
  });

  it('makes only the row red in which the process ended; the file prints once', async () => {
    const file = `console.log('once');
      const skipped = fs.existsSync(directory + '/skipped') ? fs.readFileSync(directory + '/skipped', 'utf8') : '';
      if (!skipped.includes('dh')) { say('running', 'dh'); process.exit(7); }
      if (!skipped.includes('db2')) { say('running', 'db2'); process.exit(0); }
      if (!skipped.includes('dW2')) { say('running', 'dW2'); process.kill(process.pid, 'SIGSEGV'); }
      ${answering({ dprobs: lineOf(1, 'dprobs').solution })}`;
    put(cwd, 'lines.py', file);
    const { exitCode, stdout, stderr } = await check('lines.py');
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: 'lines.py: once\n' });
    expect(stdout).toMatch(/^✗ dh .* it ended the program \(exit code 7\)$/m);
    expect(stdout).toMatch(/^✗ db2 .* it ended the program \(exit code 0\)$/m);
    expect(stdout).toMatch(/^✗ dW2 .* it ended the program \(SIGSEGV\)$/m);
    expect(stdout).toMatch(/^✓ dprobs /m);
  });

  it('keeps what is known of each line, if one ends every process', async () => {
    const file = `const skipped = fs.existsSync(directory + '/skipped') ? fs.readFileSync(directory + '/skipped', 'utf8') : '';
      say('running', ['dh', 'dW2', 'db2', 'db1', 'dC'].find((name) => !skipped.includes(name))); process.exit(3);`;
    put(cwd, 'lines.py', file);
    const { exitCode, stdout } = await check('lines.py');
    expect({ exitCode, rows: stdout.match(/^✗ \w+/gm) }).toEqual({ exitCode: 1, rows: ['✗ dh', '✗ dW2', '✗ db2', '✗ db1'] });
    expect(stdout).toContain('22 of 26 lines not given');
  });

  it('judges answers that are complete, however the process ended then', async () => {
    put(
      cwd,
      'lines.py',
      `${answering({ dprobs: lineOf(1, 'dprobs').solution })}; say('answers.json', {}); process.kill(process.pid, 'SIGSEGV');`,
    );
    expect((await check('lines.py')).stdout).toMatch(/^✓ dprobs /m);
  });

  it('says that the file cannot run, if its process ends before any line', async () => {
    put(cwd, 'lines.py', 'process.exit(9);');
    const { exitCode, stdout } = await check('lines.py');
    expect({ exitCode, last: stdout.split('\n')[1] }).toEqual({
      exitCode: 1,
      last: 'lines.py cannot run: it ended the program (exit code 9)',
    });
  });

  it('says what is wrong with a file that cannot be loaded', async () => {
    const thrown = { text: "ModuleNotFoundError: No module named 'torch'", line: 2 };
    put(cwd, 'lines.py', `say('answers.json', ${JSON.stringify({ fault: { id: 'file-threw', thrown } })});`);
    const { exitCode, stdout } = await check('lines.py');
    expect({ exitCode, last: stdout.split('\n')[1] }).toEqual({
      exitCode: 1,
      last: "lines.py cannot run: ModuleNotFoundError: No module named 'torch' (line 2): name a Python that has it with --python",
    });
  });

  it('refuses a file without lines (3), and lists misspelt ones (1)', async () => {
    put(cwd, 'empty.py', "say('answers.json', {});");
    expectRefusal(
      await check('empty.py'),
      3,
      'empty.py has no line of Exercise 1: looked for functions named dlogprobs, dprobs, dcounts_sum_inv ... dC',
    );
    put(cwd, 'misspelt.py', "say('answers.json', { strays: ['dprob'] });");
    const { exitCode, stdout } = await check('misspelt.py');
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^✗ dprobs .*; it has dprob, which is not a line of this exercise$/m);
  });

  it.each<[string, string[], number, string]>([
    ['a missing file', ['none.py'], 4, 'cannot read none.py: no such file or directory'],
    ['a directory', ['folder.py'], 4, 'cannot read folder.py: it is a directory'],
    ['a picture', ['picture.py'], 3, 'picture.py: this is a PNG image; expected Python'],
    ['two files', ['lines.py', 'other.py'], 2, "'other.py' is a second file"],
    ['a notebook', ['lines.ipynb'], 2, "'lines.ipynb' is a notebook; call ninja.lines in it, or save it as a .py file"],
    ['a gradient of another exercise', ['2', 'lines.py', 'dh'], 2, 'Exercise 2 has no gradient dh'],
    ['a folder', ['lines.py', '--dir', 'dojo'], 2, '--dir names a folder of exercises, and cannot be used with a Python file'],
    ['no file', ['1'], 2, '--python runs a Python file, and none is named; for example: backprop-ninja exercise check lines.py'],
  ])('refuses %s', async (_, words, code, says) => {
    mkdirSync(join(cwd, 'folder.py'));
    put(cwd, 'picture.py', Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'));
    put(cwd, 'lines.py', '');
    expectRefusal(await check(...words), code, says);
  });

  it('is not for hints, solutions and resets: these take the exercise and the gradient', async () => {
    put(cwd, 'lines.py', '');
    for (const command of ['hint', 'solution', 'reset']) {
      expectRefusal(
        await runCli(cwd, ['exercise', command, 'lines.py']),
        2,
        "'lines.py' is a file in Python, which only check and watch take",
      );
    }
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('ends at %s with %d: no process and no directory is left', async (signal, code) => {
    put(cwd, 'lines.py', "console.log('pid ' + process.pid); setInterval(() => {}, 1000);");
    const child = startNinja(['exercise', 'check', 'lines.py', '--python', './python'], {
      cwd,
      env: { ...process.env, TMPDIR: join(cwd, 'tmp') },
    });
    onTestFinished(() => child.kill('SIGKILL'));
    await child.says(/pid \d+\n/);
    const pid = Number(/pid (\d+)/.exec(child.output())?.[1]);
    child.kill(signal);
    expect(await child.ended).toMatchObject({ exitCode: code, stdout: '' });
    expect(readdirSync(join(cwd, 'tmp'))).toEqual([]);
    await vi.waitFor(() => expect(isRunning(pid)).toBe(false), { timeout: HANGS });
  });
});

describe('the values of a file', () => {
  /** A file that keeps these gradients of a batch for the program, as ninja.check does. */
  const keeping = (gradients: readonly GradientName[], change: (one: Tensor) => Tensor = (one) => one, name = 'values', answers = '{}') => {
    const values = againstCase('float64');
    const all = gradientsOf(values);
    const file = fileOf(values, Object.fromEntries(gradients.map((one) => [one, change(all[one])])));
    const bytes = Buffer.from(writeSafetensors(file)).toString('base64');
    return `fs.writeFileSync(directory + '/${name}.safetensors', Buffer.from('${bytes}', 'base64')); say('answers.json', ${answers});`;
  };

  it('are judged together, beside its functions, each alone', async () => {
    put(
      cwd,
      'lines.py',
      `${answering({ dprobs: lineOf(1, 'dprobs').solution })}; ${keeping(['dlogprobs', 'dprobs'], (one) => one.mul(2))}`,
    );
    const { exitCode, stdout } = await check('lines.py');
    expect(exitCode).toBe(1);
    const [functions, values] = stdout.split('\nValues, as ninja.check judges them\n');
    expect(functions).toMatch(/^✓ dprobs /m);
    expect(functions).not.toContain('dlogprobs  ');
    expect(functions).toContain('1 of 25 right; next: dcounts_sum_inv');
    expect(values).toMatch(/^dlogprobs is wrong by itself: /m);
    const { ok, exercises, values: report } = JSON.parse((await check('lines.py', '--json')).stdout);
    expect({ ok, count: exercises[0].lines.length, culprits: report.culprits }).toEqual({ ok: false, count: 25, culprits: ['dlogprobs'] });
  });

  it('are judged alone, where the file has nothing else', async () => {
    put(cwd, 'lines.py', keeping(GRADIENT_NAMES));
    const { exitCode, stdout } = await check('lines.py');
    expect({ exitCode, first: stdout.split('\n')[0] }).toEqual({ exitCode: 0, first: 'Values, as ninja.check judges them' });
  });

  it('of Exercise 4 are those of a function; Exercises 2 and 3 have none', async () => {
    put(cwd, 'lines.py', keeping(['dlogits', 'dh'], undefined, 'call-1-12'));
    expect((await check('4', 'lines.py')).stdout).toMatch(/^✓ dh /m);
    expectRefusal(await check('2', 'lines.py'), 3, 'lines.py has no line of Exercise 2');
  });

  it('that a call gets besides the variables are judged too, for Exercise 1, with the line of the call', async () => {
    const wrong = keeping(['dlogits', 'dh'], (one) => one.mul(2), 'call-2-12');
    put(cwd, 'lines.py', `${keeping(GRADIENT_NAMES)}\n${keeping(['dh'], undefined, 'call-1-11')}\n${wrong}`);
    const { exitCode, stdout } = await check('lines.py');
    expect(exitCode).toBe(1);
    expect(stdout.match(/^Values, .*$/gm)).toEqual([
      'Values, as ninja.check judges them',
      'Values, as ninja.check judges them, in line 11',
      'Values, as ninja.check judges them, in line 12',
    ]);
    const { values, moreValues } = JSON.parse((await check('lines.py', '--json')).stdout);
    expect({ ok: values.ok, more: moreValues.map(({ ok, line }: { ok: boolean; line: number }) => [line, ok]) }).toEqual({
      ok: true,
      more: [
        [11, true],
        [12, false],
      ],
    });
  });

  it('count for a gradient that is named only if they are its own', async () => {
    const wrong = keeping(['dlogprobs', 'dprobs', 'dh'], (one) => (one.shape[1] === 64 ? one.mul(2) : one));
    put(cwd, 'lines.py', wrong);
    const { exitCode, stdout } = await check('lines.py', 'dprobs');
    expect({ exitCode, rows: stdout.match(/^. d\w+/gm) }).toEqual({ exitCode: 0, rows: ['✓ dprobs'] });
    put(cwd, 'lines.py', `${answering({ dprobs: lineOf(1, 'dprobs').solution })}; ${wrong}`);
    expect((await check('lines.py', 'dprobs')).stdout).toMatch(/^✓ dprobs .*\nright\n$/m);
  });

  it('of calls that were not kept are said, and the answer is no', async () => {
    put(cwd, 'lines.py', keeping(GRADIENT_NAMES, undefined, 'call-1-3', '{ dropped: [3, 9] }'));
    const { exitCode, stdout } = await check('lines.py');
    expect({ exitCode, last: stdout.trimEnd().split('\n').at(-1) }).toEqual({
      exitCode: 1,
      last: 'the file calls ninja.check very often, and later calls in lines 3, 9 were not judged',
    });
  });

  it('are read up to 64 MiB', async () => {
    const large =
      "fs.closeSync(fs.openSync(directory + '/values.safetensors', 'w')); fs.truncateSync(directory + '/values.safetensors', 2 ** 27);";
    put(cwd, 'lines.py', `${answering({ dprobs: lineOf(1, 'dprobs').solution })}; ${large}`);
    const { exitCode, stdout } = await check('lines.py');
    expect({ exitCode, last: stdout.trimEnd().split('\n').at(-1) }).toEqual({
      exitCode: 1,
      last: 'ninja.check cannot judge the variables of the file: values.safetensors is larger than the limit of 64 MiB',
    });
  });

  it('that cannot be judged are said to be so; its functions are judged', async () => {
    const bytes = Buffer.from(
      writeSafetensors({ metadata: {}, tensors: new Map([['dh', storeFloats(new Float64Array(1), [1])]]) }),
    ).toString('base64');
    const keep = `fs.writeFileSync(directory + '/values.safetensors', Buffer.from('${bytes}', 'base64'));`;
    put(cwd, 'exercise2.py', `${answering(solutions(2), 2)}; ${keep}`);
    expect(await check('exercise2.py', '2')).toMatchObject({ exitCode: 0, stderr: '' });
    put(cwd, 'lines.py', `${answering(solutions(1))}; ${keep}`);
    const { exitCode, stdout, stderr } = await check('lines.py');
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' });
    expect(stdout).toMatch(/^✓ dprobs /m);
    expect(stdout).toMatch(/^ninja\.check cannot judge the variables of the file: missing C/m);
    const { ok, notJudged } = JSON.parse((await check('lines.py', '--json')).stdout);
    expect({ ok, notJudged }).toEqual({ ok: false, notJudged: [{ id: 'broken-values', text: expect.stringContaining('missing C') }] });
  });

  it('lines of another exercise are not dropped without a word', async () => {
    put(cwd, 'lines.py', `${answering(solutions(1))}; say('answers.json', { others: { 2: ['dlogits'] } });`);
    const text = '1 line of Exercise 2 was not judged: exercise check 2 lines.py';
    for (const [words, code] of [
      [['lines.py'], 1],
      [['1', 'lines.py'], 0],
    ] as const) {
      const { exitCode, stdout } = await check(...words);
      expect({ exitCode, last: stdout.trimEnd().split('\n').at(-1) }).toEqual({ exitCode: code, last: text });
    }
    put(cwd, 'lines.py', "say('answers.json', { others: { 2: ['dlogits'] } });");
    expectRefusal(await check('lines.py'), 3, text);
  });
});

describe('exercise watch FILE.py', () => {
  it('checks at every save, and ends a check that runs', async () => {
    put(cwd, 'exercise2.py', "console.log('begun'); setInterval(() => {}, 1000);");
    const child = startNinja(['exercise', 'watch', 'exercise2.py', '--python', './python'], { cwd });
    onTestFinished(() => child.kill('SIGKILL'));
    await child.says(/exercise2\.py: begun\n/);
    put(cwd, 'exercise2.py', answering({ dlogits: (at) => lineOf(2, 'dlogits').solution(at).mul(at.n) }, 2));
    await child.says(
      /✗ dlogits .* the division by n is missing\nhint: \S*.*exercise hint 2 dlogits\n|✗ dlogits .* the division by n is missing\n0 of 1 right/,
    );
    put(cwd, 'exercise2.py', answering(solutions(2), 2));
    await child.says(/✓ dlogits .*\nright\n/);
    child.kill('SIGTERM');
    const { exitCode, stdout, stderr } = await child.ended;
    expect({ exitCode, stderr }).toEqual({ exitCode: 143, stderr: 'exercise2.py: begun\n' });
    expect(stdout.match(/^exercise2\.py, checked at every save$/gm)).toHaveLength(3);
  });
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
