/** Calls of a layer at a point: forward, and backward directly after a forward, each with fresh copies. */

import { normal, randomStream } from '../../core/random.js';
import type { Shape } from '../../core/tensor.js';
import { type DrawKey, startDraw } from './draw.js';
import { restartDraw } from './drawTape.js';
import { type Arrays, callWith } from './float64.js';
import { DRAW, type Layer, type LayerContext, type Sizes } from './layer.js';
import { copyOther, type Form, holdsReals, isRecord, readIntegers, readReal, sameNumbers, sameOther } from './values.js';

/** Inputs at given sizes, from one draw. */
export interface Point {
  sizes: Sizes;
  train: boolean;
  /** Number of the draw at these sizes. */
  draw: number;
  key: DrawKey;
  usedNormal: boolean;
  inputs: readonly InputValue[];
}

/** An input of a point. */
export interface InputValue {
  name: string;
  /** Container and numbers of a real input. */
  form?: Form;
  data: Float64Array;
  /** Shape of a real input, or of whole numbers. */
  shape: Shape;
  /** Whether these are whole numbers without a gradient. */
  isIndex: boolean;
  /** A value that is not real. */
  other?: unknown;
}

/** An output, and where it is in the row of all real outputs. */
export interface OutputPart {
  name: string;
  form: Form;
  at: number;
}

/** What forward returned: the numbers of all real outputs, one output after another. */
export interface Outputs {
  /** Whether forward returned one value, not a record. */
  single: boolean;
  parts: readonly OutputPart[];
  data: Float64Array;
}

/** What backward did. */
export interface BackwardResult {
  outputs: Outputs;
  /** What it returned, by name; a single value is that of the only input. */
  returned: Readonly<Record<string, unknown>>;
  /** The numbers that it added to `context.gradients`, for the inputs that accumulate. */
  added: ReadonlyMap<string, unknown>;
  /** Names of the inputs, and 'dout', that forward or backward changed although they may not. */
  changed: readonly string[];
}

/** Replaced numbers of inputs, by name. */
export type Replaced = ReadonlyMap<string, Float64Array>;
const NOTHING: Replaced = new Map();

/** The layer threw, or its values cannot be read. */
export class LayerThrew extends Error {
  override name = 'LayerThrew';
}

/** @throws LayerThrew if `inputs` throws or gives no record */
async function drawPoint(layer: Layer, arrays: Arrays, at: Pick<Point, 'sizes' | 'train' | 'draw' | 'key'>): Promise<Point> {
  const draw = startDraw(at.key);
  const record = await guarded('inputs', at.sizes, () => callWith(arrays, () => layer.inputs({ ...at.sizes }, draw)));
  if (typeof record !== 'object' || record === null || readReal(record)) {
    throw new LayerThrew(`inputs must return a record of named values, such as { x: draw.normal(3) }`);
  }
  const inputs = Object.entries(record).map(([name, value]): InputValue => {
    const real = readReal(value);
    if (real) return { name, form: real.form, data: real.data, shape: real.form.shape, isIndex: false };
    const integers = readIntegers(value);
    if (!integers && !layer.constant?.includes(name) && holdsReals(value)) {
      throw new LayerThrew(
        `${name} holds arrays of numbers inside a list or a record; make each an input of its own, or name it in constant`,
      );
    }
    return {
      name,
      data: integers?.data ?? new Float64Array(),
      shape: integers?.shape ?? [],
      isIndex: integers !== undefined,
      other: value,
    };
  });
  return { ...at, usedNormal: draw.usedNormal, inputs };
}

async function guarded<T>(part: string, sizes: Sizes, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    throw new LayerThrew(`${part} threw ${message}${showSizes(sizes)}`, { cause: error });
  }
}

/** " at n = 2, d = 3"; empty without sizes */
function showSizes(sizes: Sizes): string {
  const listed = Object.entries(sizes).map(([letter, value]) => `${letter} = ${value}`);
  return listed.length === 0 ? '' : ` at ${listed.join(', ')}`;
}

/** One call's record of inputs, context, and what forward gave. */
interface Called {
  record: Record<string, unknown>;
  context: MutableContext;
  raw: unknown;
  outputs: Outputs;
}

interface MutableContext extends Omit<LayerContext, 'outputs' | 'random' | 'gradients'> {
  outputs: unknown;
  random: () => number;
  gradients: Record<string, unknown>;
}

/** Calls a layer at points. It counts what may not happen, such as changed inputs, in its results. */
export class Calls {
  readonly layer: Layer;
  /** Whether a call drew from `context.random`. */
  usesRandom = false;
  readonly #arrays: Arrays;

  constructor(layer: Layer, arrays: Arrays) {
    this.layer = layer;
    this.#arrays = arrays;
  }

  point(at: Pick<Point, 'sizes' | 'train' | 'draw' | 'key'>): Promise<Point> {
    return drawPoint(this.layer, this.#arrays, at);
  }

  /** The outputs at a point, with other numbers for some inputs. */
  async forward(point: Point, replaced: Replaced = NOTHING): Promise<Outputs> {
    return (await this.#forward(point, replaced)).outputs;
  }

  /**
   * The gradients at a point.
   * @param dout the gradients of all real outputs, one after another
   */
  async backward(point: Point, dout: ArrayLike<number>, replaced: Replaced = NOTHING): Promise<BackwardResult> {
    const called = await this.#forward(point, replaced);
    const { record, context, raw, outputs } = called;
    const changed = this.#changedInputs(point, record, replaced);
    const given = outputsLike(outputs, dout);
    const buffers = accumulating(this.layer, point);
    const noise = new Map(buffers.map((input) => [input.name, noiseOf(point, input)]));
    for (const [name, value] of noise) context.gradients[name] = formOf(point, name).build(value);
    context.outputs = raw;
    context.random = this.#randomOf(point);
    const result = await this.#call('backward', point, () => this.layer.backward(given as never, record as never, context as never));
    const again = this.#changedInputs(point, record, replaced);
    const douts = sameGiven(outputs, given, dout) || this.layer.mayChange?.includes('dout') ? [] : ['dout'];
    const added = new Map(buffers.map(({ name }) => [name, subtract(context.gradients[name], noise.get(name) as Float64Array)]));
    return { outputs, returned: byName(this.layer, point, result), added, changed: [...new Set([...changed, ...again, ...douts])] };
  }

  async #forward(point: Point, replaced: Replaced): Promise<Called> {
    const record = Object.fromEntries(point.inputs.map((input) => [input.name, copyOfInput(input, replaced)]));
    const context: MutableContext = {
      sizes: { ...point.sizes },
      train: point.train,
      saved: {},
      outputs: undefined,
      random: this.#randomOf(point),
      gradients: {},
      [DRAW]: () => restartDraw(point),
    };
    const raw = await this.#call('forward', point, () => this.layer.forward(record as never, context as LayerContext));
    return { record, context, raw, outputs: readOutputs(raw) };
  }

  #randomOf(point: Point): () => number {
    return randomOf(point, () => {
      this.usesRandom = true;
    });
  }

  #call<T>(part: string, point: Point, call: () => T): Promise<Awaited<T>> {
    return guarded(part, point.sizes, () => callWith(this.#arrays, call));
  }

  #changedInputs(point: Point, record: Record<string, unknown>, replaced: Replaced): string[] {
    const may = this.layer.mayChange ?? [];
    const changed = point.inputs.filter(({ name, form, data, other }) => {
      if (may.includes(name)) return false;
      if (!form) return !sameOther(record[name], other);
      const now = readReal(record[name]);
      // The container may round: compare with what it held.
      const given = readReal(form.build(replaced.get(name) ?? data));
      return !now || !given || !sameNumbers(now.data, given.data);
    });
    return changed.map(({ name }) => name);
  }
}

function copyOfInput({ name, form, data, other }: InputValue, replaced: Replaced): unknown {
  return form ? form.build(replaced.get(name) ?? data) : copyOther(other);
}

function formOf(point: Point, name: string): Form {
  return point.inputs.find((input) => input.name === name)?.form as Form;
}

/** The sequence starts again for each forward, and before its backward. Seeding a stream costs more than most forwards do. */
function randomOf({ key }: Point, onFirst: () => void): () => number {
  let stream: (() => number) | undefined;
  return () => {
    if (!stream) onFirst();
    stream ??= randomStream('grad-check', `${key.seed} context`);
    return stream();
  };
}

/** @throws LayerThrew if there is no output */
function readOutputs(raw: unknown): Outputs {
  const single = readReal(raw);
  if (single) return { single: true, parts: [{ name: '', form: single.form, at: 0 }], data: single.data };
  if (typeof raw !== 'object' || raw === null)
    throw new LayerThrew(`forward returned ${raw === null ? 'null' : typeof raw}, expected an output`);
  const real = Object.entries(isRecord(raw) ? raw : {}).flatMap(([name, value]) => {
    const read = readReal(value);
    return read ? [{ name, ...read }] : [];
  });
  if (real.length === 0) throw new LayerThrew('forward returned no real output: expected numbers, an array of floats, or a record of them');
  let at = 0;
  const parts = real.map(({ name, form }) => {
    const part = { name, form, at };
    at += form.size;
    return part;
  });
  const data = new Float64Array(at);
  for (const [i, one] of real.entries()) data.set(one.data, parts[i].at);
  return { single: false, parts, data };
}

/** dout in the containers of the outputs. */
function outputsLike({ single, parts }: Outputs, dout: ArrayLike<number>): unknown {
  const all = new Float64Array(dout);
  const built = parts.map(({ name, form, at }) => [name, form.build(all.subarray(at, at + form.size))] as const);
  return single ? built[0][1] : Object.fromEntries(built);
}

function sameGiven(outputs: Outputs, given: unknown, dout: ArrayLike<number>): boolean {
  const before = outputsLike(outputs, dout);
  const values = (value: unknown) =>
    outputs.single ? [value] : outputs.parts.map(({ name }) => (value as Record<string, unknown>)?.[name]);
  const [then, now] = [values(before), values(given)];
  return then.every((value, i) => sameNumbers(readReal(value)?.data ?? [], readReal(now[i])?.data ?? []));
}

/** The inputs whose gradients are added to buffers. */
export function accumulating({ accumulates = false, constant = [] }: Layer, { inputs }: Point): readonly InputValue[] {
  if (accumulates === false) return [];
  return inputs.filter(({ name, form }) => form && !constant.includes(name) && (accumulates === true || accumulates.includes(name)));
}

function noiseOf({ key }: Point, { name, data }: InputValue): Float64Array {
  const random = randomStream('grad-check', `${key.seed} noise ${name}`);
  return data.map(() => Math.round(normal(random) * 1024) / 1024);
}

/** What a buffer holds beyond the noise; the buffer itself if it no longer fits. */
function subtract(buffer: unknown, noise: Float64Array): unknown {
  const now = readReal(buffer);
  if (!now || now.data.length !== noise.length) return buffer;
  return now.form.build(now.data.map((x, i) => x - noise[i]));
}

/** What backward returned, by input. A layer with one real input may return its gradient alone. */
function byName({ constant = [] }: Layer, { inputs }: Point, result: unknown): Record<string, unknown> {
  const judged = inputs.filter(({ name, form }) => form && !constant.includes(name));
  if (isRecord(result)) return result;
  return judged.length === 1 && result !== undefined ? { [judged[0].name]: result } : {};
}
