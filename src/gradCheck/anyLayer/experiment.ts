/** What naming works on: the known numbers of a wrong input, and measurements at changed points. */

import type { Calls, InputValue, Outputs, Point } from './calls.js';
import { LayerThrew } from './calls.js';
import type { Comparison } from './compare.js';
import { isLarge } from './effort.js';
import { readGradients } from './gradients.js';
import { measureEntries } from './measurement.js';
import type { Precision } from './report.js';
import { magnitudeOf } from './rounding.js';
import { withIntegers } from './values.js';
import type { Changes, Experiment, PointValue, Witness } from './witness.js';

interface Visited {
  point: Point;
  outputs: Outputs;
  dout: Float64Array;
}

/** Keeps the point with its witness, for experiments there. */
const points = new WeakMap<Witness, Point>();

/** All that is known of a wrong input at a point. */
export function witnessOf(
  { point, outputs, dout }: Visited,
  input: InputValue,
  { yours, returned, batch }: { yours: Float64Array; returned?: Float64Array | undefined; batch?: string | undefined },
  comparison: Comparison,
): Witness {
  const { entries, complete, right, limit, jacobian } = comparison;
  const known = point.inputs.filter(({ form, isIndex }) => form || isIndex);
  const witness: Witness = {
    sizes: point.sizes,
    train: point.train,
    draw: point.draw,
    shape: input.shape,
    entries,
    complete,
    yours: Float64Array.from(entries, (entry) => yours[entry]),
    right,
    limit,
    input: numbersOf(input),
    inputs: known.map(numbersOf),
    indices: known.filter(({ isIndex }) => isIndex).map(({ name }) => name),
    outputs: partsOf(outputs, outputs.data),
    dout: partsOf(outputs, dout),
    ...(jacobian && { jacobian }),
    ...(returned && { returned }),
    ...(batch !== undefined && { batch }),
  };
  points.set(witness, point);
  return witness;
}

function numbersOf({ name, data, shape }: InputValue): PointValue {
  return { name, data, shape };
}

function partsOf({ parts }: Outputs, data: Float64Array): PointValue[] {
  return parts.map(({ name, form, at }) => ({ name, data: data.subarray(at, at + form.size), shape: form.shape }));
}

/** Entries of another input that are measured for a comparison. */
const MOST_MEASURED = 500;

export function createExperiment(calls: Calls, precision: Precision): Experiment {
  const at = (witness: Witness, changes: Changes) => {
    const point = points.get(witness) as Point;
    const inputs = point.inputs.map((input) => {
      const data = changes.inputs?.[input.name];
      if (!data) return input;
      return input.isIndex ? { ...input, data, other: withIntegers(input.other, data) } : { ...input, data };
    });
    const dout = changes.dout ?? Float64Array.from(witness.dout.flatMap(({ data }) => Array.from(data)));
    return { point: { ...point, inputs }, dout };
  };
  const inputOf = (point: Point, name: string) => point.inputs.find((input) => input.name === name) as InputValue;
  return {
    right: (witness, changes, of) =>
      orUndefined(witness, async () => {
        const { point, dout } = at(witness, changes);
        const outputs = await calls.forward(point);
        if (!outputs.data.every(Number.isFinite)) return undefined;
        const input = inputOf(point, of ?? witness.input.name);
        const chosen = of === undefined ? witness.entries : Int32Array.from(input.data.keys());
        if (chosen.length > MOST_MEASURED) return undefined;
        const magnitude = await magnitudeOf(calls, point, outputs.data, precision);
        const { right, entries } = await measureEntries({ calls, point, input, dout, outputs: outputs.data, magnitude, precision }, chosen);
        return entries.length === chosen.length ? right : undefined;
      }),
    yours: (witness, changes, of) =>
      orUndefined(witness, async () => {
        const { point, dout } = at(witness, changes);
        const gradients = readGradients(calls.layer, point, await calls.backward(point, dout));
        const gradient = gradients.get(of ?? witness.input.name);
        if (!gradient || 'mistake' in gradient) return undefined;
        return of === undefined ? Float64Array.from(witness.entries, (entry) => gradient.data[entry]) : gradient.data;
      }),
    outputs: (witness, changes) => orUndefined(witness, async () => (await calls.forward(at(witness, changes).point)).data),
  };
}

/** A layer may throw where naming looks; a large one is not measured again. */
async function orUndefined<T>(witness: Witness, measure: () => Promise<T>): Promise<T | undefined> {
  if (isLarge([witness.input, ...witness.outputs].reduce((sum, { data }) => sum + data.length, 0))) return undefined;
  try {
    return await measure();
  } catch (error) {
    if (error instanceof LayerThrew) return undefined;
    throw error;
  }
}
