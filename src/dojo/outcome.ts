/** Runs a learner's line. Whatever it does, short of never returning, becomes a tensor or words: a line may return, throw and change anything. */
import { inspect, types } from 'node:util';
import { didYouMean } from '../core/spelling.js';
import { type Shape, sameShape, Tensor } from '../core/tensor.js';
import { adviceOn, asWritten } from './advice.js';
import { TodoError, type ValuesAndGradients } from './learnerFile.js';

/** The tensor that a line returns, whose entries may be of any number and not finite; or that it is to be written; or what is wrong, in words. */
export type Outcome = Tensor | TodoError | string;

/** @param file the learner's file, whose line an error is traced to */
export function runLine(line: (at: ValuesAndGradients) => unknown, at: ValuesAndGradients, file?: string): Outcome {
  const copies = Object.fromEntries(Object.entries(at).map(([key, value]) => [key, copyOf(value)]));
  const given = { ...copies };
  let result: unknown;
  try {
    result = line(knownOnly(given) as unknown as ValuesAndGradients);
  } catch (thrown) {
    if (isTodo(thrown)) return new TodoError('not written yet');
    return `it threw ${thrownText(thrown, file, Object.keys(at))}`;
  }
  const changed = Object.keys(at).find((key) => given[key] !== copies[key] || !isCopyOf(copies[key], at[key as keyof ValuesAndGradients]));
  if (changed) return `it changes ${changed}, which it was given to read`;
  try {
    return toTensor(result);
  } catch (thrown) {
    return `what it returns is no tensor: ${thrownText(thrown, file)}`;
  }
}

/** The same values, where a name that none of them has is an error, and not undefined. */
function knownOnly<T extends object>(values: T): T {
  return new Proxy(values, {
    get: (target, key) => {
      if (typeof key === 'string' && !(key in target))
        throw new TypeError(`there is no value ${key}${didYouMean(key, Object.keys(target))}`);
      return Reflect.get(target, key);
    },
  });
}

/**
 * A learner's file may have loaded the class once more: what counts is what the answer holds.
 * @returns the tensor, or what it is in place of one
 * @throws whatever reading it throws
 */
export function toTensor(result: unknown): Tensor | string {
  if (result === undefined) return 'it returns nothing: a function with braces needs a return';
  if (types.isPromise(result)) {
    // Nobody else listens: rejected, it would end the program.
    Promise.prototype.then.call(result, nothing, nothing);
    return 'it returns a promise, expected a Tensor: a line cannot be async';
  }
  const { data, shape } = (result ?? {}) as Partial<Tensor>;
  const isData = types.isFloat32Array(data) || types.isFloat64Array(data);
  if (!isData || !Array.isArray(shape)) return `it returns ${kindOf(result)}, expected a Tensor`;
  return new Tensor(data, shape);
}

const nothing = () => {};

/** What a value is, with its article: for "expected a Tensor". */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (types.isTypedArray(value)) return `a ${value[Symbol.toStringTag]}`;
  if (Array.isArray(value)) return 'a list';
  return `${typeof value === 'object' ? 'an' : 'a'} ${typeof value}`;
}

function isTodo(thrown: unknown): boolean {
  try {
    return thrown instanceof Error && thrown.name === 'TodoError';
  } catch {
    return false;
  }
}

/**
 * Whatever was thrown, in one line: an error's name and message, the line of the learner's file that it comes from, and what to do about it.
 * @param values the names of what a line is given
 */
export function thrownText(thrown: unknown, file?: string, values: readonly string[] = []): string {
  try {
    if (!(thrown instanceof Error)) return inspect(thrown, { breakLength: Number.POSITIVE_INFINITY });
    const { name, message } = thrown;
    const [first] = asWritten(String(message)).trim().split(/\s*\n/);
    const line = file === undefined ? undefined : lineOf(thrown, file);
    const advice = adviceOn(first, values);
    const words = /^\w*Error: /.test(first) ? first : `${name}${first === '' ? '' : `: ${first}`}`;
    return `${words}${line === undefined ? '' : ` (line ${line})`}${advice === undefined ? '' : `: ${advice}`}`;
  } catch {
    return 'what cannot be shown';
  }
}

/** The line of a file that an error comes from. A syntax error has its place in the message. */
export function lineOf({ message, stack }: Error, file: string): number | undefined {
  const line = Number.parseInt(`${message}\n${stack}`.split(`${file}:`)[1], 10);
  return Number.isNaN(line) ? undefined : line;
}

/** Of a tensor or of indices; of a number, the number. */
function copyOf(value: unknown): unknown {
  if (value instanceof Tensor) return value.clone();
  if (typeof value !== 'object' || value === null) return value;
  const { data, shape } = value as { data: Int32Array; shape: Shape };
  return { data: data.slice(), shape: [...shape] };
}

/** Whether a copy still is what it was made from, whatever a line has done to it. */
function isCopyOf(copy: unknown, original: unknown): boolean {
  if (typeof original !== 'object') return Object.is(copy, original);
  const [left, right] = [copy, original] as Tensor[];
  if (!types.isTypedArray(left.data) || !Array.isArray(left.shape) || !sameShape(left.shape, right.shape)) return false;
  return left.data.length === right.data.length && right.data.every((x, i) => Object.is(left.data[i], x));
}
