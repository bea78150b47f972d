import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { loadCheckpoint } from '../../node/checkpointFile.js';
import { metricsLines } from '../../node/metricsFile.js';
import { BEST_FILE, METRICS_FILE, RUN_FILE } from '../../node/runDirectory.js';
import type { Checkpoint } from '../../run/checkpoint.js';
import type { MetricsRecord } from '../../run/records.js';
import type { Weights } from '../../run/weights.js';
import { type IO, shortPath } from '../terminal/io.js';
import { readInitFile } from '../weights.js';

/** A line of metrics.jsonl that is no record, and so cannot be compared. */
export interface FlawedLine {
  /** The file, as shown. */
  file: string;
  line: number;
  flaw: string;
}

/** At most this many flawed lines are listed. */
const MOST_FLAWS = 20;

/** What a run's directory holds, for a comparison. */
export class StoredRun {
  /** The path of the checkpoint. */
  readonly path: string;
  readonly checkpoint: Checkpoint;
  /** The first lines that are no records, once the records have been read. */
  readonly flaws: FlawedLine[] = [];
  readonly #io: IO;

  constructor(path: string, io: IO) {
    this.path = path;
    this.checkpoint = loadCheckpoint(path);
    this.#io = io;
  }

  /** The number of steps done. */
  get step(): number {
    return this.checkpoint.state.step;
  }

  /** The path of run.json, as shown. */
  get runFile(): string {
    return shortPath(join(dirname(this.path), RUN_FILE), this.#io);
  }

  get hasMetrics(): boolean {
    return existsSync(this.#metrics);
  }

  /** The parameters that the run began with, of a run with `init` in its configuration. @throws as readInitFile does */
  initialParameters(): Weights['parameters'] {
    return readInitFile(this.path, this.checkpoint, this.#io);
  }

  /** Whether its weights were imported: it has no training. */
  get isImported(): boolean {
    return this.checkpoint.config.imported ?? false;
  }

  /** Whether this checkpoint is the best one. */
  get isBest(): boolean {
    return basename(this.path) === BEST_FILE;
  }

  /** The best checkpoint; undefined if there is none, or if it is this checkpoint. */
  loadBest(): Checkpoint | undefined {
    const path = join(dirname(this.path), BEST_FILE);
    return !this.isBest && existsSync(path) ? loadCheckpoint(path) : undefined;
  }

  /**
   * The records, read as they are needed. A note on stderr tells of an incomplete line; other flaws are collected.
   * @param times 'again' tells of nothing
   */
  *records(times: 'once' | 'again' = 'once'): Generator<MetricsRecord, void, void> {
    const file = shortPath(this.#metrics, this.#io);
    for (const line of metricsLines(this.#metrics)) {
      if ('record' in line) yield line.record;
      else if (times === 'again') continue;
      else if ('incomplete' in line) this.#io.stderr.write(`note: ${file}: skipped incomplete line ${line.number}\n`);
      else if (this.flaws.length < MOST_FLAWS) this.flaws.push({ file, line: line.number, flaw: line.flaw });
    }
  }

  get #metrics(): string {
    return join(dirname(this.path), METRICS_FILE);
  }
}
