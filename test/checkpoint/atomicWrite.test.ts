import { mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { atomicWrite } from '../../src/checkpoint/atomicWrite.js';
import { put, snapshot, tempDirectory } from '../cli/tempDirectory.js';

/** A file system whose k-th call fails, or that writes only so many bytes at a time. */
const system = vi.hoisted(() => ({ armed: false, calls: [] as string[], failing: -1, writeAtMost: Infinity }));

vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>();
  const enter = (name: string) => {
    if (!system.armed) return;
    system.calls.push(name);
    if (system.calls.length - 1 !== system.failing) return;
    throw Object.assign(new Error(`ENOSPC: no space left on device, ${name}`), { code: 'ENOSPC', syscall: name });
  };
  return {
    ...fs,
    openSync: (path: string, flags: string) => {
      enter('open');
      return fs.openSync(path, flags);
    },
    writeSync: (file: number, bytes: Uint8Array, offset = 0) => {
      enter('write');
      return fs.writeSync(file, bytes, offset, Math.min(bytes.length - offset, system.writeAtMost));
    },
    fsyncSync: (file: number) => {
      enter('fsync');
      fs.fsyncSync(file);
    },
    // Whatever close reports, the descriptor is gone.
    closeSync: (file: number) => {
      fs.closeSync(file);
      enter('close');
    },
    renameSync: (from: string, to: string) => {
      enter('rename');
      fs.renameSync(from, to);
    },
  };
});

beforeEach(() => {
  Object.assign(system, { armed: false, calls: [], failing: -1, writeAtMost: Infinity });
});

const OLD = 'the old bytes';
const NEW = 'new bytes, of another length than the old';

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Writes with the k-th call to the file system failing. Returns the error, if any. */
function writeFailing(path: string, k: number): unknown {
  Object.assign(system, { armed: true, calls: [], failing: k });
  try {
    atomicWrite(path, bytesOf(NEW));
    return undefined;
  } catch (error) {
    return error;
  } finally {
    system.armed = false;
  }
}

describe('atomicWrite', () => {
  it('writes a new file and leaves nothing else behind', () => {
    const directory = tempDirectory();
    atomicWrite(join(directory, 'file'), bytesOf(NEW));
    expect(snapshot(directory)).toEqual({ file: NEW });
  });

  it('replaces a file as a whole', () => {
    const directory = tempDirectory();
    atomicWrite(put(directory, 'file', `${OLD}${'x'.repeat(1000)}`), bytesOf(NEW));
    expect(snapshot(directory)).toEqual({ file: NEW });
  });

  it('writes an empty file', () => {
    const directory = tempDirectory();
    atomicWrite(put(directory, 'file', OLD), new Uint8Array(0));
    expect(snapshot(directory)).toEqual({ file: '' });
  });

  it('writes all bytes when the system takes only a few at a time', () => {
    const path = put(tempDirectory(), 'file', OLD);
    system.writeAtMost = 3;
    atomicWrite(path, bytesOf(NEW));
    expect(readFileSync(path, 'utf8')).toBe(NEW);
  });

  it('syncs the bytes before the name points to them, and the directory after', () => {
    writeFailing(put(tempDirectory(), 'file', OLD), -1);
    expect(system.calls.join(' ')).toMatch(/^open write fsync close rename( open fsync close)?$/);
  });

  it('keeps the old file, throws and cleans up when the k-th call fails, for every k', () => {
    const directory = tempDirectory();
    const path = put(directory, 'file', OLD);
    writeFailing(path, -1);
    const calls = [...system.calls];
    for (let k = 0; k < calls.length; k++) {
      put(directory, 'file', OLD);
      const error = writeFailing(path, k);
      expect(error, `call ${k}, ${calls[k]}`).toMatchObject({ code: 'ENOSPC' });
      // Once it is renamed the new file is there, whole.
      expect(snapshot(directory), `call ${k}, ${calls[k]}`).toEqual({ file: k <= calls.indexOf('rename') ? OLD : NEW });
    }
  });

  it('removes its temporary file when the target is a directory', () => {
    const directory = tempDirectory();
    mkdirSync(join(directory, 'target', 'inside'), { recursive: true });
    expect(() => atomicWrite(join(directory, 'target'), bytesOf(NEW))).toThrow();
    expect(snapshot(directory)).toEqual({ target: '', [join('target', 'inside')]: '' });
  });

  it('throws what the system says of a directory that is missing', () => {
    const directory = tempDirectory();
    expect(() => atomicWrite(join(directory, 'none', 'file'), bytesOf(NEW))).toThrow(expect.objectContaining({ code: 'ENOENT' }));
    expect(readdirSync(directory)).toEqual([]);
  });

  it('throws what the system says of a directory that is a file', () => {
    const path = join(put(tempDirectory(), 'file', OLD), 'file');
    expect(() => atomicWrite(path, bytesOf(NEW))).toThrow(expect.objectContaining({ code: 'ENOTDIR' }));
  });

  it('works where the directory is reached by a link', () => {
    const directory = tempDirectory();
    mkdirSync(join(directory, 'real'));
    symlinkSync('real', join(directory, 'link'), 'junction');
    atomicWrite(join(directory, 'link', 'file'), bytesOf(NEW));
    expect(readFileSync(join(directory, 'real', 'file'), 'utf8')).toBe(NEW);
  });
});
