/** What a step of the pass is: a forward line or a gradient line, what it reads, and what reads it. Derived from the lesson's graph. */

import { EXERCISES, type ExerciseLine, FORWARD_TEXT, shapeLetters } from '../../../dojo/exercises.js';
import { childrenOf, type Expression } from '../../../dojo/expression.js';
import { hintsFor } from '../../../dojo/hints.js';
import { SOLUTION_TEXTS } from '../../../dojo/texts.js';
import { type ClosedFormName, REPLACED_LINES } from '../../../lesson/closedTerms.js';
import type { TensorName } from '../../../lesson/entry.js';
import { GRADIENT_NAMES } from '../../../lesson/exercise1.js';
import { consumersOf, type GradientName, STEP_INPUTS, type StepName, type ValueName, valueNamed } from '../../../lesson/values.js';
import { PASS_STEPS, type PageState } from '../../properties.js';

const EXERCISE_1 = new Map(EXERCISES[1].lines.map((line) => [line.name as TensorName, line]));

export function isGradient(name: TensorName): name is GradientName {
  return EXERCISE_1.has(name);
}

/** The value whose gradient it is; a value itself. */
export function valueBehind(name: TensorName): ValueName | 'loss' {
  return isGradient(name) ? valueNamed(name) : (name as ValueName | 'loss');
}

/** The shape in the lesson's letters: [n,H]. */
export function lettersOf(name: TensorName): readonly (string | number)[] {
  const value = valueBehind(name);
  return value === 'loss' ? [] : shapeLetters(value);
}

/** The place of a step in the pass, from 0. */
export function placeOf(step: TensorName): number {
  return PASS_STEPS.indexOf(step);
}

// Lines --------------------------------------------------------------------------------------------------------------

/** The lines of a step as text. */
export interface StepLines {
  /** The forward line of a value; the forward lines that read the tensor, for a gradient. */
  forward: readonly string[];
  /** The gradient line as a formula and as TypeScript, and the rule behind it. */
  gradient?: { formula: string; code: string; rule: string };
}

export function linesOf(step: TensorName): StepLines {
  if (!isGradient(step)) return { forward: [FORWARD_TEXT[step as StepName]] };
  return gradientLines(EXERCISE_1.get(step) as ExerciseLine);
}

/** The lines of a closed form. */
export function closedLinesOf(name: ClosedFormName): StepLines {
  return gradientLines((name === 'dlogits' ? EXERCISES[2] : EXERCISES[3]).lines[0] as ExerciseLine);
}

function gradientLines(line: ExerciseLine): StepLines {
  const { name, knowledge, forward, source } = line;
  const { kind, rule } = hintsFor(line);
  const { parameters, body } = SOLUTION_TEXTS[source][name] as { parameters: string; body: string };
  const code = `${name}: ${parameters} =>${body.replaceAll('\n    ', '\n  ')}`;
  return { forward, gradient: { formula: knowledge.formula, code, rule: `${kind} ${rule}` } };
}

// What reads what ----------------------------------------------------------------------------------------------------

/** The tensors that a step reads. */
export function inputsOf(step: TensorName): readonly TensorName[] {
  if (!isGradient(step)) return STEP_INPUTS[step as StepName];
  return [...new Set(namesIn((EXERCISE_1.get(step) as ExerciseLine).knowledge.expression))];
}

/** The forward steps and the gradient lines that read a tensor. */
export function readersOf(name: TensorName): { forward: readonly TensorName[]; backward: readonly TensorName[] } {
  return {
    forward: isGradient(name) || name === 'loss' ? [] : consumersOf(name),
    backward: GRADIENT_NAMES.filter((line) => inputsOf(line).includes(name)),
  };
}

/** The tensors in an expression. */
export function namesIn(node: Expression): TensorName[] {
  return node.op === 'value' ? [node.name] : childrenOf(node).flatMap(namesIn);
}

// Closed forms -------------------------------------------------------------------------------------------------------

/** The closed form that computes or replaces a step. */
export function closedFormOf(step: TensorName): ClosedFormName | undefined {
  const names = Object.keys(REPLACED_LINES) as ClosedFormName[];
  return names.find((name) => (REPLACED_LINES[name] as readonly TensorName[]).includes(step));
}

/** Whether the closed forms do without the tensor. */
export function isReplaced(name: TensorName): boolean {
  const closed = closedFormOf(name);
  return closed !== undefined && closed !== name;
}

/** The steps that are gone through. */
export function stepsOf(form: PageState['form']): readonly TensorName[] {
  return form === 'closed' ? PASS_STEPS.filter((step) => !isReplaced(step)) : PASS_STEPS;
}
