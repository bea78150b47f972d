/** Compares run.json with the checkpoint beside it, and with the run.json of another run. */
import { FileContentError } from '../../core/errors.js';
import { closest } from '../../core/spelling.js';
import { quoteText } from '../../core/text.js';
import { readRunFile } from '../../node/runDirectory.js';
import { settingDifferences } from '../../run/compareCheckpoints.js';
import { unknownSettings } from '../../training/runConfig.js';
import type { StoredRun } from './storedRun.js';

/** What the program writes into run.json. */
const RUN_FILE_KEYS: readonly string[] = [
  'program',
  'node',
  'startedAt',
  'data',
  'config',
  'source',
  'trained',
  'diverged',
  'finishedAt',
  'result',
];

/**
 * Differences between run.json and the checkpoint beside it. More steps may be asked for than the checkpoint knows of yet.
 * @param file run.json, as shown
 */
export function runFileProblems({ path, checkpoint }: StoredRun, file = 'run.json'): string[] {
  const found = readable(path);
  if (found === undefined) return [];
  if (found === 'damaged') return [`${file} is damaged`];
  const misspelt = Object.keys(found).flatMap((key) => {
    const similar = RUN_FILE_KEYS.includes(key) ? undefined : closest(key, RUN_FILE_KEYS);
    return similar === undefined ? [] : [`unknown key ${quoteText(key)}; did you mean ${similar}?`];
  });
  const { config, data } = found;
  const isObject = typeof config === 'object' && config !== null && !Array.isArray(config);
  const unknown = isObject ? unknownSettings(config) : [];
  const other = isObject ? settingDifferences(checkpoint.config, config as typeof checkpoint.config) : [];
  return [
    ...misspelt,
    ...(isObject ? [] : ['config is missing']),
    ...unknown.map(({ key, similar }) => `unknown setting ${quoteText(key)}${similar === undefined ? '' : `; did you mean ${similar}?`}`),
    ...other
      .filter(({ key }) => key !== 'steps')
      .map(({ option, values: [here, there] }) => `${option} is ${there ?? 'missing'}, but ${here ?? 'none'} in the checkpoint`),
    ...(data.sha256 === checkpoint.dataSha256
      ? []
      : [`the SHA-256 of the data is ${quoteText(data.sha256)}, but ${checkpoint.dataSha256} in the checkpoint`]),
  ].map((problem) => `${file}: ${problem}`);
}

/** Whether run.json holds the report of a finished run. */
export function hasReport({ path }: StoredRun): boolean {
  return reportOf(path) !== undefined;
}

/** Where a run is, and how long it took. */
const OF_ONE_RUN: readonly string[] = ['run', 'checkpoint', 'seconds', 'stepsPerSecond'];

/** The keys that the reports of both runs hold with other values. */
export function reportDifferences(a: StoredRun, b: StoredRun): string[] {
  const [left, right] = [reportOf(a.path) ?? {}, reportOf(b.path) ?? {}];
  return Object.keys(left).filter((key) => key in right && !OF_ONE_RUN.includes(key) && !sameJson(left[key], right[key]));
}

/** The run.json beside a checkpoint, if there is one. */
function readable(checkpoint: string): ReturnType<typeof readRunFile> | 'damaged' {
  try {
    return readRunFile(checkpoint);
  } catch (error) {
    if (error instanceof FileContentError) return 'damaged';
    throw error;
  }
}

function reportOf(checkpoint: string): Record<string, unknown> | undefined {
  const found = readable(checkpoint);
  const result = found === 'damaged' ? undefined : found?.result;
  return typeof result === 'object' && result !== null ? (result as Record<string, unknown>) : undefined;
}

function sameJson(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
