/** Files that grow by a line of JSON per record. */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync } from 'node:fs';
import * as v from 'valibot';
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

/** A long run has millions of lines: one at a time. A line may be overwritten once the next is asked for. */
export function* parseLines<T extends v.GenericSchema>(bytes: Uint8Array, schema: T): Generator<Line<v.InferOutput<T>>> {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let start = 0;
  for (let number = 1; start < bytes.length; number++) {
    const feed = bytes.indexOf(LINE_FEED, start);
    const end = feed === -1 ? bytes.length : feed + 1;
    // Without its line end, even a line that can be read was not written in full.
    const record = feed === -1 ? undefined : parseRecord(text.toString('utf8', start, feed), schema);
    yield { start, end, number, record };
    start = end;
  }
}

const LINE_FEED = 0x0a;

function parseRecord<T extends v.GenericSchema>(line: string, schema: T): v.InferOutput<T> | undefined {
  try {
    const parsed = v.safeParse(schema, JSON.parse(line));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}
