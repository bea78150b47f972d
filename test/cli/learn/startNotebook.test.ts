import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { notebookOf } from '../../../src/dojo/notebook.js';
import { BUNDLED_NAMES, NINJA_PY, NOTEBOOK_PY } from '../../../src/node/paths.js';
import { runCli } from '../../support/fakeIO.js';
import { expectRefusal } from '../../support/faults.js';
import { put, snapshot, tempDirectory } from '../../support/tempDirectory.js';

const read = (path: string) => readFileSync(path, 'utf8');

it('writes the notebook, the same as a script, ninja.py and the names, and says how to begin', async () => {
  const cwd = tempDirectory();
  const { exitCode, stdout, stderr } = await runCli(cwd, ['exercise', 'start', '--python']);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(snapshot(join(cwd, 'dojo'))).toEqual({
    'backprop_ninja.ipynb': notebookOf(read(NOTEBOOK_PY)),
    'backprop_ninja.py': read(NOTEBOOK_PY),
    'names.txt': read(BUNDLED_NAMES),
    'ninja.py': read(NINJA_PY),
  });
  expect(stdout).toContain('cd dojo && jupyter notebook backprop_ninja.ipynb');
  expect(stdout).toContain('cd dojo && python3 backprop_ninja.py');
});

it('writes into a named folder, also the current one', async () => {
  const cwd = tempDirectory();
  expect((await runCli(cwd, ['exercise', 'start', '--python', 'my dojo'])).stdout).toContain("cd 'my dojo' && python3 backprop_ninja.py");
  const { stdout } = await runCli(cwd, ['exercise', 'start', '.', '--python']);
  expect(stdout).toContain('\n  python3 backprop_ninja.py');
  expect(read(join(cwd, 'ninja.py'))).toBe(read(NINJA_PY));
});

it('overwrites no file, and says if ninja.py is of another version', async () => {
  const cwd = tempDirectory();
  put(cwd, 'dojo/backprop_ninja.ipynb', 'my work');
  put(cwd, 'dojo/ninja.py', 'an older version');
  const { exitCode, stderr } = await runCli(cwd, ['exercise', 'start', '--python']);
  expect(exitCode).toBe(0);
  expect(stderr).toBe(
    'note: kept ninja.py, backprop_ninja.ipynb, which existed already\n' +
      'note: dojo/ninja.py is not the one of this version; to get it, move yours away and run the same command again\n',
  );
  expect(snapshot(cwd)).toMatchObject({ 'dojo/backprop_ninja.ipynb': 'my work', 'dojo/ninja.py': 'an older version' });
  const again = await runCli(cwd, ['exercise', 'start', '--python', '--json']);
  expect(JSON.parse(again.stdout)).toEqual({
    folder: join(cwd, 'dojo'),
    written: [],
    kept: ['ninja.py', 'backprop_ninja.ipynb', 'backprop_ninja.py', 'names.txt'],
  });
});

it('is refused if the folder is a file, or a directory has the name of one of the files (4)', async () => {
  const cwd = tempDirectory();
  put(cwd, 'dojo', 'a file');
  expectRefusal(await runCli(cwd, ['exercise', 'start', '--python']), 4, 'cannot write in dojo: it is a file');
  mkdirSync(join(cwd, 'mine/ninja.py'), { recursive: true });
  expectRefusal(await runCli(cwd, ['exercise', 'start', '--python', 'mine']), 4, 'ninja.py');
});

it('leaves the exercises in TypeScript to the command without --python', async () => {
  const cwd = tempDirectory();
  await runCli(cwd, ['exercise', 'start']);
  expect(Object.keys(snapshot(join(cwd, 'dojo')))).not.toContain('ninja.py');
});
