import { readFileSync } from 'node:fs';
import { type DType, type Indices, sizeOf, Tensor } from '../../src/core/tensor.js';
import type { LessonBatch } from '../../src/lesson/values.js';
import { byName, type Norm, type ParameterName, parameterNames } from '../../src/network/parameters.js';
import { loadFloats, loadIndices, readSafetensors, type Safetensors, type StoredTensor } from '../../src/run/safetensors.js';

/** Values computed by PyTorch: see fixtures/README.md. */
export interface Fixture {
  file: Safetensors;
  tensor: (name: string) => Tensor;
  indices: (name: string) => Indices;
  /** All parameters, stored under their names with a prefix. */
  parameters: (prefix?: string) => Record<ParameterName, Tensor>;
  /** The units of each block. */
  hidden: readonly number[];
  norm: Norm;
}

export function loadFixture(name: string): Fixture {
  const file = readSafetensors(readFileSync(new URL(`../fixtures/${name}.safetensors`, import.meta.url)));
  const stored = (key: string): StoredTensor => {
    const found = file.tensors.get(key);
    if (found === undefined) throw new Error(`fixture ${name} has no ${key}`);
    return found;
  };
  const tensor = (key: string) => new Tensor(loadFloats(key, stored(key)), stored(key).shape);
  const indices = (key: string) => ({ data: loadIndices(key, stored(key), 2 ** 31), shape: stored(key).shape });
  const hidden = Array.from(file.metadata.H.split(','), Number);
  const norm: Norm = file.metadata.norm === 'none' ? 'none' : 'batch';
  const names = parameterNames({ hidden, norm });
  const parameters = (prefix = '') =>
    byName(
      names,
      names.map((key) => tensor(prefix + key)),
    );
  return { file, tensor, indices, parameters, hidden, norm };
}

export interface GradientFixture {
  name: string;
  dtype: DType;
  /** Largest error, relative to the largest entry of a tensor. */
  limit: number;
}

/** Only float64 includes n = 2: in float32, dhprebn cancels down to rounding errors. */
export const GRADIENT_FIXTURES: readonly GradientFixture[] = [
  { name: 'gradients-n2-t3-e4-h8-v13-f64', dtype: 'float64', limit: 1e-10 },
  ...['gradients-n3-t4-e5-h9-v6', 'gradients-n5-t2-e3-h7-v11', 'gradients-n32-t3-e10-h64-v27'].flatMap((name) => [
    { name: `${name}-f64`, dtype: 'float64' as const, limit: 1e-10 },
    { name: `${name}-f32`, dtype: 'float32' as const, limit: 1e-5 },
  ]),
];

/** Three blocks, with and without batch norm: at n = 5 with the plain first layer, at n = 32 with the table. */
export const DEEP_FIXTURES: readonly GradientFixture[] = ['deep', 'plain'].flatMap((kind) => [
  { name: `${kind}-n5-t3-e4-h9x6x5-v13-f64`, dtype: 'float64', limit: 1e-10 },
  { name: `${kind}-n32-t3-e4-h9x6x5-v13-f64`, dtype: 'float64', limit: 1e-10 },
]);

export const TRACE_FIXTURES: readonly GradientFixture[] = [
  { name: 'trace-f64', dtype: 'float64', limit: 1e-10 },
  { name: 'trace-f32', dtype: 'float32', limit: 1e-5 },
];

/** The batch of a gradient fixture. */
export function batchOf({ indices }: Fixture): LessonBatch {
  return { Xb: indices('Xb'), Yb: indices('Yb') };
}

/** The batch of each step of a trace, from Xb [steps,n,T] and Yb [steps,n]. */
export function traceBatches({ indices }: Fixture): LessonBatch[] {
  const [Xb, Yb] = [indices('Xb'), indices('Yb')];
  const cut = ({ data, shape: [, ...shape] }: Indices, step: number): Indices => {
    const size = sizeOf(shape);
    return { data: data.slice(step * size, (step + 1) * size), shape };
  };
  return Array.from({ length: Xb.shape[0] }, (_, step) => ({ Xb: cut(Xb, step), Yb: cut(Yb, step) }));
}
