/**
 * Signs by which the owner of a lock is known to be alive where its process ID means nothing: in another container, or on another host.
 *
 * A socket in the directory decides at once on the same system: the kernel accepts connections for it even while its owner is stopped or
 * busy, and refuses them from the moment the owner has ended. Elsewhere, a heartbeat: a thread sets the time stamp of the lock every
 * second, whatever the main thread does. Others watch whether it changes, so the clocks of two hosts are never compared.
 */
import { closeSync, constants, existsSync, fstatSync, openSync, readFileSync, type Stats, statSync } from 'node:fs';
import { createServer, connect as openConnection, type Server } from 'node:net';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { removeQuietly } from './atomicWrite.js';
import { isSystemError } from './systemErrors.js';

/** A file's identity on this system: 'device:inode'. */
export function fileIdentity({ dev, ino }: Stats): string {
  return `${dev}:${ino}`;
}

/** Addresses of sockets have room for this many bytes; longer ones are cut. */
const MAX_SOCKET_PATH = 103;

/** A directory that stays open, so that it is found again after it was moved. */
export class OpenDirectory {
  readonly path: string;
  /** null where directories cannot be opened (Windows). */
  readonly #descriptor: number | null;
  /** null where the system has no such numbers. */
  readonly identity: string | null;

  /** @throws the system's error if the directory cannot be opened */
  constructor(path: string) {
    this.path = path;
    this.#descriptor = process.platform === 'win32' ? null : openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
    this.identity = this.#descriptor === null ? null : fileIdentity(fstatSync(this.#descriptor));
  }

  /** A path to a file in it that stays right when the directory is moved, where the system has such paths. */
  place(name: string): string {
    const stable = `/proc/self/fd/${this.#descriptor}`;
    return join(this.#descriptor !== null && existsSync(stable) ? stable : this.path, name);
  }

  /** Whether the path still leads to this directory. @throws the system's error if it does not say */
  get isInPlace(): boolean {
    try {
      const found = statSync(this.path);
      return this.identity === null || fileIdentity(found) === this.identity;
    } catch (error) {
      if (GONE.some((code) => isSystemError(error, code))) return false;
      throw error;
    }
  }

  close(): void {
    try {
      if (this.#descriptor !== null) closeSync(this.#descriptor);
    } catch {}
  }
}

/** What the system answers where nothing, a file, or a directory that another host deleted is left. */
const GONE = ['ENOENT', 'ENOTDIR', 'ESTALE'];

/** A socket on which a living process listens; undefined if the file system has none. */
export class LifeSocket {
  readonly name: string;
  readonly identity: string;
  readonly #server: Server;
  readonly #path: string;

  private constructor(name: string, identity: string, server: Server, path: string) {
    this.name = name;
    this.identity = identity;
    this.#server = server;
    this.#path = path;
  }

  static open(directory: OpenDirectory, name: string): LifeSocket | undefined {
    const path = directory.place(name);
    if (process.platform === 'win32' || Buffer.byteLength(path) > MAX_SOCKET_PATH) return undefined;
    const server = createServer((socket) => socket.destroy());
    server.on('error', () => {});
    server.listen({ path, exclusive: true });
    // The address is bound when listen returns, or not at all.
    if (!server.listening) return undefined;
    server.unref();
    try {
      return new LifeSocket(name, fileIdentity(statSync(path)), server, path);
    } catch {
      server.close();
      return undefined;
    }
  }

  close(): void {
    this.#server.close();
    removeQuietly(this.#path);
  }
}

/** Who answers on a socket: a living process, none any more, or nobody knows. */
export function askSocket(path: string): Promise<'alive' | 'ended' | 'unknown'> {
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH) return Promise.resolve('unknown');
  return new Promise((resolve) => {
    const socket = openConnection(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve('alive');
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => {
      // EAGAIN: more processes have asked than the queue of the socket holds.
      resolve(code === 'ECONNREFUSED' ? 'ended' : code === 'EAGAIN' ? 'alive' : 'unknown');
    });
  });
}

const BEAT_MS = 1000;
/** A lock whose time stamp does not change for so long has no living owner. */
export const SILENCE_MS = 10 * BEAT_MS;

/** The thread opens the file itself, so that it is closed when the thread ends. It may have been replaced since it was written. */
const HEARTBEAT = `
  const { futimesSync, openSync, readFileSync } = require('node:fs');
  const { path, content } = require('node:worker_threads').workerData;
  const file = openSync(path, 'r+');
  if (readFileSync(file, 'utf8') === content) {
    setInterval(() => {
      try {
        futimesSync(file, new Date(), new Date());
      } catch {}
    }, ${BEAT_MS});
  }
`;

/** Sets the time stamp of a file every second while it is the file with this content. Returns a function that ends it. */
export function startHeartbeat(path: string, content: string): () => void {
  if (hasLimitedAddresses()) return () => {};
  try {
    const thread = new Worker(HEARTBEAT, { eval: true, workerData: { path, content }, execArgv: [] });
    thread.on('error', () => {});
    thread.unref();
    return () => void thread.terminate();
  } catch {
    return () => {};
  }
}

/**
 * Whether 'ulimit -v' limits this process. A thread reserves gigabytes of addresses, and V8 ends the process if it does not get them. Without
 * the heartbeat, another host may take the directory over; the next save notices it.
 */
function hasLimitedAddresses(): boolean {
  try {
    return !/^Max address space +unlimited/m.test(readFileSync('/proc/self/limits', 'latin1'));
  } catch {
    return false;
  }
}
