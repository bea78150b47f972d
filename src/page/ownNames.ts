/** The reader's own list of names. It stays in the browser: in its storage, where that works. */
import { signal } from '@preact/signals';
import type { NamesOptions } from '../data/parseNames.js';
import { ask, RefusedError } from './engine/client.js';
import type { NamesSummary } from './engine/names.js';

/** The list in use; undefined for the bundled names. */
export const ownNames = signal<NamesSummary | undefined>(undefined);

const KEY = 'backprop-ninja names';
/** Characters that are stored. Browsers allow about 5 million for everything. */
const MOST_STORED = 2_000_000;

/** A list and how to read it. */
export interface OwnList extends NamesOptions {
  text: string;
}

/** The list that the reader gave: the one in use, or that of the last visit, which may not be in use. */
export const given = signal(stored());

let lastId = 0;

/**
 * Uses these names for the pass, and keeps them for the next visit.
 * @returns whether the browser keeps them
 * @throws RefusedError with line and byte if a line is not a name
 */
export async function useNames(bytes: Uint8Array, options: NamesOptions): Promise<boolean> {
  lastId++;
  ownNames.value = await ask('readNames', bytes, lastId, options);
  // With its byte order mark: its SHA-256 is that of the file.
  given.value = { text: new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes), ...options };
  return store(given.value);
}

export function useBundledNames(): void {
  ownNames.value = undefined;
  given.value = undefined;
  store(undefined);
}

/** A list that is too long, or storage that is refused, means that it must be given again. */
function store(list: OwnList | undefined): boolean {
  try {
    localStorage.removeItem(KEY);
    if (!list) return true;
    if (list.text.length > MOST_STORED) return false;
    localStorage.setItem(KEY, JSON.stringify(list));
    return true;
  } catch {
    return false;
  }
}

/** The list of the last visit. What else is stored under its name is left out. */
function stored(): OwnList | undefined {
  try {
    const list = JSON.parse(localStorage.getItem(KEY) ?? 'null') as { [Key in keyof OwnList]: unknown } | null;
    if (typeof list?.text !== 'string') return undefined;
    return {
      text: list.text,
      ...(typeof list.column === 'string' && { column: list.column }),
      ...(list.normalize === 'nfc' && { normalize: 'nfc' }),
    };
  } catch {
    return undefined;
  }
}

/**
 * Uses the list of the last visit, if there is one. A list that cannot be used stays, to be mended.
 * @throws RefusedError that says why it cannot be used
 */
export async function restoreNames(): Promise<void> {
  const list = given.peek();
  if (!list) return;
  const { text, ...options } = list;
  try {
    await useNames(new TextEncoder().encode(text), options);
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    const { message, hint } = error;
    throw new RefusedError({ message: `Your stored list of names is not used: ${message}`, ...(hint !== undefined && { hint }) });
  }
}
