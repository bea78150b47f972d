/** Runs a learner's line. A line may return, throw or change anything: unless it never returns, the outcome is a tensor or a fault. */
import { closest } from '../core/spelling.js';
import { type Indices, type Shape, ShapeError, sameShape, Tensor } from '../core/tensor.js';
import type { GradientName } from '../lesson/values.js';
import { adviceOn, asWritten } from './advice.js';
import type { RunFault, Thrown } from './findings.js';
import { indexList } from './indexLists.js';
import type { GivenValues } from './learnerFile.js';

/**
 * The tensor that a line returns, with entries that may not be finite; or the shape of a tensor with more than {@link MAX_ENTRIES}; or the
 * reason why there is none.
 */
export type Outcome = { tensor: Tensor } | { tooLarge: Shape } | { fault: RunFault };

/** Entries of a result that is judged: the largest right one has 2,048, a line that forgets its sums returns [32,32,27]. */
export const MAX_ENTRIES = 2 ** 18;
/** Dimensions of a result. */
export const MAX_DIMENSIONS = 64;
/** Characters of an error that are kept. */
export const MAX_THROWN = 500;
/** Characters of a name that are kept: of a key, of an export, of a kind of value. */
export const MAX_NAME = 100;

/** The surroundings of a line, for the report on an error. */
export interface LineContext {
  /** The learner's file: an error is traced to one of its lines. */
  file?: string | undefined;
  /** Where the learner's code begins in it, counted from 1; lines are counted from there. Default 1. */
  firstLine?: number | undefined;
  /** Shows a thrown value that is not an error, in one line. */
  inspect?: ((value: unknown) => string) | undefined;
}

/**
 * Runs a line once.
 * @param line what the learner's file has under the name
 */
export function runLine(name: GradientName, line: unknown, at: GivenValues, context: LineContext = {}): Outcome {
  if (line === undefined) return { fault: { id: 'line-missing' } };
  if (typeof line !== 'function') return { fault: { id: 'not-a-function', found: kindOf(line) } };
  const copies = Object.fromEntries(Object.entries(at).map(([key, value]) => [key, copyOf(key, value)]));
  const given = { ...copies };
  let result: unknown;
  try {
    result = line(knownOnly(given, name));
  } catch (thrown) {
    return { fault: thrownBy(thrown, at, context) };
  }
  const changed = Object.keys(at).find((key) => given[key] !== copies[key] || !isCopyOf(copies[key], at[key as keyof GivenValues]));
  if (changed) return { fault: { id: 'input-changed', value: changed } };
  return readTensor(result, context);
}

function thrownBy(thrown: unknown, at: GivenValues, context: LineContext): RunFault {
  return isTodo(thrown) ? { id: 'todo' } : { id: 'threw', thrown: describeThrown(thrown, context, Object.keys(at)) };
}

/**
 * Runs several lines on the same values: each reads the results of those before it.
 * @param at the values, and gradients for which there is no line
 * @returns all results, or the first fault and its line
 */
export function runPass(
  lines: readonly (readonly [GradientName, unknown])[],
  at: GivenValues,
  context: LineContext = {},
): { gradients: Map<GradientName, Tensor> } | { name: GradientName; fault: RunFault } {
  const given: Record<string, unknown> = { ...at };
  const gradients = new Map<GradientName, Tensor>();
  for (const [name, line] of lines) {
    let outcome: Outcome;
    try {
      outcome = readTensor((line as (at: object) => unknown)(given), context);
    } catch (thrown) {
      outcome = { fault: thrownBy(thrown, at, context) };
    }
    if ('fault' in outcome) return { name, fault: outcome.fault };
    if ('tooLarge' in outcome) return { name, fault: { id: 'returns-other', found: 'a tensor that is too large' } };
    given[name] = outcome.tensor;
    gradients.set(name, outcome.tensor);
  }
  return { gradients };
}

/** The same values, except that reading an unknown name, or a gradient that is not above the line, throws an error. */
function knownOnly<T extends object>(values: T, line: GradientName): T {
  return new Proxy(values, {
    get: (target, key) => {
      if (typeof key === 'string' && !(key in target)) throw new TypeError(whyUnknown(key, line, target));
      return Reflect.get(target, key);
    },
  });
}

function whyUnknown(key: string, line: GradientName, values: object): string {
  if (key === line) return `${key} is what this line computes`;
  if (key.startsWith('d') && Object.hasOwn(values, key.slice(1))) {
    return `${key} is computed after ${line}: a line reads only the gradients above it`;
  }
  const similar = closest(key, Object.keys(values));
  return `there is no value ${key}${similar === undefined ? '' : `; did you mean ${similar}`}`;
}

/** Reads a line's return value; reading it may throw anything. */
function readTensor(result: unknown, context: LineContext): Outcome {
  try {
    return toTensor(result);
  } catch (thrown) {
    return { fault: { id: 'invalid-tensor', thrown: describeThrown(thrown, context) } };
  }
}

/**
 * Reads a line's return value. The learner's file may use another copy of the class, so anything with data and a shape is a tensor.
 * @throws anything that reading the value throws
 */
function toTensor(result: unknown): Outcome {
  if (result === undefined) return { fault: { id: 'returns-nothing' } };
  if (tagOf(result) === 'Promise') {
    // An unhandled rejection would end the program.
    Promise.prototype.then.call(result, nothing, nothing);
    return { fault: { id: 'returns-promise' } };
  }
  const { data, shape } = (result ?? {}) as Partial<Tensor>;
  const isData = ArrayBuffer.isView(data) && ['Float32Array', 'Float64Array'].includes(tagOf(data));
  if (!isData || !Array.isArray(shape)) return { fault: { id: 'returns-other', found: kindOf(result) } };
  if (shape.length > MAX_DIMENSIONS) throw new ShapeError(`${shape.length} dimensions, at most ${MAX_DIMENSIONS} are possible`);
  const tensor = new Tensor(data, shape);
  return tensor.size > MAX_ENTRIES ? { tooLarge: tensor.shape } : { tensor };
}

const nothing = () => {};

/** A line as JavaScript; empty if it is not a function. */
export function textOf(line: unknown): string {
  return typeof line === 'function' ? Function.prototype.toString.call(line) : '';
}

/** The kind of a value, with its article. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (hasIndices(value)) return 'a list of indices';
  const kind = ArrayBuffer.isView(value) ? tagOf(value) : typeof value;
  return `${/^[aeiou]/i.test(kind) ? 'an' : 'a'} ${kind}`;
}

function hasIndices(value: unknown): boolean {
  try {
    return tagOf((value as Partial<Indices> | undefined)?.data) === 'Int32Array';
  } catch {
    return false;
  }
}

/** The built-in kind of a value: Promise, Float32Array, Object. */
function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice('[object '.length, -1);
}

function isTodo(thrown: unknown): boolean {
  try {
    return thrown instanceof Error && thrown.name === 'TodoError';
  } catch {
    return false;
  }
}

/**
 * Describes anything that was thrown.
 * @param values the names of a line's input, for the advice
 */
export function describeThrown(
  thrown: unknown,
  { file, firstLine = 1, inspect = String }: LineContext,
  values: readonly string[] = [],
): Thrown {
  try {
    if (!(thrown instanceof Error)) return { text: cut(inspect(thrown)) };
    const { name, message } = thrown;
    const [first] = asWritten(String(message).slice(0, 2 * MAX_THROWN))
      .trim()
      .split(/\s*\n/);
    const line = file === undefined ? undefined : lineOf(thrown, file, firstLine);
    const advice = adviceOn(first, values);
    const text = /^\w*Error: /.test(first) ? first : `${name}${first === '' ? '' : `: ${first}`}`;
    return { text: cut(text), ...(line !== undefined && { line }), ...(advice !== undefined && { advice }) };
  } catch {
    return { text: 'a value that cannot be shown' };
  }
}

function cut(text: string): string {
  return text.length <= MAX_THROWN ? text : `${text.slice(0, MAX_THROWN - 1)}…`;
}

/** The line of the file that an error comes from. A syntax error has its place in the message. */
function lineOf({ message, stack }: Error, file: string, firstLine: number): number | undefined {
  const [, ...places] = `${message}\n${stack}`.split(`${file}:`);
  const line = places.map((place) => Number.parseInt(place, 10)).find((one) => one >= firstLine);
  return line === undefined ? undefined : line - firstLine + 1;
}

/** A copy of a tensor or of indices; a number is its own copy. */
function copyOf(key: string, value: unknown): unknown {
  if (value instanceof Tensor) return value.clone();
  if (typeof value !== 'object' || value === null) return value;
  const { data, shape } = value as Indices;
  return indexList(key, { data: data.slice(), shape: [...shape] });
}

/** Whether a copy still equals its original. A line may have done anything to it. */
function isCopyOf(copy: unknown, original: unknown): boolean {
  if (typeof original !== 'object') return Object.is(copy, original);
  const [left, right] = [copy, original] as Tensor[];
  if (!ArrayBuffer.isView(left.data) || !Array.isArray(left.shape) || !sameShape(left.shape, right.shape)) return false;
  const [a, b] = [left.data, right.data];
  if (a.length !== b.length) return false;
  for (let i = 0; i < b.length; i++) if (!Object.is(a[i], b[i])) return false;
  return true;
}
