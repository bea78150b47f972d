/** The keys [ and ] for the previous and the next step, wherever the focus is but in a text field. */
import { useEffect } from 'preact/hooks';
import { PASS_STEPS } from '../../properties.js';
import { set, state } from '../../state.js';
import { placeOf } from './steps.js';

/** Goes some steps on (or back, for a negative number), and stays inside the pass. */
export function moveStep(by: number): void {
  const to = Math.min(PASS_STEPS.length - 1, Math.max(0, placeOf(state.value.step) + by));
  const step = PASS_STEPS[to];
  if (step !== undefined && step !== state.value.step) set({ step, tensor: null, entry: null }, 'push');
}

export function StepKeys() {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement | null;
      if (target?.closest('input, textarea, select, [contenteditable]') || event.ctrlKey || event.metaKey) return;
      if (event.key === '[') moveStep(-1);
      else if (event.key === ']') moveStep(1);
    };
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, []);
  return null;
}
