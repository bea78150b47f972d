// Files that learners may write, each in a process of its own: what is said about them.
import { describe, expect, it } from 'vitest';
import { EXERCISES, type ExerciseNumber, exerciseFile } from '../../src/dojo/exercises.js';
import { solutionText, stubText } from '../../src/dojo/stub.js';
import { check, exercise1With, problems } from '../support/learnerFiles.js';

const DLOGITS = '({ logits, Yb, n }) => softmax(logits).sub(Tensor.oneHot(Yb, logits.shape[1])).div(n)';

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
