/** Whether a layer can be judged in float64: whether its code computes in float64 once Float64Array takes the place of Float32Array. */

import { allFloat32 } from '../../core/numbers.js';
import { normal, randomStream } from '../../core/random.js';
import { Calls, LayerThrew, type Point } from './calls.js';
import type { Arrays } from './float64.js';
import { judgedInputs, readGradients } from './gradients.js';
import type { Layer } from './layer.js';
import type { Precision } from './report.js';
import { sizesToTry, trainingsToTry } from './sizes.js';
import { sameNumbers } from './values.js';

/** More than float32 rounding explains, relative to the largest number. */
const DIFFERENT = 1e-3;
/** Roughness of float64 code, relative to the largest number, is about 1e-16; of code that rounds to float32 in between, about 1e-8. */
const ROUGH = 1e-10;
/** Steps of the roughness test: a few units in the last place of float32. */
const TINY = 2 ** -22;

export async function precisionOf(layer: Layer, seed: number | string): Promise<Precision> {
  const [swapped, plain] = [await probe(layer, seed, 'swapped'), await probe(layer, seed, 'plain')];
  if (!plain) return 'float64';
  if (!swapped || differ(swapped.numbers, plain.numbers)) return 'float32';
  return swapped.parts.some(isFloat32) || (await isRough(swapped)) ? 'float32' : 'float64';
}

interface Probe {
  calls: Calls;
  point: Point;
  /** The outputs, and the gradient of each input if backward is repeatable. */
  parts: Float64Array[];
  /** All of them in a row. */
  numbers: Float64Array;
}

/** Calls the layer at one point, at its last sizes; undefined if it throws or is random. */
export async function probe(layer: Layer, seed: number | string, arrays: Arrays): Promise<Probe | undefined> {
  const calls = new Calls(layer, arrays);
  try {
    const key = { seed: `${seed} precision`, mode: 'generic', precision: 'float64' } as const;
    const [train] = trainingsToTry(layer.train);
    const [sizes] = sizesToTry(layer.sizes, seed).slice(-1);
    const point = await calls.point({ sizes, train, draw: 0, key });
    const random = randomStream('grad-check', `${seed} precision dout`);
    const { data } = await calls.forward(point);
    if (!sameNumbers(data, (await calls.forward(point)).data)) return undefined;
    const dout = data.map(() => normal(random));
    const [gradients, again] = [await gradientsAt(calls, point, dout), await gradientsAt(calls, point, dout)];
    // Gradients that grow from call to call say nothing about precision.
    const isRepeatable = gradients.every((one, i) => sameNumbers(one, again[i] ?? []));
    const parts = [data, ...(isRepeatable ? gradients : [])];
    return { calls, point, parts, numbers: Float64Array.from(parts.flatMap((one) => Array.from(one))) };
  } catch (error) {
    if (error instanceof LayerThrew) return undefined;
    throw error;
  }
}

async function gradientsAt(calls: Calls, point: Point, dout: Float64Array): Promise<Float64Array[]> {
  const gradients = [...readGradients(calls.layer, point, await calls.backward(point, dout)).values()];
  return gradients.flatMap(({ data }) => (data ? [data] : []));
}

/** Whether all numbers are float32 numbers, and some need all its digits. */
function isFloat32(values: Float64Array): boolean {
  return allFloat32(values) && values.some((x) => Number.isFinite(x) && !Number.isInteger(x * 2 ** 16));
}

/** Third differences of a smooth function at tiny steps are rounding: their size says in which precision it computes. */
async function isRough({ calls, point, parts: [outputs] }: Probe): Promise<boolean> {
  const rows: Float64Array[] = [];
  try {
    for (let k = 0; k < 4; k++) {
      const moved = judgedInputs(calls.layer, point).map(
        ({ name, data }) => [name, data.map((x, i) => x + k * TINY * (i % 2 === 0 ? 1 : -0.75))] as const,
      );
      rows.push((await calls.forward(point, new Map(moved))).data);
    }
  } catch (error) {
    if (error instanceof LayerThrew) return false;
    throw error;
  }
  const [a, b, c, d] = rows;
  let [rough, largest] = [0, 0];
  for (let i = 0; i < outputs.length; i++) {
    largest = Math.max(largest, Math.abs(outputs[i]));
    rough = Math.max(rough, Math.abs(d[i] - 3 * c[i] + 3 * b[i] - a[i]));
  }
  return Number.isFinite(rough) && rough > ROUGH * largest;
}

/** Whether two runs of the same code differ by more than float32 rounding explains. */
export function differ(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return true;
  let [most, largest] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    if (!Number.isFinite(a[i]) || !Number.isFinite(b[i])) continue;
    most = Math.max(most, Math.abs(a[i] - b[i]));
    largest = Math.max(largest, Math.abs(b[i]));
  }
  return most > DIFFERENT * largest;
}
