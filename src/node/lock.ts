/** A run directory's lock: only one process at a time trains in it, whatever container or host it runs in. */
import { createHash } from 'node:crypto';
import { constants, copyFileSync, existsSync, linkSync, lstatSync, readdirSync, readlinkSync, renameSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';
import { SystemError } from '../core/errors.js';
import { showPath, showText } from '../core/text.js';
import { LEFTOVER, randomId, removeQuietly, writeFileWhole } from './atomicWrite.js';
import { isSameRunning, ownIdentity, sharesProcessIds } from './processIdentity.js';
import { readIfThere, SETTINGS_LIMIT, specialKind } from './readFile.js';
import { askSocket, fileIdentity, LifeSocket, OpenDirectory, SILENCE_MS, startHeartbeat } from './signsOfLife.js';
import { createsNew, isSystemError, withSystemErrors } from './systemErrors.js';

/** Name of the lock file in a run's directory: JSON that names the process. */
const LOCK_FILE = 'lock';

const SOCKET_NAME = /^\.[0-9a-f]{16}\.sock$/;

/** Whether a file in a directory only belongs to its lock: the lock, a socket, or a temporary file. */
export function isLockFile(name: string): boolean {
  return name === LOCK_FILE || SOCKET_NAME.test(name) || LEFTOVER.test(name);
}

const text = v.nullable(v.string());
const OwnerSchema = v.object({
  pid: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  host: v.string(),
  startedAt: v.string(),
  processStart: text,
  // Locks of version 0.1 have none of these.
  boot: v.optional(text, null),
  pidNamespace: v.optional(text, null),
  /** Identity of the directory: a copy of a lock in another directory is nobody's. */
  directory: v.optional(text, null),
  /** Name and identity of the socket on which the owner listens. */
  socket: v.optional(v.nullable(v.object({ name: v.pipe(v.string(), v.regex(SOCKET_NAME)), identity: v.string() })), null),
  /** Makes every lock different. */
  id: v.optional(text, null),
});
type Owner = v.InferOutput<typeof OwnerSchema>;

/** Another process, which is alive, holds the lock. */
export class DirectoryInUseError extends SystemError {
  override name = 'DirectoryInUseError';
  /** The process, and since when, in words. */
  readonly by: string;

  constructor(message: string, by: string) {
    super(message);
    this.by = by;
  }
}

/** The directory was moved, deleted or replaced, or its lock was, while this process trained there. */
export class LostDirectoryError extends SystemError {
  override name = 'LostDirectoryError';
  /** Where the directory is now, still with this process's lock; undefined if it is out of reach. */
  readonly movedTo: string | undefined;

  constructor(message: string, movedTo?: string) {
    super(message);
    this.movedTo = movedTo;
  }
}

/**
 * Locks a run's directory. The lock of a process that has ended is taken over: at once if it ran on this system, and otherwise after its
 * heartbeat was silent for ten seconds.
 * @param startedAt time, shown to other processes that want the lock
 * @param onWait called with the reason before such a wait
 * @throws DirectoryInUseError if another process, which the message names, holds the lock
 * @throws SystemError if nobody can know whether one does, or if the directory cannot be written
 */
export async function acquireLock(
  directory: string,
  startedAt: string,
  onWait: (reason: string) => void = () => {},
): Promise<DirectoryLock> {
  const open = withSystemErrors('lock', directory, () => new OpenDirectory(directory));
  const socket = LifeSocket.open(open, `.${randomId()}.sock`);
  const own: Owner = {
    ...ownIdentity(),
    startedAt,
    directory: open.identity,
    socket: socket ? { name: socket.name, identity: socket.identity } : null,
    id: randomId(),
  };
  const content = `${JSON.stringify(own)}\n`;
  try {
    await new Claim(open, own, onWait).obtain(LOCK_FILE, content);
    return withSystemErrors('lock', directory, () => new HeldLock(open, content, socket));
  } catch (error) {
    removeIfOwn(open.place(LOCK_FILE), content);
    socket?.close();
    open.close();
    throw error;
  }
}

function removeIfOwn(path: string, content: string): void {
  try {
    if (readLock(path) === content) removeQuietly(path);
  } catch {}
}

/** A lock that this process holds. */
export interface DirectoryLock {
  /**
   * Checks, before files are written, that the directory is still the one that was locked, and the lock still this process's.
   * @throws LostDirectoryError if not
   * @throws SystemError if the system does not say
   */
  check(): void;
  /** Releases the lock. Removes only what is still this process's, wherever the directory is now. */
  release(): void;
}

class HeldLock implements DirectoryLock {
  readonly #directory: OpenDirectory;
  readonly #content: string;
  readonly #socket: LifeSocket | undefined;
  readonly #stopHeartbeat: () => void;

  /** @throws the system's error if the directory cannot be read */
  constructor(directory: OpenDirectory, content: string, socket: LifeSocket | undefined) {
    this.#directory = directory;
    this.#content = content;
    this.#socket = socket;
    // Sockets of processes that were killed.
    for (const name of readdirSync(directory.path)) {
      if (SOCKET_NAME.test(name) && name !== socket?.name) removeQuietly(directory.place(name));
    }
    this.#stopHeartbeat = startHeartbeat(directory.place(LOCK_FILE), content);
  }

  check(): void {
    const { path } = this.#directory;
    withSystemErrors('read', path, () => {
      const shown = showPath(path);
      if (!this.#directory.isInPlace) {
        const movedTo = this.#findMoved();
        throw movedTo === undefined
          ? new LostDirectoryError(`${shown} was deleted or replaced while it was in use`)
          : new LostDirectoryError(`${shown} was moved to ${showPath(movedTo)} while it was in use`, movedTo);
      }
      const found = readLock(join(path, LOCK_FILE));
      if (found === this.#content) return;
      const owner = parseOwner(found ?? '');
      throw new LostDirectoryError(
        owner
          ? `process ${owner.pid} on ${showText(owner.host)} has taken ${shown} over`
          : `the lock of ${shown} was ${found === undefined ? 'deleted' : 'replaced'} while it was in use`,
      );
    });
  }

  release(): void {
    this.#stopHeartbeat();
    removeIfOwn(this.#directory.place(LOCK_FILE), this.#content);
    this.#socket?.close();
    this.#directory.close();
  }

  #findMoved(): string | undefined {
    try {
      // Without /proc, the place is a path that no longer leads to the directory.
      const path = readlinkSync(this.#directory.place('.'));
      const isSame = fileIdentity(statSync(path)) === this.#directory.identity;
      return isSame && readLock(join(path, LOCK_FILE)) === this.#content ? path : undefined;
    } catch {
      return undefined;
    }
  }
}

/** The content of a lock; empty if it is no regular file, undefined if there is none. @throws SystemError if it cannot be read */
function readLock(path: string): string | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found && specialKind(found) !== undefined) return '';
  return readIfThere(path, SETTINGS_LIMIT)?.toString('utf8');
}

/** Puts a lock into a directory. */
class Claim {
  readonly #directory: OpenDirectory;
  readonly #own: Owner;
  readonly #onWait: (reason: string) => void;

  constructor(directory: OpenDirectory, own: Owner, onWait: (reason: string) => void) {
    this.#directory = directory;
    this.#own = own;
    this.#onWait = onWait;
  }

  /**
   * Creates the file, or replaces it if its owner has ended. Only the one process that holds a claim, a second lock with a name made from
   * the content of the first, may replace it. So nobody can replace the lock of a process that was faster.
   */
  async obtain(name: string, content: string): Promise<void> {
    const path = this.#directory.place(name);
    while (!this.#run(() => this.#create(path, content))) {
      const found = this.#run(() => this.#read(path));
      if (found === undefined || !(await this.#isAbandoned(path, found))) continue;
      const claim = `.${createHash('sha256').update(found).digest('hex').slice(0, 16)}.tmp`;
      await this.obtain(claim, content);
      try {
        if (this.#run(() => this.#replace(path, found, content))) return;
      } finally {
        removeQuietly(this.#directory.place(claim));
      }
    }
  }

  #run<T>(call: () => T): T {
    return withSystemErrors('lock', this.#directory.path, call);
  }

  /** Other processes see no file, or a complete one. Returns false if there is one, or if it must be tried again. */
  #create(path: string, content: string): boolean {
    return this.#write(content, (temporary) => createsNew(() => linkOrCopy(temporary, path)));
  }

  /** Returns false if the file is no longer the abandoned one, or if it must be tried again. */
  #replace(path: string, found: string, content: string): boolean {
    if (this.#read(path) !== found) return false;
    return this.#write(content, (temporary) => {
      renameSync(temporary, path);
      return true;
    });
  }

  /** Puts a temporary file in its place. Returns false if it was removed before: a process that begins to train does so, see removeLeftovers. */
  #write(content: string, place: (temporary: string) => boolean): boolean {
    const temporary = writeFileWhole(this.#directory.path, Buffer.from(content));
    try {
      return place(temporary);
    } catch (error) {
      if (isSystemError(error, 'ENOENT') && !existsSync(temporary)) return false;
      throw error;
    } finally {
      removeQuietly(temporary);
    }
  }

  /** @throws SystemError if it is no file, so that nobody can own or replace it */
  #read(path: string): string | undefined {
    const found = lstatSync(path, { throwIfNoEntry: false });
    const kind = found && specialKind(found);
    if (kind === undefined) return readIfThere(path, SETTINGS_LIMIT)?.toString('utf8');
    const shown = showPath(join(this.#directory.path, basename(path)));
    throw new SystemError(`cannot lock ${showPath(this.#directory.path)}: ${shown} is ${kind}`, { hint: 'delete it' });
  }

  /** Whether the lock's owner has ended; false if the lock has changed meanwhile. @throws SystemError if it is alive, or if nobody can know */
  async #isAbandoned(path: string, found: string): Promise<boolean> {
    const owner = parseOwner(found);
    const shown = showPath(this.#directory.path);
    const state = owner ? await this.#stateOf(owner) : 'unknown';
    if (state === 'ended') return true;
    if (owner && state === 'alive') throw this.#inUse(owner);
    if (owner && owner.id === null) {
      throw new SystemError(
        `${shown} is locked by process ${owner.pid} on another host, ${showText(owner.host)}, since ${showText(owner.startedAt)}`,
        { hint: `if nothing trains there, delete ${showPath(join(this.#directory.path, LOCK_FILE))}` },
      );
    }
    const whose = owner ? `${shown} is locked by process ${owner.pid} on ${showText(owner.host)}` : `the lock of ${shown} names no process`;
    this.#onWait(`${whose}; waiting ${SILENCE_MS / 1000} s for a sign that it is alive`);
    const seen = await this.#watch(path, found);
    if (seen !== 'beating') return seen === 'silent';
    if (owner) throw this.#inUse(owner);
    const by = 'a process that its lock does not name';
    throw new DirectoryInUseError(`${shown} is in use by ${by}`, by);
  }

  #inUse(owner: Owner): DirectoryInUseError {
    const { pid, host, startedAt } = owner;
    const elsewhere = host !== this.#own.host ? ` on ${showText(host)}` : ' of another container';
    const where = owner.id === null || sharesProcessIds(owner, this.#own) ? '' : elsewhere;
    const shown = showPath(this.#directory.path);
    return new DirectoryInUseError(
      `${shown} is in use: process ${pid}${where} has been training there since ${showText(startedAt)}`,
      `process ${pid}${where} since ${showText(startedAt)}`,
    );
  }

  async #stateOf(owner: Owner): Promise<'alive' | 'ended' | 'unknown'> {
    const { identity } = this.#directory;
    const here = owner.directory === identity;
    // A lock of version 0.1 names only process and host.
    if (owner.id === null) return owner.host !== this.#own.host ? 'unknown' : isSameRunning(owner) ? 'alive' : 'ended';
    if (here && sharesProcessIds(owner, this.#own)) return isSameRunning(owner) ? 'alive' : 'ended';
    if (!owner.socket) return 'unknown';
    const path = this.#directory.place(owner.socket.name);
    const state = await askSocket(path);
    if (state !== 'ended') return state;
    // The same file on the same system: otherwise its kernel, elsewhere, would answer.
    const found = lstatSync(path, { throwIfNoEntry: false });
    const isSame = owner.boot !== null && owner.boot === this.#own.boot && found && fileIdentity(found) === owner.socket.identity;
    return here && isSame ? 'ended' : 'unknown';
  }

  /** Watches the lock for the time of ten heartbeats. Each look opens it again, because a network file system then asks its server. */
  async #watch(path: string, found: string): Promise<'silent' | 'beating' | 'changed'> {
    const isChanged = () => this.#run(() => this.#read(path)) !== found;
    const stamp = () => lstatSync(path, { throwIfNoEntry: false })?.mtimeMs;
    const first = stamp();
    const start = performance.now();
    while (performance.now() - start < SILENCE_MS) {
      await sleep(LOOK_MS);
      if (isChanged()) return 'changed';
      if (stamp() !== first) return 'beating';
    }
    return 'silent';
  }
}

/** Time between two looks at the lock. */
const LOOK_MS = 250;

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if (!NO_LINKS.some((code) => isSystemError(error, code))) throw error;
    copyFileSync(from, to, constants.COPYFILE_EXCL);
  }
}

/** What file systems without hard links answer. */
const NO_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];

function parseOwner(content: string): Owner | undefined {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), OwnerSchema), content);
  return parsed.success ? parsed.output : undefined;
}
