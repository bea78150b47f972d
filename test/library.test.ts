// The examples of docs/library.md, run on the program as it is built.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { put, tempDirectory } from './support/tempDirectory.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const ENTRIES = {
  'backprop-ninja': 'dist/index.js',
  'backprop-ninja/node': 'dist/node.js',
  'backprop-ninja/gradcheck': 'dist/gradcheck.js',
  'backprop-ninja/dojo': 'dist/dojo.js',
};

/** Blocks of TypeScript, each with the block of output that follows it, if one does. */
const EXAMPLES = [...readFileSync(`${ROOT}docs/library.md`, 'utf8').matchAll(/^```ts\n([\s\S]*?)^```\n(?:\n```\n([\s\S]*?)^```\n)?/gm)].map(
  ([, code, output = '']) => ({ code, output, title: code.split('\n').find((line) => !line.startsWith('import') && line !== '') }),
);

describe('docs/library.md', () => {
  it('has examples for each entry', () => {
    for (const entry of Object.keys(ENTRIES))
      expect(
        EXAMPLES.some(({ code }) => code.includes(`from '${entry}'`)),
        entry,
      ).toBe(true);
  });

  it('has examples that compile', () => {
    const cwd = tempDirectory();
    EXAMPLES.forEach(({ code }, i) => {
      put(cwd, `example${i}.ts`, code);
    });
    const declaration = (file: string) => `${ROOT}${file.replace('.js', '.d.ts')}`;
    const paths = Object.fromEntries(Object.entries(ENTRIES).map(([entry, file]) => [entry, [declaration(file)]]));
    const compilerOptions = {
      ...{ target: 'es2023', module: 'esnext', moduleResolution: 'bundler', strict: true, noEmit: true },
      ...{ types: ['node'], typeRoots: [`${ROOT}node_modules/@types`], paths },
    };
    put(cwd, 'tsconfig.json', JSON.stringify({ compilerOptions, include: ['*.ts'] }));
    const { stdout } = spawnSync(process.execPath, [`${ROOT}node_modules/typescript/bin/tsc`], { cwd, encoding: 'utf8' });
    expect(stdout).toBe('');
  });

  it.each(EXAMPLES)('prints what it shows: $title', ({ code, output }) => {
    const cwd = tempDirectory();
    const file = put(cwd, 'example.ts', code);
    const alias = Object.fromEntries(Object.entries(ENTRIES).map(([entry, file]) => [entry, `${ROOT}${file}`]));
    const options = JSON.stringify({ alias, fsCache: false });
    const script = `import { createJiti } from ${JSON.stringify(import.meta.resolve('jiti'))};
      await createJiti(${JSON.stringify(import.meta.url)}, ${options}).import(${JSON.stringify(file)});`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { cwd, encoding: 'utf8' });
    expect({ stdout, stderr }).toEqual({ stdout: output, stderr: '' });
  });
});
