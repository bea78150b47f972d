/** The options of a training in the page: those of `train`, as the table of options has them. */
import { UsageError } from '../../../core/errors.js';
import { applies, type OptionRow, rowsOf } from '../../../core/optionRow.js';
import type { NamesOptions } from '../../../data/parseNames.js';
import { type Chosen, chosenValues, trainCommand } from '../../../run/trainCommand.js';
import { NAMES_OPTIONS, TRAINING_OPTIONS, type TrainingOptionValues } from '../../../training/options.js';
import { storedOf, withPreset } from '../../../training/recipe.js';

const NAMES_KEYS: readonly string[] = NAMES_OPTIONS.map(({ key }) => key);

/** All that can be given to `train` but files, and how a list of names is read: "Your names" asks for that. */
export const PAGE_OPTIONS: readonly OptionRow[] = rowsOf<OptionRow>(TRAINING_OPTIONS, 'train').filter(
  ({ key, flag, files }) => flag !== undefined && !files && !NAMES_KEYS.includes(key),
);

/** The headings of the form, each with its options, in the table's order. */
export const GROUPS: readonly { title: string; rows: readonly OptionRow[] }[] = [...new Set(PAGE_OPTIONS.map(({ group }) => group))].map(
  (group) => ({ title: (group ?? 'More:').replace(/:$/, ''), rows: PAGE_OPTIONS.filter((row) => row.group === group) }),
);

/** The id of an option's field. */
export function fieldId({ key }: OptionRow): string {
  return `option-${key}`;
}

type ByKey = Readonly<Record<string, unknown>>;

/** The value that an option would have if it was not given. */
export function presetValue({ preset, options }: Chosen, { key }: OptionRow): unknown {
  return chosenValues({ preset, options: without(options, key) })[key];
}

/** The options without one of them. */
function without(options: TrainingOptionValues, key: string): TrainingOptionValues {
  return Object.fromEntries(Object.entries(options).filter(([one]) => one !== key));
}

/** Whether an option goes with the others. One that was given is shown nevertheless, so that it can be taken back. */
export function isShown(chosen: Chosen, row: OptionRow, values: ByKey = chosenValues(chosen)): boolean {
  return applies(row, values) || row.key in chosen.options;
}

/** The choice with another value of an option. What the preset has anyway is left out, and so is what no longer goes with it. */
export function withOption(chosen: Chosen, row: OptionRow, value: unknown): Chosen {
  const byPreset = presetValue(chosen, row);
  const same = value === undefined || (byPreset !== undefined && row.kind.show(value) === row.kind.show(byPreset));
  const options = { ...without(chosen.options, row.key), ...(same ? {} : { [row.key]: value }) };
  const next = { ...chosen, options };
  const values = chosenValues(next);
  const [before, after] = [chosenValues(chosen), values];
  const dropped = PAGE_OPTIONS.filter((one) => one.key in options && applies(one, before) && !applies(one, after));
  return { ...chosen, options: dropped.reduce((kept, { key }) => without(kept, key), options as TrainingOptionValues) };
}

/** Why the options contradict each other, in the terminal's words; undefined if they do not. */
export function contradiction({ preset, options }: Chosen): string | undefined {
  try {
    storedOf(TRAINING_OPTIONS, withPreset(TRAINING_OPTIONS, preset, options));
    return undefined;
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
}

/**
 * The command that trains the same in a terminal.
 * @param list how the reader's own list is read; undefined for the bundled names
 */
export function commandOf({ preset, options }: Chosen, list?: NamesOptions): string {
  const data = list ? ' --data names.txt' : '';
  const { column, normalize } = list ?? {};
  const read = { ...(column !== undefined && { column }), ...(normalize !== undefined && { normalize }) };
  return `npx backprop-ninja ${trainCommand({ preset, options: { ...options, ...read } })}${data}`;
}
