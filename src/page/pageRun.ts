/** The run in the page's file. */
import { signal } from '@preact/signals';
import { ask, RefusedError } from './engine/client.js';
import type { RunSummary } from './engine/run.js';

/** Undefined where the file holds none. */
export const pageRun = signal<RunSummary | undefined>(undefined);
/** Why the run in the file cannot be used. */
export const damagedRun = signal<RefusedError | undefined>(undefined);

/** Hands the run to the engine. */
export async function readPageRun(): Promise<void> {
  const json = document.getElementById('run-data')?.textContent ?? 'null';
  try {
    pageRun.value = (await ask('useRun', json)) ?? undefined;
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    damagedRun.value = error;
  }
}
