/** The state of the page as signals. What a link carries is in one signal, which follows the address and is followed by it. */
import { computed, effect, signal } from '@preact/signals';
import { ask, type RefusedError } from './engine/client.js';
import type { PassData, PassSource } from './engine/pass.js';
import { failure } from './failures.js';
import { ownNames } from './ownNames.js';
import { addressOf, type PageState, readAddress, type Unreadable } from './properties.js';

const initial = readAddress(location.hash);

export const state = signal<PageState>(initial.state);
/** What an address asked for and does not exist. */
export const unreadable = signal<readonly Unreadable[]>(initial.unreadable);
/** The pass that is shown: the latest that the engine has answered. */
export const pass = signal<PassData | undefined>(undefined);
/** Why there is no pass for the state. */
export const refused = signal<RefusedError | undefined>(undefined);

/**
 * Changes properties.
 * @param kind 'push' for what the browser's Back should undo: another view or step. It also ends what is said of the step before
 */
export function set(change: Partial<PageState>, kind: 'push' | 'replace' = 'replace'): void {
  if (kind === 'push') {
    writeWaiting();
    unreadable.value = [];
    failure.value = undefined;
  }
  state.value = { ...state.value, ...change };
  const isElsewhere = `#${addressOf(state.value)}` !== location.hash;
  if (kind === 'push' && isElsewhere) write('pushState');
  else replaceAddress();
}

/** Milliseconds between two replacements of the address. Safari allows 100 changes in 30 seconds; a held key makes 30 in one. */
const WRITE_INTERVAL = 350;
let lastWrite = Number.NEGATIVE_INFINITY;
let timer: ReturnType<typeof setTimeout> | undefined;

function write(method: 'pushState' | 'replaceState'): void {
  lastWrite = performance.now();
  try {
    history[method](null, '', `#${addressOf(state.value)}`);
  } catch {
    // The browser refuses frequent changes. The next one updates the address.
  }
}

/** At once, or when the interval since the last change is over. */
function replaceAddress(): void {
  const wait = lastWrite + WRITE_INTERVAL - performance.now();
  if (wait > 0) timer ??= setTimeout(writeWaiting, wait);
  else write('replaceState');
}

function writeWaiting(): void {
  if (timer === undefined) return;
  forgetWrite();
  write('replaceState');
}

function forgetWrite(): void {
  clearTimeout(timer);
  timer = undefined;
}

/** Follows Back, Forward, and links that change the fragment only. The address is up to date when the page is left. */
export function followAddress(): void {
  addEventListener('popstate', () => {
    forgetWrite();
    const read = readAddress(location.hash);
    state.value = read.state;
    unreadable.value = read.unreadable;
  });
  addEventListener('pagehide', writeWaiting);
}

/** Which pass the state asks for. Its text changes only if the pass does. */
const sourceKey = computed(() => {
  const { seed, batch, n, network } = state.value;
  return JSON.stringify({ seed, batch, n, names: ownNames.value?.id ?? null, network } satisfies PassSource);
});

/** Asks the engine for each pass that the state needs. Of several, the latest counts. */
export function followPass(): void {
  effect(() => {
    const key = sourceKey.value;
    ask('pass', JSON.parse(key) as PassSource).then(
      (data) => {
        if (key !== sourceKey.peek()) return;
        refused.value = undefined;
        pass.value = data;
      },
      (error) => {
        if (key === sourceKey.peek()) refused.value = error;
      },
    );
  });
}
