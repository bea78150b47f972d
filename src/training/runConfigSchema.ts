/** Validates a stored configuration. Its own file, so that a user's compiler does not read the types of valibot. */
import * as v from 'valibot';
import type { StoredKind } from '../core/kinds.js';
import { applies, type OptionRow } from '../core/optionRow.js';
import type { RunConfig } from './runConfig.js';

/** 0, 1, 2, … */
export const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
export const finite = v.pipe(v.number(), v.finite());
export const sha256Text = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'Expected 64 hexadecimal digits'));

/** Accepts the configurations that a table of options describes. */
export function configSchema(rows: readonly OptionRow[]): v.GenericSchema<unknown, RunConfig> {
  const entries: Record<string, v.GenericSchema> = {};
  for (const row of rows) {
    if (!row.stored || row.stored[0] in entries) continue;
    const [key, inner] = row.stored;
    entries[key] = inner === undefined ? entrySchema(row) : objectSchema(key, row, rows);
  }
  return v.strictObject(entries) as unknown as v.GenericSchema<unknown, RunConfig>;
}

function entrySchema(row: OptionRow): v.GenericSchema {
  const schema = kindSchema(row.kind.stored);
  const required = row.since === undefined && (row.default !== undefined || row.defaultFrom !== undefined);
  return required ? schema : (v.exactOptional(schema) as unknown as v.GenericSchema);
}

/** An object such as `optimizer`: for each of its names, the settings that go with it. */
function objectSchema(key: string, { kind }: OptionRow, rows: readonly OptionRow[]): v.GenericSchema {
  const names = kind.stored.type === 'choice' ? kind.stored.choices : [];
  const settings = rows.filter(({ stored, goesWith }) => stored?.[0] === key && goesWith);
  const ofName = (name: string) => {
    const entries = settings.filter((row) => applies(row, { [key]: name })).map((row) => [row.stored?.[1], entrySchema(row)]);
    return v.strictObject({ name: v.literal(name), ...Object.fromEntries(entries) });
  };
  return v.variant('name', names.map(ofName) as [ReturnType<typeof ofName>]);
}

function kindSchema(stored: StoredKind): v.GenericSchema {
  switch (stored.type) {
    case 'whole':
      return v.pipe(v.number(), v.safeInteger(), v.minValue(stored.min));
    case 'wholes': {
      const each = v.pipe(v.number(), v.safeInteger(), v.minValue(stored.min));
      return v.pipe(v.array(each), v.minLength(1), v.maxLength(stored.most));
    }
    case 'decimal':
      return decimalSchema(stored);
    case 'choice':
      return v.picklist(stored.choices);
    case 'decay': {
      const decay = v.pipe(finite, v.minValue(0));
      return v.union([decay, v.record(v.string(), decay)]);
    }
    case 'flag':
      return v.boolean();
    case 'text':
      return v.string();
    case 'sha256':
      return sha256Text;
  }
}

function decimalSchema({ min, open, below = Number.POSITIVE_INFINITY }: Extract<StoredKind, { type: 'decimal' }>): v.GenericSchema {
  return open ? v.pipe(finite, v.gtValue(min), v.ltValue(below)) : v.pipe(finite, v.minValue(min), v.ltValue(below));
}
