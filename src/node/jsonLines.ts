/** Files with a line of JSON per record, which grow by appending. */
import { closeSync, fsyncSync, openSync } from 'node:fs';
import { FileContentError } from '../core/errors.js';
import { showPath } from '../core/text.js';
import { writeAll } from './atomicWrite.js';
import { readChunks, readIfThere } from './readFile.js';
import { withSystemErrors } from './systemErrors.js';

/** A file that is being written. When `append` returns, the system has the record; after `sync`, it is on the disk. */
export interface LineWriter<R> {
  append(record: R): void;
  sync(): void;
  close(): void;
}

/**
 * Opens a file for appending records.
 * @param mode 'new' empties the file, 'continue' keeps its content
 * @throws SystemError if the system refuses, here and in each call of the writer
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
