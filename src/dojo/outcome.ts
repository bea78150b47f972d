/** Runs a learner's line. A line may return, throw or change anything: unless it never returns, the outcome is a tensor or a fault. */
import { closest } from '../core/spelling.js';
import { type Shape, sameShape, Tensor } from '../core/tensor.js';
import { adviceOn, asWritten } from './advice.js';
import type { Fault, Thrown } from './findings.js';
import type { ValuesAndGradients } from './learnerFile.js';

/** The tensor that a line returns, with any number of entries, finite or not; or the reason why there is none. */
export type Outcome = { tensor: Tensor } | { fault: Fault };

/** The surroundings of a line, for the report on an error. */
export interface LineContext {
  /** The learner's file: an error is traced to one of its lines. */
  file?: string | undefined;
  /** Shows a thrown value that is not an error, in one line. */
  inspect?: ((value: unknown) => string) | undefined;
}

export function runLine(line: (at: ValuesAndGradients) => unknown, at: ValuesAndGradients, context: LineContext = {}): Outcome {
  const copies = Object.fromEntries(Object.entries(at).map(([key, value]) => [key, copyOf(value)]));
  const given = { ...copies };
  let result: unknown;
  try {
    result = line(knownOnly(given) as unknown as ValuesAndGradients);
  } catch (thrown) {
    if (isTodo(thrown)) return { fault: { id: 'todo' } };
    return { fault: { id: 'threw', thrown: describeThrown(thrown, context, Object.keys(at)) } };
  }
  const changed = Object.keys(at).find((key) => given[key] !== copies[key] || !isCopyOf(copies[key], at[key as keyof ValuesAndGradients]));
  if (changed) return { fault: { id: 'input-changed', value: changed } };
  try {
    return toTensor(result);
  } catch (thrown) {
    return { fault: { id: 'invalid-tensor', thrown: describeThrown(thrown, context) } };
  }
}

/** The same values, except that reading an unknown name throws an error. */
function knownOnly<T extends object>(values: T): T {
  return new Proxy(values, {
    get: (target, key) => {
      if (typeof key === 'string' && !(key in target)) {
        const similar = closest(key, Object.keys(target));
        throw new TypeError(`there is no value ${key}${similar === undefined ? '' : `; did you mean ${similar}`}`);
      }
      return Reflect.get(target, key);
    },
  });
}

/**
 * Reads a line's return value. The learner's file may use another copy of the class, so anything with data and a shape is a tensor.
 * @throws anything that reading the value throws
 */
export function toTensor(result: unknown): Outcome {
  if (result === undefined) return { fault: { id: 'returns-nothing' } };
  if (tagOf(result) === 'Promise') {
    // An unhandled rejection would end the program.
    Promise.prototype.then.call(result, nothing, nothing);
    return { fault: { id: 'returns-promise' } };
  }
  const { data, shape } = (result ?? {}) as Partial<Tensor>;
  const isData = ArrayBuffer.isView(data) && ['Float32Array', 'Float64Array'].includes(tagOf(data));
  if (!isData || !Array.isArray(shape)) return { fault: { id: 'returns-other', found: kindOf(result) } };
  return { tensor: new Tensor(data, shape) };
}

const nothing = () => {};

/** The kind of a value, with its article. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  const kind = ArrayBuffer.isView(value) ? tagOf(value) : typeof value;
  return `${/^[aeiou]/i.test(kind) ? 'an' : 'a'} ${kind}`;
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
export function describeThrown(thrown: unknown, { file, inspect = String }: LineContext, values: readonly string[] = []): Thrown {
  try {
    if (!(thrown instanceof Error)) return { text: inspect(thrown) };
    const { name, message } = thrown;
    const [first] = asWritten(String(message)).trim().split(/\s*\n/);
    const line = file === undefined ? undefined : lineOf(thrown, file);
    const advice = adviceOn(first, values);
    const text = /^\w*Error: /.test(first) ? first : `${name}${first === '' ? '' : `: ${first}`}`;
    return { text, ...(line !== undefined && { line }), ...(advice !== undefined && { advice }) };
  } catch {
    return { text: 'a value that cannot be shown' };
  }
}

/** The line of the file that an error comes from. A syntax error has its place in the message. */
function lineOf({ message, stack }: Error, file: string): number | undefined {
  const line = Number.parseInt(`${message}\n${stack}`.split(`${file}:`)[1], 10);
  return Number.isNaN(line) ? undefined : line;
}

/** A copy of a tensor or of indices; a number is its own copy. */
function copyOf(value: unknown): unknown {
  if (value instanceof Tensor) return value.clone();
  if (typeof value !== 'object' || value === null) return value;
  const { data, shape } = value as { data: Int32Array; shape: Shape };
  return { data: data.slice(), shape: [...shape] };
}

/** Whether a copy still equals its original. A line may have done anything to it. */
function isCopyOf(copy: unknown, original: unknown): boolean {
  if (typeof original !== 'object') return Object.is(copy, original);
  const [left, right] = [copy, original] as Tensor[];
  if (!ArrayBuffer.isView(left.data) || !Array.isArray(left.shape) || !sameShape(left.shape, right.shape)) return false;
  return left.data.length === right.data.length && right.data.every((x, i) => Object.is(left.data[i], x));
}
