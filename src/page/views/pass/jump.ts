/** From any tensor to the step that shows it. */
import type { TensorName } from '../../../lesson/entry.js';
import { consumersOf, type StepName, type ValueName } from '../../../lesson/values.js';
import { PASS_STEPS, type PageState } from '../../properties.js';
import { set, state } from '../../state.js';
import { isReplaced } from './steps.js';

/** The step at which a tensor is shown: its own; for a parameter that of the step that reads it. */
export function stepOf(name: TensorName): TensorName {
  return PASS_STEPS.includes(name) ? name : (consumersOf(name as ValueName)[0] as StepName);
}

/** What the page shows for a tensor: the step of the pass, and no entry. A line that a closed form replaces is shown as the atomic step that it is. */
export function stepTo(name: TensorName): Pick<PageState, 'view' | 'step' | 'form' | 'tensor' | 'entry'> {
  const step = stepOf(name);
  const form = isReplaced(step) ? 'atomic' : state.value.form;
  return { view: 'pass', step, form, tensor: step === name ? null : name, entry: null };
}

/** Shows a tensor in the pass. Back returns. */
export function jumpTo(name: TensorName): void {
  set(stepTo(name), 'push');
}
