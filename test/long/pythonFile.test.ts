// The limits of a Python file, at their real size. A stand-in for Python is enough.
import { expect, it } from 'vitest';
import { runCli } from '../support/fakeIO.js';
import { fakePython } from '../support/fakePython.js';
import { put, tempDirectory } from '../support/tempDirectory.js';

it.concurrent.each([
  ['never ends', 'for (;;);', 'it did not finish within 60 s'],
  [
    'takes all memory',
    'const all = []; for (;;) all.push(Buffer.alloc(2 ** 26, 1)), Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);',
    'it uses more than 4 GB of memory',
  ],
])('a file that %s is ended', async (_, text, says) => {
  const cwd = tempDirectory();
  fakePython(cwd, 'python');
  put(cwd, 'lines.py', text);
  const { exitCode, stdout } = await runCli(cwd, ['exercise', 'check', 'lines.py', '--python', './python']);
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: `Exercise 1: every atomic step\nlines.py cannot run: ${says}\n` });
});
