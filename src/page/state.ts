/** The state of the page as signals. What a link carries is in one signal, which follows the address and is followed by it. */
import { computed, effect, signal } from '@preact/signals';
import { ask, type RefusedError } from './engine/client.js';
import type { PassData, PassSource } from './engine/pass.js';
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
 * @param history 'push' for what the browser's Back should undo: another view or step
 */
export function set(change: Partial<PageState>, history: 'push' | 'replace' = 'replace'): void {
  state.value = { ...state.value, ...change };
  const fragment = addressOf(state.value);
  const method = history === 'push' && `#${fragment}` !== location.hash ? 'pushState' : 'replaceState';
  window.history[method](null, '', `#${fragment}`);
}

/** Follows Back, Forward, and links that change the fragment only. */
export function followAddress(): void {
  addEventListener('hashchange', () => {
    const read = readAddress(location.hash);
    state.value = read.state;
    unreadable.value = read.unreadable;
  });
  addEventListener('popstate', () => {
    state.value = readAddress(location.hash).state;
  });
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
