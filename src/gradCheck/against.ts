/** grad-check --against: somebody else's gradients, held against ours in float64. */

import { FileContentError } from '../core/errors.js';
import { difference, indexAt, largestMagnitude, maxUlps } from '../core/numbers.js';
import { type FloatArray, type Indices, type Shape, sameShape, showShape, Tensor } from '../core/tensor.js';
import { backward, GRADIENT_NAMES } from '../lesson/exercise1.js';
import { forward } from '../lesson/forward.js';
import type { Batch, Parameters } from '../lesson/values.js';
import { LESSON_PARAMETER_NAMES, parameterShapes } from '../network/parameters.js';
import { loadFloats, loadIndices, type Safetensors, type StoredTensor } from '../run/safetensors.js';

/** |a-b| <= absolute + relative·max|tensor| counts as close. */
const CLOSE = { F32: { absolute: 1e-7, relative: 1e-4 }, F64: { absolute: 1e-12, relative: 1e-9 } } as const;

/** The verdict on one tensor of the file. */
export interface AgainstRow {
  name: string;
  ok: boolean;
  shape: Shape;
  dtype: string;
  /** Every entry is ours, rounded to the file's precision. */
  exact: boolean;
  close: boolean;
  maxAbsDiff: number;
  /** Index of the largest difference. */
  at: number[];
  /** Theirs and ours there. */
  theirs: number;
  ours: number;
  /** Largest distance in numbers of the file's precision. Said, never judged by: near 0 many fit into nothing. */
  maxUlps: number;
  problem?: string;
}

/**
 * Compares each gradient in the file, and its loss, with ours computed in float64 from the file's parameters and batch.
 * @throws FileContentError if what the comparison needs is missing or contradicts itself
 */
export function checkAgainst(file: Safetensors): AgainstRow[] {
  const { parameters, batch } = readInputs(file);
  const values = forward(parameters, batch);
  const ours = new Map<string, Tensor>([['loss', values.loss], ...Object.entries(backward(values))]);
  const rows = [...ours].flatMap(([name, tensor]) => {
    const stored = findTensor(file, name);
    return stored ? [compare(name, stored, tensor)] : [];
  });
  if (!rows.some((row) => row.name !== 'loss')) {
    throw new FileContentError(`no gradient in it; expected at least one of ${GRADIENT_NAMES.join(', ')}`);
  }
  return rows;
}

/** The lecture calls embact embcat; dembcat is read as dembact. */
function findTensor({ tensors }: Safetensors, name: string): StoredTensor | undefined {
  return tensors.get(name) ?? (name === 'dembact' ? tensors.get('dembcat') : undefined);
}

function readInputs(file: Safetensors): { parameters: Parameters; batch: Batch } {
  const missing = [...LESSON_PARAMETER_NAMES, 'Xb', 'Yb'].filter((name) => !file.tensors.has(name));
  if (missing.length > 0) throw new FileContentError(`missing ${missing.join(', ')}; the parameters and the batch are needed to compare`);
  const stored = (name: string) => file.tensors.get(name) as StoredTensor;
  const dim = (name: string, rank: number) => {
    const { shape } = stored(name);
    if (shape.length !== rank || shape.includes(0)) {
      throw new FileContentError(`tensor "${name}" has shape ${showShape(shape)}, expected ${rank} sizes from 1`);
    }
    return shape;
  };
  const [V, E] = dim('C', 2);
  const [n, T] = dim('Xb', 2);
  const H = dim('W1', 2)[1];
  if (n < 2) throw new FileContentError(`tensor "Xb" has ${n} example; the batch's variance needs at least 2`);
  const shapes = parameterShapes({ context: T, embedding: E, hidden: [H], vocabulary: V });
  const parameters = Object.fromEntries(
    LESSON_PARAMETER_NAMES.map((name) => {
      const { shape } = stored(name);
      const asVector = (name === 'bngain' || name === 'bnbias') && sameShape(shape, [H]);
      if (!asVector) expectShape(name, shape, shapes[name]);
      return [name, Tensor.of(finite(name, loadFloats(name, stored(name))), shapes[name], 'float64')];
    }),
  ) as Parameters;
  expectShape('Yb', stored('Yb').shape, [n]);
  const indices = (name: string): Indices => ({ data: loadIndices(name, stored(name), V), shape: stored(name).shape });
  return { parameters, batch: { Xb: indices('Xb'), Yb: indices('Yb') } };
}

function expectShape(name: string, found: Shape, expected: Shape): void {
  if (!sameShape(found, expected)) {
    throw new FileContentError(
      `tensor "${name}" has shape ${showShape(found)}, expected ${showShape(expected)} by the shapes of C, Xb and W1`,
    );
  }
}

function finite(name: string, data: FloatArray): FloatArray {
  const at = data.findIndex((x) => !Number.isFinite(x));
  if (at !== -1) throw new FileContentError(`tensor "${name}" holds ${data[at]} at entry ${at}; parameters must be finite`);
  return data;
}

function compare(name: string, stored: StoredTensor, ours: Tensor): AgainstRow {
  const theirs = loadFloats(name, stored);
  const head = { name, shape: stored.shape, dtype: stored.dtype };
  if (!sameShape(stored.shape, ours.shape)) {
    const none = { exact: false, close: false, maxAbsDiff: Number.NaN, at: [], theirs: Number.NaN, ours: Number.NaN, maxUlps: Number.NaN };
    return { ...head, ok: false, ...none, problem: `shape ${showShape(stored.shape)}, expected ${showShape(ours.shape)}` };
  }
  const rounded = theirs instanceof Float64Array ? Float64Array.from(ours.data) : Float32Array.from(ours.data);
  const { maxAbs, at } = difference(theirs, ours.data);
  const { absolute, relative } = CLOSE[stored.dtype as keyof typeof CLOSE];
  const close = maxAbs <= absolute + relative * largestMagnitude(ours.data);
  return {
    ...head,
    ok: close,
    exact: theirs.every((x, i) => x === rounded[i]),
    close,
    maxAbsDiff: maxAbs,
    at: indexAt(at, ours.shape),
    theirs: theirs[at],
    ours: ours.data[at],
    maxUlps: maxUlps(theirs, rounded),
  };
}
