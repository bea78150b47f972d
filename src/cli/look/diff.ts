import { loadCheckpoint } from '../../node/checkpointFile.js';
import { findCheckpoint, findRunDirectory } from '../../node/runDirectory.js';
import { compareRuns, hashRecords, type RunComparison } from '../../run/replay.js';
import { flatConfig, type RunConfig } from '../../training/runConfig.js';
import { defineCommand } from '../command.js';
import { readRunMetrics } from '../data.js';
import { EXIT_NO } from '../terminal/exitCodes.js';
import { formatCount } from '../terminal/format.js';
import type { IO } from '../terminal/io.js';

export const diff = defineCommand({
  description: 'Shows where two runs first diverge, and how their settings differ.',
  arguments: [
    { name: '<run-a>', description: 'run directory' },
    { name: '<run-b>', description: 'run directory' },
  ],
  examples: [['backprop-ninja diff runs/0001 runs/0002', 'the first differing step and tensors, and all differing settings']],
  async run({ io, json, printJson, paint }, runA: string, runB: string) {
    const [a, b] = [runA, runB].map((run) => readRun(run, io));
    const comparison = compareRuns(a.records, b.records);
    const differences = configDifferences(a, b);
    const { steps, divergence } = comparison;
    const same = steps.length > 0 && !divergence;
    if (json) printJson({ same, compared: steps.length, parting: divergence ?? null, config: differences });
    else {
      const { green, red } = await paint();
      for (const { key, values } of differences) io.stdout.write(`${key}: ${values.map((value) => value ?? 'none').join(' and ')}\n`);
      io.stdout.write(`${(same ? green : red)(verdict(comparison))}\n`);
    }
    return same ? 0 : EXIT_NO;
  },
});

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
  /** undefined for a run whose optimizer or schedule has no such setting. */
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
  if (steps.length === 0) return 'the runs have no recorded step in common';
  if (!divergence) return `the same at all ${formatCount(steps.length)} recorded steps, up to step ${formatCount(Math.max(...steps))}`;
  const before = steps[steps.indexOf(divergence.step) - 1];
  const since = before === undefined ? 'the runs differ from the start' : `the runs diverge after step ${formatCount(before)}`;
  const { tensors } = divergence;
  return `${since}: after step ${formatCount(divergence.step)}, ${tensors.join(', ')} ${tensors.length === 1 ? 'differs' : 'differ'}`;
}
