/** Files with a line of JSON per record, which grow by appending. */
import { closeSync, constants, fstatSync, fsyncSync, lstatSync, openSync, type Stats, unlinkSync } from 'node:fs';
import { FileContentError, SystemError } from '../core/errors.js';
import { showPath } from '../core/text.js';
import { copyDescriptor, writeAll } from './atomicWrite.js';
import { readChunks, readIfThere, specialKind } from './readFile.js';
import { setAside } from './runFiles.js';
import { isSystemError, withSystemErrors } from './systemErrors.js';

/** A file that is being written. When `append` returns, the system has the record; after `sync`, it is on the disk. */
export interface LineWriter<R> {
  append(record: R): void;
  /**
   * Makes sure that the path still holds what was written here. If another program deleted or replaced the file, it is written again in
   * full, and the other file is kept under another name.
   * @returns what was noticed, if anything was
   * @throws ForeignWriteError if another program wrote into the file or truncated it
   */
  restore(): string | undefined;
  sync(): void;
  /** Writes everything to another path, unless that already leads to this file. */
  copyTo(path: string): void;
  close(): void;
}

/** Another program changed the content of a file that was being written here. */
export class ForeignWriteError extends SystemError {
  override name = 'ForeignWriteError';
}

/**
 * Opens a file for appending records. A link is not followed.
 * @param mode 'new' begins a new file in the place of an older one, 'continue' keeps its content
 * @throws SystemError if the system refuses, here and in each call of the writer
 */
export function openLines<R>(path: string, mode: 'new' | 'continue'): LineWriter<R> {
  return new AppendedFile<R>(path, mode);
}

class AppendedFile<R> implements LineWriter<R> {
  readonly #path: string;
  #file: number;
  /** The size that the file has if nobody else writes into it. */
  #size: number;

  constructor(path: string, mode: 'new' | 'continue') {
    this.#path = path;
    [this.#file, this.#size] = this.#run(() => {
      if (mode === 'new') unlinkIfThere(path);
      const file = openOwn(path);
      return [file, fstatSync(file).size];
    });
  }

  append(record: R): void {
    const line = Buffer.from(`${JSON.stringify(record)}\n`);
    this.#run(() => writeAll(this.#file, line, this.#path));
    this.#size += line.length;
  }

  restore(): string | undefined {
    return this.#run(() => {
      const own = fstatSync(this.#file);
      const shown = showPath(this.#path);
      if (own.size !== this.#size) {
        throw new ForeignWriteError(
          `${shown} was changed by another program: it has ${own.size} bytes, expected ${this.#size}; its lines may be incomplete`,
        );
      }
      const found = lstatSync(this.#path, { throwIfNoEntry: false });
      if (found && isSameFile(found, own)) return undefined;
      const aside = found && setAside(this.#path);
      const file = copyDescriptor(this.#file, this.#size, this.#path, true) as number;
      closeSync(this.#file);
      this.#file = file;
      return aside === undefined
        ? `${shown} was deleted by another program; it is written again in full`
        : `${shown} was replaced by another program; it is written again in full, and the other file is now ${showPath(aside)}`;
    });
  }

  sync(): void {
    this.#run(() => fsyncSync(this.#file));
  }

  copyTo(path: string): void {
    this.sync();
    withSystemErrors('write', path, () => {
      const there = lstatSync(path, { throwIfNoEntry: false });
      const own = fstatSync(this.#file);
      if (!there || !isSameFile(there, own)) copyDescriptor(this.#file, own.size, path);
    });
  }

  close(): void {
    this.#run(() => closeSync(this.#file));
  }

  #run<T>(call: () => T): T {
    return withSystemErrors('write', this.#path, call);
  }
}

/** Opens a regular file for appending, or creates it. If it has other names, as in a backup with hard links, a copy takes its place. */
function openOwn(path: string): number {
  if (!isOwnPlace(path)) return openSync(path, 'ax+');
  const { O_RDWR, O_APPEND, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
  const file = openSync(path, O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK);
  const opened = fstatSync(file);
  if (opened.nlink <= 1) return file;
  try {
    return copyDescriptor(file, opened.size, path, true) as number;
  } finally {
    closeSync(file);
  }
}

/** Whether a regular file is there. @throws SystemError if something else is, which is not written through */
export function isOwnPlace(path: string): boolean {
  const found = withSystemErrors('write', path, () => lstatSync(path, { throwIfNoEntry: false }));
  const kind = found && specialKind(found);
  if (kind !== undefined)
    throw new SystemError(`cannot write ${showPath(path)}: it is ${kind}`, { hint: 'replace it by a file, or delete it' });
  return found !== undefined;
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error;
  }
}

function isSameFile(one: Stats, other: Stats): boolean {
  return one.dev === other.dev && one.ino === other.ino;
}

/** One array of bytes holds at most this much on every Node version. */
const LIMIT = 2 ** 31 - 2 ** 20;

/** The bytes of a file; none if it does not exist. @throws SystemError if it cannot be read, FileContentError if it is too large */
export function readBytes(path: string): Uint8Array {
  return readIfThere(path, LIMIT) ?? new Uint8Array();
}

/** A line of a file. */
export interface JsonLine<R> {
  /** Position of its first byte, and the position after its line end. */
  start: number;
  end: number;
  /** Counted from 1. */
  number: number;
  /** The record; undefined if the line is incomplete or not a record. */
  record: R | undefined;
}

/**
 * Yields one line at a time, because a long run has millions. The bytes of a line may be overwritten once the next one is requested.
 * @param parse turns the JSON value of a line into a record; undefined if it is not one
 */
export function* parseLines<R>(bytes: Uint8Array, parse: (value: unknown) => R | undefined): Generator<JsonLine<R>> {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let start = 0;
  for (let number = 1; start < bytes.length; number++) {
    const feed = bytes.indexOf(LINE_FEED, start);
    const end = feed === -1 ? bytes.length : feed + 1;
    // A line without its line end was not written completely, even if it can be parsed.
    const record = feed === -1 ? undefined : parse(parseJson(text.toString('utf8', start, feed)));
    yield { start, end, number, record };
    start = end;
  }
}

/** A line of a file as text. */
export interface TextLine {
  /** Counted from 1. */
  number: number;
  text: string;
  /** Whether it has its line end; without it, it was not written completely. */
  ended: boolean;
}

/** No line that the program writes comes near it. */
const LONGEST_LINE = 2 ** 24;

/**
 * Yields the lines of a file of any size, with a bounded part of it in memory; none if nothing is there.
 * @throws SystemError if it cannot be read, FileContentError if a line is longer than 16 MiB
 */
export function* readLines(path: string): Generator<TextLine, void, void> {
  let number = 1;
  let rest = Buffer.alloc(0);
  for (const chunk of readChunks(path)) {
    let start = 0;
    for (let feed = chunk.indexOf(LINE_FEED); feed !== -1; feed = chunk.indexOf(LINE_FEED, start)) {
      const part = chunk.subarray(start, feed);
      yield { number, text: (rest.length > 0 ? Buffer.concat([rest, part]) : part).toString('utf8'), ended: true };
      if (rest.length > 0) rest = Buffer.alloc(0);
      number++;
      start = feed + 1;
    }
    if (start < chunk.length) rest = Buffer.concat([rest, chunk.subarray(start)]);
    if (rest.length > LONGEST_LINE)
      throw new FileContentError(`${showPath(path)}: line ${number} is longer than ${LONGEST_LINE / 2 ** 20} MiB`);
  }
  if (rest.length > 0) yield { number, text: rest.toString('utf8'), ended: false };
}

const LINE_FEED = 0x0a;

/** Parses a JSON text; undefined if it is not valid. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
