/** The state of the page that a link carries: one row per property, from which address and defaults derive. */
import { choice, decimalNumber, flag, type Kind, wholeNumber } from '../core/kinds.js';
import type { OptionRow } from '../core/optionRow.js';
import { closest } from '../core/spelling.js';
import { capitalised, quoteText } from '../core/text.js';
import type { ExerciseNumber } from '../dojo/exercises.js';
import { MUTANTS } from '../dojo/mutants.js';
import { TENSOR_NAMES, type TensorName } from '../lesson/entry.js';
import { GRADIENT_NAMES } from '../lesson/exercise1.js';
import { PASS_LIMITS } from '../lesson/namesCase.js';
import { STEP_NAMES } from '../lesson/values.js';
import { MAX_SEED, type TrainingOptionValues } from '../training/options.js';
import { PRESET_NAMES, type PresetName } from '../training/presets.js';
import { PAGE_OPTIONS } from './views/train/options.js';

export const VIEWS = ['pass', 'train', 'mistakes', 'hunt', 'exercises', 'names'] as const;
export type View = (typeof VIEWS)[number];

/** The steps of the pass: the forward lines, then the gradient lines. A step is named after the tensor that it computes. */
export const PASS_STEPS: readonly TensorName[] = [...STEP_NAMES, ...GRADIENT_NAMES];

const MISTAKES: readonly string[] = MUTANTS.map(({ name }) => name);

/** How a value is written in an address. */
type Written<T> = Pick<Kind<T>, 'expected' | 'read' | 'show'>;

export interface Property<T> {
  kind: Written<T>;
  default: T;
}

/** One of these, or none. */
function optional<T>(kind: Written<T>): Written<T | null> {
  return {
    expected: kind.expected,
    read: (text) => (text === '' ? null : kind.read(text)),
    show: (value) => (value === null ? '' : kind.show(value)),
  };
}

/** The indices of an entry: 3,17. */
const indices: Written<readonly number[]> = {
  expected: 'indices such as 3,17',
  read: (text) => (/^\d{1,6}(,\d{1,6}){0,2}$/.test(text) ? text.split(',').map(Number) : undefined),
  show: (value) => value.join(','),
};

/** Examples whose rows can be seen in a picture. `backprop-ninja why` explains larger batches, too. */
const MOST_ROWS = 64;

/** The name of a tensor of any network, such as blocks.2.W. */
const tensorName: Written<string> = {
  expected: 'the name of a tensor, such as W1',
  read: (text) => (/^[A-Za-z][\w.]{0,39}$/.test(text) ? text : undefined),
  show: String,
};

const property = <T>(kind: Written<T>, value: T): Property<T> => ({ kind, default: value });

const PROPERTIES = {
  view: property(choice(VIEWS), 'pass' as View),
  /** Seed of the parameters and the batches. */
  seed: property(wholeNumber(...PASS_LIMITS.seed), 1),
  /** The number of the batch, from 0. */
  batch: property(wholeNumber(...PASS_LIMITS.batch), 0),
  /** Batch size. */
  n: property(wholeNumber(PASS_LIMITS.n[0], MOST_ROWS), 32),
  /** The parameters at the start of a training, or those of the run in the page's file. */
  network: property(choice(['start', 'run']), 'run' as 'start' | 'run'),
  /** The line of the pass. */
  step: property(choice(PASS_STEPS), PASS_STEPS[0] as TensorName),
  /** The tensor whose entry is inspected; by default that of the step. */
  tensor: property(optional(choice(TENSOR_NAMES)), null),
  /** The entry that is inspected. */
  entry: property(optional(indices), null),
  /** The gradient lines one by one, or cross-entropy and batch norm in one expression each. */
  form: property(choice(['atomic', 'closed']), 'atomic' as 'atomic' | 'closed'),
  /** ε of the proof. */
  eps: property(decimalNumber(1e-12, 1), 1e-5),
  /** One scale for all heat maps. */
  sameScale: property(flag, false),
  /** Symmetric logarithmic scale. */
  log: property(flag, false),
  /** The planted mistake, by its name in the bank. */
  mistake: property({ ...choice(MISTAKES), expected: `the name of a mistake, such as ${MISTAKES[0]}` }, MISTAKES[0] as string),
  /** Seed of the hunt. */
  hunt: property(optional(wholeNumber(0, MAX_SEED)), null),
  /** The exercise, and its line; by default the first that is not right. */
  exercise: property(wholeNumber(1, 4) as Written<ExerciseNumber>, 1 as ExerciseNumber),
  line: property(optional(choice(GRADIENT_NAMES)), null),
  /** The preset of a training. */
  preset: property(choice(PRESET_NAMES), 'lesson' as PresetName),
  /** The tensor that is looked at while a network trains. */
  watch: property(tensorName, 'W1'),
};

/** The options of a training by their keys in an address. A key that another property has begins with `train`: trainSeed. */
const OPTIONS: ReadonlyMap<string, OptionRow> = new Map(
  PAGE_OPTIONS.map((row) => [Object.hasOwn(PROPERTIES, row.key) ? `train${capitalised(row.key)}` : row.key, row]),
);

type Properties = typeof PROPERTIES;
export type Key = keyof Properties;
export type PageState = { [K in Key]: Properties[K] extends Property<infer T> ? T : never } & {
  /** The options of a training that differ from its preset. */
  options: TrainingOptionValues;
};

const DEFAULTS = {
  ...Object.fromEntries(Object.entries(PROPERTIES).map(([key, { default: value }]) => [key, value])),
  options: {},
} as unknown as PageState;

/** The state as the fragment of an address, without `#`. Properties at their default are left out. */
export function addressOf(state: PageState): string {
  const parts = (Object.keys(PROPERTIES) as Key[]).flatMap((key) => {
    const { kind, default: value } = PROPERTIES[key] as Property<unknown>;
    const text = kind.show(state[key]);
    return text === kind.show(value) ? [] : [written(key, text)];
  });
  const options = [...OPTIONS].flatMap(([key, row]) => {
    const value = (state.options as Record<string, unknown>)[row.key];
    return value === undefined ? [] : [written(key, row.kind.show(value))];
  });
  return [...parts, ...options].join('&');
}

function written(key: string, text: string): string {
  return `${key}=${encodeURIComponent(text).replaceAll('%2C', ',')}`;
}

/** The value that a text has as a property; undefined if it has none. */
export function readProperty<K extends Key>(key: K, text: string): PageState[K] | undefined {
  return (PROPERTIES[key] as unknown as Property<PageState[K]>).kind.read(text);
}

/** What a property may be, for a message: a whole number from 2 to 64. */
export function expectedOf(key: Key): string {
  return PROPERTIES[key].kind.expected;
}

/** A property of an address that has no such value, or that does not exist. */
export interface Unreadable {
  key: string;
  text: string;
  /** Of an existing property. */
  expected?: string;
}

/** What is said of it: with what is expected, or with the property that may be meant. */
export function noticeOf({ key, text, expected }: Unreadable): string {
  const has = `The address has ${quoteText(key)}=${quoteText(text)}`;
  if (expected !== undefined) return `${has}. Expected ${expected}; the page shows its default.`;
  // No property is longer than this; the distance of long words takes long.
  const meant = key.length < 40 ? closest(key, [...Object.keys(PROPERTIES), ...OPTIONS.keys()]) : undefined;
  return `${has}, but the page has no such property${meant === undefined ? '.' : `; did you mean ${meant}?`}`;
}

/** The state of an address. What cannot be read gets its default, and is reported, as is a property that does not exist. */
export function readAddress(fragment: string): { state: PageState; unreadable: Unreadable[] } {
  const options: Record<string, unknown> = {};
  const state: Record<string, unknown> = { ...DEFAULTS, options };
  const unreadable: Unreadable[] = [];
  for (const [key, text] of new URLSearchParams(fragment.replace(/^#/, '').replaceAll('+', '%2B'))) {
    const row = OPTIONS.get(key);
    if (!row && !Object.hasOwn(PROPERTIES, key)) {
      unreadable.push({ key, text });
      continue;
    }
    const { kind } = row ?? (PROPERTIES[key as Key] as Property<unknown>);
    const value = kind.read(text);
    if (value === undefined) unreadable.push({ key, text, expected: kind.expected });
    else if (row) options[row.key] = value;
    else state[key] = value;
  }
  return { state: state as unknown as PageState, unreadable };
}
