import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { SystemError } from '../../src/core/errors.js';
import { acquireLock } from '../../src/node/lock.js';
import { HANGS } from '../support/child.js';
import { put, snapshot, tempDirectory } from '../support/tempDirectory.js';
import { thrownBy } from '../support/thrown.js';

/** A file system that does something just before a rename, or in which one kind of call fails. */
const system = vi.hoisted(() => ({ beforeRename: undefined as (() => void) | undefined, failing: '' }));

vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>();
  const enter = (name: string) => {
    if (name === system.failing) throw Object.assign(new Error(`ENOSPC: no space, ${name}`), { code: 'ENOSPC', syscall: name });
  };
  return {
    ...fs,
    linkSync: (from: string, to: string) => {
      enter('link');
      fs.linkSync(from, to);
    },
    writeSync: (file: number, bytes: Uint8Array, offset: number) => {
      enter('write');
      return fs.writeSync(file, bytes, offset);
    },
    renameSync: (from: string, to: string) => {
      system.beforeRename?.();
      system.beforeRename = undefined;
      enter('rename');
      fs.renameSync(from, to);
    },
  };
});

beforeEach(() => {
  Object.assign(system, { beforeRename: undefined, failing: '' });
});

const NOW = '2020-02-02T02:02:02.020Z';
const BEFORE = '2019-01-01T01:01:01.010Z';
const onLinux = existsSync('/proc/self/stat');

interface Owner {
  pid: number;
  host: string;
  startedAt: string;
  processStart: string | null;
}

function lockText(owner: Partial<Owner>): string {
  return `${JSON.stringify({ pid: process.pid, host: hostname(), startedAt: BEFORE, processStart: null, ...owner })}\n`;
}

function ownerIn(directory: string): Owner {
  return JSON.parse(readFileSync(join(directory, 'lock'), 'utf8')) as Owner;
}

/** A directory locked by this owner, or with this text in its lock. */
function lockedBy(owner: Partial<Owner> | string): string {
  const directory = tempDirectory();
  put(directory, 'lock', typeof owner === 'string' ? owner : lockText(owner));
  return directory;
}

/** The ID of a process that has ended. */
function deadPid(): number {
  const { pid, status } = spawnSync(process.execPath, ['-e', ''], { timeout: HANGS });
  expect(status).toBe(0);
  return pid;
}

/** A process that runs until the end of the test. */
function livingProcess(command: string, args: string[]): ChildProcess {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'], timeout: HANGS });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** Fields 3 and later of a process in /proc on Linux. */
function statOf(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** Expects that the lock is refused with this message and hint, and that the directory stays unchanged. */
function expectRefused(directory: string, message: string): void {
  const before = snapshot(directory);
  expect(thrownBy(SystemError, () => acquireLock(directory, NOW))).toBe(message);
  expect(snapshot(directory)).toEqual(before);
}

function expectTaken(directory: string): void {
  const release = acquireLock(directory, NOW);
  expect(Object.keys(snapshot(directory))).toEqual(['lock']);
  expect(ownerIn(directory)).toMatchObject({ pid: process.pid, startedAt: NOW });
  release();
  expect(snapshot(directory)).toEqual({});
}

describe('a lock', () => {
  it('names its process, host, time, and the start of the process', () => {
    const directory = tempDirectory();
    const release = acquireLock(directory, NOW);
    const processStart = onLinux ? statOf(process.pid)[19] : null;
    expect(ownerIn(directory)).toEqual({ pid: process.pid, host: hostname(), startedAt: NOW, processStart });
    expect(Object.keys(snapshot(directory))).toEqual(['lock']);
    release();
  });

  it('is removed on release and can be taken again', () => {
    const directory = tempDirectory();
    for (let time = 0; time < 3; time++) expectTaken(directory);
  });

  it('leaves the rest of the directory alone', () => {
    const directory = tempDirectory();
    put(directory, 'checkpoint.safetensors', 'old');
    put(directory, '.lock', 'mine');
    const before = snapshot(directory);
    acquireLock(directory, NOW)();
    expect(snapshot(directory)).toEqual(before);
  });

  it('can be released after it was deleted', () => {
    const directory = tempDirectory();
    const release = acquireLock(directory, NOW);
    rmSync(join(directory, 'lock'));
    release();
    expect(snapshot(directory)).toEqual({});
  });

  it('of one directory does not affect another', () => {
    const first = acquireLock(tempDirectory(), NOW);
    expectTaken(tempDirectory());
    first();
  });
});

describe('a lock is refused', () => {
  it('to the process that holds it', () => {
    const directory = tempDirectory();
    const release = acquireLock(directory, BEFORE);
    expectRefused(directory, `${directory} is in use: process ${process.pid} has been training there since ${BEFORE}`);
    release();
    expectTaken(directory);
  });

  it('if another process holds it', () => {
    const { pid } = livingProcess(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const directory = lockedBy({ pid: pid as number });
    expectRefused(directory, `${directory} is in use: process ${pid} has been training there since ${BEFORE}`);
  });

  it.runIf(onLinux)('if another process with the recorded start time holds it', () => {
    const { pid = 0 } = livingProcess(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const directory = lockedBy({ pid, processStart: statOf(pid)[19] });
    expectRefused(directory, `${directory} is in use: process ${pid} has been training there since ${BEFORE}`);
  });

  it('if a process on another host holds it, running here or not', () => {
    for (const pid of [process.pid, deadPid()]) {
      const directory = lockedBy({ pid, host: 'elsewhere.example' });
      expectRefused(
        directory,
        `${directory} is locked by process ${pid} on another host, elsewhere.example, since ${BEFORE}; ` +
          `if nothing trains there, delete ${join(directory, 'lock')}`,
      );
    }
  });

  it('with host and time escaped in the message', () => {
    const directory = lockedBy({ host: '\x1b[31m\u202e', startedAt: '\n' });
    expectRefused(
      directory,
      `${directory} is locked by process ${process.pid} on another host, \\x1b[31m\\u202e, since \\x0a; ` +
        `if nothing trains there, delete ${join(directory, 'lock')}`,
    );
  });

  it.each([
    ['nothing', ''],
    ['a line break', '\n'],
    ['text that is not JSON', 'locked'],
    ['a number', '7'],
    ['null', 'null'],
    ['an empty object', '{}'],
    ['zeros', '\0'.repeat(100)],
    ['process 0, which would be its whole group', lockText({ pid: 0 })],
    ['process -1, which would be every process', lockText({ pid: -1 })],
    ['process 1.5', lockText({ pid: 1.5 })],
    ['a process in quotes', lockText({ pid: '1' as unknown as number })],
    ['no host', lockText({ host: undefined as unknown as string })],
    ['a process start that is a number', lockText({ processStart: 7 as unknown as string })],
  ])('if the file holds %s, with a hint', (_, text) => {
    const directory = lockedBy(text);
    expectRefused(
      directory,
      `${directory} is locked, but the lock names no process; if nothing trains there, delete ${join(directory, 'lock')}`,
    );
  });
});

describe('a lock is taken over', () => {
  it('if its process has ended', () => {
    expectTaken(lockedBy({ pid: deadPid() }));
  });

  it('if its process ID is impossible', () => {
    expectTaken(lockedBy({ pid: 2 ** 30 }));
  });

  it.runIf(onLinux)('if another process has the ID now, with another start time', () => {
    expectTaken(lockedBy({ processStart: String(Number(statOf(process.pid)[19]) + 1) }));
    expectTaken(lockedBy({ processStart: '0' }));
  });

  it.runIf(onLinux)('if its process is a zombie', async () => {
    const parent = livingProcess('sh', ['-c', 'sleep 0.1 & echo $!; exec sleep 20']);
    const pid = await new Promise<number>((resolve) => parent.stdout?.once('data', (data: Buffer) => resolve(Number(data))));
    await vi.waitUntil(() => statOf(pid)[0] === 'Z', { timeout: HANGS, interval: 5 });
    const processStart = statOf(pid)[19];
    expectTaken(lockedBy({ pid, processStart }));
    expectTaken(lockedBy({ pid }));
    expect(statOf(pid)[0]).toBe('Z');
  });

  it('together with its temporary files', () => {
    const pid = deadPid();
    const directory = lockedBy({ pid });
    put(directory, `.${process.pid}.tmp`, 'torn');
    put(directory, `.${process.pid}.stale.tmp`, 'torn');
    expectTaken(directory);
  });

  it('but not if a running process took it over in the meantime', () => {
    const { pid } = livingProcess(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const directory = lockedBy({ pid: deadPid() });
    const taken = lockText({ pid: pid as number, startedAt: NOW });
    system.beforeRename = () => put(directory, 'lock', taken);
    expect(() => acquireLock(directory, NOW)).toThrow(
      new SystemError(`${directory} is in use: process ${pid} has been training there since ${NOW}`),
    );
    expect(snapshot(directory)).toEqual({ lock: taken });
  });

  it('even if another process took it over in the meantime and ended', () => {
    const directory = lockedBy({ pid: deadPid() });
    const pid = deadPid();
    system.beforeRename = () => put(directory, 'lock', lockText({ pid, startedAt: NOW }));
    expectTaken(directory);
  });

  it('even if another process removed it in the meantime', () => {
    const directory = lockedBy({ pid: deadPid() });
    system.beforeRename = () => rmSync(join(directory, 'lock'));
    expectTaken(directory);
  });
});

describe('an error of the system becomes a SystemError', () => {
  it.each(['write', 'link'])('in %s, and leaves no files', (call) => {
    const directory = tempDirectory();
    system.failing = call;
    expectRefused(directory, `cannot lock ${directory}: no space left on the device`);
  });

  it('in the rename of a lock to take over, which stays', () => {
    const directory = lockedBy({ pid: deadPid() });
    system.failing = 'rename';
    expectRefused(directory, `cannot lock ${directory}: no space left on the device`);
  });

  it('for a missing directory, and for a file', () => {
    const missing = join(tempDirectory(), 'none');
    expect(() => acquireLock(missing, NOW)).toThrow(new SystemError(`cannot lock ${missing}: no such file or directory`));
    const file = put(tempDirectory(), 'file', '');
    expect(() => acquireLock(file, NOW)).toThrow(new SystemError(`cannot lock ${file}: a part of the path is not a directory`));
  });

  it('for a lock that is a directory', () => {
    const directory = tempDirectory();
    put(directory, join('lock', 'file'), '');
    expectRefused(directory, `cannot lock ${directory}: it is a directory`);
  });
});
