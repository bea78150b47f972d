/** A report of a run that is being trained: it loads itself again, and keeps what the reader has chosen. */

/** Milliseconds between two loads, and after the reader's last action. */
const EVERY = 3_000;
const REST = 8_000;

/** Loads the page again and again, unless the reader does something with it or does not look. */
export function reloadAgain(): void {
  let acted = Number.NEGATIVE_INFINITY;
  for (const kind of ['keydown', 'pointerdown', 'pointermove', 'wheel', 'input']) {
    addEventListener(kind, () => {
      acted = performance.now();
    });
  }
  setInterval(() => {
    if (!document.hidden && performance.now() - acted > REST) location.reload();
  }, EVERY);
}

/** What outlives a load. The browser keeps the place in the page. */
interface Kept {
  /** The step whose distributions are shown; undefined for the last one. */
  step?: number;
  /** The typed beginning of a name. */
  prefix?: string;
}

export function kept(): Kept {
  const { state } = history;
  return typeof state === 'object' && state !== null ? (state as Kept) : {};
}

export function keep(change: Kept): void {
  history.replaceState({ ...kept(), ...change }, '');
}
