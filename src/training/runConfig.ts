/** The configuration of a run, as a checkpoint stores it. Keys, order, checks and types follow from the table of options. */
import type { Kind } from '../core/kinds.js';
import { flagName, type OptionRow } from '../core/optionRow.js';
import { closest } from '../core/spelling.js';
import type { Capacity } from '../network/arrays.js';
import type { ModelConfig } from '../network/parameters.js';
import { TRAINING_OPTIONS, type TrainingRow } from './options.js';
import { OPTIMIZER_TENSORS } from './updater.js';

type StoredRow = Extract<TrainingRow, { stored: readonly string[] }>;
type ValueOf<Row> = Row extends { kind: Kind<infer T> } ? T : never;
/** The rows whose key may be missing: those without a default, and those with `since`. */
type OptionalRow = Exclude<StoredRow, { default: unknown } | { defaultFrom: object }> | Extract<StoredRow, { since: number }>;
/** The key of a row that is stored by itself. */
type OwnKey<Row> = Row extends { stored: readonly [infer Key extends string] } ? Key : never;
/** The key of a row inside the object that stores it. */
type InnerKey<Row> = Row extends { stored: readonly [string, infer Key extends string] } ? Key : never;

/** The keys of an object such as `optimizer` that go with one of its names. */
type SettingsOf<Key extends string, Name> = {
  -readonly [Row in StoredRow as Row extends { goesWith: { key: Key; values: infer Names extends readonly unknown[] } }
    ? Name extends Names[number]
      ? InnerKey<Row>
      : never
    : never]: ValueOf<Row>;
};
type NamedSettings<Key extends string, Name> = Name extends unknown ? { name: Name } & SettingsOf<Key, Name> : never;
type NamesOf<Key extends string> = ValueOf<Extract<StoredRow, { key: Key }>>;

/** Everything that shapes a run's weights and metrics, and nothing else: no path, no clock, no host. */
export type RunConfig = {
  -readonly [Row in Exclude<StoredRow, OptionalRow> as OwnKey<Row>]: ValueOf<Row>;
} & { -readonly [Row in OptionalRow as OwnKey<Row>]?: ValueOf<Row> } & {
  optimizer: NamedSettings<'optimizer', NamesOf<'optimizer'>>;
  schedule: NamedSettings<'schedule', NamesOf<'schedule'>>;
};

/** The checkpoint format of the first options. Later options name theirs in `since`. */
const FIRST_FORMAT = 3;
/** The format of checkpoints whose statistics are missing. */
export const WITHOUT_STATISTICS = 4;

/** The checkpoint formats that a table of options can read. */
export function knownFormats(rows: readonly OptionRow[]): { oldest: number; newest: number } {
  return { oldest: FIRST_FORMAT, newest: Math.max(WITHOUT_STATISTICS, newestOf(rows)) };
}

/** The checkpoint format of a configuration: the one that its newest option introduced. */
export function formatOf(config: RunConfig, rows: readonly OptionRow[]): number {
  const stored = rows.filter((row) => valueIn(config, row) !== undefined && !isLaterDefault(row, valueIn(config, row)));
  return newestOf(stored);
}

function newestOf(rows: readonly OptionRow[]): number {
  return Math.max(FIRST_FORMAT, ...rows.map(({ since = 0 }) => since));
}

/** The configuration with its keys in the table's order, without later options at their default. */
export function orderedConfig(config: RunConfig, rows: readonly OptionRow[]): RunConfig {
  return buildConfig(rows, Object.fromEntries(rows.map((row) => [row.key, valueIn(config, row)]))) as RunConfig;
}

/** Whether the value is the default of an option with `since`. Such a value is not stored. */
function isLaterDefault({ since, kind, default: byDefault }: OptionRow, value: unknown): boolean {
  return since !== undefined && byDefault !== undefined && kind.show(value) === kind.show(byDefault);
}

/** Builds a configuration from values by option key. */
export function buildConfig(rows: readonly OptionRow[], values: object): object {
  const config: Record<string, unknown> = {};
  for (const row of rows) {
    const value = (values as Record<string, unknown>)[row.key];
    if (!row.stored || value === undefined || isLaterDefault(row, value)) continue;
    const [key, inner] = row.stored;
    config[key] = inner === undefined ? value : { ...(config[key] as object), [inner]: value };
  }
  return config;
}

/** The value of an option in a configuration. */
export function valueIn(config: object, { stored }: OptionRow): unknown {
  if (!stored) return undefined;
  const [key, inner] = stored;
  const value = (config as Record<string, unknown>)[key];
  return inner === undefined ? value : (value as Record<string, unknown> | undefined)?.[inner];
}

/** A setting of a run: the option as typed, or what it is in words, and its value. */
export interface Setting {
  option: string;
  value: unknown;
  /** The value as typed. */
  text: string;
}

/** A configuration as single settings by key, for comparisons: the optimizer and the schedule as their names, with their settings. */
export function settingsOf(config: RunConfig): Map<string, Setting> {
  return new Map(
    TRAINING_OPTIONS.flatMap((row: OptionRow): [string, Setting][] => {
      const value = valueIn(config, row) ?? (row.since === undefined ? undefined : row.default);
      const [key, inner = key] = row.stored ?? [];
      if (value === undefined || key === undefined) return [];
      const shown = typeof value === 'object' && !Array.isArray(value) ? row.kind.show(value) : value;
      return [
        [
          inner === 'name' ? key : (inner as string),
          { option: row.flag ? flagName(row) : row.description, value: shown, text: row.kind.show(value) },
        ],
      ];
    }),
  );
}

/** Keys of a stored configuration that no option has, and the one that was probably meant. */
export function unknownSettings(config: object): { key: string; similar: string | undefined }[] {
  const stored = TRAINING_OPTIONS.flatMap((row: OptionRow) => (row.stored ? [row.stored] : []));
  const unknown = (found: object, known: readonly string[]) =>
    Object.keys(found).flatMap((key) => (known.includes(key) ? [] : [{ key, similar: closest(key, known) }]));
  return [
    ...unknown(
      config,
      stored.map(([key]) => key),
    ),
    ...Object.entries(config).flatMap(([key, value]) => {
      const inner = stored.flatMap(([outer, one]) => (outer === key && one !== undefined ? [one] : []));
      return inner.length > 0 && typeof value === 'object' && value !== null ? unknown(value, inner) : [];
    }),
  ];
}

export function modelConfig(
  { context, embedding, hidden, norm }: Pick<RunConfig, 'context' | 'embedding' | 'hidden' | 'norm'>,
  vocabulary: readonly string[],
): ModelConfig {
  return { context, embedding, hidden, vocabulary: vocabulary.length, ...(norm === 'none' && { norm }) };
}

/** The capacity that a run's model needs for training, and for evaluation and sampling in batches of the given sizes. */
export function trainingCapacity({ batchSize, optimizer }: Pick<RunConfig, 'batchSize' | 'optimizer'>, inference: number[] = []): Capacity {
  return { training: batchSize, optimizerTensors: OPTIMIZER_TENSORS[optimizer.name], inference };
}
