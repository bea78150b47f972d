/** metrics.jsonl: a line of JSON per record of a run, in the order of its steps. */
import { type MetricsRecord, type MissingSteps, parseRecord, RecordGaps, readRecord } from '../run/records.js';
import { atomicWrite } from './atomicWrite.js';
import { isOwnPlace, type LineWriter, openLines, parseLines, readBytes, readLines } from './jsonLines.js';
import { withSystemErrors } from './systemErrors.js';

/** Appends records to metrics.jsonl. */
export type MetricsWriter = LineWriter<MetricsRecord>;

/**
 * Opens metrics.jsonl for appending.
 * @param mode 'new' begins a new file in the place of an older one, 'continue' keeps its content
 * @throws SystemError if it cannot be opened
 */
export function openMetrics(path: string, mode: 'new' | 'continue'): MetricsWriter {
  return openLines(path, mode);
}

/** The content of metrics.jsonl. */
export interface Metrics {
  records: MetricsRecord[];
  /** Numbers, from 1, of the lines that are not records, for example after a crash. */
  skipped: number[];
}

/** Reads metrics.jsonl; a missing file has no records. @throws SystemError if it cannot be read */
export function readMetrics(path: string): Metrics {
  const metrics: Metrics = { records: [], skipped: [] };
  for (const { record, number } of parseLines(readBytes(path), parseRecord)) {
    if (record) metrics.records.push(record);
    else metrics.skipped.push(number);
  }
  return metrics;
}

/** A line of metrics.jsonl, for a comparison: a record, or what is wrong with the line. */
export type MetricsLine = { number: number } & ({ record: MetricsRecord } | { flaw: string } | { incomplete: true });

/**
 * Yields the lines of metrics.jsonl one by one, whatever its size; none if there is no file.
 * @throws SystemError if it cannot be read, FileContentError if a line is longer than 16 MiB
 */
export function* metricsLines(path: string): Generator<MetricsLine, void, void> {
  for (const { number, text, ended } of readLines(path)) {
    yield ended ? { number, ...readRecord(text) } : { number, incomplete: true };
  }
}

/** What {@link truncateMetrics} found. */
export interface TruncatedMetrics {
  /** Numbers, from 1, of the lines that were not records. */
  dropped: number[];
  /** The first and the last step of each stretch of which the records are missing. */
  missing: MissingSteps[];
}

/**
 * Removes records after a step and lines that are not records. Other lines stay, byte for byte.
 * @param evalEvery steps between two evaluations of the run
 * @param evaluated the last step whose evaluation is done, if it was due
 * @throws SystemError if the file cannot be read or written, or is no regular file
 */
export function truncateMetrics(path: string, step: number, evalEvery: number, evaluated = step): TruncatedMetrics {
  isOwnPlace(path);
  const bytes = readBytes(path);
  const dropped: number[] = [];
  const gaps = new RecordGaps(evalEvery);
  let kept = 0;
  for (const { start, end, record, number } of parseLines(bytes, parseRecord)) {
    if (!record) dropped.push(number);
    if (!record || record.step > step) continue;
    gaps.add(record.step);
    bytes.copyWithin(kept, start, end);
    kept += end - start;
  }
  if (kept < bytes.length) withSystemErrors('write', path, () => atomicWrite(path, bytes.subarray(0, kept)));
  return { dropped, missing: gaps.upTo(evaluated) };
}
