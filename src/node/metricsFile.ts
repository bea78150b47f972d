/** metrics.jsonl: a line per record of a run, in the order of its steps. */
import { type MetricsRecord, parseRecord } from '../run/records.js';
import { atomicWrite } from './atomicWrite.js';
import { type LineWriter, openLines, parseLines, readBytes } from './jsonLines.js';
import { withSystemErrors } from './systemErrors.js';

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
  for (const { record, number } of parseLines(readBytes(path), parseRecord)) {
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
  for (const { start, end, record, number } of parseLines(bytes, parseRecord)) {
    if (!record) dropped.push(number);
    if (!record || record.step > step) continue;
    bytes.copyWithin(kept, start, end);
    kept += end - start;
  }
  if (kept < bytes.length) withSystemErrors('write', path, () => atomicWrite(path, bytes.subarray(0, kept)));
  return dropped;
}
