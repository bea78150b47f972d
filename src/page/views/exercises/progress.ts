/** What a learner has written. It stays in the browser, and survives a reload, a crash, and a second tab. */
import { signal } from '@preact/signals';
import * as v from 'valibot';
import type { Verdict } from '../../../dojo/check.js';
import type { ExerciseNumber } from '../../../dojo/exercises.js';
import type { GradientName } from '../../../lesson/values.js';

const KEY = 'backprop-ninja exercises';
const UNREADABLE_KEY = `${KEY}, unreadable`;
const VERSION = 1;

/** The code above the lines of an exercise is kept like a line. */
export type Part = GradientName | 'top';

const entry = v.object({
  text: v.string(),
  /** When it was written, in milliseconds: of two tabs the later one counts. */
  at: v.number(),
  /** What the check said of this text. */
  verdict: v.optional(v.picklist(['right', 'wrong', 'todo', 'failed'])),
  /** Steps of the hints that are open. */
  hints: v.optional(v.number()),
});
const stored = v.object({ version: v.literal(VERSION), parts: v.record(v.string(), entry) });

type Entry = v.InferOutput<typeof entry>;
type Entries = Readonly<Record<string, Entry>>;

/** A part by its exercise and name. */
const keyOf = (exercise: ExerciseNumber, part: Part) => `${exercise}.${part}`;

/** Why nothing is kept, if the browser refuses it. */
export const storageProblem = signal<string | undefined>(undefined);
const entries = signal<Entries>(read() ?? {});

function now(): number {
  return performance.timeOrigin + performance.now();
}

function read(text = fromStorage()): Entries | undefined {
  if (text === null) return undefined;
  try {
    return v.parse(stored, JSON.parse(text)).parts;
  } catch {
    storageProblem.value = `What this browser has kept of your exercises cannot be read. It is kept under the key “${UNREADABLE_KEY}”.`;
    try {
      localStorage.setItem(UNREADABLE_KEY, text);
    } catch {}
    return undefined;
  }
}

function fromStorage(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    storageProblem.value = 'This browser keeps nothing for this page: your lines are lost when you close it. Save them as files.';
    return null;
  }
}

/** The later of two versions of each part. */
function later(a: Entries, b: Entries): Entries {
  const merged: Record<string, Entry> = { ...a };
  for (const [key, one] of Object.entries(b)) if (one.at > (merged[key]?.at ?? 0)) merged[key] = one;
  return merged;
}

function change(key: string, next: Entry): void {
  entries.value = { ...later(entries.value, read() ?? {}), [key]: next };
  try {
    localStorage.setItem(KEY, JSON.stringify({ version: VERSION, parts: entries.value }));
  } catch {
    storageProblem.value = 'This browser keeps nothing more for this page: your lines are lost when you close it. Save them as files.';
  }
}

/** Follows what another tab writes. */
export function followOtherTabs(): () => void {
  const onStorage = ({ key, newValue }: StorageEvent) => {
    if (key === KEY && newValue !== null) entries.value = later(entries.value, read(newValue) ?? {});
  };
  addEventListener('storage', onStorage);
  return () => removeEventListener('storage', onStorage);
}

/** The text of a part; undefined if nothing is written. */
export function textOf(exercise: ExerciseNumber, part: Part): string | undefined {
  return entries.value[keyOf(exercise, part)]?.text;
}

/** What the check said of the text, if it has been checked. */
export function verdictOf(exercise: ExerciseNumber, name: GradientName): Verdict | undefined {
  return entries.value[keyOf(exercise, name)]?.verdict;
}

/** How many steps of the hints are open. */
export function openHints(exercise: ExerciseNumber, name: GradientName): number {
  return entries.value[keyOf(exercise, name)]?.hints ?? 0;
}

/** Writes a part. A verdict on the text before does not hold for it; on the code above the lines all verdicts depend. */
export function write(exercise: ExerciseNumber, part: Part, text: string): void {
  const key = keyOf(exercise, part);
  const before = entries.value[key];
  if ((before?.text ?? '') === text) return;
  change(key, { text, at: now(), ...(before?.hints !== undefined && { hints: before.hints }) });
  if (part !== 'top') return;
  for (const [other, { verdict, ...entry }] of Object.entries(entries.value)) {
    if (verdict !== undefined && other.startsWith(`${exercise}.`)) change(other, entry);
  }
}

export function keepVerdict(exercise: ExerciseNumber, name: GradientName, text: string, verdict: Verdict): void {
  const key = keyOf(exercise, name);
  const before = entries.value[key];
  if (before?.text === text && before.verdict !== verdict) change(key, { ...before, verdict });
}

/** @param stub the text of a line that is not written */
export function openHint(exercise: ExerciseNumber, name: GradientName, steps: number, stub: string): void {
  const key = keyOf(exercise, name);
  change(key, { ...(entries.value[key] ?? { text: stub, at: now() }), hints: steps });
}
