import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ExerciseCases } from '../../../src/dojo/cases.js';
import type { ExerciseReport } from '../../../src/dojo/exerciseReport.js';
import { EXERCISES } from '../../../src/dojo/exercises.js';
import { readSafetensors, type StoredTensor, storeFloats, writeSafetensors } from '../../../src/run/safetensors.js';
import { answersOf, type Lines } from '../../support/cases.js';
import { lineOf } from '../../support/dojo.js';
import { runCli } from '../../support/fakeIO.js';
import { expectRefusal } from '../../support/faults.js';
import { put, snapshot, tempDirectory } from '../../support/tempDirectory.js';

/** A directory with cases. */
async function handedOut(exercise = 1, ...more: string[]): Promise<string> {
  const cwd = tempDirectory();
  expect((await runCli(cwd, ['exercise', 'cases', `${exercise}`, '--out', 'cases', ...more])).exitCode).toBe(0);
  return cwd;
}

/** Writes what the lines return, as another program does. */
function answer(cwd: string, lines: Lines, exercise: 1 | 2 | 3 | 4 = 1, metadata: Record<string, string> = {}): void {
  const cases = new ExerciseCases(exercise, 0);
  const { tensors } = answersOf(cases, lines);
  for (const [i, one] of cases.describe().cases.entries()) {
    put(cwd, `cases/${one.answers}`, writeSafetensors({ metadata, tensors: tensors[i] }));
  }
}

const judge = (cwd: string, ...more: string[]) => runCli(cwd, ['exercise', 'judge', 'cases', ...more]);
const solutions = (exercise: 1 | 2 | 3 | 4): Lines =>
  Object.fromEntries(EXERCISES[exercise].lines.map(({ name, solution }) => [name, solution]));

describe('exercise cases', () => {
  it('writes the cases, and says what to do with them', async () => {
    const cwd = tempDirectory();
    const { exitCode, stdout, stderr } = await runCli(cwd, ['exercise', 'cases', '1', '--out', 'cases']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toBe(
      'cases holds 3 cases of Exercise 1. Write what your lines return into n2.answers.safetensors, n3.answers.safetensors and n32.answers.safetensors there, and run\n' +
        '  backprop-ninja exercise judge cases\n',
    );
    expect(Object.keys(snapshot(cwd)).sort()).toEqual(
      ['cases', 'cases/exercise.json', 'cases/n2.safetensors', 'cases/n3.safetensors', 'cases/n32.safetensors'].sort(),
    );
    expect(JSON.parse(readFileSync(join(cwd, 'cases/exercise.json'), 'utf8'))).toEqual(new ExerciseCases(1, 0).describe());
    const { metadata, tensors } = readSafetensors(readFileSync(join(cwd, 'cases/n2.safetensors')));
    expect(metadata).toEqual({ format: 'backprop-ninja cases', exercise: '1', seed: '0' });
    expect([tensors.get('Xb')?.dtype, tensors.get('probs')?.dtype, tensors.get('loss')?.shape]).toEqual(['I64', 'F64', []]);
  });

  it('prints the files as JSON', async () => {
    const cwd = tempDirectory();
    const { stdout } = await runCli(cwd, ['exercise', 'cases', '2', '--out', 'c', '--seed', '7', '--json']);
    expect(JSON.parse(stdout)).toEqual({
      exercise: 2,
      seed: 7,
      folder: join(cwd, 'c'),
      files: ['exercise.json', 'n2.safetensors', 'n3.safetensors', 'n32.safetensors'],
    });
  });

  it('overwrites nothing; --force replaces the cases, and removes answers to others', async () => {
    const cwd = await handedOut();
    answer(cwd, solutions(1));
    put(cwd, 'cases/mine.txt', 'mine');
    const before = snapshot(cwd);
    expectRefusal(
      await runCli(cwd, ['exercise', 'cases', '1', '--out', 'cases', '--seed', '1']),
      2,
      'cases exists and is not empty',
      '--force',
    );
    expect(snapshot(cwd)).toEqual(before);
    expect((await runCli(cwd, ['exercise', 'cases', '1', '--out', 'cases', '--seed', '1', '--force'])).exitCode).toBe(0);
    expect(Object.keys(snapshot(cwd))).not.toContain('cases/n2.answers.safetensors');
    expect(snapshot(cwd)['cases/mine.txt']).toBe('mine');
    expect(snapshot(cwd)['cases/n2.safetensors']).not.toBe(before['cases/n2.safetensors']);
  });

  it.each([
    [['cases', '1'], 2, '--out'],
    [['cases', '5', '--out', 'c'], 2, "there is no exercise or gradient '5'"],
    [['cases', 'dprobs', '--out', 'c'], 2, 'dprobs is a gradient'],
    [['cases', '1', '--out', 'file'], 4, 'cannot write in file: it is a file'],
    [['cases', '1', '--out', 'c', '--seed', '-1'], 2, '--seed'],
  ] as const)('refuses %j', async (words, code, says) => {
    const cwd = tempDirectory();
    put(cwd, 'file', '');
    expectRefusal(await runCli(cwd, ['exercise', ...words]), code, says);
  });
});

describe('exercise judge', () => {
  it('shows the table of the dojo: the right lines, and what is wrong with the others (1)', async () => {
    const cwd = await handedOut();
    const wrong: Lines = { ...solutions(1), dh: (at) => lineOf(1, 'dh').solution(at).mul(-1) };
    answer(cwd, wrong);
    const { exitCode, stdout, stderr } = await judge(cwd);
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' });
    expect(stdout.split('\n').filter((line) => line.startsWith('✓'))).toHaveLength(25);
    expect(stdout).toMatch(/^✗ dh +\[32, 64\] +no +no .* the sign is wrong$/m);
    expect(stdout).toContain('25 of 26 right; next: dh');
    expect(stdout).toContain('hint: backprop-ninja exercise hint 1 dh\n');
  });

  it.each([1, 2, 3, 4] as const)('passes the solutions of Exercise %i (0)', async (exercise) => {
    const cwd = await handedOut(exercise);
    answer(cwd, solutions(exercise), exercise);
    const { exitCode, stdout, stderr } = await judge(cwd);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).not.toContain('not given');
    expect(stdout.trimEnd().split('\n').at(-1)).toBe(
      EXERCISES[exercise].lines.length === 1 ? 'right' : `all ${EXERCISES[exercise].lines.length} right`,
    );
  });

  it('shows only the rows that came back, and says how many others there are', async () => {
    const cwd = await handedOut();
    answer(cwd, { dprobs: lineOf(1, 'dprobs').solution, db1: (at) => lineOf(1, 'db1').solution(at).div(at.n) });
    const { exitCode, stdout } = await judge(cwd);
    expect(exitCode).toBe(1);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.filter((line) => /^[✓✗] /.test(line)).map((line) => line.split(/ +/)[1])).toEqual(['dprobs', 'db1']);
    expect(stdout).toMatch(/^✗ db1 .*over the batch/m);
    expect(lines.at(-3)).toBe('· 24 of 26 lines not given');
    expect(lines.slice(-2)).toEqual(['1 of 2 right; next: db1', 'hint: backprop-ninja exercise hint 1 db1']);
  });

  it('fits a terminal: rows of the same state become one line', async () => {
    const cwd = await handedOut();
    answer(cwd, { ...solutions(1), dh: (at) => lineOf(1, 'dh').solution(at).mul(-1) });
    const { stdout } = await runCli(cwd, ['exercise', 'judge', 'cases'], { tty: true, rows: 12 });
    expect(stdout.split('\n').length).toBeLessThanOrEqual(12);
    expect(stdout).toContain('✓ dlogprobs ... dlogits: 8 right');
  });

  it('lists a few lines by name that were not given', async () => {
    const cwd = await handedOut(4);
    const { dh: _, dC: __, ...others } = solutions(4);
    answer(cwd, others, 4);
    const { exitCode, stdout } = await judge(cwd);
    expect(exitCode).toBe(0);
    expect(stdout.trimEnd().split('\n').slice(-2)).toEqual(['· not given: dh, dC', 'all 11 right']);
  });

  it('proposes a hint that works without a folder', async () => {
    const { exitCode, stdout } = await runCli(tempDirectory(), ['exercise', 'hint', '1', 'db1']);
    expect({ exitCode, first: stdout.split('\n')[0] }).toEqual({ exitCode: 0, first: 'db1 [H]' });
  });

  it('prints JSON in the shape of exercise check', async () => {
    const cwd = await handedOut(2);
    answer(cwd, { dlogits: (at) => lineOf(2, 'dlogits').solution(at).mul(at.n) }, 2);
    const { exitCode, stdout } = await judge(cwd, '--json');
    const { ok, exercises } = JSON.parse(stdout) as { ok: boolean; exercises: ExerciseReport[] };
    expect({ exitCode, ok, count: exercises.length }).toEqual({ exitCode: 1, ok: false, count: 1 });
    expect(exercises[0].lines[0]).toMatchObject({ name: 'dlogits', verdict: 'wrong', named: true, shape: [32, 27] });
    expect(exercises[0].lines[0].figures).toMatchObject({ exact: false, close: false });
  });

  it('prints HTML for a notebook, with everything escaped', async () => {
    const cwd = await handedOut(4);
    answer(cwd, { dh: lineOf(4, 'dh').solution }, 4);
    const thrown = { text: "NameError: name '<script>' is not defined", line: 3 };
    put(cwd, 'cases/answers.json', JSON.stringify({ lines: { dW2: { fault: { id: 'threw', thrown } } }, strays: ['<b>'] }));
    const { exitCode, stdout } = await judge(cwd, '--html');
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^<p [^>]*>Exercise 4: the whole backward pass<\/p><table .*<\/p>\n$/);
    expect(stdout).toContain('it threw NameError: name &#39;&lt;script&gt;&#39; is not defined (line 3)');
    expect(stdout).toContain('not in Exercise 4: &lt;b&gt;');
    expect(stdout).not.toMatch(/<script|<b>|<style/);
    expectRefusal(await judge(cwd, '--html', '--json'), 2, '--html and --json cannot be used together');
  });

  it('says that nothing came back (1)', async () => {
    const cwd = await handedOut();
    const { exitCode, stdout } = await judge(cwd);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: 'Exercise 1: every atomic step\nnothing came back: no line was given\n' });
    expect(JSON.parse((await judge(cwd, '--json')).stdout)).toMatchObject({
      ok: false,
      exercises: [{ exercise: 1, ok: false, lines: [] }],
    });
  });

  it('shows what is known about lines without a tensor, escaped', async () => {
    const cwd = await handedOut();
    const lines = {
      dprobs: { text: 'dprobs = …', fault: { id: 'threw', thrown: { text: "KeyError: 'x'\x1b[31m", line: 12 } } },
      dcounts: { fault: { id: 'todo' } },
      dh: { fault: { id: 'returns-nothing' } },
      dW2: { fault: { id: 'returns-other', found: 'a str' } },
      db2: { fault: { id: 'not-a-function', found: 'an int' } },
      dC: { fault: { id: 'input-changed', value: 'C' } },
    };
    put(cwd, 'cases/answers.json', JSON.stringify({ lines, strays: ['dprob'] }));
    const { exitCode, stdout } = await judge(cwd);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^✗ dprobs .* it threw KeyError: 'x'\\x1b\[31m \(line 12\)$/m);
    expect(stdout).toMatch(/^· dcounts .* not written yet$/m);
    expect(stdout).toMatch(/^✗ dh .* it returns None: a def needs a return$/m);
    expect(stdout).toMatch(/^✗ dW2 .* it returns a str, expected a tensor or an array$/m);
    expect(stdout).toMatch(/^✗ db2 .* an int, expected a function$/m);
    expect(stdout).toMatch(/^✗ dC .* it changes C, which it may only read$/m);
    expect(stdout).toContain('✗ not in Exercise 1: dprob (did you mean dprobs?)');
  });
});

it('refuses a file in place of the directory (4)', async () => {
  const cwd = tempDirectory();
  put(cwd, 'cases', '');
  expectRefusal(await judge(cwd), 4, 'cases is not a directory; name the directory with the answers');
});

describe('broken answers are refused with one line', () => {
  const tensor: StoredTensor = storeFloats(new Float64Array(4), [2, 2]);
  const cases: [string, (cwd: string) => void, number, ...string[]][] = [
    ['no directory', (cwd) => rmSync(join(cwd, 'cases'), { recursive: true }), 4, 'cannot read cases: no such file or directory'],
    [
      'no exercise.json',
      (cwd) => rmSync(join(cwd, 'cases/exercise.json')),
      4,
      'there is no cases/exercise.json; write the cases: backprop-ninja exercise cases 1 --out cases',
    ],
    ['an exercise.json that is no JSON', (cwd) => put(cwd, 'cases/exercise.json', '{'), 3, 'cases/exercise.json is not valid JSON'],
    [
      'another exercise.json',
      (cwd) => put(cwd, 'cases/exercise.json', '{"a":1}'),
      3,
      'cases/exercise.json: format: missing: these are not cases of this program',
    ],
    [
      'a newer exercise.json',
      (cwd) => put(cwd, 'cases/exercise.json', '{"format":"backprop-ninja cases","version":2,"exercise":1,"seed":0}'),
      3,
      'cases/exercise.json: version: another version of the cases, expected 1',
    ],
    [
      'an exercise that does not exist',
      (cwd) => put(cwd, 'cases/exercise.json', '{"format":"backprop-ninja cases","version":1,"exercise":5,"seed":0}'),
      3,
      'cases/exercise.json: exercise: expected a number from 1 to 4',
    ],
    [
      'the cases of another seed',
      (cwd) => put(cwd, 'cases/exercise.json', '{"format":"backprop-ninja cases","version":1,"exercise":1,"seed":9}'),
      3,
      'cases/n2.safetensors is of other cases than exercise.json: seed 0, expected 9',
    ],
    [
      'answers to another exercise',
      (cwd) => answer(cwd, solutions(4), 4, { format: 'backprop-ninja cases', exercise: '4', seed: '0' }),
      3,
      'cases/n2.answers.safetensors is of other cases than exercise.json: exercise 4, expected 1',
    ],
    [
      'answers that are cut off',
      (cwd) => put(cwd, 'cases/n3.answers.safetensors', 'abc'),
      3,
      'cases/n3.answers.safetensors: not a safetensors file',
    ],
    [
      'a directory for answers',
      (cwd) => mkdirSync(join(cwd, 'cases/n3.answers.safetensors')),
      4,
      'cannot read cases/n3.answers.safetensors: it is a directory',
    ],
    [
      'answers that are huge',
      (cwd) => put(cwd, 'cases/n3.answers.safetensors', new Uint8Array(2 ** 26 + 1)),
      3,
      'cases/n3.answers.safetensors is larger than the limit of 64 MiB',
    ],
    [
      'one tensor under two names',
      (cwd) =>
        put(
          cwd,
          'cases/n3.answers.safetensors',
          writeSafetensors({
            metadata: {},
            tensors: new Map([
              ['dembcat', tensor],
              ['dembact', tensor],
            ]),
          }),
        ),
      3,
      'cases/n3.answers.safetensors: dembact is there twice, once under its other name; keep one',
    ],
    ['an answers.json that is no JSON', (cwd) => put(cwd, 'cases/answers.json', 'x'), 3, 'cases/answers.json is not valid JSON'],
    ['a list as answers.json', (cwd) => put(cwd, 'cases/answers.json', '[]'), 3, 'cases/answers.json is a list, expected an object'],
    [
      'an unknown fault',
      (cwd) => put(cwd, 'cases/answers.json', '{"lines":{"dh":{"fault":{"id":"right"}}}}'),
      3,
      'cases/answers.json: lines.dh.fault.id: ',
    ],
    [
      'a huge answers.json',
      (cwd) => put(cwd, 'cases/answers.json', ' '.repeat(2 ** 23 + 1)),
      3,
      'cases/answers.json is larger than the limit of 8 MiB',
    ],
  ];
  it.each(cases)('%s', async (_, spoil, code, ...says) => {
    const cwd = await handedOut();
    spoil(cwd);
    expectRefusal(await judge(cwd), code, ...says);
  });
});
