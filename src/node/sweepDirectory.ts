/** A sweep's directory: its plan (sweep.json), the results so far (runs.jsonl), and a directory for each run. */

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { FileContentError, UsageError } from '../core/errors.js';
import { closest } from '../core/spelling.js';
import { quoteText, showPath } from '../core/text.js';
import type { SweepResult } from '../run/sweep.js';
import { atomicWrite } from './atomicWrite.js';
import { isOwnPlace, type LineWriter, openLines, parseLines, readBytes } from './jsonLines.js';
import { type DirectoryLock, isLockFile } from './lock.js';
import { makeDirectory } from './makeDirectory.js';
import { readIfThere } from './readFile.js';
import { readRunEnd, refuseNoDirectory, SWEEP_FILE } from './runDirectory.js';
import { withSystemErrors } from './systemErrors.js';

const RESULTS_FILE = 'runs.jsonl';
/** Room for the plan of a million runs. */
const PLAN_LIMIT = 2 ** 28;

const OptionValuesSchema = v.record(v.string(), v.string());
/** The options of the sweep command, and the option values of each run. */
const SweepSchema = v.object({
  vary: v.array(v.string()),
  random: v.nullable(v.number()),
  seed: v.number(),
  train: v.array(v.string()),
  dataSha256: v.string(),
  runs: v.pipe(v.array(OptionValuesSchema), v.minLength(1)),
});
/** A sweep's plan. `vary` and `train` are arguments as on the command line, `runs` are the option values of runs 0001, 0002, ... */
export type Sweep = v.InferOutput<typeof SweepSchema>;

const loss = v.nullable(v.number());
const ResultSchema = v.object({ run: v.string(), options: OptionValuesSchema, seconds: loss, trainLoss: loss, valLoss: loss });

function parseResult(value: unknown): SweepResult | undefined {
  const parsed = v.safeParse(ResultSchema, value);
  return parsed.success ? parsed.output : undefined;
}

/** Creates the directory if it does not exist. @throws SystemError if it cannot be created, or is a file */
export function makeSweepDirectory(directory: string): void {
  withSystemErrors('write in', directory, () => {
    refuseNoDirectory(directory);
    makeDirectory(directory);
  });
}

/**
 * Reads the plan of the sweep in a directory; undefined if the directory is empty or none of the sweep's runs has started.
 * @param hint the way out of a damaged one
 * @throws UsageError if the directory contains files, but no sweep
 * @throws FileContentError if sweep.json is damaged
 */
export function readSweep(directory: string, hint: string): Sweep | undefined {
  const path = join(directory, SWEEP_FILE);
  if (readdirSync(directory).every((name) => name === SWEEP_FILE || isLockFile(name))) return undefined;
  const text = readIfThere(path, PLAN_LIMIT)?.toString('utf8');
  if (text === undefined) throw new UsageError(`--out ${showPath(directory)} contains files, but no sweep`, { hint });
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), SweepSchema), text);
  if (!parsed.success) throw new FileContentError(`${showPath(path)}: ${quoteText(parsed.issues[0].message)}`, { hint });
  const known = Object.keys(SweepSchema.entries);
  const unknown = Object.keys(JSON.parse(text) as object).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    const similar = closest(unknown, known);
    const meant = similar === undefined ? '' : `; did you mean ${similar}?`;
    throw new FileContentError(`${showPath(path)}: unknown key ${quoteText(unknown)}${meant}`, { hint });
  }
  return parsed.output;
}

/** The runs of a sweep that have begun, with their option values; undefined if the directory is not a sweep's. @throws as {@link readSweep} does */
export function sweepRuns(directory: string): { directory: string; options: Readonly<Record<string, string>> }[] | undefined {
  if (!existsSync(join(directory, SWEEP_FILE))) return undefined;
  const runs = (readSweep(directory, 'name its runs')?.runs ?? []).map((options, i) => ({
    directory: join(directory, runName(i)),
    options,
  }));
  return runs.filter((run) => existsSync(run.directory));
}

/** Writes sweep.json, atomically. @throws SystemError if it cannot be written */
export function writeSweep(directory: string, sweep: Sweep): void {
  const path = join(directory, SWEEP_FILE);
  withSystemErrors('write', path, () => atomicWrite(path, Buffer.from(`${JSON.stringify(sweep, null, 2)}\n`)));
}

/** The name of a run's directory: 0001 for index 0. */
export function runName(index: number): string {
  return String(index + 1).padStart(4, '0');
}

/**
 * Opens runs.jsonl for appending results, each of which is checked: the directory must still be this process's, and the file in its place.
 * @param onNotice called with what other programs did to the file
 * @throws SystemError if it cannot be opened, here and in each call of the writer
 */
export function openResults(
  directory: string,
  lock: DirectoryLock,
  onNotice: (notice: string) => void,
): Pick<LineWriter<SweepResult>, 'append' | 'close'> {
  const lines = openLines<SweepResult>(join(directory, RESULTS_FILE), 'continue');
  return {
    append: (result) => {
      lock.check();
      const notice = lines.restore();
      if (notice !== undefined) onNotice(notice);
      lines.append(result);
    },
    close: () => lines.close(),
  };
}

/**
 * Reads the results so far, as {@link findResults} does, and makes runs.jsonl hold them and nothing else, such as a line truncated by a crash.
 * @throws SystemError if the file cannot be read or written
 */
export function readResults(directory: string, sweep: Sweep): SweepResult[] {
  const path = join(directory, RESULTS_FILE);
  isOwnPlace(path);
  const { results, isWritten } = findResults(directory, sweep);
  if (!isWritten) {
    const text = results.map((result) => `${JSON.stringify(result)}\n`).join('');
    withSystemErrors('write', path, () => atomicWrite(path, Buffer.from(text)));
  }
  return results;
}

/**
 * The results so far, at most one per run: those in runs.jsonl, and those of runs that others have trained, such as the jobs of a cluster.
 * Also whether runs.jsonl holds exactly these. It stays as it is.
 * @throws SystemError if a file cannot be read
 */
export function findResults(directory: string, { runs }: Sweep): { results: SweepResult[]; isWritten: boolean } {
  const optionsOf = new Map(runs.map((options, i) => [runName(i), JSON.stringify(options)]));
  const results = new Map<string, SweepResult>();
  let lines = 0;
  for (const { record } of parseLines(readBytes(join(directory, RESULTS_FILE)), parseResult)) {
    lines++;
    if (record && optionsOf.get(record.run) === JSON.stringify(record.options)) results.set(record.run, record);
  }
  const isWritten = lines === results.size;
  const others = runs.flatMap((options, i) => (results.has(runName(i)) ? [] : (resultIn(directory, runName(i), options) ?? [])));
  return { results: [...results.values(), ...others], isWritten: isWritten && others.length === 0 };
}

/** The result that a run wrote down in its own directory. */
function resultIn(directory: string, run: string, options: SweepResult['options']): SweepResult | undefined {
  const end = readRunEnd(join(directory, run));
  if (!end?.result) return end && { run, options, seconds: null, trainLoss: null, valLoss: null };
  const { seconds, trainLoss, valLoss, steps } = end.result;
  // The last session of a run that was resumed took a part of the time.
  return { run, options, seconds: end.trained?.steps === steps ? seconds : null, trainLoss, valLoss };
}

/** Whether a directory is that of a sweep. */
export function isSweep(directory: string): boolean {
  return existsSync(join(directory, SWEEP_FILE));
}
