/** The reader's own list of names. It stays in the browser: in its storage, where that works. */
import { signal } from '@preact/signals';
import type { NamesOptions } from '../data/parseNames.js';
import { ask } from './engine/client.js';
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

let lastId = 0;

/**
 * Uses these names for the pass.
 * @throws RefusedError with line and byte if a line is not a name
 */
export async function useNames(bytes: Uint8Array, options: NamesOptions): Promise<void> {
  lastId++;
  ownNames.value = await ask('readNames', bytes, lastId, options);
}

export function useBundledNames(): void {
  ownNames.value = undefined;
  store(undefined);
}

/** Keeps the list for the next visit. A list that is too long, or storage that is refused, means that it must be given again. */
export function store(list: OwnList | undefined): boolean {
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

/** The list of the last visit. */
export function stored(): OwnList | undefined {
  try {
    const list: unknown = JSON.parse(localStorage.getItem(KEY) ?? 'null');
    return typeof list === 'object' && list !== null && typeof (list as OwnList).text === 'string' ? (list as OwnList) : undefined;
  } catch {
    return undefined;
  }
}

/** Uses the list of the last visit, if there is one that can still be read. */
export async function restoreNames(): Promise<void> {
  const list = stored();
  if (!list) return;
  const { text, ...options } = list;
  await useNames(new TextEncoder().encode(text), options).catch(() => store(undefined));
}
