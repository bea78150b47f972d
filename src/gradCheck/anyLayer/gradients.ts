/** Reads what backward returned: which input got a gradient, with how many numbers, and what is missing or unknown. */

import { closest } from '../../core/spelling.js';
import { sameShape, showShape } from '../../core/tensor.js';
import { countOf, quoteText } from '../../core/text.js';
import type { BackwardResult, InputValue, Point } from './calls.js';
import type { Layer } from './layer.js';
import type { Mistake } from './report.js';
import { readReal, sharesMemory } from './values.js';

/** The gradient of an input as numbers, or why there is none. */
export type Gradient = { data: Float64Array } | { mistake: Mistake; data?: Float64Array };

/** The real inputs that must have a gradient. */
export function judgedInputs({ constant = [] }: Layer, { inputs }: Point): readonly InputValue[] {
  return inputs.filter(({ name, form, data }) => form !== undefined && data.length > 0 && !constant.includes(name));
}

/** The gradient of each judged input, in their order. */
export function readGradients(layer: Layer, point: Point, result: BackwardResult): Map<string, Gradient> {
  const { returned, added } = result;
  const judged = judgedInputs(layer, point);
  const unknown = unknownNames(point, result);
  return new Map(
    judged.map((input) => {
      const value = added.has(input.name) ? added.get(input.name) : returned[input.name];
      return [input.name, value === undefined || value === null ? missing(input.name, unknown) : readOne(input, value)];
    }),
  );
}

/** Names that backward returned and no input has. */
function unknownNames({ inputs }: Point, { returned }: BackwardResult): string[] {
  const isGiven = (name: string) => returned[name] !== undefined && returned[name] !== null;
  return Object.keys(returned).filter((name) => isGiven(name) && !inputs.some((input) => input.name === name));
}

/** The unknown names that are not meant for an input without a gradient: those inputs say so themselves. */
export function strayNames(layer: Layer, point: Point, result: BackwardResult): string[] {
  const without = judgedInputs(layer, point).filter(({ name }) => !result.added.has(name) && (result.returned[name] ?? null) === null);
  return unknownNames(point, result).filter((name) => without.every((input) => inputMeant(name, [input.name]) === undefined));
}

/** The mistake of an unknown name. */
export function unknownName(layer: Layer, point: Point, name: string): Mistake {
  const names = judgedInputs(layer, point).map((input) => input.name);
  const suggestion = inputMeant(name, names);
  const meant = suggestion === undefined ? `the inputs are ${names.join(', ')}` : `did you mean ${suggestion}?`;
  return {
    id: 'unknown-name',
    text: `backward returned ${quoteText(name)}, and there is no such input; ${meant}`,
    ...(suggestion && { suggestion }),
  };
}

/** dW and gradW are meant for W. */
function inputMeant(name: string, names: readonly string[]): string | undefined {
  const bare = name.replace(/^(d|grad|g)_?(?=.)/, '');
  return names.find((one) => one.toLowerCase() === bare.toLowerCase()) ?? closest(name, names);
}

function missing(name: string, unknown: readonly string[]): Gradient {
  const returned = unknown.find((one) => inputMeant(one, [name]) === name);
  if (returned === undefined) return { mistake: { id: 'missing', text: `backward returned no gradient for ${name}` } };
  const text = `backward returned no gradient for ${name}, but one for ${quoteText(returned)}: did you mean ${name}?`;
  return { mistake: { id: 'unknown-name', text, returned, suggestion: name } };
}

function readOne(input: InputValue, value: unknown): Gradient {
  const real = readReal(value);
  if (!real) {
    return { mistake: { id: 'not-a-gradient', text: `the gradient of ${input.name} must be made of numbers, found ${kindOf(value)}` } };
  }
  const { form, data } = real;
  const expected = input.shape;
  if (data.length !== input.data.length) {
    const text = `the gradient of ${input.name} has ${countOf(data.length, 'number')}, expected ${input.data.length}, shape ${showShape(expected)}`;
    return { mistake: { id: 'wrong-shape', text, found: [...form.shape], expected: [...expected] }, data };
  }
  if (form.shaped && input.form?.shaped && !sameShape(form.shape, expected)) {
    const text = `the gradient of ${input.name} has shape ${showShape(form.shape)}, expected ${showShape(expected)}`;
    return { mistake: { id: 'wrong-shape', text, found: [...form.shape], expected: [...expected] } };
  }
  return { data };
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'an array with other values';
  if (ArrayBuffer.isView(value)) return `${(value as { constructor?: { name?: string } }).constructor?.name}`;
  return typeof value === 'object' ? 'an object without data and shape' : `a ${typeof value}`;
}

/** Pairs of inputs whose gradients share memory. */
export function aliasedPairs({ returned }: BackwardResult): string[] {
  const memories = Object.entries(returned).map(([name, value]) => ({ name, memory: readReal(value)?.form.memory ?? [] }));
  return memories.flatMap((one, i) =>
    memories.slice(i + 1).flatMap((other) => (sharesMemory(one.memory, other.memory) ? [`${one.name} and ${other.name}`] : [])),
  );
}
