import { loadCheckpoint } from '../../node/checkpointFile.js';
import { findCheckpoint, findRunDirectory } from '../../node/runDirectory.js';
import { compareRuns, hashRecords, type RunComparison } from '../../run/replay.js';
import { flatConfig, type RunConfig } from '../../training/runConfig.js';
import { readRunMetrics } from '../data.js';
import { paintFor } from '../terminal/colors.js';
import { formatCount } from '../terminal/format.js';
import type { IO } from '../terminal/io.js';

export interface DiffCommandOptions {
  json?: boolean;
  color: boolean;
}

/** Says where two runs part, and what they were configured with. @returns whether they are the same wherever both are recorded */
export async function diffCommand(runA: string, runB: string, options: DiffCommandOptions, io: IO): Promise<boolean> {
  const [a, b] = [runA, runB].map((run) => readRun(run, io));
  const comparison = compareRuns(a.records, b.records);
  const differences = configDifferences(a, b);
  const { steps, divergence } = comparison;
  const same = steps.length > 0 && !divergence;
  if (options.json) {
    io.stdout.write(`${JSON.stringify({ same, compared: steps.length, parting: divergence ?? null, config: differences })}\n`);
    return same;
  }
  const paint = await paintFor(io.stdout, io.env, options.color);
  for (const { key, values } of differences) io.stdout.write(`${key}: ${values.map((value) => value ?? 'none').join(' and ')}\n`);
  io.stdout.write(`${(same ? paint.green : paint.red)(verdict(comparison))}\n`);
  return same;
}

interface RunSummary {
  records: ReturnType<typeof hashRecords>;
  config: RunConfig;
  dataSha256: string;
}

function readRun(run: string, io: IO): RunSummary {
  const directory = findRunDirectory(io.cwd, run);
  const { config, dataSha256 } = loadCheckpoint(findCheckpoint(io.cwd, directory));
  return { records: hashRecords(readRunMetrics(directory, io)), config, dataSha256 };
}

interface Difference {
  key: string;
  /** undefined in a run whose optimizer or schedule has no such setting. */
  values: [unknown, unknown];
}

function configDifferences(a: RunSummary, b: RunSummary): Difference[] {
  const values = ({ config, dataSha256 }: RunSummary): Record<string, unknown> => ({
    ...flatConfig(config),
    'SHA-256 of the data': dataSha256,
  });
  const [left, right] = [values(a), values(b)];
  return [...new Set([...Object.keys(left), ...Object.keys(right)])]
    .filter((key) => String(left[key]) !== String(right[key]))
    .map((key) => ({ key, values: [left[key], right[key]] }));
}

function verdict({ steps, divergence }: RunComparison): string {
  if (steps.length === 0) return 'no step is recorded in both runs';
  if (!divergence) return `the same at all ${formatCount(steps.length)} recorded steps, up to ${formatCount(Math.max(...steps))}`;
  const before = steps[steps.indexOf(divergence.step) - 1];
  return `they part ${before === undefined ? 'from the start' : `after step ${formatCount(before)}`}: after step ${formatCount(divergence.step)}, ${divergence.tensors.join(', ')} differ`;
}
