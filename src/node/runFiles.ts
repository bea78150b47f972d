/** The files of a run that are replaced as a whole, as this process last wrote them. */
import { closeSync, constants, copyFileSync, existsSync, fstatSync, lstatSync, openSync, renameSync, rmSync, type Stats } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { SystemError } from '../core/errors.js';
import { showPath } from '../core/text.js';
import { atomicWrite, copyDescriptor } from './atomicWrite.js';
import type { DirectoryLock } from './lock.js';
import { withSystemErrors } from './systemErrors.js';

/** A file as it was written: open, so that its content stays in reach and its number is not used again. */
interface Written {
  /** null on Windows, where an open file cannot be replaced. */
  file: number | null;
  stamp: string;
}

/**
 * Writes the files of a run, and notices what others did to them since: a file that another program put in the place of one of them is kept
 * under another name, and said.
 */
export class RunFiles {
  readonly directory: string;
  /** What was noticed, in sentences to be shown. */
  readonly notices: string[] = [];
  readonly #lock: DirectoryLock | undefined;
  readonly #written = new Map<string, Written>();

  /** @param lock checked before each write */
  constructor(directory: string, lock?: DirectoryLock) {
    this.directory = directory;
    this.#lock = lock;
  }

  /** @throws LostDirectoryError if the directory is no longer this run's */
  check(): void {
    this.#lock?.check();
  }

  /** Takes a file of an earlier session for one that was written here. A link is none: it is replaced, never written through. */
  adopt(name: string): void {
    const path = join(this.directory, name);
    withSystemErrors('read', path, () => {
      if (lstatSync(path, { throwIfNoEntry: false })?.isFile()) this.#remember(name, path);
    });
  }

  /**
   * Replaces a file as a whole.
   * @throws LostDirectoryError if the directory is no longer this run's; nothing is written then
   * @throws SystemError if the file cannot be written; the old one stays
   */
  replace(name: string, bytes: Uint8Array): void {
    this.check();
    const path = join(this.directory, name);
    try {
      withSystemErrors('write', path, () => {
        this.#keepForeign(name, path);
        atomicWrite(path, bytes);
        this.#remember(name, path);
      });
    } catch (error) {
      // The directory may have been lost in this moment, which explains more.
      if (error instanceof SystemError) this.check();
      throw error;
    }
  }

  /** Removes a file. */
  remove(name: string): void {
    this.#forget(name);
    const path = join(this.directory, name);
    withSystemErrors('write in', this.directory, () => rmSync(path, { force: true }));
  }

  /** Copies the files as they were written, even if they are deleted by now, into a directory that does not have them. */
  copyTo(directory: string): void {
    for (const [name, { file, stamp }] of this.#written) {
      const [from, to] = [this.directory, directory].map((one) => join(one, name));
      withSystemErrors('write', to, () => {
        const there = lstatSync(to, { throwIfNoEntry: false });
        if (there && stampOf(there) === stamp) return;
        if (file !== null) copyDescriptor(file, fstatSync(file).size, to);
        else if (existsSync(from)) copyFileSync(from, to, constants.COPYFILE_EXCL);
      });
    }
  }

  close(): void {
    for (const name of [...this.#written.keys()]) this.#forget(name);
  }

  #keepForeign(name: string, path: string): void {
    const written = this.#written.get(name);
    if (!written) return;
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (!found) this.notices.push(`${showPath(path)} was deleted by another program; it is written again`);
    else if (stampOf(found) !== written.stamp) {
      this.notices.push(`${showPath(path)} was replaced by another program; its file is now ${showPath(setAside(path))}`);
    }
  }

  #remember(name: string, path: string): void {
    this.#forget(name);
    const file = process.platform === 'win32' ? null : openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
    this.#written.set(name, { file, stamp: stampOf(file === null ? lstatSync(path) : fstatSync(file)) });
  }

  #forget(name: string): void {
    const file = this.#written.get(name)?.file ?? null;
    this.#written.delete(name);
    if (file !== null) closeSync(file);
  }
}

/** Tells a file from any other, and from itself with other content. */
function stampOf({ dev, ino, size, mtimeMs }: Stats): string {
  return `${dev}:${ino}:${size}:${mtimeMs}`;
}

/** Gives a file, or whatever is there, another name: metrics.other1.jsonl. Returns the new path. */
export function setAside(path: string): string {
  const extension = extname(path);
  for (let number = 1; ; number++) {
    const aside = join(path, '..', `${basename(path, extension)}.other${number}${extension}`);
    if (lstatSync(aside, { throwIfNoEntry: false })) continue;
    renameSync(path, aside);
    return aside;
  }
}
