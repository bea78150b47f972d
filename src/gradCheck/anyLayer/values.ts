/** Real values in any container: numbers, Float32Array, Float64Array, tensors, { data, shape } and nested arrays of numbers. */

import { type Shape, sizeOf } from '../../core/tensor.js';

/** A container: how to read its numbers in row-major order, and how to build another one like it. */
export interface Form {
  /** The sizes of the dimensions. A ragged nested array has the shape of its numbers in a row. */
  readonly shape: Shape;
  readonly size: number;
  /** Whether the container has dimensions of its own. A flat array and a number have none, so they serve for any shape. */
  readonly shaped: boolean;
  /** A new container like this one. It shares no memory. */
  build(data: ArrayLike<number>): unknown;
  /** The objects that hold the numbers, to find out whether two values share memory. */
  readonly memory: readonly object[];
}

/** A real value: its container and its numbers. */
export interface RealValue {
  form: Form;
  data: Float64Array;
}

type FloatView = Float32Array | Float64Array;

/** The value's container and numbers; undefined if it is not real. */
export function readReal(value: unknown): RealValue | undefined {
  if (typeof value === 'number') {
    const form: Form = { shape: [], size: 1, shaped: false, build: (data) => data[0], memory: [] };
    return { form, data: Float64Array.of(value) };
  }
  if (isFloatView(value)) return readFlat(value, value);
  if (Array.isArray(value)) return readNested(value);
  return isShaped(value) ? readShaped(value) : undefined;
}

/** Whether the value is a record of values by name, not a container of numbers. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !readReal(value) && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

/** The name on a typed array, whatever realm it comes from and whatever globals were replaced. */
function tagOf(value: unknown): string | undefined {
  return ArrayBuffer.isView(value) ? (value as unknown as { [Symbol.toStringTag]?: string })[Symbol.toStringTag] : undefined;
}

function isFloatView(value: unknown): value is FloatView {
  const tag = tagOf(value);
  return tag === 'Float64Array' || tag === 'Float32Array';
}

interface Shaped {
  data: FloatView | number[];
  shape: number[];
}

function isShaped(value: unknown): value is Shaped {
  if (typeof value !== 'object' || value === null) return false;
  const { data, shape } = value as Partial<Shaped>;
  if (!Array.isArray(shape) || !shape.every((size) => Number.isInteger(size))) return false;
  return (isFloatView(data) || isNumbers(data)) && data.length === sizeOf(shape);
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((x) => typeof x === 'number');
}

function readFlat(view: FloatView, memory: object): RealValue {
  const form: Form = { shape: [view.length], size: view.length, shaped: false, build: (data) => fill(view, data), memory: [memory] };
  return { form, data: new Float64Array(view) };
}

/** An array like `like`, of the same type and realm. */
function fill(like: FloatView, data: ArrayLike<number>): FloatView {
  const out = new (like.constructor as Float64ArrayConstructor)(data.length);
  out.set(data);
  return out;
}

function readShaped(value: Shaped): RealValue {
  const shape = [...value.shape];
  const build = (data: ArrayLike<number>) => {
    const held = isFloatView(value.data) ? fill(value.data, data) : Array.from(data);
    return withData(value, held, [...shape]);
  };
  return { form: { shape, size: sizeOf(shape), shaped: true, build, memory: [value.data] }, data: new Float64Array(value.data) };
}

/** A tensor's class may have private members, which only its constructor sets. */
function withData(value: Shaped, data: Shaped['data'], shape: number[]): object {
  const ownClass = (value as { constructor?: unknown }).constructor;
  if (typeof ownClass === 'function' && ownClass !== Object) {
    const made = construct(ownClass as ShapedClass, data, shape);
    if (made) return made;
  }
  return Object.assign(Object.create(Object.getPrototypeOf(value) as object | null) as object, value, { data, shape });
}

type ShapedClass = new (data: unknown, shape: unknown) => object;

function construct(ownClass: ShapedClass, data: Shaped['data'], shape: number[]): object | undefined {
  try {
    const made = new ownClass(data, shape);
    return (made as Partial<Shaped>).data === data ? made : undefined;
  } catch {
    return undefined;
  }
}

type Nested = readonly (number | FloatView | Nested)[];

function readNested(value: unknown[]): RealValue | undefined {
  const data: number[] = [];
  const memory: object[] = [];
  if (!collect(value, data, memory)) return undefined;
  const template = value as Nested;
  const shape = shapeOf(template);
  const build = (numbers: ArrayLike<number>) => rebuild(copyOf(template), numbers, { at: 0 });
  const form: Form = { shape: shape ?? [data.length], size: data.length, shaped: shape === undefined || shape.length > 1, build, memory };
  return { form, data: new Float64Array(data) };
}

/** Adds the numbers in order. @returns whether there is nothing but numbers */
function collect(value: unknown[], data: number[], memory: object[]): boolean {
  memory.push(value);
  return value.every((item) => {
    if (typeof item === 'number') return data.push(item) > 0;
    if (isFloatView(item)) {
      memory.push(item);
      for (const x of item) data.push(x);
      return true;
    }
    return Array.isArray(item) && collect(item, data, memory);
  });
}

/** undefined for a ragged array. */
function shapeOf(value: Nested | FloatView): number[] | undefined {
  const first: unknown = value[0];
  if (isFloatView(value) || value.length === 0 || typeof first === 'number') {
    return Array.from(value as Nested).every((item) => typeof item === 'number') ? [value.length] : undefined;
  }
  const [head, ...rest] = (value as Nested).map((item) => (typeof item === 'number' ? undefined : shapeOf(item)));
  const regular =
    head !== undefined && rest.every((shape) => shape?.length === head.length && shape.every((size, dim) => size === head[dim]));
  return regular ? [value.length, ...head] : undefined;
}

/** The same nesting, with its numbers still to fill in. The caller may change its own array later. */
function copyOf(value: Nested): Nested {
  return value.map((item) => (Array.isArray(item) ? copyOf(item as Nested) : item)) as Nested;
}

function rebuild(template: Nested, numbers: ArrayLike<number>, cursor: { at: number }): unknown {
  return template.map((item) => {
    if (typeof item === 'number') return numbers[cursor.at++];
    if (!isFloatView(item)) return rebuild(item, numbers, cursor);
    const part = fill(
      item,
      Array.from(item, (_, i) => numbers[cursor.at + i]),
    );
    cursor.at += item.length;
    return part;
  });
}

/** The whole numbers of an integer typed array; undefined for anything else. */
export function readIntegers(value: unknown): { data: Float64Array; shape: Shape } | undefined {
  const held = tagOf(value) === undefined ? (value as { data?: unknown; shape?: Shape } | null)?.data : value;
  if (!/^(Ui|I)nt\d+(Clamped)?Array$/.test(tagOf(held) ?? '')) return undefined;
  const data = Float64Array.from(held as Int32Array);
  const shape = held === value ? undefined : (value as { shape?: Shape }).shape;
  return { data, shape: shape ?? [data.length] };
}

/** Whole numbers in a container like that of others. */
export function withIntegers(like: unknown, numbers: Float64Array): unknown {
  const copy = copyOther(like);
  const held = tagOf(copy) === undefined ? (copy as { data: Int32Array }).data : (copy as Int32Array);
  held.set(numbers);
  return copy;
}

/** Whether a value that is not real holds arrays of floats further inside: a list of tensors, a record of weights. */
export function holdsReals(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return false;
  return Object.values(value).some((item) => {
    const real = readReal(item);
    return real ? real.form.memory.length > 0 : holdsReals(item);
  });
}

/** A copy of a value that is not real: indices, flags, texts. What is no plain data stays as it is. */
export function copyOther(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (ArrayBuffer.isView(value)) return tagOf(value) === undefined ? value : (value as Int32Array).slice();
  if (Array.isArray(value)) return value.map(copyOther);
  const isPlain = Object.getPrototypeOf(value) === null || (value as { constructor?: { name?: string } }).constructor?.name === 'Object';
  if (!isPlain) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, copyOther(item)]));
}

/** Whether two values that are not real hold the same. */
export function sameOther(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (ArrayBuffer.isView(a) && ArrayBuffer.isView(b)) return sameNumbers(a as Int32Array, b as Int32Array);
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => sameOther((a as never)[key], (b as never)[key]));
}

/** Whether two arrays hold the same numbers; NaN equals NaN. */
export function sameNumbers(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i] && !(Number.isNaN(a[i]) && Number.isNaN(b[i]))) return false;
  return true;
}

/** Whether two containers share memory: the same array, or overlapping views of one buffer. */
export function sharesMemory(a: readonly object[], b: readonly object[]): boolean {
  return a.some((one) => b.some((other) => one === other || overlap(one, other)));
}

function overlap(a: object, b: object): boolean {
  if (!ArrayBuffer.isView(a) || !ArrayBuffer.isView(b) || a.buffer !== b.buffer) return false;
  return a.byteOffset < b.byteOffset + b.byteLength && b.byteOffset < a.byteOffset + a.byteLength;
}
