/** The options of `train` that give a configuration, and the command with them. */
import { applies, type OptionRow, withDefaults, wordsOf } from '../core/optionRow.js';
import { shellWord } from '../core/text.js';
import { TRAINING_OPTIONS, type TrainingOptionValues } from '../training/options.js';
import { PRESET_NAMES, type PresetName } from '../training/presets.js';
import { type DataSizes, withPreset } from '../training/recipe.js';
import { type RunConfig, valueIn } from '../training/runConfig.js';

/** A preset, and the options that differ from it. */
export interface Chosen {
  preset: PresetName;
  options: TrainingOptionValues;
}

type ByKey = Readonly<Record<string, unknown>>;

const ROWS: readonly OptionRow[] = TRAINING_OPTIONS;

/** The value of each option, by key. Options that do not go with the others have none. */
export function chosenValues({ preset, options }: Chosen, sizes: Partial<DataSizes> = {}): ByKey {
  const asked: ByKey = withPreset(ROWS, preset, options);
  const fixed = Object.fromEntries(ROWS.map(({ key, default: value }) => [key, asked[key] ?? value]));
  const applying = ROWS.filter((row) => row.key in asked && applies(row, fixed));
  return withDefaults(ROWS, Object.fromEntries(applying.map(({ key }) => [key, asked[key]])), sizes);
}

/**
 * What to give to `train` for this configuration: the preset with which the fewest options are needed, and these options. Where the parameters
 * come from, --init, is left out.
 * @param sizes of the data set: the default of --eval-every depends on them
 */
export function chosenFor(config: RunConfig, sizes: DataSizes): Chosen {
  const all = PRESET_NAMES.flatMap((preset) => differingFrom(preset, config, sizes) ?? []);
  const count = ({ options }: Chosen) => Object.keys(options).length;
  return all.reduce((best, one) => (count(one) < count(best) ? one : best));
}

/** Undefined if the preset has an option that cannot be taken back. */
function differingFrom(preset: PresetName, config: RunConfig, sizes: DataSizes): Chosen | undefined {
  const rows = ROWS.filter(({ flag, stored, files }) => flag !== undefined && stored !== undefined && !files);
  // Values that others depend on come first.
  const dependent = (row: OptionRow) => row.goesWith !== undefined || row.defaultFrom !== undefined;
  let options: Record<string, unknown> = {};
  for (const row of [...rows.filter((one) => !dependent(one)), ...rows.filter(dependent)]) {
    const found = valueIn(config, row) ?? (row.since === undefined ? undefined : row.default);
    const byPreset = chosenValues({ preset, options }, sizes)[row.key];
    if (found === undefined && byPreset !== undefined) return undefined;
    if (found === undefined || (byPreset !== undefined && row.kind.show(found) === row.kind.show(byPreset))) continue;
    options = { ...options, [row.key]: found };
  }
  return { preset, options };
}

/** `train` with these options as a shell reads it, without the program's name. */
export function trainCommand({ preset, options }: Chosen): string {
  const given = wordsOf(ROWS, options).map((word) => shellWord(word));
  return ['train', ...(preset === 'lesson' ? [] : [`--preset ${preset}`]), ...given].join(' ');
}
