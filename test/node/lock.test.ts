import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { SystemError } from '../../src/core/errors.js';
import { acquireLock, LostDirectoryError } from '../../src/node/lock.js';
import { ownIdentity } from '../../src/node/processIdentity.js';
import { HANGS } from '../support/child.js';
import { put, snapshot, tempDirectory } from '../support/tempDirectory.js';
import { rejectedBy, thrownBy } from '../support/thrown.js';

/** A file system in which one kind of call fails, or another process does something before a call. */
const system = vi.hoisted(() => ({ failing: '', code: 'ENOSPC', before: (_call: string, _file: string) => {} }));

vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>();
  const enter = (name: string) => {
    if (name === system.failing) throw Object.assign(new Error(`${system.code}: simulated, ${name}`), { code: system.code, syscall: name });
  };
  return {
    ...fs,
    linkSync: (from: string, to: string) => {
      enter('link');
      system.before('link', from);
      fs.linkSync(from, to);
    },
    writeSync: (file: number, bytes: Uint8Array, offset: number) => {
      enter('write');
      return fs.writeSync(file, bytes, offset);
    },
    renameSync: (from: string, to: string) => {
      enter('rename');
      system.before('rename', from);
      fs.renameSync(from, to);
    },
  };
});

/** A moment of silence instead of ten, so that the tests are quick. */
vi.mock('../../src/node/signsOfLife.js', async (importOriginal) => ({
  ...(await importOriginal<typeof import('../../src/node/signsOfLife.js')>()),
  SILENCE_MS: 600,
}));

beforeEach(() => {
  Object.assign(system, { failing: '', code: 'ENOSPC', before: () => {} });
});

const NOW = '2020-02-02T02:02:02.020Z';
const BEFORE = '2019-01-01T01:01:01.010Z';
const onLinux = existsSync('/proc/self/stat');

interface Owner {
  pid: number;
  host: string;
  startedAt: string;
  processStart: string | null;
  boot?: string | null;
  pidNamespace?: string | null;
  directory?: string | null;
  socket?: { name: string; identity: string } | null;
  id?: string | null;
}

/** A lock of version 0.1, which names process and host. */
function lockText(owner: Partial<Owner>): string {
  return `${JSON.stringify({ pid: process.pid, host: hostname(), startedAt: BEFORE, processStart: null, ...owner })}\n`;
}

function identityOf(path: string): string {
  const { dev, ino } = statSync(path);
  return `${dev}:${ino}`;
}

/** Writes a lock of this version into a directory. */
function lockIn(directory: string, owner: Partial<Owner>): string {
  const own = { ...ownIdentity(), processStart: null, socket: null, id: '0123456789abcdef', directory: identityOf(directory) };
  put(directory, 'lock', lockText({ ...own, ...owner }));
  return directory;
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
async function expectRefused(directory: string, message: string): Promise<void> {
  const before = snapshot(directory);
  expect(await rejectedBy(SystemError, acquireLock(directory, NOW))).toBe(message);
  expect(snapshot(directory)).toEqual(before);
}

/** Tries all cases at the same time, because each one waits. */
async function sideBySide<T>(cases: readonly [string, T][], attempt: (one: T) => Promise<void>): Promise<void> {
  const outcomes = await Promise.allSettled(cases.map(([, one]) => attempt(one)));
  const failed = outcomes.flatMap((outcome, i) => (outcome.status === 'rejected' ? [`${cases[i][0]}: ${outcome.reason}`] : []));
  expect(failed).toEqual([]);
}

const isSocket = (name: string) => name.endsWith('.sock');

async function expectTaken(directory: string, onWait?: (reason: string) => void): Promise<void> {
  const lock = await acquireLock(directory, NOW, onWait);
  expect(Object.keys(snapshot(directory)).filter((name) => !isSocket(name))).toEqual(['lock']);
  expect(ownerIn(directory)).toMatchObject({ pid: process.pid, startedAt: NOW });
  lock.check();
  lock.release();
  expect(snapshot(directory)).toEqual({});
}

describe('a lock', () => {
  it('names its process, host, time, and what tells the process from all others', async () => {
    const directory = tempDirectory();
    const lock = await acquireLock(directory, NOW);
    const owner = ownerIn(directory);
    const processStart = onLinux ? statOf(process.pid)[19] : null;
    expect(owner).toMatchObject({ pid: process.pid, host: hostname(), startedAt: NOW, processStart, directory: identityOf(directory) });
    if (onLinux)
      expect([owner.boot, owner.pidNamespace]).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/), expect.stringMatching(/^pid:/)]);
    expect(readdirSync(directory).filter(isSocket)).toEqual(owner.socket ? [owner.socket.name] : []);
    lock.release();
  });

  it('is removed on release and can be taken again', async () => {
    const directory = tempDirectory();
    for (let time = 0; time < 3; time++) await expectTaken(directory);
  });

  it('leaves the rest of the directory alone, except sockets of killed processes', async () => {
    const directory = tempDirectory();
    put(directory, 'checkpoint.safetensors', 'old');
    put(directory, '.lock', 'mine');
    const before = snapshot(directory);
    put(directory, '.00112233445566aa.sock', '');
    (await acquireLock(directory, NOW)).release();
    expect(snapshot(directory)).toEqual(before);
  });

  it('can be released after it was deleted', async () => {
    const directory = tempDirectory();
    const lock = await acquireLock(directory, NOW);
    rmSync(join(directory, 'lock'));
    lock.release();
    expect(snapshot(directory)).toEqual({});
  });

  it('of one directory does not affect another', async () => {
    const first = await acquireLock(tempDirectory(), NOW);
    await expectTaken(tempDirectory());
    first.release();
  });

  it('works in a path longer than the address of a socket', async () => {
    const directory = join(tempDirectory(), 'd'.repeat(200), 'é'.repeat(60));
    mkdirSync(directory, { recursive: true });
    const lock = await acquireLock(directory, NOW);
    if (onLinux) expect(ownerIn(directory).socket).not.toBeNull();
    expect(readdirSync(join(directory, '..', '..')).length).toBe(1);
    lock.release();
    expect(snapshot(directory)).toEqual({});
  });

  it('has a time stamp that changes, even while the process is busy', async () => {
    const directory = tempDirectory();
    const lock = await acquireLock(directory, NOW);
    const stamp = () => statSync(join(directory, 'lock')).mtimeMs;
    await vi.waitUntil(() => stamp() > 0, { timeout: HANGS });
    const before = stamp();
    const start = performance.now();
    while (stamp() === before && performance.now() - start < HANGS);
    expect(stamp()).not.toBe(before);
    lock.release();
  });
});

describe('a lock is refused', () => {
  it('to the process that holds it', async () => {
    const directory = tempDirectory();
    const lock = await acquireLock(directory, BEFORE);
    await expectRefused(directory, `${directory} is in use: process ${process.pid} has been training there since ${BEFORE}`);
    lock.release();
    await expectTaken(directory);
  });

  it('if another process holds it', async () => {
    const { pid } = livingProcess(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const directory = lockedBy({ pid: pid as number });
    await expectRefused(directory, `${directory} is in use: process ${pid} has been training there since ${BEFORE}`);
  });

  it.runIf(onLinux)('if another process with the recorded start time holds it', async () => {
    const { pid = 0 } = livingProcess(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const directory = lockedBy({ pid, processStart: statOf(pid)[19] });
    await expectRefused(directory, `${directory} is in use: process ${pid} has been training there since ${BEFORE}`);
  });

  it('if a process on another host holds it, running here or not', async () => {
    for (const pid of [process.pid, deadPid()]) {
      const directory = lockedBy({ pid, host: 'elsewhere.example' });
      await expectRefused(
        directory,
        `${directory} is locked by process ${pid} on another host, elsewhere.example, since ${BEFORE}; ` +
          `if nothing trains there, delete ${join(directory, 'lock')}`,
      );
    }
  });

  it('with host and time escaped in the message', async () => {
    const directory = lockedBy({ host: '\x1b[31m\u202e', startedAt: '\n' });
    await expectRefused(
      directory,
      `${directory} is locked by process ${process.pid} on another host, \\x1b[31m\\u202e, since \\x0a; ` +
        `if nothing trains there, delete ${join(directory, 'lock')}`,
    );
  });

  it.runIf(onLinux).each([
    ['a pipe', (path: string) => void spawnSync('mkfifo', [path])],
    ['a directory', (path: string) => void put(path, 'file', '')],
    ['a symbolic link', (path: string) => symlinkSync('mine', path)],
  ])('if it is %s, which nobody can own', async (kind, make) => {
    const directory = tempDirectory();
    put(directory, 'mine', 'mine');
    make(join(directory, 'lock'));
    await expectRefused(directory, `cannot lock ${directory}: ${join(directory, 'lock')} is ${kind}; delete it`);
  });
});

describe.runIf(onLinux)('the lock of a process of another container', async () => {
  /** A process that listens on a socket in the directory. */
  async function listening(directory: string): Promise<{ child: ChildProcess; owner: Partial<Owner> }> {
    const name = '.fedcba9876543210.sock';
    const code = `require('node:net').createServer().listen(${JSON.stringify(join(directory, name))}, () => console.log('yes'))`;
    const child = livingProcess(process.execPath, ['-e', code]);
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    const owner = { pid: 1, pidNamespace: 'pid:[1]', socket: { name, identity: identityOf(join(directory, name)) } };
    return { child, owner };
  }
  const inUse = (directory: string) => `${directory} is in use: process 1 of another container has been training there since ${BEFORE}`;

  it('is refused while the process lives, even if it is stopped, and taken over at once when it has ended', async () => {
    const directory = tempDirectory();
    const { child, owner } = await listening(directory);
    await expectRefused(lockIn(directory, owner), inUse(directory));
    child.kill('SIGSTOP');
    await expectRefused(directory, inUse(directory));
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await ended;
    await expectTaken(directory, () => expect.fail('it waited'));
  });

  const WITHOUT_ANSWER: [string, (owner: Partial<Owner>) => Partial<Owner>][] = [
    ['its socket was deleted', (owner) => ({ ...owner, socket: { name: '.0000000000000000.sock', identity: '1:1' } })],
    ['it has no socket', (owner) => ({ ...owner, socket: null })],
    ['the socket is a copy', ({ socket, ...owner }) => ({ ...owner, socket: { name: socket?.name ?? '', identity: '1:1' } })],
    ['it is on another host', (owner) => ({ ...owner, boot: 'another', host: 'elsewhere\x1b' })],
  ];
  it('is watched for a heartbeat if no socket answers for it', () =>
    sideBySide(WITHOUT_ANSWER, async (change) => {
      const directory = tempDirectory();
      const { child, owner } = await listening(directory);
      const ended = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGKILL');
      await ended;
      const path = join(lockIn(directory, change(owner)), 'lock');
      const beat = setInterval(() => utimesSync(path, new Date(), new Date()), 20);
      const message = await rejectedBy(SystemError, acquireLock(directory, NOW));
      clearInterval(beat);
      expect(message).toMatch(/ is in use: process 1 (of another container|on elsewhere\\x1b) has been training there since /);
      const reasons: string[] = [];
      await expectTaken(directory, (reason) => reasons.push(reason));
      expect(reasons).toEqual([expect.stringMatching(/ is locked by process 1 on .*; waiting 0.6 s for a sign that it is alive$/)]);
    }));
});

describe('a lock is taken over', () => {
  const NAMELESS: [string, string][] = [
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
  ];
  it('after a silent time, if the file names no process', () =>
    sideBySide(NAMELESS, async (text) => {
      const directory = lockedBy(text);
      const reasons: string[] = [];
      await expectTaken(directory, (reason) => reasons.push(reason));
      expect(reasons).toEqual([`the lock of ${directory} names no process; waiting 0.6 s for a sign that it is alive`]);
    }));

  it('after a silent time, if it is a copy from another directory', async () => {
    const { pid } = livingProcess(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    await expectTaken(lockIn(tempDirectory(), { pid: pid as number, directory: '1:1' }));
  });

  it('by one of many at the same time', async () => {
    const directory = lockedBy({ pid: deadPid() });
    const locks = await Promise.allSettled(Array.from({ length: 20 }, () => acquireLock(directory, NOW)));
    const taken = locks.flatMap((lock) => (lock.status === 'fulfilled' ? [lock.value] : []));
    expect(taken).toHaveLength(1);
    taken[0].check();
    taken[0].release();
    expect(snapshot(directory)).toEqual({});
  });
  it('if its process has ended', async () => {
    await expectTaken(lockedBy({ pid: deadPid() }));
  });

  it.each(['link', 'rename'])('although another process has removed the temporary file before its %s', async (call) => {
    const directory = lockedBy({ pid: deadPid() });
    let calls = 0;
    // A process that begins to train does so.
    system.before = (name, file) => {
      if (name === call && calls++ === 0) rmSync(file);
    };
    await expectTaken(directory);
    expect(calls).toBeGreaterThan(1);
  });

  it('if its process ID is impossible', async () => {
    await expectTaken(lockedBy({ pid: 2 ** 30 }));
  });

  it.runIf(onLinux)('if another process has the ID now, with another start time', async () => {
    await expectTaken(lockedBy({ processStart: String(Number(statOf(process.pid)[19]) + 1) }));
    await expectTaken(lockedBy({ processStart: '0' }));
  });

  it.runIf(onLinux)('if its process is a zombie', async () => {
    const parent = livingProcess('sh', ['-c', 'sleep 0.1 & echo $!; exec sleep 20']);
    const pid = await new Promise<number>((resolve) => parent.stdout?.once('data', (data: Buffer) => resolve(Number(data))));
    await vi.waitUntil(() => statOf(pid)[0] === 'Z', { timeout: HANGS, interval: 5 });
    const processStart = statOf(pid)[19];
    await expectTaken(lockedBy({ pid, processStart }));
    await expectTaken(lockedBy({ pid }));
    expect(statOf(pid)[0]).toBe('Z');
  });

  it('with the claim of a process that was killed while it took the lock over', async () => {
    const directory = lockedBy({ pid: deadPid() });
    const claim = createHash('sha256')
      .update(readFileSync(join(directory, 'lock')))
      .digest('hex')
      .slice(0, 16);
    put(directory, `.${claim}.tmp`, lockText({ pid: deadPid(), startedAt: NOW }));
    await expectTaken(directory);
  });

  it('but not if a running process takes it over in the meantime', async () => {
    const { pid } = livingProcess(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const directory = lockedBy({ pid: deadPid() });
    const claim = createHash('sha256')
      .update(readFileSync(join(directory, 'lock')))
      .digest('hex')
      .slice(0, 16);
    put(directory, `.${claim}.tmp`, lockText({ pid: pid as number, startedAt: NOW }));
    await expectRefused(directory, `${directory} is in use: process ${pid} has been training there since ${NOW}`);
  });
});

describe('a lock that is held', () => {
  it('is lost if another process takes it over, whose lock stays', async () => {
    const directory = tempDirectory();
    const lock = await acquireLock(directory, NOW);
    const other = lockText({ pid: 1, host: 'elsewhere\x1b' });
    put(directory, 'lock', other);
    expect(thrownBy(LostDirectoryError, () => lock.check())).toBe(`process 1 on elsewhere\\x1b has taken ${directory} over`);
    lock.release();
    expect(snapshot(directory)).toEqual({ lock: other });
  });

  it.each([
    ['deleted', (directory: string): void => rmSync(join(directory, 'lock'))],
    ['replaced', (directory: string): void => void put(directory, 'lock', 'x')],
  ] as const)('is lost if it is %s', async (how, change) => {
    const directory = tempDirectory();
    const lock = await acquireLock(directory, NOW);
    change(directory);
    expect(thrownBy(LostDirectoryError, () => lock.check())).toBe(`the lock of ${directory} was ${how} while it was in use`);
    lock.release();
  });

  it('is lost with a directory that is moved, and released there, though another one has its name', async () => {
    const directory = join(tempDirectory(), 'run');
    mkdirSync(directory);
    const lock = await acquireLock(directory, NOW);
    const moved = `${directory} moved`;
    renameSync(directory, moved);
    mkdirSync(directory);
    const second = await acquireLock(directory, NOW);
    const where = onLinux ? `moved to '${moved}'` : 'deleted or replaced';
    expect(thrownBy(LostDirectoryError, () => lock.check())).toBe(`${directory} was ${where} while it was in use`);
    lock.release();
    second.check();
    expect(lstatSync(join(directory, 'lock')).isFile()).toBe(true);
    if (onLinux) expect(snapshot(moved)).toEqual({});
    second.release();
    expect(snapshot(directory)).toEqual({});
  });

  it('is lost with a directory that is deleted', async () => {
    const directory = join(tempDirectory(), 'run');
    mkdirSync(directory);
    const lock = await acquireLock(directory, NOW);
    rmSync(directory, { recursive: true });
    expect(thrownBy(LostDirectoryError, () => lock.check())).toBe(`${directory} was deleted or replaced while it was in use`);
    lock.release();
  });
});

describe('an error of the system becomes a SystemError', () => {
  it.each(['write', 'link'])('in %s, and leaves no files', async (call) => {
    const directory = tempDirectory();
    system.failing = call;
    await expectRefused(directory, `cannot lock ${directory}: no space left on the device`);
  });

  it('in the rename of a lock to take over, which stays', async () => {
    const directory = lockedBy({ pid: deadPid() });
    system.failing = 'rename';
    await expectRefused(directory, `cannot lock ${directory}: no space left on the device`);
  });

  it('for a missing directory, and for a file', async () => {
    const missing = join(tempDirectory(), 'none');
    expect(await rejectedBy(SystemError, acquireLock(missing, NOW))).toBe(`cannot lock ${missing}: no such file or directory`);
    const file = put(tempDirectory(), 'file', '');
    expect(await rejectedBy(SystemError, acquireLock(file, NOW))).toBe(`cannot lock ${file}: a part of the path is not a directory`);
  });

  it('but a file system without hard links has locks, too', async () => {
    const directory = tempDirectory();
    Object.assign(system, { failing: 'link', code: 'EPERM' });
    await expectTaken(directory);
  });
});
