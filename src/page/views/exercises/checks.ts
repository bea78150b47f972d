/** The checks of lines: what is being checked, and what came out. */
import { signal } from '@preact/signals';
import type { ExerciseNumber } from '../../../dojo/exercises.js';
import { ask } from '../../engine/client.js';
import type { ExerciseEntry, LineEntry } from '../../engine/exercises.js';
import { type CheckedLine, checkLine } from '../../learner/checkLine.js';
import { keepVerdict, textOf, verdictOf } from './progress.js';

/** The exercises, once the engine has told them. */
export const catalogue = signal<readonly ExerciseEntry[] | undefined>(undefined);

/** A result, and the text that it is of. */
interface Result {
  key: string;
  checked: CheckedLine;
}

const results = signal<ReadonlyMap<string, Result>>(new Map());
/** The line that is being checked. */
const checking = signal<string | undefined>(undefined);

const idOf = (exercise: ExerciseNumber, name: string) => `${exercise}.${name}`;
const keyOf = (exercise: ExerciseNumber, line: LineEntry) => JSON.stringify([written(exercise, line), textOf(exercise, 'top') ?? '']);

/** The text of a line: what is written, or its stub. */
export function written(exercise: ExerciseNumber, line: LineEntry): string {
  return textOf(exercise, line.name) ?? line.stub;
}

/** What the latest check of a line said, if the line has not changed since. */
export function resultOf(exercise: ExerciseNumber, line: LineEntry): CheckedLine | undefined {
  const result = results.value.get(idOf(exercise, line.name));
  return result?.key === keyOf(exercise, line) ? result.checked : undefined;
}

/** The latest result, of whatever text. */
export function latestResult(exercise: ExerciseNumber, line: LineEntry): CheckedLine | undefined {
  return results.value.get(idOf(exercise, line.name))?.checked;
}

let current: AbortController | undefined;
/** While a line is checked, its tab keeps which: a line that ends the page, because it takes all memory, must not end it again. */
const MARK = 'backprop-ninja exercises, checking';
/** A check that fails for another reason than the line, or that ended the page, is not repeated by itself. */
const failed = new Set<string>(marked());
// A page that is left or read again has not ended.
addEventListener('pagehide', () => mark(undefined));

function marked(): string[] {
  try {
    const found = sessionStorage.getItem(MARK);
    return found === null ? [] : [found];
  } catch {
    return [];
  }
}

function mark(attempt: string | undefined): void {
  try {
    if (attempt === undefined) sessionStorage.removeItem(MARK);
    else sessionStorage.setItem(MARK, attempt);
  } catch {
    // The browser keeps nothing for this page, which the view says.
  }
}

/** Whether the check of this text waits for "Check now". */
export function waits(exercise: ExerciseNumber, line: LineEntry): boolean {
  return failed.has(idOf(exercise, line.name) + keyOf(exercise, line));
}

/** Checks a line, and ends the check that is running. Then the lines follow that are written and not checked. */
export async function check(exercise: ExerciseNumber, line: LineEntry): Promise<void> {
  current?.abort();
  const controller = new AbortController();
  current = controller;
  const id = idOf(exercise, line.name);
  const key = keyOf(exercise, line);
  const text = written(exercise, line);
  checking.value = id;
  mark(id + key);
  try {
    const checked = await checkLine({ exercise, line, text, top: textOf(exercise, 'top') ?? '' }, controller.signal);
    results.value = new Map(results.value).set(id, { key, checked });
    if (key === keyOf(exercise, line)) keepVerdict(exercise, line.name, text, checked.report.verdict);
  } catch (error) {
    if (!controller.signal.aborted) {
      failed.add(id + key);
      throw error;
    }
  } finally {
    if (current === controller) {
      current = undefined;
      checking.value = undefined;
      mark(undefined);
      checkRest();
    }
  }
}

/** The line that is open: it is checked after a pause of its writer, and not in the middle of a word. */
let open: string | undefined;

/** Opens a line in the editor; the result closes it. */
export function openLine(exercise: ExerciseNumber, name: string): () => void {
  const id = idOf(exercise, name);
  open = id;
  return () => {
    if (open === id) open = undefined;
    checkRest();
  };
}

/** Checks the next line that is written, not checked and not open, if no check runs. */
export function checkRest(): void {
  if (current) return;
  for (const { number, lines } of catalogue.value ?? []) {
    for (const line of lines) {
      const isNew = textOf(number, line.name) !== undefined && verdictOf(number, line.name) === undefined;
      if (!isNew || idOf(number, line.name) === open || waits(number, line)) continue;
      check(number, line);
      return;
    }
  }
}

export function isChecking(exercise: ExerciseNumber, name: string): boolean {
  return checking.value === idOf(exercise, name);
}

/** Asks the engine for the exercises, once. */
export async function loadCatalogue(): Promise<void> {
  catalogue.value ??= await ask('exercises');
}
