/** What a sweep's directory holds: what was asked for (sweep.json), the results so far (runs.jsonl), and a run's directory for each. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { FileContentError, SystemError, UsageError } from '../../core/errors.js';
import { quoteText, showPath } from '../../core/text.js';
import { atomicWrite } from '../../node/atomicWrite.js';
import { parseLines, readBytes } from '../../node/jsonLines.js';
import { LOCK_FILE } from '../../node/lock.js';
import { withSystemErrors } from '../../node/systemErrors.js';
import type { SweepResult } from '../../run/sweep.js';
import { type IO, shellWord, shortPath } from '../terminal/io.js';

const SWEEP_FILE = 'sweep.json';
const RESULTS_FILE = 'runs.jsonl';

const AssignmentSchema = v.record(v.string(), v.string());
/** What was asked for, and what is trained for it. */
const SweepSchema = v.object({
  vary: v.array(v.string()),
  random: v.nullable(v.number()),
  seed: v.number(),
  train: v.array(v.string()),
  dataSha256: v.string(),
  runs: v.pipe(v.array(AssignmentSchema), v.minLength(1)),
});
export type Sweep = v.InferOutput<typeof SweepSchema>;

const loss = v.nullable(v.number());
const ResultSchema = v.object({ run: v.string(), options: AssignmentSchema, seconds: loss, trainLoss: loss, valLoss: loss });

/** @throws SystemError if it cannot be made, or is a file */
export function makeSweepDirectory(directory: string): void {
  withSystemErrors('write in', directory, () => {
    if (statSync(directory, { throwIfNoEntry: false })?.isFile()) {
      throw new SystemError(`cannot write in ${showPath(directory)}: it is a file; --out names a directory`);
    }
    mkdirSync(directory, { recursive: true });
  });
}

/**
 * The sweep that the directory holds already, if it is the one that is asked for; else it is written down.
 * @throws UsageError if the directory holds another, or anything else
 * @throws FileContentError if the data set has changed since
 */
export function openSweep(directory: string, asked: Sweep, io: IO): Sweep {
  const path = join(directory, SWEEP_FILE);
  const begun = readdirSync(directory).filter((name) => ![SWEEP_FILE, LOCK_FILE].includes(name));
  if (begun.length === 0) {
    withSystemErrors('write', path, () => atomicWrite(path, Buffer.from(`${JSON.stringify(asked, null, 2)}\n`)));
    return asked;
  }
  if (!existsSync(path)) {
    throw new UsageError(`--out ${shortPath(directory, io)} holds other things than a sweep; name another directory`);
  }
  const text = withSystemErrors('read', path, () => readFileSync(path, 'utf8'));
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), SweepSchema), text);
  if (!parsed.success) {
    throw new FileContentError(`${showPath(path)}: ${quoteText(parsed.issues[0].message)}; name another directory with --out`);
  }
  const found = parsed.output;
  if (commandOf(found) !== commandOf(asked)) {
    throw new UsageError(`${shortPath(directory, io)} holds another sweep: ${commandOf(found)}; name another directory with --out`);
  }
  if (found.dataSha256 !== asked.dataSha256) {
    throw new FileContentError(
      `the data set is not what the sweep in ${shortPath(directory, io)} was begun with: SHA-256 ${asked.dataSha256}, expected ${found.dataSha256}; ` +
        'bring it back, or name another directory with --out',
    );
  }
  return found;
}

function commandOf({ vary, random, seed, train }: Sweep): string {
  const drawn = random === null ? [] : [`--random ${random} --seed ${seed}`];
  return [...vary.map((text) => `--vary ${shellWord(text)}`), ...drawn, ...(train.length > 0 ? ['--', ...train.map(shellWord)] : [])].join(
    ' ',
  );
}

/** The name of each run's directory. */
export function runName(index: number): string {
  return String(index + 1).padStart(4, '0');
}

export function resultsFile(directory: string): string {
  return join(directory, RESULTS_FILE);
}

function parseResult(value: unknown): SweepResult | undefined {
  const parsed = v.safeParse(ResultSchema, value);
  return parsed.success ? parsed.output : undefined;
}

/** The results of the sweep's runs so far, each once. Lines that are none, torn by a crash say, are taken out of the file. */
export function readResults(directory: string, { runs }: Sweep): SweepResult[] {
  const path = resultsFile(directory);
  const optionsOf = new Map(runs.map((options, i) => [runName(i), JSON.stringify(options)]));
  const results = new Map<string, SweepResult>();
  let lines = 0;
  for (const { record } of parseLines(readBytes(path), parseResult)) {
    lines++;
    if (record && optionsOf.get(record.run) === JSON.stringify(record.options)) results.set(record.run, record);
  }
  const whole = [...results.values()];
  if (lines > whole.length) {
    const text = whole.map((result) => `${JSON.stringify(result)}\n`).join('');
    withSystemErrors('write', path, () => atomicWrite(path, Buffer.from(text)));
  }
  return whole;
}
