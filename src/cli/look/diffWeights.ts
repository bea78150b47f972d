import { type CheckpointComparison, compareCheckpoints, type SettingDifference } from '../../run/compareCheckpoints.js';
import type { CommandContext } from '../command.js';
import { EXIT_NO } from '../terminal/exitCodes.js';
import { checkpointLines, partsLines, scopeLines, tensorList } from './describeComparison.js';
import type { StoredRun } from './storedRun.js';

/** What an imported run does not have, or has only by default. */
const NOT_COMPARED = [
  { what: 'records, and the state of the training', reason: 'one of the runs was imported' },
  { what: 'settings of the training', reason: 'for the same reason' },
] as const;

/** Settings that a run has without a training, too. */
const KEPT: readonly string[] = ['context', 'embedding', 'hidden', 'splitSeed', 'unique', 'column', 'normalize'];

/**
 * Compares an imported run with a trained one: their weights, at whatever step.
 * @param settings all settings that differ, and the data
 * @returns the exit code
 */
export async function diffWeights(
  a: StoredRun,
  b: StoredRun,
  settings: readonly SettingDifference[],
  { io, json, printJson, paint }: CommandContext,
): Promise<number> {
  const weights = compareCheckpoints(a.checkpoint, b.checkpoint, ['parameters', 'statistics']);
  const kept = settings.filter(({ key }) => KEPT.includes(key) || key.startsWith('SHA-256'));
  const same = weights.differences.length === 0 && kept.length === 0;
  const notCompared = [...NOT_COMPARED, ...weights.notCompared.map(({ part, reason }) => ({ what: part, reason }))];
  if (json) {
    const programs = [a.checkpoint.program, b.checkpoint.program];
    printJson({ same, weights, config: kept, programs, notCompared });
  } else {
    const { green, red } = await paint();
    const lines = [
      ...kept.map(({ option, values }) => `${option}: ${values.map((value) => value ?? 'none').join(' and ')}`),
      ...checkpointLines('weights', weights),
      (same ? green : red)(verdict(weights, same)),
      ...scopeLines(['data and sizes', ...partsLines([['weights', weights]])], notCompared),
    ];
    io.stdout.write(`${lines.join('\n')}\n`);
  }
  return same ? 0 : EXIT_NO;
}

function verdict({ differences }: CheckpointComparison, same: boolean): string {
  if (same) return 'the same weights';
  const names = differences.flatMap((difference) => difference.names);
  return names.length === 0 ? 'the same weights, except for the settings' : `the weights differ: ${tensorList(names)}`;
}
