import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SystemError, UsageError } from '../../../src/core/errors.js';
import { findPython } from '../../../src/node/python/python.js';
import { executable, fakePython } from '../../support/fakePython.js';
import { put, tempDirectory } from '../../support/tempDirectory.js';

let cwd: string;
beforeEach(() => {
  cwd = tempDirectory();
  // The programs of the test alone, and a shell for their first line.
  vi.stubEnv('PATH', join(cwd, 'bin'));
});
afterEach(() => {
  vi.unstubAllEnvs();
});

const tells = (version: string) => `#!/bin/sh\nprintf '${version}'\n`;
const find = (python?: string, env: Record<string, string> = {}) => findPython({ python, env, cwd });

describe('the Python for a file', () => {
  it('is the one of --python, before $PYTHON, python3 and python', async () => {
    for (const name of ['mine', 'theirs', 'bin/python3', 'bin/python']) fakePython(cwd, name);
    expect(await find('./mine', { PYTHON: './theirs' })).toBe(join(cwd, 'mine'));
    expect(await find(undefined, { PYTHON: './theirs' })).toBe(join(cwd, 'theirs'));
    expect(await find()).toBe('python3');
    expect(await find('python')).toBe('python');
  });

  it('is python, where python3 is missing, too old or something else', async () => {
    fakePython(cwd, 'bin/python');
    expect(await find()).toBe('python');
    executable(cwd, 'bin/python3', tells('python 3 7'));
    expect(await find()).toBe('python');
    executable(cwd, 'bin/python3', '#!/bin/sh\nexit 1\n');
    expect(await find()).toBe('python');
  });

  it('is missing: the message says where it was looked for', async () => {
    executable(cwd, 'bin/python', tells('python 2 7'));
    const message = 'no Python found: looked for --python, $PYTHON, python3 and python (python is Python 2.7, and 3.8 or later is needed)';
    await expect(find()).rejects.toMatchObject({ name: 'SystemError', message, hint: 'name a Python with --python or $PYTHON' });
  });

  it.each([
    ['no text', '', UsageError, /^--python is empty$/],
    ['nothing', './none', SystemError, /^there is no \S*none, which --python names$/],
    ['another program', './other', UsageError, /^--python: \S*other is not Python$/],
    ['one that prints without end', './endless', UsageError, /^--python: \S*endless is not Python$/],
    ['an old version', './old', UsageError, /^--python: \S*old is Python 3\.7, and 3\.8 or later is needed$/],
    ['a file that is no program', './text', SystemError, /^cannot run \S*text, which --python names: permission denied$/],
    ['a directory', './bin', SystemError, /^cannot run \S*bin, which --python names: permission denied$/],
  ] as const)('is refused if --python names %s', async (_, word, kind, says) => {
    executable(cwd, 'other', tells('hello'));
    executable(cwd, 'endless', '#!/bin/sh\nwhile :; do echo python; done\n');
    executable(cwd, 'old', tells('python 3 7'));
    chmodSync(put(cwd, 'text', 'text'), 0o644);
    fakePython(cwd);
    const error = await find(word).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(kind);
    expect((error as Error).message).toMatch(says);
  });

  it('is refused if $PYTHON names something else', async () => {
    executable(cwd, 'other', tells('hello'));
    await expect(find(undefined, { PYTHON: './other' })).rejects.toThrow(/^\$PYTHON: \S*other is not Python$/);
    await expect(find(undefined, { PYTHON: 'none' })).rejects.toThrow('there is no none, which $PYTHON names');
  });
});
