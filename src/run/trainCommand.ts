/** The command that trains a run again, from its configuration. */
import { flagName, type OptionRow } from '../core/optionRow.js';
import { shellWord } from '../core/text.js';
import { TRAINING_OPTIONS } from '../training/options.js';
import { PRESET_NAMES, type PresetName } from '../training/presets.js';
import { createRunConfig, type DataSizes, withPreset } from '../training/recipe.js';
import { type RunConfig, valueIn } from '../training/runConfig.js';
import { defaultSwitchStep } from '../training/schedule.js';

const ROWS: readonly OptionRow[] = TRAINING_OPTIONS.filter((row: OptionRow) => row.stored && row.flag !== undefined);

/** The keys of the options that a file to begin with decides. */
const SIZES: readonly string[] = ['context', 'embedding', 'hidden'];

/** What is known of a run's data set. */
export interface KnownData {
  /** Whether it is the list of names that comes with the program. */
  isBundled: boolean;
  /** The numbers of its examples, which decide the default of --eval-every; undefined if they are not known. */
  sizes: DataSizes | undefined;
}

/**
 * The command, as short as the presets make it: `backprop-ninja train --preset fast --seed 7`. In the place of files is FILE.
 */
export function trainCommand(config: RunConfig, { isBundled, sizes }: KnownData): string {
  if (config.imported) return 'backprop-ninja import FILE';
  // A file to begin with has its own sizes, and so would a preset.
  const presets = config.init === undefined ? PRESET_NAMES : (['lesson'] as const);
  const [words] = presets.map((preset) => wordsFrom(preset, config, sizes)).sort((a, b) => a.length - b.length);
  return ['backprop-ninja train', ...(isBundled ? [] : ['--data FILE']), ...words].join(' ');
}

/** The options that differ from a preset. */
function wordsFrom(preset: PresetName, config: RunConfig, sizes: DataSizes | undefined): string[] {
  const chosen = preset === 'lesson' ? [] : [`--preset ${preset}`];
  const given: Record<string, unknown> = {};
  const defaults = () => createRunConfig(withPreset(TRAINING_OPTIONS, preset, given), sizes ?? { trainExamples: 0, valExamples: 0 });
  // One after the other: the default of --lr depends on --optimizer, and that on the preset.
  const order = [...ROWS].sort((a, b) => Number(a.key !== 'optimizer') - Number(b.key !== 'optimizer'));
  for (const row of order) {
    const value = valueIn(config, row) ?? row.default;
    if (value === undefined || (config.init !== undefined && SIZES.includes(row.key))) continue;
    const isKnown = row.key !== 'evalEvery' || sizes !== undefined;
    const byDefault = valueIn(defaults(), row) ?? row.default;
    if (!isKnown || byDefault === undefined || row.kind.show(byDefault) !== row.kind.show(value)) given[row.key] = value;
  }
  const words = ROWS.flatMap((row) => {
    const value = given[row.key];
    if (value === undefined) return [];
    if (row.kind.stored.type === 'flag') return value ? [flagName(row)] : [];
    return [`${flagName(row)} ${row.kind.stored.type === 'sha256' ? 'FILE' : shellWord(row.kind.show(value))}`];
  });
  return [...chosen, ...words];
}

/** Whether it was extended by more steps: its rate falls where it would have fallen with fewer. */
export function isExtended({ schedule, steps }: RunConfig): boolean {
  return schedule.name === 'step' && schedule.switchStep !== defaultSwitchStep(steps);
}
