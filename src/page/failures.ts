/** What the engine refused and no view handles: an unhandled rejection becomes a sentence above the view. */
import { signal } from '@preact/signals';
import { RefusedError } from './engine/client.js';

/** The latest one, until the reader goes on. */
export const failure = signal<RefusedError | undefined>(undefined);

export function followFailures(): void {
  addEventListener('unhandledrejection', (event) => {
    if (!(event.reason instanceof RefusedError)) return;
    failure.value = event.reason;
    event.preventDefault();
  });
}
