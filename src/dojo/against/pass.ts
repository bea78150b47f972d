/** A forward pass that mixes a file's own values with computed ones, and knows how far rounding can move each. */

import { absolute } from '../../core/numbers.js';
import type { Tensor } from '../../core/tensor.js';
import { forwardLines } from '../../lesson/forward.js';
import {
  type IntermediateName,
  type LessonBatch,
  type LessonParameters,
  type LessonValues,
  STEP_INPUTS,
  STEP_NAMES,
  type StepName,
  type ValueName,
} from '../../lesson/values.js';
import { LESSON_PARAMETER_NAMES, type LessonParameterName } from '../../network/parameters.js';
import { type Bounds, boundOf, type Precision, termsOf } from './rounding.js';

export type ForwardLine = (at: LessonValues) => Tensor;
export type ForwardLines = Readonly<Partial<Record<StepName, ForwardLine>>>;

/** What a pass is computed from. */
export interface PassParts {
  inputs: LessonParameters & LessonBatch;
  /** The values that are not computed, in float64. */
  given: ReadonlyMap<StepName, Tensor>;
  /** Steps that are computed in another way than the lesson's. */
  lines: ForwardLines;
  precision: Precision;
}

/** Values and bounds are computed when they are asked for, once. */
export class Pass {
  readonly parts: PassParts;
  readonly #values = new Map<string, Tensor>();
  readonly #bounds = new Map<string, Tensor>();
  readonly #rounded = new Map<string, Tensor>();
  /** All values by name; each is computed when it is read. */
  readonly at: LessonValues;
  readonly #boundsAt: Bounds;

  constructor(parts: PassParts) {
    this.parts = parts;
    const { Xb, Yb } = parts.inputs;
    const names = [...LESSON_PARAMETER_NAMES, ...STEP_NAMES];
    this.at = lazily({ Xb, Yb, n: Xb.shape[0] }, names, (name) => this.value(name)) as LessonValues;
    this.#boundsAt = lazily({}, names, (name) => this.#bound(name)) as unknown as Bounds;
  }

  /** The same pass with other parts. */
  with(parts: Partial<PassParts>): Pass {
    return new Pass({ ...this.parts, ...parts });
  }

  value(name: ValueName | 'loss'): Tensor {
    if (isParameter(name)) return this.parts.inputs[name];
    return this.parts.given.get(name) ?? this.computed(name);
  }

  /** The step computed from its inputs, also where it is given. */
  computed(step: StepName): Tensor {
    return memoised(this.#values, step, () => (this.parts.lines[step] ?? forwardLines[step])(this.at));
  }

  /** How far rounding can move {@link computed}. */
  bound(step: StepName): Tensor {
    return memoised(this.#bounds, step, () => boundOf(step, this.#withComputed(step), this.#boundsAt, this.parts.precision));
  }

  /** The magnitudes that an entry of {@link computed} sums. */
  terms(step: StepName): Tensor {
    return termsOf(step, this.#withComputed(step));
  }

  /** The steps above this one that are not given, up to those that are; nearest first. */
  absentAbove(step: StepName): IntermediateName[] {
    return this.#reach(step).filter((name): name is IntermediateName => !isParameter(name) && !this.parts.given.has(name));
  }

  /** The given steps and the parameters from which the step is computed. */
  sourcesOf(step: StepName): ValueName[] {
    return this.#reach(step).filter((name) => isParameter(name) || this.parts.given.has(name));
  }

  #reach(step: StepName): ValueName[] {
    const found = new Set<ValueName>(STEP_INPUTS[step]);
    for (const name of found) {
      if (isParameter(name) || this.parts.given.has(name)) continue;
      for (const input of STEP_INPUTS[name]) found.add(input);
    }
    return [...found];
  }

  /** A given or a computed value is at most rounded by itself. */
  #bound(name: ValueName | 'loss'): Tensor {
    if (!isParameter(name) && !this.parts.given.has(name)) return this.bound(name);
    return memoised(this.#rounded, name, () => absolute(this.value(name)).mul(this.parts.precision.u));
  }

  #withComputed(step: StepName): LessonValues {
    return this.parts.given.has(step) ? (Object.create(this.at, { [step]: { get: () => this.computed(step) } }) as LessonValues) : this.at;
  }
}

export function isParameter(name: string): name is LessonParameterName {
  return (LESSON_PARAMETER_NAMES as readonly string[]).includes(name);
}

function memoised<T>(memory: Map<string, T>, key: string, compute: () => T): T {
  const known = memory.get(key);
  if (known !== undefined) return known;
  const value = compute();
  memory.set(key, value);
  return value;
}

function lazily<T>(target: object, names: readonly T[], get: (name: T) => unknown): object {
  for (const name of names) Object.defineProperty(target, name as string, { enumerable: true, get: () => get(name) });
  return target;
}
