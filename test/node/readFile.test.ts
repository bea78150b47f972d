import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FileContentError, SystemError } from '../../src/core/errors.js';
import { readIfThere, readRegularFile } from '../../src/node/readFile.js';
import { readSafetensorsFile } from '../../src/node/safetensorsFile.js';
import { put, tempDirectory } from '../support/tempDirectory.js';
import { thrownBy } from '../support/thrown.js';

const LIMIT = 1000;
const onLinux = existsSync('/proc/self/stat');

/** Something at a path in a new directory. */
function at(make: (path: string) => void): string {
  const path = join(tempDirectory(), 'it');
  make(path);
  return path;
}

function pipe(path: string): void {
  expect(spawnSync('mkfifo', [path]).status).toBe(0);
}

describe.runIf(process.platform !== 'win32')('what is no regular file is refused without waiting', () => {
  it.each([
    ['a pipe that nobody writes to', () => at(pipe), 'a pipe'],
    ['an endless device', () => '/dev/zero', 'a device'],
    ['an empty device', () => '/dev/null', 'a device'],
    ['a directory', () => tempDirectory(), 'a directory'],
    ['a link to an endless device', () => at((path) => symlinkSync('/dev/zero', path)), 'a device'],
    [
      'a link to a pipe',
      () =>
        at((path) => {
          pipe(`${path}.pipe`);
          symlinkSync(`${path}.pipe`, path);
        }),
      'a pipe',
    ],
  ])('%s', (_, make, kind) => {
    const path = make();
    const message = `cannot read ${path}: it is ${kind}`;
    expect(thrownBy(SystemError, () => readRegularFile(path, LIMIT))).toBe(message);
    expect(thrownBy(SystemError, () => readIfThere(path, LIMIT))).toBe(message);
    expect(thrownBy(SystemError, () => readSafetensorsFile(path))).toBe(message);
  });

  it('a socket', async () => {
    const server = createServer();
    onTestFinished(() => void server.close());
    const path = await new Promise<string>((resolve) => {
      const there = join(tempDirectory(), 'it');
      server.listen(there, () => resolve(there));
    });
    expect(thrownBy(SystemError, () => readRegularFile(path, LIMIT))).toBe(`cannot read ${path}: it is a socket`);
  });

  it('a link in a loop, and one that leads nowhere', () => {
    const loop = at((path) => symlinkSync(path, path));
    expect(thrownBy(SystemError, () => readIfThere(loop, LIMIT))).toBe(`cannot read ${loop}: too many symbolic links, perhaps in a loop`);
    const dangling = at((path) => symlinkSync(`${path}.none`, path));
    expect(thrownBy(SystemError, () => readIfThere(dangling, LIMIT))).toBe(
      `cannot read ${dangling}: it is a symbolic link to a missing file`,
    );
  });
});

describe('a regular file', () => {
  it('is read whole, whatever its size up to the limit', () => {
    for (const size of [0, 1, 999, 1000]) {
      const path = put(tempDirectory(), 'it', 'x'.repeat(size));
      expect(readRegularFile(path, LIMIT).toString()).toBe('x'.repeat(size));
    }
  });

  it('above the limit is refused', () => {
    const path = put(tempDirectory(), 'it', 'x'.repeat(1025));
    expect(thrownBy(FileContentError, () => readRegularFile(path, 1024))).toBe(`${path} is larger than the limit of 1 KiB`);
    expect(thrownBy(FileContentError, () => readRegularFile(path, 1024, 'mine'))).toBe('mine is larger than the limit of 1 KiB');
  });

  it.runIf(onLinux)('of which the system does not know the size is read up to the limit', () => {
    expect(readRegularFile('/proc/self/comm', LIMIT).length).toBeGreaterThan(0);
    expect(thrownBy(FileContentError, () => readRegularFile('/proc/self/pagemap', 2 ** 20))).toContain('larger than the limit of 1 MiB');
  });

  it('that is missing is undefined where it may be missing', () => {
    const directory = tempDirectory();
    expect(readIfThere(join(directory, 'none'), LIMIT)).toBeUndefined();
    mkdirSync(join(directory, 'sub'));
    expect(readIfThere(join(directory, 'sub', 'none'), LIMIT)).toBeUndefined();
    expect(() => readRegularFile(join(directory, 'none'), LIMIT)).toThrow(/no such file or directory$/);
  });
});
