import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { SystemError } from '../../src/core/errors.js';
import { checkDiskSpace } from '../../src/node/diskSpace.js';
import { tempDirectory } from '../support/tempDirectory.js';
import { thrownBy } from '../support/thrown.js';

const system = vi.hoisted(() => ({ freeBytes: undefined as number | undefined }));

vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>();
  return {
    ...fs,
    statfsSync: (path: string) => {
      const found = fs.statfsSync(path);
      return system.freeBytes === undefined ? found : { ...found, bsize: 4096, bfree: 2 ** 40, bavail: system.freeBytes / 4096 };
    },
  };
});

beforeEach(() => {
  system.freeBytes = undefined;
});

describe('checkDiskSpace', () => {
  it('accepts a run that fits to the last byte', () => {
    system.freeBytes = 4096 * 10;
    expect(() => checkDiskSpace(tempDirectory(), 4096 * 10)).not.toThrow();
  });

  it('refuses a run that does not fit, with the space needed, the free space and a hint', () => {
    system.freeBytes = 4096 * 256;
    const directory = tempDirectory();
    expect(thrownBy(SystemError, () => checkDiskSpace(directory, 4096 * 256 + 1))).toBe(
      `not enough disk space in ${directory}: the run needs 1.0 MiB, 1.0 MiB are free; name a directory on another disk with --out`,
    );
    expect(thrownBy(SystemError, () => checkDiskSpace(directory, 12.34 * 2 ** 20))).toContain('needs 12.3 MiB, 1.0 MiB are free');
  });

  it('asks the disk that holds the directory', () => {
    expect(() => checkDiskSpace(tempDirectory(), 1)).not.toThrow();
    expect(thrownBy(SystemError, () => checkDiskSpace(tempDirectory(), 2 ** 70))).toMatch(/^not enough disk space in /);
  });

  it('throws a SystemError for a missing directory', () => {
    expect(thrownBy(SystemError, () => checkDiskSpace(join(tempDirectory(), 'gone'), 1))).toMatch(
      /^cannot look at \S+gone: no such file or directory$/,
    );
  });
});
