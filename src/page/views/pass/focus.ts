/** Where the keyboard goes between the heat maps and the inspector: Enter on an entry asks why, Escape returns. */

const INSPECTOR = 'inspector-title';

/** The heading of the inspector, which gets the focus. */
export const INSPECTOR_TITLE = { id: INSPECTOR, tabIndex: -1 } as const;

/** Moves the focus to the inspector, once the page has drawn the entry. */
export function focusInspector(): void {
  requestAnimationFrame(() => document.getElementById(INSPECTOR)?.focus());
}

/** Moves the focus to the heat map of the inspected entry. */
export function leaveInspector(): void {
  const maps = [...document.querySelectorAll<HTMLElement>('.step .heat-map')];
  const inspected = maps.find((map) => map.querySelector('.heat-map-cursor'));
  (inspected ?? maps[0])?.focus();
}
