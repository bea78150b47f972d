/** metrics.jsonl: a line per record of a run, in the order of its steps. */
import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { withSystemErrors } from '../core/errors.js';
import type { FloatArray } from '../core/tensor.js';
import type { Model } from '../network/model.js';
import { isParameterName, LESSON_PARAMETER_NAMES, type ParameterArrays, type ParameterName } from '../network/parameters.js';
import { atomicWrite } from '../node/atomicWrite.js';
import { type LineWriter, openLines, parseLines, readBytes } from '../node/jsonLines.js';
import type { LossRecord } from '../training/training.js';

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

export type MetricsWriter = LineWriter<MetricsRecord>;

/** @param mode 'new' empties the file, 'continue' appends */
export function openMetrics(path: string, mode: 'new' | 'continue'): MetricsWriter {
  return openLines(path, mode);
}

export interface Metrics {
  records: MetricsRecord[];
  /** Numbers of the lines that are no records: torn by a crash, or changed since. */
  skipped: number[];
}

/** A missing file is an empty one. @throws SystemError if it cannot be read */
export function readMetrics(path: string): Metrics {
  const metrics: Metrics = { records: [], skipped: [] };
  for (const { record, number } of parseLines(readBytes(path), RecordSchema)) {
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
  for (const { start, end, record, number } of parseLines(bytes, RecordSchema)) {
    if (!record) dropped.push(number);
    if (!record || record.step > step) continue;
    bytes.copyWithin(kept, start, end);
    kept += end - start;
  }
  if (kept < bytes.length) withSystemErrors('write', path, () => atomicWrite(path, bytes.subarray(0, kept)));
  return dropped;
}
