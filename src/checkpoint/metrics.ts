/** metrics.jsonl: a line per record of a run, in the order of its steps. */
import { createHash } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync } from 'node:fs';
import * as v from 'valibot';
import { withSystemErrors } from '../errors.js';
import type { Model } from '../model.js';
import { isParameterName, LESSON_PARAMETER_NAMES, type ParameterArrays, type ParameterName } from '../network.js';
import type { FloatArray } from '../tensor.js';
import type { LossRecord } from '../train.js';
import { atomicWrite, writeAll } from './atomicWrite.js';

/** The mean loss over the validation part after so many steps. */
export interface EvaluationRecord {
  step: number;
  valLoss: number;
}

/** What the parameters were after so many steps, each by the beginning of the SHA-256 of its bytes. */
export interface HashRecord {
  step: number;
  hashes: Hashes;
}
export type Hashes = Record<ParameterName, string>;

export type MetricsRecord = LossRecord | EvaluationRecord | HashRecord;

/** Steps between two hash records; the first and the last step of a run have one, too. */
export const HASH_EVERY = 1000;

const hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/));
const step = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
/** Every network has the lesson's, deeper ones have more. The order is that of the line. */
const hashes = v.pipe(
  v.record(
    v.custom<ParameterName>((name) => typeof name === 'string' && isParameterName(name)),
    hash,
  ),
  v.guard((record): record is Hashes => LESSON_PARAMETER_NAMES.every((name) => name in record)),
);
const RecordSchema = v.union([
  v.object({ step, loss: v.number(), rate: v.number() }),
  v.object({ step, valLoss: v.number() }),
  v.object({ step, hashes }),
]);

export function parameterHashes(parameters: ParameterArrays): Hashes {
  return Object.fromEntries(Object.entries(parameters).map(([name, data]) => [name, hashOf(data)])) as Hashes;
}

function hashOf({ buffer, byteOffset, byteLength }: FloatArray): string {
  return createHash('sha256')
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest('hex')
    .slice(0, 16);
}

export function hashRecord(step: number, { parameters }: Model): HashRecord {
  return { step, hashes: parameterHashes(parameters) };
}

/** A metrics file that is being written. Every record is with the system when append returns, and on the disk after sync. */
export interface MetricsWriter {
  append(record: MetricsRecord): void;
  sync(): void;
  close(): void;
}

/**
 * @param mode 'new' empties the file, 'continue' appends
 * @throws SystemError from each of its calls, if the system refuses
 */
export function openMetrics(path: string, mode: 'new' | 'continue'): MetricsWriter {
  const run = <T>(call: () => T) => withSystemErrors('write', path, call);
  const file = run(() => openSync(path, mode === 'new' ? 'w' : 'a'));
  return {
    append: (record) => run(() => writeAll(file, Buffer.from(`${JSON.stringify(record)}\n`), path)),
    sync: () => run(() => fsyncSync(file)),
    close: () => run(() => closeSync(file)),
  };
}

export interface Metrics {
  records: MetricsRecord[];
  /** Numbers of the lines that are no records: torn by a crash, or changed since. */
  skipped: number[];
}

/** A missing file is an empty one. @throws SystemError if it cannot be read */
export function readMetrics(path: string): Metrics {
  const metrics: Metrics = { records: [], skipped: [] };
  for (const { record, number } of lines(readBytes(path))) {
    if (record) metrics.records.push(record);
    else metrics.skipped.push(number);
  }
  return metrics;
}

/** Drops all that is no record, or of a later step. Returns the numbers of the lines that were no records. */
export function truncateMetrics(path: string, step: number): number[] {
  const bytes = readBytes(path);
  const dropped: number[] = [];
  let kept = 0;
  for (const { start, end, record, number } of lines(bytes)) {
    if (!record) dropped.push(number);
    if (!record || record.step > step) continue;
    bytes.copyWithin(kept, start, end);
    kept += end - start;
  }
  if (kept < bytes.length) withSystemErrors('write', path, () => atomicWrite(path, bytes.subarray(0, kept)));
  return dropped;
}

function readBytes(path: string): Buffer {
  return withSystemErrors('read', path, () => (existsSync(path) ? readFileSync(path) : Buffer.alloc(0)));
}

interface Line {
  /** From its first byte to behind its line end. */
  start: number;
  end: number;
  /** From 1. */
  number: number;
  record: MetricsRecord | undefined;
}

/** A long run has millions of lines: one at a time. A line may be overwritten once the next is asked for. */
function* lines(bytes: Buffer): Generator<Line> {
  let start = 0;
  for (let number = 1; start < bytes.length; number++) {
    const feed = bytes.indexOf(LINE_FEED, start);
    const end = feed === -1 ? bytes.length : feed + 1;
    // Without its line end, even a line that can be read was not written in full.
    const record = feed === -1 ? undefined : parseRecord(bytes.toString('utf8', start, feed));
    yield { start, end, number, record };
    start = end;
  }
}

const LINE_FEED = 0x0a;

function parseRecord(line: string): MetricsRecord | undefined {
  try {
    const parsed = v.safeParse(RecordSchema, JSON.parse(line));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}
