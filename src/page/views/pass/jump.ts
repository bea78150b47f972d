/** From any tensor to the step that shows it. */
import { consumersOf, type StepName, type ValueName } from '../../../lesson/values.js';
import type { TensorName } from '../../engine/pass.js';
import { PASS_STEPS } from '../../properties.js';
import { set, state } from '../../state.js';
import { isReplaced } from './steps.js';

/** The step at which a tensor is shown: its own; for a parameter that of the step that reads it. */
export function stepOf(name: TensorName): TensorName {
  return PASS_STEPS.includes(name) ? name : (consumersOf(name as ValueName)[0] as StepName);
}

/** Shows a tensor. A line that a closed form replaces is shown as the atomic step that it is. Back returns. */
export function jumpTo(name: TensorName): void {
  const step = stepOf(name);
  set({ step, form: isReplaced(step) ? 'atomic' : state.value.form, tensor: step === name ? null : name, entry: null }, 'push');
}
