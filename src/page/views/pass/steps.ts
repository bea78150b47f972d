/** What a step of the pass is: a forward line or a gradient line, and what it reads. Derived from the lesson's graph. */
import { EXERCISES, FORWARD_TEXT } from '../../../dojo/exercises.js';
import { type GradientName, type StepName, type ValueName, valueNamed } from '../../../lesson/values.js';
import type { TensorName } from '../../engine/pass.js';
import { PASS_STEPS } from '../../properties.js';

const EXERCISE_1 = new Map(EXERCISES[1].lines.map((line) => [line.name as TensorName, line]));

export function isGradient(name: TensorName): name is GradientName {
  return EXERCISE_1.has(name);
}

/** The value whose gradient it is; a value itself. */
export function valueBehind(name: TensorName): ValueName | 'loss' {
  return isGradient(name) ? valueNamed(name) : (name as ValueName | 'loss');
}

/** The line of a gradient as a formula: dh = dlogits · W2ᵀ. */
export function gradientFormula(name: GradientName): string {
  return EXERCISE_1.get(name)?.knowledge.formula ?? '';
}

/** The forward line that computes a value; none for a parameter. */
export function forwardFormula(name: ValueName | 'loss'): string | undefined {
  return name in FORWARD_TEXT ? FORWARD_TEXT[name as StepName] : undefined;
}

/** The place of a step in the pass, from 0. */
export function placeOf(step: TensorName): number {
  return PASS_STEPS.indexOf(step);
}
