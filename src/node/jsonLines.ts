/** Files that grow by a line of JSON per record. */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync } from 'node:fs';
import { writeAll } from './atomicWrite.js';
import { withSystemErrors } from './systemErrors.js';

/** A file that is being written. Every record is with the system when append returns, and on the disk after sync. */
export interface LineWriter<R> {
  append(record: R): void;
  sync(): void;
  close(): void;
}

/**
 * @param mode 'new' empties the file, 'continue' appends
 * @throws SystemError from each of its calls, if the system refuses
 */
export function openLines<R>(path: string, mode: 'new' | 'continue'): LineWriter<R> {
  const run = <T>(call: () => T) => withSystemErrors('write', path, call);
  const file = run(() => openSync(path, mode === 'new' ? 'w' : 'a'));
  return {
    append: (record) => run(() => writeAll(file, Buffer.from(`${JSON.stringify(record)}\n`), path)),
    sync: () => run(() => fsyncSync(file)),
    close: () => run(() => closeSync(file)),
  };
}

/** The file's bytes; a missing one is empty. @throws SystemError if it cannot be read */
export function readBytes(path: string): Uint8Array {
  return withSystemErrors('read', path, () => (existsSync(path) ? readFileSync(path) : new Uint8Array()));
}

export interface Line<R> {
  /** From its first byte to behind its line end. */
  start: number;
  end: number;
  /** From 1. */
  number: number;
  /** undefined if the line is none: torn by a crash, or changed since. */
  record: R | undefined;
}

/**
 * The lines, one at a time because a long run has millions of them. You may overwrite a line once you have asked for the next.
 * @param parse the record that a line's JSON value is; undefined if it is none
 */
export function* parseLines<R>(bytes: Uint8Array, parse: (value: unknown) => R | undefined): Generator<Line<R>> {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let start = 0;
  for (let number = 1; start < bytes.length; number++) {
    const feed = bytes.indexOf(LINE_FEED, start);
    const end = feed === -1 ? bytes.length : feed + 1;
    // Without its line end, even a line that can be read was not written in full.
    const record = feed === -1 ? undefined : parse(parseJson(text.toString('utf8', start, feed)));
    yield { start, end, number, record };
    start = end;
  }
}

const LINE_FEED = 0x0a;

/** The value of a JSON text; undefined if it is none. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
