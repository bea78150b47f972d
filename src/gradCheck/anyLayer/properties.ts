/** Properties of a backward pass that need no differences. */

import { normal, randomStream } from '../../core/random.js';
import type { BackwardResult, Calls, InputValue, Outputs, Point } from './calls.js';
import { aliasedPairs, readGradients } from './gradients.js';
import { PROPERTIES, type Precision, type PropertyName, type PropertyRow } from './report.js';
import { readReal, sameNumbers } from './values.js';

/** Collects what was seen of each property: one failure decides. */
export class PropertyTally {
  readonly #seen = new Map<PropertyName, { ok: boolean; detail: string }>();

  record(name: PropertyName, ok: boolean, detail = ''): void {
    const before = this.#seen.get(name);
    if (!before || (before.ok && !ok)) this.#seen.set(name, { ok, detail: ok ? '' : detail });
  }

  rows(untried: Partial<Record<PropertyName, string>>): PropertyRow[] {
    return PROPERTIES.map((name) => ({ name, ...(this.#seen.get(name) ?? { ok: null, detail: untried[name] ?? 'not reached' }) }));
  }
}

/** What every backward call shows. */
export function recordCall(tally: PropertyTally, { calls, point }: At, result: BackwardResult): void {
  const changed = result.changed.filter((name) => name !== 'dout');
  tally.record('inputs-unchanged', changed.length === 0, `${changed.join(', ')} changed`);
  tally.record('dout-unchanged', !result.changed.includes('dout'), "backward changed dout; if it may, say mayChange: ['dout']");
  const aliased = aliasedPairs(result);
  tally.record('no-alias', aliased.length === 0, `the gradients of ${aliased.join(', ')} share memory`);
  const gradients = readGradients(calls.layer, point, result);
  const misfits = [...gradients.values()].flatMap((gradient) => ('mistake' in gradient ? [gradient.mistake.text] : []));
  tally.record('shapes', misfits.length === 0, misfits[0]);
}

interface At {
  calls: Calls;
  point: Point;
}

/** Tolerances relative to the largest entry. */
const ROUNDING: Record<Precision, number> = { float64: 1e-8, float32: 1e-3 };

/** Tries zero, linear and repeatable, with gradients that can be read. */
export async function tryBackward(tally: PropertyTally, at: At, dout: Float64Array, precision: Precision): Promise<void> {
  const { calls, point } = at;
  const random = randomStream('grad-check', `${point.key.seed} other dout`);
  const other = dout.map(() => Math.round(normal(random) * 512) / 512);
  const gradients = async (given: Float64Array) => {
    const result = await calls.backward(point, given);
    recordCall(tally, at, result);
    return flatten(calls, point, result);
  };
  const first = await gradients(dout);
  const again = await gradients(dout);
  tally.record(
    'repeatable',
    sameNumbers(first, again) || close(first, again, ROUNDING[precision]),
    'a second backward gives another gradient',
  );
  const zero = await gradients(new Float64Array(dout.length));
  const scale = largestOf(first);
  tally.record('zero', largestOf(zero) <= ROUNDING[precision] * scale, 'backward of zeros is not zero');
  const second = await gradients(other);
  const sum = await gradients(dout.map((x, i) => 0.5 * x - 2 * other[i]));
  const expected = first.map((x, i) => 0.5 * x - 2 * second[i]);
  const unused = scale > 0 && sameNumbers(first, second);
  tally.record('linear', close(sum, expected, ROUNDING[precision]), unused ? 'dout is not used' : 'backward is not linear in dout');
}

/** The gradients of all judged inputs in a row; entries that cannot be read are left out. */
function flatten(calls: Calls, point: Point, result: BackwardResult): Float64Array {
  const gradients = readGradients(calls.layer, point, result);
  return Float64Array.from([...gradients.values()].flatMap((gradient) => Array.from('mistake' in gradient ? [] : gradient.data)));
}

/** Not finite numbers are the concern of `finite`. */
function close(a: Float64Array, b: Float64Array, tolerance: number): boolean {
  if (a.length !== b.length) return false;
  const scale = Math.max(largestOf(a), largestOf(b));
  return a.every((x, i) => !Number.isFinite(x) || !Number.isFinite(b[i]) || Math.abs(x - b[i]) <= tolerance * scale);
}

function largestOf(values: Float64Array): number {
  let largest = 0;
  for (const x of values) if (Number.isFinite(x)) largest = Math.max(largest, Math.abs(x));
  return largest;
}

/**
 * Tries whether a batch equals its examples, each computed alone: outputs, gradients of the batched inputs, and the sum of the others.
 * @returns why it was not tried; '' if the specification names no batch
 */
export async function tryBatch(tally: PropertyTally, at: At, dout: Float64Array, precision: Precision): Promise<string | undefined> {
  const { calls, point } = at;
  const batch = calls.layer.batch;
  if (!batch) return '';
  const n = point.sizes[batch.letter];
  if (n === undefined) return `there is no size ${batch.letter}`;
  const stray = batch.inputs.find((name) => !point.inputs.some((input) => input.name === name));
  if (stray !== undefined) return `there is no input ${stray}`;
  const whole = await calls.backward(point, dout);
  if (calls.usesRandom) return 'the layer draws random numbers, and an example alone draws others';
  const batched = [
    ...point.inputs
      .filter(({ name }) => batch.inputs.includes(name))
      .map(({ name, form, shape }) => ({ name, shape, shaped: form?.shaped ?? shape.length > 1 })),
    ...whole.outputs.parts.map(({ name, form }) => ({ name: name || 'the output', shape: form.shape, shaped: form.shaped })),
  ];
  const misfit = batched.find(({ shape, shaped }) => (shaped ? shape[0] !== n : shape.length === 0 || shape[0] % n !== 0));
  if (misfit) return `${misfit.name} does not have ${batch.letter} = ${n} examples`;
  const problem = await compareExamples(at, { dout, n, letter: batch.letter, inputs: batch.inputs, whole }, ROUNDING[precision]);
  tally.record('batch', problem === undefined, problem);
  return undefined;
}

interface Batch {
  dout: Float64Array;
  n: number;
  letter: string;
  inputs: readonly string[];
  whole: BackwardResult;
}

async function compareExamples({ calls, point }: At, batch: Batch, tolerance: number): Promise<string | undefined> {
  const sums = new Map<string, Float64Array>();
  const gradients = readGradients(calls.layer, point, batch.whole);
  for (let i = 0; i < batch.n; i++) {
    const alone: Point = {
      ...point,
      sizes: { ...point.sizes, [batch.letter]: 1 },
      inputs: point.inputs.map((input) => exampleOf(input, i, batch)),
    };
    const result = await calls.backward(alone, exampleOutputs(batch.whole.outputs, batch.dout, i, batch.n));
    const outputs = exampleOutputs(batch.whole.outputs, batch.whole.outputs.data, i, batch.n);
    if (!result.outputs.data.every(Number.isFinite) || !close(result.outputs.data, outputs, tolerance))
      return `forward of example ${i} alone differs from its row in the batch`;
    for (const [name, gradient] of readGradients(calls.layer, alone, result)) {
      const ofBatch = gradients.get(name);
      if ('mistake' in gradient || !ofBatch || 'mistake' in ofBatch) continue;
      if (!batch.inputs.includes(name)) {
        const sum = sums.get(name);
        sums.set(name, sum ? sum.map((x, k) => x + gradient.data[k]) : gradient.data);
        continue;
      }
      const width = ofBatch.data.length / batch.n;
      const scale = largestOf(ofBatch.data);
      const row = ofBatch.data.subarray(i * width, (i + 1) * width);
      if (row.some((x, k) => Number.isFinite(x) && !(Math.abs(x - gradient.data[k]) <= tolerance * scale))) {
        return `the gradient of ${name} for example ${i} alone differs from its row in the batch`;
      }
    }
  }
  for (const [name, sum] of sums) {
    const ofBatch = gradients.get(name);
    if (ofBatch && !('mistake' in ofBatch) && !close(sum, ofBatch.data, tolerance)) {
      return `the gradient of ${name} for the batch differs from the sum over its examples`;
    }
  }
  return undefined;
}

/** One example of a batched input, in the same container; other inputs as they are. */
function exampleOf(input: InputValue, i: number, { n, inputs }: Batch): InputValue {
  if (!inputs.includes(input.name)) return input;
  const width = input.data.length / n;
  const data = input.data.slice(i * width, (i + 1) * width);
  const value = sliceContainer(input.form ? input.form.build(input.data) : input.other, i, width);
  const real = readReal(value);
  return real
    ? { ...input, form: real.form, data, shape: real.form.shape }
    : { ...input, data, shape: [1, ...input.shape.slice(1)], other: value };
}

function sliceContainer(value: unknown, i: number, width: number): unknown {
  if (Array.isArray(value)) return typeof value[0] === 'number' ? value.slice(i * width, (i + 1) * width) : [value[i]];
  if (ArrayBuffer.isView(value)) return (value as Float64Array).slice(i * width, (i + 1) * width);
  const shaped = value as { data: Float64Array; shape: number[] };
  const data = shaped.data.slice(i * width, (i + 1) * width);
  const real = readReal(value);
  const built = real?.form.build(real.data) as { constructor?: new (data: unknown, shape: unknown) => object } | undefined;
  const shape = [1, ...shaped.shape.slice(1)];
  if (built?.constructor && (built.constructor as unknown) !== Object) return new built.constructor(data, shape);
  return { ...shaped, data, shape };
}

/** One example's entries of all outputs. */
function exampleOutputs({ parts }: Outputs, values: Float64Array, i: number, n: number): Float64Array {
  const rows = parts.flatMap(({ at, form }) => {
    const width = form.size / n;
    return Array.from(values.subarray(at + i * width, at + (i + 1) * width));
  });
  return Float64Array.from(rows);
}
