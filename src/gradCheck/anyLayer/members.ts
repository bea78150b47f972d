/** Members of an object by name or by path: 'weight', 'linear.weight', 'layers.0.bias'. */

import { closest } from '../../core/spelling.js';
import { readReal, sameNumbers } from './values.js';

/** The object that holds a member, and the member's name. */
interface Place {
  holder: Record<string, unknown>;
  name: string;
}

/** @throws TypeError if a member on the way is missing */
function placeOf(object: object, path: string, what: string): Place {
  const names = path.replace(/\[(\w+)\]/g, '.$1').split('.');
  let holder = object as Record<string, unknown>;
  for (const name of names.slice(0, -1)) {
    const next = holder[name];
    if (typeof next !== 'object' || next === null) throw noMember(holder, name, path, what);
    holder = next as Record<string, unknown>;
  }
  return { holder, name: names[names.length - 1] };
}

function noMember(holder: object, name: string, path: string, what: string): TypeError {
  const similar = closest(name, membersOf(holder));
  const proposal = similar === undefined ? '' : `; did you mean ${path.replace(name, similar)}?`;
  return new TypeError(`the instance has no ${path}, named as ${what}${proposal}`);
}

/** All names, also those of methods. */
function membersOf(object: object): string[] {
  const names: string[] = [];
  for (let at = object; at && at !== Object.prototype; at = Object.getPrototypeOf(at)) names.push(...Object.getOwnPropertyNames(at));
  return names;
}

/**
 * The member at a path.
 * @param what what the path names, for the message
 * @throws TypeError if there is none
 */
export function memberAt(object: object, path: string, what: string): unknown {
  const { holder, name } = placeOf(object, path, what);
  if (holder[name] === undefined) throw noMember(holder, name, path, what);
  return holder[name];
}

/** Like {@link memberAt}, but undefined for a member that is not there, unless another one is spelt almost the same. */
export function memberIfThere(object: object, path: string, what: string): unknown {
  const { holder, name } = placeOf(object, path, what);
  if (holder[name] === undefined && !(name in holder) && closest(name, membersOf(holder))) throw noMember(holder, name, path, what);
  return holder[name];
}

/** Calls the method at a path. It gets the context if it declares a second parameter without a default: that one may mean something else. */
export function callMethod(object: object, path: string, what: string, argument: unknown, context: unknown): unknown {
  const { holder, name } = placeOf(object, path, what);
  const method = holder[name];
  if (typeof method !== 'function') throw noMember(holder, name, path, what);
  return method.length >= 2 ? method.call(holder, argument, context) : method.call(holder, argument);
}

/** Puts numbers into the member's own container, because others may hold it too. If it cannot take them, the member is replaced. */
export function setMember(object: object, path: string, value: unknown, what: string): void {
  const { holder, name } = placeOf(object, path, what);
  const current = holder[name];
  const [from, to] = [viewOf(value), viewOf(current)];
  // A getter may give a copy.
  const isKept = holder[name] === current;
  if (isKept && from && to && from.constructor === to.constructor && from.length === to.length) {
    to.set(from);
    return;
  }
  const numbers = readReal(value)?.data;
  if (numbers && readReal(current)?.form.size === numbers.length) fill(current, numbers, 0);
  if (!numbers || !sameNumbers(readReal(holder[name])?.data ?? [], numbers)) holder[name] = value;
}

/** The typed array of a value, or of a tensor. */
function viewOf(value: unknown): Float64Array | undefined {
  const data = ArrayBuffer.isView(value) ? value : (value as { data?: unknown } | null | undefined)?.data;
  return ArrayBuffer.isView(data) ? (data as Float64Array) : undefined;
}

/** Overwrites the numbers of a container from those at a position on. @returns the position after them */
function fill(container: unknown, numbers: Float64Array, at: number): number {
  if (ArrayBuffer.isView(container)) {
    const view = container as Float64Array;
    view.set(numbers.subarray(at, at + view.length));
    return at + view.length;
  }
  if (!Array.isArray(container)) return typeof container === 'number' ? at : fill((container as { data: unknown }).data, numbers, at);
  let next = at;
  for (const [i, item] of container.entries()) {
    if (typeof item === 'number') container[i] = numbers[next++];
    else next = fill(item, numbers, next);
  }
  return next;
}
