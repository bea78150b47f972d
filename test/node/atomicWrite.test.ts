import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  type RmOptions,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { SystemError } from '../../src/core/errors.js';
import { atomicWrite, removeLeftovers, writeAll, writeFileWhole } from '../../src/node/atomicWrite.js';
import { put, snapshot, tempDirectory } from '../support/tempDirectory.js';

/** A file system whose k-th call fails, which writes at most some bytes per call, loses some bytes, or cannot remove files. */
const system = vi.hoisted(() => ({ armed: false, calls: [] as string[], failing: -1, writeAtMost: Infinity, lost: 0, removable: true }));

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
    fstatSync: (file: number) => {
      enter('fstat');
      const { size } = fs.fstatSync(file);
      return { size: size - system.lost };
    },
    rmSync: (path: string, options: RmOptions) => {
      // Removing a test's directory still works.
      if (!system.removable && !options.recursive) throw Object.assign(new Error('EIO: i/o error, rm'), { code: 'EIO', syscall: 'rm' });
      fs.rmSync(path, options);
    },
    fsyncSync: (file: number) => {
      enter('fsync');
      fs.fsyncSync(file);
    },
    // The descriptor is closed even if close reports an error.
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
  Object.assign(system, { armed: false, calls: [], failing: -1, writeAtMost: Infinity, lost: 0, removable: true });
});

const OLD = 'the old bytes';
const NEW = 'new bytes, of another length than the old';

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Writes while the k-th call to the file system fails. Returns the error, if any. */
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

  it('writes all bytes if the system accepts only a few at a time', () => {
    const path = put(tempDirectory(), 'file', OLD);
    system.writeAtMost = 3;
    atomicWrite(path, bytesOf(NEW));
    expect(readFileSync(path, 'utf8')).toBe(NEW);
  });

  it('syncs the bytes before the name points to them, and the directory after', () => {
    writeFailing(put(tempDirectory(), 'file', OLD), -1);
    expect(system.calls.join(' ')).toMatch(/^open write fstat fsync close rename( open fsync close)?$/);
  });

  it('keeps the old file, throws and cleans up if the k-th call fails, for every k', () => {
    const directory = tempDirectory();
    const path = put(directory, 'file', OLD);
    writeFailing(path, -1);
    const calls = [...system.calls];
    for (let k = 0; k < calls.length; k++) {
      put(directory, 'file', OLD);
      const error = writeFailing(path, k);
      expect(error, `call ${k}, ${calls[k]}`).toMatchObject({ code: 'ENOSPC' });
      // After the rename, the new file is complete.
      expect(snapshot(directory), `call ${k}, ${calls[k]}`).toEqual({ file: k <= calls.indexOf('rename') ? OLD : NEW });
    }
  });

  it('removes its temporary file if the target is a directory', () => {
    const directory = tempDirectory();
    mkdirSync(join(directory, 'target', 'inside'), { recursive: true });
    expect(() => atomicWrite(join(directory, 'target'), bytesOf(NEW))).toThrow();
    expect(snapshot(directory)).toEqual({ target: '', [join('target', 'inside')]: '' });
  });

  it('keeps files that another process may be writing, if it is asked to', () => {
    const directory = tempDirectory();
    put(directory, '.1.tmp', OLD);
    put(directory, '.2.tmp', OLD);
    utimesSync(join(directory, '.1.tmp'), 1000, 1000);
    removeLeftovers(directory, 60_000);
    expect(snapshot(directory)).toEqual({ '.2.tmp': OLD });
  });

  it("throws the system's error for a missing directory", () => {
    const directory = tempDirectory();
    expect(() => atomicWrite(join(directory, 'none', 'file'), bytesOf(NEW))).toThrow(expect.objectContaining({ code: 'ENOENT' }));
    expect(readdirSync(directory)).toEqual([]);
  });

  it("throws the system's error for a directory that is a file", () => {
    const path = join(put(tempDirectory(), 'file', OLD), 'file');
    expect(() => atomicWrite(path, bytesOf(NEW))).toThrow(expect.objectContaining({ code: 'ENOTDIR' }));
  });

  it('writes in a directory behind a link', () => {
    const directory = tempDirectory();
    mkdirSync(join(directory, 'real'));
    symlinkSync('real', join(directory, 'link'), 'junction');
    atomicWrite(join(directory, 'link', 'file'), bytesOf(NEW));
    expect(readFileSync(join(directory, 'real', 'file'), 'utf8')).toBe(NEW);
  });

  it('keeps the old file if bytes were lost, and reports both sizes', () => {
    const directory = tempDirectory();
    const path = put(directory, 'file', OLD);
    system.lost = 5;
    expect(() => atomicWrite(path, bytesOf(NEW))).toThrow(SystemError);
    expect(() => atomicWrite(path, bytesOf(NEW))).toThrow(/: only 36 of 41 bytes were written$/);
    expect(snapshot(directory)).toEqual({ file: OLD });
  });

  it('throws the first error, not that the temporary file cannot be removed', () => {
    const directory = tempDirectory();
    const path = put(directory, 'file', OLD);
    system.removable = false;
    for (let k = 0; k <= 5; k++) expect(writeFailing(path, k), `call ${k}`).toMatchObject({ code: 'ENOSPC' });
    expect(readFileSync(path, 'utf8')).toBe(OLD);
  });

  it('writes through no link: neither one in its place, nor one with the name of a temporary file of earlier versions', () => {
    const directory = tempDirectory();
    const victim = put(tempDirectory(), 'victim', OLD);
    for (const name of ['file', `.${process.pid}.tmp`]) symlinkSync(victim, join(directory, name));
    atomicWrite(join(directory, 'file'), bytesOf(NEW));
    expect(readFileSync(victim, 'utf8')).toBe(OLD);
    expect(lstatSync(join(directory, 'file')).isFile()).toBe(true);
    expect(readFileSync(join(directory, 'file'), 'utf8')).toBe(NEW);
  });

  it('uses another temporary name each time', () => {
    const directory = tempDirectory();
    const names = Array.from({ length: 20 }, () => writeFileWhole(directory, bytesOf(NEW)));
    expect(new Set(names).size).toBe(20);
  });
});

describe('writeFileWhole', () => {
  it('writes a temporary file that removeLeftovers removes', () => {
    const directory = tempDirectory();
    const path = writeFileWhole(directory, bytesOf(NEW));
    expect(dirname(path)).toBe(directory);
    expect(snapshot(directory)).toEqual({ [basename(path)]: NEW });
    removeLeftovers(directory);
    expect(existsSync(path)).toBe(false);
  });
});

describe('writeAll', () => {
  it.each([1, 3, 1000])('appends all bytes, at most %i per call', (most) => {
    const path = put(tempDirectory(), 'file', OLD);
    const file = openSync(path, 'a');
    system.writeAtMost = most;
    writeAll(file, bytesOf(NEW), path);
    writeAll(file, bytesOf(''), path);
    closeSync(file);
    expect(readFileSync(path, 'utf8')).toBe(OLD + NEW);
  });
});

describe('a system that accepts no more bytes and reports no error', () => {
  it('does not cause an endless loop', () => {
    const directory = tempDirectory();
    const path = put(directory, 'file', OLD);
    system.writeAtMost = 0;
    expect(() => atomicWrite(path, bytesOf(NEW))).toThrow(/^cannot write \S+\.tmp: only 0 of 41 bytes were written$/);
    expect(snapshot(directory)).toEqual({ file: OLD });
  });
});

describe('removeLeftovers', () => {
  it('removes temporary files of any process and no others', () => {
    const directory = tempDirectory();
    const kept = [
      'checkpoint.safetensors',
      'lock',
      'metrics.jsonl',
      '.tmp',
      '1.tmp',
      '.1.tmp.bak',
      '.a1.tmp',
      '.1a.tmp',
      '.-1.tmp',
      '.1.stale',
      '.1.stale.stale.tmp',
      '.1.other.tmp',
      '.0123456789abcde.tmp',
      '.0123456789abcdef.sock',
      'x.1.tmp',
      '.1.TMP',
      '.1.tmp\n',
      join('more', '.1.tmp'),
    ];
    for (const name of [...kept, '.1.tmp', '.0.tmp', '.4194304.tmp', `.${process.pid}.tmp`, '.1.stale.tmp', '.0123456789abcdef.tmp'])
      put(directory, name, OLD);
    const before = snapshot(directory);
    removeLeftovers(directory);
    expect(snapshot(directory)).toEqual(Object.fromEntries([...kept, 'more'].map((name) => [name, before[name]])));
  });

  it('skips a directory with such a name', () => {
    const directory = tempDirectory();
    put(directory, join('.1.tmp', 'file'), OLD);
    put(directory, '.2.tmp', OLD);
    removeLeftovers(directory);
    expect(snapshot(directory)).toEqual({ '.1.tmp': '', [join('.1.tmp', 'file')]: OLD });
  });

  it('removes a link with such a name, not its target', () => {
    const directory = tempDirectory();
    put(directory, 'mine', OLD);
    symlinkSync('mine', join(directory, '.1.tmp'));
    removeLeftovers(directory);
    expect(snapshot(directory)).toEqual({ mine: OLD });
  });

  it('ignores a file that cannot be removed', () => {
    const directory = tempDirectory();
    put(directory, '.1.tmp', OLD);
    system.removable = false;
    removeLeftovers(directory);
    expect(snapshot(directory)).toEqual({ '.1.tmp': OLD });
  });

  it('keeps files that another process may be writing, if it is asked to', () => {
    const directory = tempDirectory();
    put(directory, '.1.tmp', OLD);
    put(directory, '.2.tmp', OLD);
    utimesSync(join(directory, '.1.tmp'), 1000, 1000);
    removeLeftovers(directory, 60_000);
    expect(snapshot(directory)).toEqual({ '.2.tmp': OLD });
  });

  it("throws the system's error for a missing directory", () => {
    expect(() => removeLeftovers(join(tempDirectory(), 'none'))).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });
});
