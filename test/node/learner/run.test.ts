// Learners' files in the built program: it must survive anything they do.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { EXERCISES, type ExerciseNumber, exerciseFile } from '../../../src/dojo/exercises.js';
import { solutionText, stubText } from '../../../src/dojo/stub.js';
import { checkFile } from '../../../src/node/learner/run.js';
import { HANGS, startNinja } from '../../support/child.js';
import { runCli } from '../../support/fakeIO.js';
import { check, exercise1With, folder, problems } from '../../support/learnerFiles.js';
import { tempDirectory } from '../../support/tempDirectory.js';

const DLOGITS = '({ logits, Yb, n }) => softmax(logits).sub(Tensor.oneHot(Yb, logits.shape[1])).div(n)';

describe('the output of a file', () => {
  it('goes to stderr once, line by line, after the name of the line that printed it', async () => {
    const { report, stderr } = await check(
      1,
      exercise1With(
        {
          dh: '(at) => { console.log("h", at.h.shape); console.error("to the side"); process.stdout.write("no end"); return was.dh(at); }',
          db2: '(at) => { console.log("two\\nlines"); return was.db2(at); }',
        },
        'console.log("loading");',
      ),
    );
    expect(report.ok).toBe(true);
    expect(stderr).toBe('exercise1.ts: loading\ndh: h [ 32, 64 ]\ndh: to the side\ndh: no end\ndb2: two\ndb2: lines\n');
  });

  it('stops after 1,000 lines', async () => {
    const { report, stderr } = await check(
      1,
      exercise1With({ dh: '(at) => { for (let i = 0; i < 2000; i++) console.log(i); return was.dh(at); }' }),
    );
    expect(report.ok).toBe(true);
    const lines = stderr.trimEnd().split('\n');
    expect(lines).toHaveLength(1001);
    expect([lines[0], ...lines.slice(-2)]).toEqual(['dh: 0', 'dh: 999', 'dh: …']);
  });
});

describe('a key that is no line', () => {
  const withKeys = (number: ExerciseNumber, keys: string) => {
    const text = solutionText(EXERCISES[number]).replace('\n};\n', () => `\n  ${keys},\n};\n`);
    return { [exerciseFile(number)]: `// @ts-nocheck\n${text}` };
  };

  it.each<[string, ExerciseNumber, string, object]>([
    ['misspelt', 1, 'dprbs: () => 0', { key: 'dprbs', suggestion: 'dprobs' }],
    ['of a name from PyTorch', 2, 'logits_grad: () => 0', { key: 'logits_grad', suggestion: 'dlogits' }],
    ['of another exercise', 3, 'dprobs: () => 0', { key: 'dprobs', exercise: 1 }],
    ['of no kind', 4, 'helper: 1', { key: 'helper' }],
    ['that looks like a name', 1, "'d\u0421': () => 0", { key: 'd\u0421' }],
    ['that is empty', 2, "'': () => 0", { key: '' }],
  ])('fails a file whose lines are all right: %s', async (_, number, keys, stray) => {
    const { exitCode, report } = await check(number, withKeys(number, keys));
    expect({ exitCode, report }).toMatchObject({ exitCode: 1, report: { ok: false, strays: [stray] } });
    expect(report.lines.every(({ verdict }) => verdict === 'right')).toBe(true);
    expect(report).not.toHaveProperty('training');
  });

  it('is said beside a check of one line only if that line may be meant', async () => {
    const cwd = folder(withKeys(1, 'dprbs: 0, helper: 1'));
    const one = await runCli(cwd, ['exercise', 'check', '1', 'dprobs']);
    expect(one).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('✗ not in Exercise 1: dprbs (did you mean dprobs?)\n') });
    expect(await runCli(cwd, ['exercise', 'check', '1', 'dh'])).toMatchObject({ exitCode: 0 });
  });
});

describe('a file that is no plain text file', () => {
  const path = () => join(tempDirectory(), 'exercise2.ts');
  it.each<[kind: string, make: (path: string) => void, says: RegExp]>([
    ['a pipe', (file) => void spawnSync('mkfifo', [file]), /: it is a pipe$/],
    ['a device', (file) => symlinkSync('/dev/zero', file), /: it is a device$/],
    ['a directory', (file) => mkdirSync(file), /: it is a directory$/],
    ['a loop of links', (file) => symlinkSync('exercise2.ts', file), /too many symbolic links/],
    // An empty file that waits for the next message of the kernel, or only its owner may read it.
    ['a file that waits', (file) => symlinkSync('/proc/kmsg', file), /^cannot read /],
    ['a file of 3 GB', (file) => writeFileSync(file, '') ?? truncateSync(file, 3e9), /is larger than the limit of 1 MiB$/],
  ])('%s is refused at once', async (_, make, says) => {
    const file = path();
    make(file);
    await expect(checkFile(file, 2)).rejects.toThrow(says);
  });
});

describe('an error after a line has returned', () => {
  it('is reported, and does not turn a row red', async () => {
    const checked = await check(
      1,
      exercise1With(
        {
          dh: '(at) => { Promise.reject(new Error("left behind")); return was.dh(at); }',
          dW2: '(at) => { setTimeout(() => { throw new RangeError("late"); }, 0); return was.dW2(at); }',
          db2: 'async (at) => was.db2(at)',
          dhpreact: '() => Promise.reject(new Error("no"))',
          dbngain: 'async () => todo()',
          dbnraw: '(at) => { setTimeout(() => process.exit(0), 0); return was.dbnraw(at); }',
        },
        'import { todo } from "backprop-ninja"; Promise.reject("at the top"); setTimeout(() => { throw null; }, 0);',
      ),
    );
    const problem = 'it returns a promise, expected a Tensor: a line cannot be async';
    expect(problems(checked)).toEqual({ db2: problem, dhpreact: problem, dbngain: problem });
    expect(checked.stderr.trimEnd().split('\n')).toEqual([
      "exercise1.ts: uncaught 'at the top'",
      'exercise1.ts: uncaught null',
      expect.stringMatching(/^exercise1\.ts: uncaught Error: left behind \(line \d+\)$/),
      expect.stringMatching(/^exercise1\.ts: uncaught RangeError: late \(line \d+\)$/),
      'exercise1.ts: after its line had returned, it calls process.exit, which would end the program',
    ]);
  });
});

/** A process that has ended keeps its number until init collects it, up to 2 s later. Its state tells that it has ended. */
function hasEnded(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return /\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

describe('the process of a file', () => {
  it('does not outlive the program, even in a line that never ends', async () => {
    const text = 'console.log("process", process.pid); for (;;);';
    const child = startNinja(['exercise', 'check', '2'], { cwd: folder({ 'exercise2.ts': text }) });
    await child.says(/process \d+\n/);
    const pid = Number(/process (\d+)/.exec(child.output())?.[1]);
    process.kill(pid, 0);
    child.kill('SIGKILL');
    await child.ended;
    await vi.waitFor(() => expect(hasEnded(pid)).toBe(true), { timeout: HANGS });
  });
});

describe('a file that plays tricks', () => {
  it('with getters, proxies and changed inputs makes only its own rows red', async () => {
    const checked = await check(
      1,
      exercise1With({
        dlogprobs:
          'null, get dprobs() { throw new Error("not to be read"); }, dh: 3, dC: (at) => { at.C.scatterAddRows(at.Xb, at.demb); return at.C; }, ignored: (at) => at',
      }),
    );
    // Later entries of the file win.
    expect(problems(checked)).toEqual({ dlogprobs: 'null, expected a function' });
    const proxied = await check(2, {
      'exercise2.ts': 'export default new Proxy({}, { get: (_, name) => { throw new Error("no " + String(name)); } });',
    });
    expect(problems(proxied)).toEqual({ dlogits: 'it threw Error: no dlogits (line 1)' });
    const getter = await check(2, { 'exercise2.ts': 'export default {\n  get dlogits() { throw new Error("not to be read"); } };' });
    expect(problems(getter)).toEqual({ dlogits: 'it threw Error: not to be read (line 2)' });
  });

  it.each([
    ['a byte order mark and CRLF', `\ufeff${solutionText(EXERCISES[2]).replaceAll('\n', '\r\n')}`],
    [
      'an import of another exercise',
      `import one from "./exercise1"; import three from "./exercise3.ts"; const line = ${DLOGITS};
      export default { dlogits: (at) => { one.dprobs(at); three.dhprebn.call; return line(at); } };
      import { softmax, Tensor } from "backprop-ninja";`,
    ],
    ['an await at its top', `const { softmax, Tensor } = await import("backprop-ninja"); export default { dlogits: ${DLOGITS} };`],
    ['an import of the entry itself', `import { softmax, Tensor } from "backprop-ninja/dojo"; export default { dlogits: ${DLOGITS} };`],
    [
      'imports in a circle',
      `import helper from "./helper"; import { softmax, Tensor } from "backprop-ninja"; export const line = ${DLOGITS}; export default { dlogits: (at) => helper(at) };`,
    ],
  ])('with %s is checked like any other file', async (_, text) => {
    const helper = 'import { line } from "./exercise2"; export default (at: any) => line(at);';
    const { exitCode, report, stderr } = await check(2, { 'exercise2.ts': text, 'helper.ts': helper });
    expect({ exitCode, problem: report.lines[0]?.problem, broken: report.broken, stderr }).toEqual({
      exitCode: 0,
      problem: undefined,
      broken: undefined,
      stderr: '',
    });
  });

  it('and throws in an expression of several lines gets the line of its own file', async () => {
    const text = stubText(EXERCISES[2]).replace('=> todo()', '=>\n    logits\n      .nothing()');
    expect(problems(await check(2, { 'exercise2.ts': text }))).toEqual({
      dlogits: expect.stringMatching(/^it threw TypeError: .*is not a function \(line \d+\)$/),
    });
  });
});

describe('the line of an error', () => {
  /** For each row that threw: the line in its report, and the line of the file that throws. */
  async function places(number: ExerciseNumber, text: string): Promise<{ reported: [string, number][]; actual: [string, number][] }> {
    const { report } = await check(number, { [exerciseFile(number)]: text });
    const found = report.lines.map(({ name, problem }): [string, number] => [name, Number(/\(line (\d+)\)/.exec(problem ?? '')?.[1])]);
    const lines = text.split('\n');
    const where = report.lines.map(({ name }): [string, number] => {
      const entry = lines.findIndex((line) => line.startsWith(`  ${name}: `));
      return [name, lines.findIndex((line, i) => i >= entry && line.includes('.nothing()')) + 1];
    });
    return { reported: found, actual: where };
  }

  it.each<[string, ExerciseNumber, (text: string) => string]>([
    ['in Exercise 1', 1, (text) => text.replaceAll('=> todo()', '=> new Tensor(0 as any, []).nothing()')],
    ['in Exercise 2', 2, (text) => text.replaceAll('=> todo()', '=> Tensor.nothing()')],
    ['in Exercise 4', 4, (text) => text.replaceAll('=> todo()', '=> Tensor.nothing()')],
    [
      'after comments, types and line breaks',
      1,
      (text) =>
        `/* one\n * two\n */\n// three\n\n${text}`
          .replaceAll(
            '=> todo()',
            ': any => {\n    // why\n    /* and\n       how */\n    const a: number[] = [\n      1,\n    ];\n    return Tensor\n      .nothing();\n  }',
          )
          .replaceAll('import { type', '\n/**\n * more\n */\nimport { type'),
    ],
  ])('is right %s', async (_, number, change) => {
    const found = await places(number, change(stubText(EXERCISES[number])).replaceAll('Tensor(0 as any, [])', 'Object()'));
    expect(found.reported).toEqual(found.actual);
    expect(found.reported).toHaveLength(EXERCISES[number].lines.length);
  });

  it('comes with advice', async () => {
    const text = stubText(EXERCISES[2]).replace('=> todo()', '=> Tensor.onehot(Yb, 27)');
    const line = text.split('\n').findIndex((one) => one.includes('onehot')) + 1;
    expect(problems(await check(2, { 'exercise2.ts': text }))).toEqual({
      dlogits: `it threw TypeError: Tensor.onehot is not a function (line ${line}): did you mean Tensor.oneHot`,
    });
  });
});

describe('a key of the file', () => {
  it('that is misspelt is named where its line is missing', async () => {
    const text = solutionText(EXERCISES[1]).replace('  dh: (', '  dH: (');
    expect(problems(await check(1, { 'exercise1.ts': text }))).toEqual({
      dh: 'missing from the default export; it has dH, which is not a line of this exercise',
    });
  });

  it('that the file has twice gets a note', async () => {
    const text = solutionText(EXERCISES[1]).replace('  dprobs: (', '  dprobs: () => todo(),\n  dprobs: (');
    const first = text.split('\n').findIndex((line) => line.startsWith('  dprobs: ')) + 1;
    const { report } = await check(1, { 'exercise1.ts': text });
    expect(report.lines.filter(({ note }) => note !== undefined)).toMatchObject([
      {
        name: 'dprobs',
        verdict: 'right',
        note: `the file has dprobs more than once, in lines ${first} and ${first + 1}: the last one counts`,
      },
    ]);
  });
});

describe('the library in a file', () => {
  it('has no answers', async () => {
    const listing = 'import * as library from "backprop-ninja"; console.log(Object.keys(library).sort().join(" ")); export default {};';
    expect((await check(2, { 'exercise2.ts': listing })).stderr).toBe('exercise2.ts: ShapeError Tensor TodoError softmax todo\n');
  });

  it.each<[ExerciseNumber, string]>([
    [1, 'export { exercise1 as default } from "backprop-ninja";'],
    [2, 'export { exercise2 as default } from "backprop-ninja";'],
    [3, 'import { exercise3 } from "backprop-ninja"; export default exercise3;'],
  ])('has no solution of Exercise %i to export', async (number, text) => {
    const { exitCode, report } = await check(number, { [exerciseFile(number)]: text });
    expect({ exitCode, ok: report.ok, broken: report.broken }).toEqual({
      exitCode: 1,
      ok: false,
      broken: expect.stringMatching(/^it has no default export: /),
    });
  });
});

const HINT = "end the file with 'export default exercise2;'";

describe('a file that cannot run', () => {
  it.each([
    ['an empty text', '', `it has no default export: ${HINT}`],
    ['no default export', 'export const exercise2 = { dlogits: 1 };', `it has no default export: ${HINT}`],
    ['null for a default', 'export default null', `its default export is null, expected an object with a function per gradient: ${HINT}`],
    [
      'a number for a default',
      'export default 3',
      `its default export is a number, expected an object with a function per gradient: ${HINT}`,
    ],
    [
      'a function for a default',
      'export default () => ({})',
      `its default export is a function, expected an object with a function per gradient: ${HINT}`,
    ],
    ['a syntax error', 'export default {\n  dlogits: (\n};', 'ParseError: Unexpected token (line 3): };'],
    ['a comma forgotten', 'export default {\n  a: 1\n  b: 2,\n};', 'ParseError: Unexpected token, expected "," (line 3): b: 2,'],
    ['an unknown name', '\n\nunknown();', 'ReferenceError: unknown is not defined (line 3)'],
    ['null thrown', 'throw null;', 'null'],
    ['an import of a missing file', "\nimport x from './missing';\nexport default { x };", /^Error: Cannot find module '\.\/missing'/],
    [
      'an import of no such package',
      "import x from 'no-such-package';\nexport default { x };",
      /^Error: Cannot find module 'no-such-package'/,
    ],
    ['process.exit', 'process.exit(0);', 'it calls process.exit, which would end the program'],
    ['process.abort', 'process.abort();', 'it calls process.abort, which would end the program'],
    ['an await that never settles', 'await new Promise(() => {}); export default {};', 'it awaits a promise that never settles'],
  ])('because of %s says why', async (_, text, why) => {
    const { exitCode, report, stderr } = await check(2, { 'exercise2.ts': text });
    expect({ exitCode, lines: report.lines, stderr }).toEqual({ exitCode: 1, lines: [], stderr: '' });
    expect(report.broken).toEqual(typeof why === 'string' ? why : expect.stringMatching(why));
  });
});
