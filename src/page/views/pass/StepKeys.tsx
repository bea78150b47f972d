/** The keys [ and ] for the previous and the next step, wherever the focus is but in a text field. */
import { useEffect } from 'preact/hooks';
import { set, state } from '../../state.js';
import { placeOf, stepsOf } from './steps.js';

/** Goes to the next step, or to the previous one, and stays inside the pass. */
export function moveStep(by: 1 | -1): void {
  const { step, form } = state.value;
  const steps = stepsOf(form);
  const to = by === 1 ? steps.find((one) => placeOf(one) > placeOf(step)) : steps.findLast((one) => placeOf(one) < placeOf(step));
  if (to !== undefined) set({ step: to, tensor: null, entry: null }, 'push');
}

export function StepKeys() {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const target = event.target instanceof Element ? event.target : undefined;
      const isText = target?.closest('input:not([type="checkbox"], [type="radio"], [type="range"]), textarea, select, [contenteditable]');
      // Windows reports AltGr, by which [ and ] are typed on many keyboards, as Ctrl with Alt.
      if (isText || (event.ctrlKey && !event.getModifierState('AltGraph')) || event.metaKey) return;
      if (event.key === '[') moveStep(-1);
      else if (event.key === ']') moveStep(1);
    };
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, []);
  return null;
}
