/** Whether a run can be resumed as it is asked for: the same options, and the same data. */
import { UsageError } from '../core/errors.js';
import { flagName, type OptionRow } from '../core/optionRow.js';
import { showCharacters, showText } from '../core/text.js';
import type { NameList } from '../data/nameList.js';
import { vocabularyIndex } from '../data/vocabulary.js';
import { TRAINING_OPTIONS, type TrainingOptionValues } from '../training/options.js';
import { type RunConfig, valueIn } from '../training/runConfig.js';
import type { Checkpoint } from './checkpoint.js';

/**
 * The stored configuration, with more steps if --steps asks for more.
 * @param run what an error calls the run
 * @throws UsageError that lists every option that differs from the stored one
 */
export function resumedConfig({ config }: Checkpoint, given: TrainingOptionValues, run: string): RunConfig {
  const differences = TRAINING_OPTIONS.flatMap((row) => (row.key === 'steps' ? [] : difference(row, given, config)));
  const { steps = config.steps } = given;
  const text = `--steps is ${config.steps} there, but ${steps} here`;
  if (steps < config.steps) differences.push(`${text}, and can only be raised`);
  if (steps > config.steps && (config.schedule.name === 'linear' || config.schedule.name === 'cosine')) {
    differences.push(`${text}, and its ${config.schedule.name} schedule has reached 0 at the end`);
  }
  if (differences.length > 0) {
    throw new UsageError(`${showText(run)} has other settings: ${differences.join('; ')}`, { hint: 'leave them out, or start a new run' });
  }
  return { ...config, steps };
}

/** How a given option differs from the stored one, if it does. */
function difference(row: OptionRow, given: object, config: RunConfig): string[] {
  const asked = (given as Record<string, unknown>)[row.key];
  if (asked === undefined || !row.stored) return [];
  const stored = valueIn(config, row) ?? (row.since === undefined ? undefined : row.default);
  const [there, here] = [stored, asked].map((value) => (value === undefined ? 'none' : row.kind.show(value)));
  return there === here ? [] : [`${flagName(row)} is ${there} there, but ${here} here`];
}

/** How a list of names differs from the data set of a run; empty if it is the same. */
export function dataDifferences(
  { dataSha256, vocabulary }: Pick<Checkpoint, 'dataSha256' | 'vocabulary'>,
  data: { sha256: string; names: NameList },
): string[] {
  return [
    ...(data.sha256 === dataSha256 ? [] : [`SHA-256 ${data.sha256}, expected ${dataSha256}`]),
    ...vocabularyDifferences(vocabulary, data.names.vocabulary),
  ];
}

function vocabularyDifferences(stored: readonly string[], found: readonly string[]): string[] {
  const without = (list: readonly string[], others: readonly string[]) => {
    const known = vocabularyIndex(others);
    return list.filter((character) => !known.has(character));
  };
  const show = (title: string, list: string[]) => (list.length === 0 ? [] : [`${title} ${showCharacters(list, 'all')}`]);
  return [...show('new characters', without(found, stored)), ...show('missing characters', without(stored, found))];
}
