// What a file of layers may do to its process, and how it is loaded.
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runCli } from '../support/fakeIO.js';
import { checkText, folderOf, IMPORT, RIGHT, reportsOn, squareLayer } from '../support/layerFiles.js';

const PACKAGE = fileURLToPath(new URL('../../', import.meta.url));

/** Checks layer.ts among other files. */
async function checkAmong(files: Record<string, string>, file = 'layer.ts') {
  const outcome = await runCli(folderOf(files), ['grad-check', file, '--json']);
  return { ...outcome, layers: outcome.stdout === '' ? [] : JSON.parse(outcome.stdout).layers };
}

const TYPELESS = squareLayer('square');
const COMMONJS = `const { defineLayer } = require('backprop-ninja/gradcheck');\n${TYPELESS.replace('export const square =', 'module.exports.square =')}`;

describe('a file of layers is loaded in a folder without node_modules', () => {
  it.each([
    ['layer.ts', IMPORT + RIGHT],
    ['layer.mts', IMPORT + RIGHT],
    ['layer.js', IMPORT + TYPELESS],
    ['layer.mjs', IMPORT + TYPELESS],
    ['layer.cjs', COMMONJS],
    ['layer.cts', COMMONJS],
  ])('as %s', async (file, text) => {
    expect(await checkAmong({ [file]: text }, file)).toMatchObject({ exitCode: 0, stderr: '', layers: [{ file, name: 'square' }] });
  });

  it.each([
    ['backprop-ninja', 'import { Tensor } from "backprop-ninja"; export const t = Tensor.zeros([1]);'],
    ['backprop-ninja/dojo', 'import { softmax } from "backprop-ninja/dojo"; export const t = softmax;'],
    ['an import of TypeScript as .js', 'import { t } from "./other.js"; export { t };'],
    ['a path of tsconfig.json', 'import { t } from "@/other"; export { t };'],
    ['a top-level await', 'export const t = await Promise.resolve(1);'],
    ['an enum and a namespace', 'enum A { B } namespace C { export const d = 1 } export const t = [A.B, C.d];'],
  ])('with %s', async (_, text) => {
    const tsconfig = '// paths\n{ "compilerOptions": { "paths": { "@/*": ["./*"] }, }, }';
    const { exitCode, stderr } = await checkAmong({
      'layer.ts': IMPORT + RIGHT + text,
      'other.ts': 'export const t = 1',
      'tsconfig.json': tsconfig,
    });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });

  it('beside a broken tsconfig.json', async () => {
    expect(await checkAmong({ 'layer.ts': IMPORT + RIGHT, 'tsconfig.json': '{ "extends": "@none/none" }' })).toMatchObject({ exitCode: 0 });
  });

  it('with modules that import each other, and one that two others import', async () => {
    const { exitCode, stderr } = await checkAmong({
      'layer.ts': `${IMPORT}import { a } from './a.js'; import { Shared } from './shared.js'; if (!(a() instanceof Shared)) throw new Error('two'); export const one = 1;${RIGHT}`,
      'a.ts': "import { Shared } from './shared.js'; import { one } from './layer.js'; export const a = () => new Shared(one);",
      'shared.ts': 'export class Shared { one; constructor(one: number) { this.one = one; } }',
    });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });
});

describe('a file of layers', () => {
  it.each(['layer.ts', 'layer.mjs'])('may use its own copy of the package: %s', async (file) => {
    const cwd = folderOf({ [file]: IMPORT + TYPELESS });
    const own = join(cwd, 'node_modules/backprop-ninja');
    mkdirSync(own, { recursive: true });
    for (const part of ['dist', 'package.json']) cpSync(join(PACKAGE, part), join(own, part), { recursive: true });
    for (const dependency of ['seedrandom', 'valibot']) {
      cpSync(join(PACKAGE, 'node_modules', dependency), join(cwd, 'node_modules', dependency), { recursive: true });
    }
    expect(await runCli(cwd, ['grad-check', file])).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it('may come from another folder, and runs in its own', async () => {
    const cwd = folderOf({
      'sub/layer.ts': `${IMPORT}import { readFileSync } from 'node:fs'; readFileSync('data.txt');\n${RIGHT}`,
      'sub/data.txt': '',
    });
    expect(await runCli(cwd, ['grad-check', 'sub/layer.ts'])).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it('sees Float64Array in the place of Float32Array from its first line on, and not with --float32', async () => {
    const text = `console.log(new Float32Array(1).constructor.name);\n${RIGHT}`;
    expect((await checkText(text)).stderr).toBe('layer.ts: Float64Array\n');
    expect((await checkText(text, '--float32')).stderr).toBe('layer.ts: Float32Array\n');
  });

  it('is judged in float32 if it can be loaded only with the real Float32Array', async () => {
    const { exitCode, layers } = await reportsOn(`new Float32Array(new WebAssembly.Memory({ initial: 1 }).buffer, 4, 1);\n${RIGHT}`);
    expect([exitCode, layers[0].precision]).toEqual([0, 'float32']);
  });
});

/** A WebAssembly module: its memory m, and f(address), which squares a float32 number in it. */
const SQUARE_IN_PLACE =
  '0061736d0100000001050160017f00030201000503010001070902016d0200016600000a14011200200020002a020020002a0200943802000b';

/** Layers that compute something else when Float64Array takes the place of Float32Array. */
const NEEDS_FLOAT32 = `const code = '${SQUARE_IN_PLACE}';
const bytes = Uint8Array.from({ length: code.length / 2 }, (_, i) => Number.parseInt(code.slice(2 * i, 2 * i + 2), 16));
const { m, f } = (await WebAssembly.instantiate(bytes)).instance.exports as any;
const heap = new Float32Array(m.buffer);
const inputs = (_: unknown, draw: any) => ({ x: Float32Array.from(draw.normal(3).data) });
const squares = (x: any) => { heap.set(x); x.forEach((_: number, i: number) => f(4 * i)); return heap.slice(0, x.length); };
export const inWasm = { inputs, forward: ({ x }: any) => squares(x), backward: (dy: any, { x }: any) => ({ x: dy.map((g: number, i: number) => 2 * g * x[i]) }) };
const words = new ArrayBuffer(4);
let [float, bits] = [new Float32Array(words, 0), new Uint32Array(words)];
const abs = (v: number) => { float[0] = v; bits[0] &= 0x7fffffff; return float[0]; };
export const withBits = { inputs, forward: ({ x }: any) => x.map(abs), backward: (dy: any, { x }: any) => ({ x: dy.map((g: number, i: number) => g * Math.sign(x[i])) }) };
`;

describe('a layer that computes something else with Float64Array', () => {
  it.each([
    ['where the file can be loaded with it', NEEDS_FLOAT32.replace('new ArrayBuffer(4)', 'new ArrayBuffer(8)')],
    ['where it cannot', NEEDS_FLOAT32],
  ])('is judged in float32, %s', async (_, text) => {
    const { exitCode, stderr, layers } = await reportsOn(text);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(layers.map(({ name, precision }) => [name, precision])).toEqual([
      ['inWasm', 'float32'],
      ['withBits', 'float32'],
    ]);
  });

  it('is found wrong if it is', async () => {
    const { exitCode, layers } = await reportsOn(NEEDS_FLOAT32.replace('2 * g * x[i]', '3 * g * x[i]'));
    expect(exitCode).toBe(1);
    expect(layers[0]).toMatchObject({ name: 'inWasm', ok: false, inputs: [{ mistake: { id: 'constant-factor' } }] });
  });

  it('is not one that has parameters from Math.random, made while the file is loaded', async () => {
    const text = `const W = Float32Array.from({ length: 2 }, () => Math.random());\n${squareLayer('a', { top: 'x = { data: x.data.map((v, i) => v * W[i]) } as never', backward: '2 * x.data[i] * W[i] * W[i] * v' })}`;
    const { exitCode, layers } = await reportsOn(text);
    expect([exitCode, layers[0].precision]).toEqual([0, 'float64']);
    expect((await reportsOn(text)).layers).toEqual(layers);
  });
});

describe('what a layer prints', () => {
  it('goes to stderr after its name, escaped, at most 40 lines of it', async () => {
    const { exitCode, stderr } = await reportsOn(`console.log('loading');\n${squareLayer('noisy', { top: "console.log('a\\x1b[31m')" })}`);
    expect(exitCode).toBe(0);
    const [first, ...lines] = stderr.trimEnd().split('\n');
    expect([first, lines.length, lines[0], lines.at(-1)]).toEqual(['layer.ts: loading', 41, 'noisy: a\\x1b[31m', 'noisy: …']);
  });

  it('is an error that nothing catches, once', async () => {
    const { exitCode, stderr } = await reportsOn(squareLayer('square', { top: 'Promise.reject(new Error("lost"))' }));
    expect([exitCode, stderr]).toEqual([0, 'layer.ts: uncaught Error: lost (line 2)\n']);
  });

  it('says which export is almost a layer', async () => {
    const { exitCode, stderr } = await reportsOn(`${RIGHT}export const half = { inputs() {}, forward() {} };`);
    expect([exitCode, stderr]).toEqual([0, 'note: not a layer: half has inputs and forward, but no backward\n']);
  });
});

describe('a layer that throws', () => {
  it('is refused, with the line of its file', async () => {
    const { exitCode, layers } = await reportsOn(squareLayer('a', { top: 'throw new RangeError("lost \x1b[31m")' }));
    expect(exitCode).toBe(1);
    expect(layers[0].refused).toEqual({ id: 'threw', text: 'forward threw RangeError: lost \\x1b[31m (line 2) at n = 2' });
  });
});

describe('a layer that ends its process', () => {
  it.each([
    ['process.exit(0)', 'threw', 'it calls process.exit, which would end the program'],
    ['process.kill(process.pid, "SIGKILL")', 'threw', 'it ended the program (SIGKILL)'],
    ['process.reallyExit(0)', 'threw', 'it ended the program (exit code 0)'],
    [
      'require("node:fs").writeSync(4, "garbage, and more of it")',
      'threw',
      'its process sends what is no result: leave built-in objects and file descriptor 4 alone',
    ],
  ])('is refused, and the others are judged: %s', async (top, id, text) => {
    const layers = squareLayer('a') + squareLayer('b', { top }) + squareLayer('c', { top }) + squareLayer('d');
    const { exitCode, layers: reports } = await reportsOn(
      `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);\n${layers}`,
    );
    expect(exitCode).toBe(1);
    const refused = { ok: false, refused: { id, text }, inputs: [], properties: [] };
    expect(reports).toMatchObject([
      { name: 'a', ok: true },
      { name: 'b', ...refused },
      { name: 'c', ...refused },
      { name: 'd', ok: true },
    ]);
  });

  it('is refused for its time if it awaits what never comes', async () => {
    const never = squareLayer('never').replace('forward: ({ x }) =>', 'forward: async ({ x }) => await new Promise(() => {}) ??');
    const { layers } = await reportsOn(never + squareLayer('right'));
    expect(layers).toMatchObject([{ refused: { id: 'time', text: 'it awaits a promise that never settles' } }, { ok: true }]);
  });
});
