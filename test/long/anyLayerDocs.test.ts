// docs/any-layer.md: its tutorial is followed, its layers are checked, its sentences are compared with those of the checker.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ERASE } from '../../src/cli/terminal/whileShowing.js';
import { PROPERTIES } from '../../src/gradCheck/anyLayer/report.js';
import { checkLayer, type MistakeId } from '../../src/gradcheck.js';
import { runCli } from '../support/fakeIO.js';
import { NAMED_MISTAKES } from '../support/namedMistakes.js';
import { put, tempDirectory } from '../support/tempDirectory.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PAGE = readFileSync(join(ROOT, 'docs/any-layer.md'), 'utf8');
/** The page's lines fit a terminal of this width. */
const COLUMNS = 90;

/** The text under a heading, up to the next one of its level. */
function section(heading: string): string {
  return (PAGE.split(`\n## ${heading}\n`)[1] as string).split('\n## ')[0];
}

/** The code blocks of a language; '' for output. */
function blocks(text: string, language: string): string[] {
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].flatMap(([, name, code]) => (name === language ? [code] : []));
}

const TUTORIAL = section('Tutorial: from an empty folder');
const [WRONG_OUTPUT, RIGHT_OUTPUT, MATCHER_OUTPUT] = blocks(TUTORIAL, '');
const SPECIFICATIONS = blocks(section('The specification'), 'ts');
const IMPORT = /`(import \{.*\} from 'backprop-ninja\/gradcheck';)`/.exec(PAGE)?.[1] ?? '';
const [LIBRARY] = blocks(section('The library'), 'ts');
const [LIBRARY_OUTPUT] = blocks(section('The library'), '');

/** An empty folder with the files of the tutorial; their first lines name them. */
function tutorialFolder(): string {
  const cwd = tempDirectory();
  mkdirSync(join(cwd, 'node_modules'));
  symlinkSync(ROOT, join(cwd, 'node_modules', 'backprop-ninja'));
  symlinkSync(join(ROOT, 'node_modules', 'vitest'), join(cwd, 'node_modules', 'vitest'));
  put(cwd, 'package.json', '{ "type": "module" }');
  for (const code of blocks(TUTORIAL, 'ts')) put(cwd, /^\/\/ ([\w.]+)/.exec(code)?.[1] ?? '', code);
  return cwd;
}

/** Makes the changes that the tutorial shows. */
function mend(cwd: string): void {
  let code = readFileSync(join(cwd, 'layerNorm.ts'), 'utf8');
  for (const diff of blocks(TUTORIAL, 'diff')) {
    const lines = (sign: string) => diff.split('\n').flatMap((line) => (line[0] === sign ? [` ${line.slice(1)}\n`.slice(1)] : []));
    expect(code).toContain(lines('-').join(''));
    code = code.replace(lines('-').join(''), lines('+').join(''));
  }
  put(cwd, 'layerNorm.ts', code);
}

/** What a terminal shows in the end, with 0.0 for seconds. */
async function checkedIn(cwd: string, ...argv: string[]): Promise<{ exitCode: number; shown: string }> {
  const { exitCode, stdout } = await runCli(cwd, ['grad-check', ...argv, '--no-color'], { tty: true, columns: COLUMNS });
  const shown = stdout.replace(/checking [^\n]*?…/g, '').replaceAll(ERASE, '');
  return { exitCode, shown: withoutTime(shown) };
}

function withoutTime(text: string): string {
  return text.replace(/\(\d+\.\d s\)/g, '(0.0 s)');
}

function runNode(cwd: string, ...argv: string[]): { status: number | null; output: string } {
  const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined, NODE_TEST_CONTEXT: undefined, VITEST: undefined };
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { cwd, encoding: 'utf8', env });
  return { status, output: `${stdout}${stderr}` };
}

const JITI = import.meta.resolve('jiti/register');

describe('the tutorial', () => {
  it('finds the mistake and shows what the page shows', async () => {
    expect(await checkedIn(tutorialFolder(), 'layerNorm.check.ts')).toEqual({ exitCode: 1, shown: withoutTime(WRONG_OUTPUT) });
  });

  it('passes the mended layer, and shows what the page shows', async () => {
    const cwd = tutorialFolder();
    mend(cwd);
    expect(await checkedIn(cwd, 'layerNorm.check.ts')).toEqual({ exitCode: 0, shown: withoutTime(RIGHT_OUTPUT) });
  });

  it('works in vitest', () => {
    const cwd = tutorialFolder();
    const vitest = ['node_modules/vitest/vitest.mjs', 'run', 'layerNorm.test.ts'];
    const wrong = runNode(cwd, ...vitest);
    expect(wrong.status).toBe(1);
    expect(wrong.output).toContain(MATCHER_OUTPUT);
    mend(cwd);
    expect(runNode(cwd, ...vitest)).toMatchObject({ status: 0 });
  });

  it('works in node:test', () => {
    const cwd = tutorialFolder();
    const test = ['--import', JITI, '--test', 'layerNorm.node.test.ts'];
    expect(runNode(cwd, ...test)).toMatchObject({ status: 1, output: expect.stringContaining('dx is wrong') });
    mend(cwd);
    expect(runNode(cwd, ...test)).toMatchObject({ status: 0 });
  });
});

describe('the reference', () => {
  it('has layers that are right', async () => {
    const cwd = tempDirectory();
    const files = SPECIFICATIONS.map((code, i) => {
      put(cwd, `layer${i}.ts`, `${IMPORT}\n${code}`);
      return `layer${i}.ts`;
    });
    expect(files.length).toBeGreaterThan(10);
    const { exitCode, stdout, stderr } = await runCli(cwd, ['grad-check', ...files, '--json']);
    const { layers } = JSON.parse(stdout) as { layers: { name: string; ok: boolean }[] };
    expect(layers.filter(({ ok }) => !ok)).toEqual([]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(layers.length).toBe(SPECIFICATIONS.join('').split('export const').length - 1);
  });

  it('has code that compiles', () => {
    const cwd = tutorialFolder();
    for (const [i, code] of SPECIFICATIONS.entries()) put(cwd, `layer${i}.ts`, `${IMPORT}\n${code}`);
    put(cwd, 'library.ts', LIBRARY);
    const compilerOptions = {
      ...{ target: 'es2023', module: 'esnext', moduleResolution: 'bundler', strict: true, noEmit: true, skipLibCheck: true },
      ...{ allowImportingTsExtensions: true, types: ['node'], typeRoots: [`${ROOT}node_modules/@types`] },
    };
    put(cwd, 'tsconfig.json', JSON.stringify({ compilerOptions, include: ['*.ts'] }));
    expect(runNode(cwd, `${ROOT}node_modules/typescript/bin/tsc`).output).toBe('');
  });

  it('has an example of the library that prints what it shows', () => {
    const cwd = tutorialFolder();
    put(cwd, 'library.ts', LIBRARY);
    expect(runNode(cwd, '--import', JITI, 'library.ts')).toEqual({ status: 0, output: LIBRARY_OUTPUT });
  });

  it('lists the properties', () => {
    const listed = [...section('Properties').matchAll(/^\| `([\w-]+)`/gm)].map(([, name]) => name);
    expect(listed).toEqual(PROPERTIES);
  });
});

/** Rows of the table of names: the id and an example of the sentence. */
const NAMES = [...section('Names of mistakes').matchAll(/^\| `([\w-]+)` \| (.+?) \|/gm)].map(([, id, text]) => [id, text] as const);

describe('the table of names', () => {
  it('lists them all', () => {
    expect(NAMES.map(([id]) => id).sort()).toEqual(Object.keys(NAMED_MISTAKES).sort());
  });

  it.each(NAMES)('%s: %s', async (id, text) => {
    const { inputs } = await checkLayer(NAMED_MISTAKES[id as MistakeId]);
    expect(inputs.map(({ mistake }) => mistake)).toContainEqual(expect.objectContaining({ id, text }));
  });
});
