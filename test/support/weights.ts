import type { FloatArray, Shape } from '../../src/core/tensor.js';
import { type ModelConfig, parameterShapes, statisticShapes } from '../../src/network/parameters.js';
import { type StoredTensor, storeFloats, writeSafetensors } from '../../src/run/safetensors.js';

/** A small network. */
export const SHAPE: ModelConfig = { context: 3, embedding: 4, hidden: [8], vocabulary: 18 };

type Tensors = Map<string, StoredTensor>;

/** Parameters of a network as another program would save them: small numbers, all different, that float32 holds exactly. */
export function weightTensors(shape: ModelConfig = SHAPE, with_: 'parameters' | 'statistics' = 'parameters'): Tensors {
  const shapes: [string, Shape][] = Object.entries(parameterShapes(shape));
  if (with_ === 'statistics') shapes.push(...Object.entries(statisticShapes(shape)));
  return new Map(shapes.map(([name, of], i) => [name, storeFloats(numbers(of, i, name), of)]));
}

function numbers(shape: Shape, seed: number, name: string): Float32Array {
  const isPositive = name.endsWith('bnvar') || name.endsWith('bngain');
  const size = shape.reduce((product, one) => product * one, 1);
  return Float32Array.from({ length: size }, (_, i) => (isPositive ? 1 : -1) + ((i * 37 + seed * 11) % 101) / 64);
}

/** A tensor with other numbers or another shape. */
export function tensor(shape: Shape, data: FloatArray = new Float32Array(shape.reduce((product, one) => product * one, 1))): StoredTensor {
  return storeFloats(data, shape);
}

/** The transpose of a matrix of float32. */
export function transposedTensor({ shape: [rows, columns], bytes }: StoredTensor): StoredTensor {
  const data = new Float32Array(bytes.slice().buffer);
  return storeFloats(
    Float32Array.from({ length: data.length }, (_, i) => data[(i % rows) * columns + Math.floor(i / rows)]),
    [columns, rows],
  );
}

export function weightsFile(tensors: Tensors, metadata: Record<string, string> = {}): Uint8Array {
  return writeSafetensors({ metadata, tensors });
}

/** The sizes of a network for the names of `writeNames`. */
export const NAMES_SHAPE: ModelConfig = { ...SHAPE, vocabulary: 15 };
