import { mkdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importsOf } from '../../../src/node/layers/importsOf.js';
import { put, tempDirectory } from '../../support/tempDirectory.js';

/** The files that layer.ts imports, in a folder with these files. */
function followed(files: Record<string, string>): string[] {
  const directory = tempDirectory();
  mkdirSync(join(directory, 'folder.ts'));
  for (const [name, text] of Object.entries(files)) put(directory, name, text);
  return importsOf(join(directory, 'layer.ts')).map((path) => relative(directory, path));
}

describe('the files that a file imports', () => {
  it.each<[string, string, string[]]>([
    ['by name', "import { a } from './a.ts';", ['a.ts']],
    ['for its effects', "import './a.ts';", ['a.ts']],
    ['as TypeScript names them', "import { a } from './a.js'; import b from './b';", ['a.ts', 'b.mjs']],
    ['over several lines', "import {\n  a,\n} from\n  './a.ts';", ['a.ts']],
    ['when they are exported again', "export * from './a.ts';", ['a.ts']],
    ['when they are needed', "const a = await import('./a.ts');", ['a.ts']],
    ['in CommonJS', 'const a = require("./a.ts");', ['a.ts']],
    ['as a folder', "import a from './c';", ['c/index.ts']],
    ['in another folder, which imports more', "import a from './c/deep.js';", ['c/deep.ts', 'a.ts']],
    ['if they import each other', "import a from './circle.ts';", ['circle.ts']],
  ])('are found: %s', (_, text, files) => {
    const found = followed({
      'layer.ts': text,
      'a.ts': 'export const a = 1',
      'b.mjs': 'export default 1',
      'c/index.ts': 'export default 1',
      'c/deep.ts': "export { a as default } from '../a.js'",
      'circle.ts': "import './layer.ts'",
    });
    expect(found).toEqual(['layer.ts', ...files]);
  });

  it('are none for packages, missing files and folders', () => {
    const text = "import 'node:fs'; import 'backprop-ninja/gradcheck'; import './missing.js'; import './folder.ts'";
    expect(followed({ 'layer.ts': text })).toEqual(['layer.ts']);
  });

  it('are none of a file that is missing', () => {
    expect(followed({})).toEqual(['layer.ts']);
  });

  it('are at most 100', () => {
    const files = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [i === 0 ? 'layer.ts' : `a${i}.ts`, `import './a${i + 1}.ts'`]));
    expect(followed(files)).toHaveLength(100);
  });
});
