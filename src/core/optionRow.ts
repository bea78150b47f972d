/** A row of a table of options, and what derives from a table: types of values, defaults, and which options apply. */
import { UsageError } from './errors.js';
import type { Kind } from './kinds.js';

export interface OptionRow {
  /** Its name in code. */
  readonly key: string;
  /** As typed, with its placeholder: `--warmup <steps>`. Without a flag, the value is always the default. */
  readonly flag?: string;
  readonly description: string;
  /** Its heading in the help. */
  readonly group?: string;
  readonly kind: Kind<unknown>;
  readonly default?: unknown;
  /** The default in words, if it is not a fixed value. */
  readonly defaultText?: string;
  /** A default that depends on other values. */
  readonly defaultFrom?: DefaultFrom;
  /** The option applies only with these values of another option. */
  readonly goesWith?: { readonly key: string; readonly values: readonly string[] };
  /** The commands that have it, if a table serves several. */
  readonly commands?: readonly string[];
  /** Its place in a run's configuration: a key, or a key in an object. Without one, it is not stored. */
  readonly stored?: readonly [key: string] | readonly [object: string, key: string];
  /** The checkpoint format that introduced it, if later than the first: at its default it is not stored. */
  readonly since?: number;
  /** It is about files, which a browser has none of. */
  readonly files?: boolean;
  /** May be given several times; its value is the list. */
  readonly repeatable?: boolean;
  readonly required?: boolean;
}

export interface DefaultFrom {
  /** Keys of the values it depends on. If one is missing, there is no default. */
  readonly keys: readonly string[];
  of(values: object): unknown;
}

type ValueOf<Row> = Row extends { kind: Kind<infer T> } ? (Row extends { repeatable: true } ? T[] : T) : never;

/** The keys of the rows that always have a value. */
type FilledKey<Row extends OptionRow> = Row extends { goesWith: object }
  ? never
  : Row extends { default: unknown } | { required: true }
    ? Row['key']
    : never;

/** Values as a user gives them: each may be missing. */
export type GivenValues<Row extends OptionRow> = { -readonly [R in Row as R['key']]?: ValueOf<R> };

/** Values with the defaults filled in. */
export type Values<Row extends OptionRow> = { -readonly [R in Row as R['key'] & FilledKey<R>]: ValueOf<R> } & {
  -readonly [R in Row as Exclude<R['key'], FilledKey<R>>]?: ValueOf<R>;
};

/** The name of the option without its placeholder: `--warmup`. */
export function flagName({ flag, key }: OptionRow): string {
  return flag?.split(' ')[0] ?? key;
}

/**
 * Reads the value of an option.
 * @throws UsageError, in the words of the command line, if the text is not such a value
 */
export function readOption({ flag, key, kind }: OptionRow, text: string): unknown {
  const value = kind.read(text);
  if (value !== undefined) return value;
  const expected = kind.stored.type === 'choice' ? `Allowed choices are ${kind.stored.choices.join(', ')}.` : `Expected ${kind.expected}.`;
  throw new UsageError(`option '${flag ?? key}' argument '${text}' is invalid. ${expected}`);
}

/** The rows that a command has. */
export function rowsOf<Row extends OptionRow>(rows: readonly Row[], command: string): Row[] {
  return rows.filter(({ commands }) => commands?.includes(command) ?? true);
}

/** Values as the words of a command line, in the order of the table. */
export function wordsOf(rows: readonly OptionRow[], values: object): string[] {
  return rows.flatMap((row) => {
    const value = (values as Record<string, unknown>)[row.key];
    if (value === undefined || row.flag === undefined) return [];
    if (row.kind.stored.type === 'flag') return value ? [flagName(row)] : [];
    return [flagName(row), row.kind.show(value)];
  });
}

/** Whether the option applies, given the other values. */
export function applies({ goesWith }: Pick<OptionRow, 'goesWith'>, values: Readonly<Record<string, unknown>>): boolean {
  return goesWith === undefined || goesWith.values.some((value) => value === values[goesWith.key]);
}

/**
 * Fills in the defaults.
 * @param facts other values that defaults depend on
 * @throws UsageError if an option is given that does not go with the others
 */
export function withDefaults<Row extends OptionRow>(rows: readonly Row[], given: GivenValues<Row>, facts: object = {}): Values<Row> {
  const values: Record<string, unknown> = { ...facts };
  // Fixed defaults first: the others may depend on any of them.
  for (const { key, default: value } of rows) values[key] = (given as Record<string, unknown>)[key] ?? value;
  for (const row of rows) {
    if (applies(row, values)) continue;
    if ((given as Record<string, unknown>)[row.key] !== undefined) throw doesNotGo(row, rows, values);
    delete values[row.key];
  }
  for (const row of rows) {
    const { key, defaultFrom } = row;
    if (values[key] !== undefined || !defaultFrom || !applies(row, values)) continue;
    if (defaultFrom.keys.every((one) => values[one] !== undefined)) values[key] = defaultFrom.of(values);
  }
  return Object.fromEntries(rows.flatMap(({ key }) => (values[key] === undefined ? [] : [[key, values[key]]]))) as Values<Row>;
}

function doesNotGo(row: OptionRow, rows: readonly OptionRow[], values: Readonly<Record<string, unknown>>): UsageError {
  const { key, values: names } = row.goesWith as NonNullable<OptionRow['goesWith']>;
  const other = rows.find((one) => one.key === key) as OptionRow;
  return new UsageError(`${flagName(row)} goes with ${flagName(other)} ${names.join(' or ')}, not with ${values[key]}`);
}
