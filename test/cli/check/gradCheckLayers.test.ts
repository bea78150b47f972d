// grad-check with files, as a user runs it. The process of a file is tested in test/long/layerFile.test.ts.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERASE } from '../../../src/cli/terminal/whileShowing.js';
import { LAYER_EXAMPLE } from '../../../src/node/paths.js';
import { ONE_ERROR_LINE, runCli } from '../../support/fakeIO.js';
import { checkText, DOUBLE, folderOf, IMPORT, RIGHT, reportsOn, squareLayer } from '../../support/layerFiles.js';
import { put, tempDirectory } from '../../support/tempDirectory.js';

const NOT_SHOWN = 'note: the gradients fit your forward; whether forward is right was not checked';

describe('grad-check of the layers in a file', () => {
  it('exits with 0 if all are right, and says what was not shown', async () => {
    const { exitCode, stdout, stderr } = await checkText(RIGHT + squareLayer('again'));
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const [first, second, empty, verdict, ...notes] = stdout.trimEnd().split('\n');
    expect([first, second, empty].sort()).toEqual(['', '✓ again: right (x)', '✓ square: right (x)']);
    expect(verdict).toMatch(/^all 2 layers are right \(\d+\.\d s\)$/);
    expect(notes).toContain(NOT_SHOWN);
  });

  it('exits with 1 if one is wrong, shows the entry, and names the mistake', async () => {
    const { exitCode, stdout } = await checkText(RIGHT + DOUBLE);
    expect(exitCode).toBe(1);
    expect(stdout).toContain('✗ double: dx is wrong\n');
    expect(stdout).toMatch(/^ {4}input +error +limit +at +yours +right +wrong +sizes$/m);
    expect(stdout).toMatch(
      /^ {2}✗ x +\S+e[-+]\d+ +\S+e-\d+ +\[\d\] +-?\d\S* +-?\d\S* +\d of 2 +n = 2\n {6}yours is 2 times the right gradient$/m,
    );
    expect(stdout).toMatch(/^1 of 2 layers wrong: double \(\d+\.\d s\)$/m);
    expect(stdout).toContain(`${NOT_SHOWN} (square)\n`);
  });

  it('prints one JSON document, with the file as it was typed', async () => {
    const { exitCode, stdout, stderr, ok, layers } = await reportsOn(RIGHT + DOUBLE);
    expect({ exitCode, stderr, ok }).toEqual({ exitCode: 1, stderr: '', ok: false });
    expect(stdout).toMatch(/^\{[^\n]*\}\n$/);
    expect(layers.map(({ file, name, ok, precision, refused }) => [file, name, ok, precision, refused])).toEqual([
      ['layer.ts', 'double', false, 'float64', null],
      ['layer.ts', 'square', true, 'float64', null],
    ]);
    const [double] = layers;
    expect(Object.keys(double)).toEqual(['file', 'name', 'ok', 'precision', 'refused', 'inputs', 'properties']);
    expect(double.inputs).toEqual([
      {
        name: 'x',
        ok: false,
        sizes: { n: 2 },
        train: true,
        error: expect.any(Number),
        limit: expect.any(Number),
        at: [expect.any(Number)],
        found: expect.any(Number),
        expected: expect.any(Number),
        wrongEntries: expect.any(Number),
        entries: 2,
        mistake: expect.objectContaining({ id: 'constant-factor', text: 'yours is 2 times the right gradient' }),
      },
    ]);
    expect(double.properties).toContainEqual({ name: 'batch', ok: null, detail: '' });
  });

  it('checks several files, each under its name as it was typed', async () => {
    const cwd = folderOf({ 'a.ts': IMPORT + RIGHT, 'sub/b.ts': IMPORT + DOUBLE });
    const shown = await runCli(cwd, ['grad-check', './a.ts', 'sub/b.ts']);
    expect(shown.exitCode).toBe(1);
    expect(shown.stdout).toMatch(/^\.\/a\.ts\n✓ square: right \(x\)\n\nsub\/b\.ts\n✗ double: dx is wrong\n/);
    const { layers } = JSON.parse((await runCli(cwd, ['grad-check', './a.ts', 'sub/b.ts', '--json'])).stdout);
    expect(layers.map(({ file, name }: Record<string, unknown>) => `${file} ${name}`)).toEqual(['./a.ts square', 'sub/b.ts double']);
  });

  it('fits a terminal of 80 columns, and a narrow one', async () => {
    const wide = squareLayer('aVeryLongNameForALayerWhichNobodyWouldEverWrite', { backward: 'v' });
    const cwd = folderOf({ 'layer.ts': IMPORT + RIGHT + wide });
    for (const columns of [80, 40]) {
      const { stdout } = await runCli(cwd, ['grad-check', 'layer.ts', '--no-color'], { tty: true, columns });
      const lines = stdout.split(/\n|checking .*?…/).map((line) => line.replaceAll(ERASE, ''));
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
      expect(stdout).toContain('✓ square');
    }
  });

  it('draws the same with the same seed', async () => {
    const [first, second, third] = [await reportsOn(RIGHT), await reportsOn(RIGHT), await reportsOn(RIGHT, '--seed', '7')];
    expect(second.layers).toEqual(first.layers);
    expect(third.layers[0].inputs[0].found).not.toBe(first.layers[0].inputs[0].found);
    expect((await reportsOn(RIGHT, '--seed', '0')).layers).toEqual(first.layers);
  });

  it('judges in float32 with --float32, and says so', async () => {
    const { exitCode, stdout } = await checkText(RIGHT, '--float32');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^✓ square: right \(x\), in float32$/m);
    expect(stdout).toContain('note: judged in float32');
    expect((await reportsOn(RIGHT, '--float32')).layers[0].precision).toBe('float32');
  });
});

describe('--only', () => {
  it('checks the layers named', async () => {
    const text = RIGHT + DOUBLE + squareLayer('third');
    expect((await reportsOn(text, '--only', 'square')).layers.map(({ name }) => name)).toEqual(['square']);
    expect((await reportsOn(text, '--only', 'square', '--only', 'third')).layers.map(({ name }) => name)).toEqual(['square', 'third']);
  });

  it.each([
    ['squre', "there is no layer 'squre' in layer.ts; did you mean square? (layers there: double, square)"],
    ['tanh', "there is no layer 'tanh' in layer.ts; layers there: double, square"],
    ['\x1b[2J', "there is no layer '\\x1b[2J' in layer.ts; layers there: double, square"],
  ])('refuses %j, which no file has, with what is there (2)', async (name, message) => {
    const { exitCode, stdout, stderr } = await checkText(RIGHT + DOUBLE, '--only', name, '--json');
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 2, stdout: '', stderr: `error: ${message}\n` });
  });

  it('finds a layer in one of several files, and refuses a name that none has after those that some have (2)', async () => {
    const cwd = folderOf({ 'a.ts': IMPORT + RIGHT, 'b.ts': IMPORT + DOUBLE });
    expect((await runCli(cwd, ['grad-check', 'a.ts', 'b.ts', '--only', 'square'])).exitCode).toBe(0);
    const { exitCode, stdout, stderr } = await runCli(cwd, ['grad-check', 'a.ts', 'b.ts', '--only', 'square', '--only', 'cube']);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr: "error: there is no layer 'cube' in these files; layers there: square, double\n",
    });
    expect(stdout).toContain('✓ square');
  });
});

describe('a file that cannot be checked', () => {
  it.each<[string, string, string]>([
    ['a syntax error', 'export const a = {', 'layer.ts cannot be loaded: ParseError: Unexpected token (line 2): export const a = {'],
    ['an import of no file', "import './nothing.js'", "layer.ts cannot be loaded: Error: Cannot find module './nothing.js' (line 2)"],
    [
      'an error',
      'const a: any = 0;\na.b.c;',
      "layer.ts cannot be loaded: TypeError: Cannot read properties of undefined (reading 'c') (line 3)",
    ],
    [
      'a wrong call of defineLayer',
      'export const a = defineLayer({} as never)',
      'layer.ts cannot be loaded: TypeError: defineLayer: inputs must be a function (line 2)',
    ],
    ['an exit', 'process.exit(0)', 'layer.ts cannot be loaded: it calls process.exit, which would end the program'],
    ['an await that never settles', 'await new Promise(() => {})', 'layer.ts cannot be loaded: it awaits a promise that never settles'],
    [
      'no layer',
      'export const SIZE = 3',
      'layer.ts has no layer: its exports are SIZE (a number); for a specification to start from: backprop-ninja grad-check --example',
    ],
  ])('is refused because of %s (3)', async (_, text, message) => {
    const { exitCode, stdout, stderr } = await checkText(text, '--json');
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 3, stdout: '', stderr: `error: ${message}\n` });
  });

  it('does not keep the others from being checked (3)', async () => {
    const cwd = folderOf({ 'a.ts': IMPORT + RIGHT, 'b.ts': 'throw new Error("b")', 'c.ts': '', 'd.ts': IMPORT + DOUBLE });
    const { exitCode, stdout, stderr } = await runCli(cwd, ['grad-check', 'a.ts', 'b.ts', 'c.ts', 'd.ts', '--json']);
    expect(exitCode).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, layers: [{ name: 'square' }, { name: 'double' }] });
    expect(stderr).toMatch(/^error: b\.ts cannot be loaded: Error: b \(line 1\)\nerror: c\.ts has no layer: it exports nothing; .*\n$/);
  });

  it.each<[string, string, number, string]>([
    ['is missing', 'none.ts', 4, 'there is no file none.ts'],
    [
      'is the name of a part',
      'atomic',
      4,
      "there is no file atomic; for that part of the program's own gradients: backprop-ninja grad-check --part atomic",
    ],
    ['is a directory', 'sub', 4, 'sub is a directory; name the files in it that export layers'],
    ['is of another kind', 'image.ts', 3, 'image.ts: this is a PNG image; expected TypeScript or JavaScript'],
    [
      'has another ending',
      'layer.py',
      3,
      'layer.py: expected TypeScript or JavaScript; its name must end with .ts, .js, .mts, .mjs, .cts or .cjs',
    ],
    [
      'holds tensors',
      'mine.safetensors',
      3,
      'mine.safetensors: this is a safetensors file; expected TypeScript or JavaScript; to check gradients in it: backprop-ninja grad-check --against mine.safetensors',
    ],
  ])('%s', async (_, file, code, message) => {
    const cwd = folderOf({ 'sub/a.ts': '', 'image.ts': '', 'layer.py': 'def forward(x): pass', 'a.ts': IMPORT + RIGHT });
    put(cwd, 'image.ts', Buffer.from('89504e470d0a1a0a', 'hex'));
    put(cwd, 'mine.safetensors', Buffer.from('\x02\0\0\0\0\0\0\0{}', 'latin1'));
    // The first file is right: nothing is checked before all files are there.
    const { exitCode, stdout, stderr } = await runCli(cwd, ['grad-check', 'a.ts', file]);
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: code, stdout: '', stderr: `error: ${message}\n` });
  });
});

describe('options that do not go together', () => {
  it.each([
    [['layer.ts', '--eps', '0.001'], "--eps is for the program's own gradients"],
    [['layer.ts', '--part', 'atomic'], "--part is for the program's own gradients"],
    [['layer.ts', '--entries', '5'], "--entries is for the program's own gradients"],
    [['layer.ts', '--tolerance', '0.001'], "--tolerance is for the program's own gradients"],
    [['layer.ts', '--against', 'a.safetensors'], '--against is for gradients from elsewhere'],
    [['--only', 'x'], '--only needs a file that exports layers; for example: backprop-ninja grad-check layer.ts --only <name>'],
    [['--float32'], '--float32 needs a file that exports layers'],
    [['--watch'], '--watch needs a file that exports layers'],
    [['--example', 'layer.ts'], '--example prints a file with a layer, and takes no file'],
    [['--example', '--watch'], '--example prints a file with a layer, and takes no --watch'],
  ])('are refused: %j (2)', async (argv, message) => {
    const { exitCode, stdout, stderr } = await runCli(tempDirectory(), ['grad-check', ...argv]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(ONE_ERROR_LINE);
    expect(stderr).toContain(message);
  });
});

describe('--example', () => {
  it('prints a file that passes when it is saved and checked, in an empty folder', async () => {
    const { exitCode, stdout } = await runCli(tempDirectory(), ['grad-check', '--example']);
    expect([exitCode, stdout]).toEqual([0, readFileSync(LAYER_EXAMPLE, 'utf8')]);
    const checked = await runCli(folderOf({ 'layerNorm.ts': stdout }), ['grad-check', 'layerNorm.ts', '--json']);
    expect(checked).toMatchObject({ exitCode: 0, stderr: '' });
    const [{ precision, inputs, properties }] = JSON.parse(checked.stdout).layers;
    expect([precision, inputs.length]).toEqual(['float64', 3]);
    expect(properties.filter(({ ok }: { ok: boolean | null }) => ok !== true)).toEqual([]);
  });

  it.each([
    ['the gain outside the sums', ['mean += (gain[j] * dy[k]) / d', 'mean += dy[k] / d'], 'x'],
    ['no mean', ['- mean - xhat', '- xhat'], 'x'],
    ['a bias that is overwritten', ['dbias[j] += dy[k]', 'dbias[j] = dy[k]'], 'bias'],
  ])('fails with a mistake in it: %s', async (_, [from, to], input) => {
    const text = readFileSync(LAYER_EXAMPLE, 'utf8');
    expect(text).toContain(from);
    const { stdout } = await runCli(folderOf({ 'layerNorm.ts': text.replace(from, to) }), ['grad-check', 'layerNorm.ts', '--json']);
    const [{ inputs }] = JSON.parse(stdout).layers;
    expect(inputs.flatMap(({ name, ok }: { name: string; ok: boolean }) => (ok ? [] : [name]))).toEqual([input]);
  });

  it('prints JSON', async () => {
    const { stdout } = await runCli(tempDirectory(), ['grad-check', '--example', '--json']);
    expect(JSON.parse(stdout)).toEqual({ code: readFileSync(LAYER_EXAMPLE, 'utf8') });
  });
});
