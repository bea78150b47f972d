/** Reads the parameters and the batch of a file. */
import { FileContentError } from '../../core/errors.js';
import { type FloatArray, type Indices, type Shape, sameShape, showShape, Tensor } from '../../core/tensor.js';
import { quoteText } from '../../core/text.js';
import { similarName } from '../../lesson/tensorNames.js';
import type { LessonBatch, LessonParameters } from '../../lesson/values.js';
import { LESSON_PARAMETER_NAMES, parameterShapes } from '../../network/parameters.js';
import { loadFloats, loadIndices, type Safetensors, type StoredTensor } from '../../run/safetensors.js';
import { INPUT_NAMES, isKnown } from './names.js';

/** What the gradients of a file are computed from. */
export interface FileInputs {
  parameters: LessonParameters;
  batch: LessonBatch;
  /** Something to know about them, a sentence each. */
  remarks: readonly string[];
}

/**
 * The parameters in float64, and the batch.
 * @throws FileContentError if one is missing, has a wrong shape or data type, or is not finite
 */
export function readInputs(file: Safetensors): FileInputs {
  refuseMissing(file);
  const stored = (name: string) => file.tensors.get(name) as StoredTensor;
  const dim = (name: string, rank: number) => {
    const { shape } = stored(name);
    if (shape.length !== rank || shape.includes(0)) {
      throw new FileContentError(`tensor "${name}" has shape ${showShape(shape)}, expected ${rank} dimensions of at least 1`);
    }
    return shape;
  };
  const [V, E] = dim('C', 2);
  const [n, T] = dim('Xb', 2);
  const H = dim('W1', 2)[1];
  if (n < 2) throw new FileContentError(`tensor "Xb" has ${n} example; the variance over the batch needs at least 2`);
  const shapes = parameterShapes({ context: T, embedding: E, hidden: [H], vocabulary: V });
  const parameters = Object.fromEntries(
    LESSON_PARAMETER_NAMES.map((name) => {
      const { shape } = stored(name);
      const asVector = (name === 'bngain' || name === 'bnbias') && sameShape(shape, [H]);
      if (!asVector) expectShape(name, shape, shapes[name]);
      return [name, Tensor.of(finite(name, loadFloats(name, stored(name))), shapes[name], 'float64')];
    }),
  ) as LessonParameters;
  expectShape('Yb', stored('Yb').shape, [n]);
  const indices = (name: string): Indices => ({ data: loadIndices(name, stored(name), V), shape: stored(name).shape });
  return { parameters, batch: { Xb: indices('Xb'), Yb: indices('Yb') }, remarks: [] };
}

function refuseMissing({ tensors }: Safetensors): void {
  const missing = INPUT_NAMES.filter((name) => !tensors.has(name));
  if (missing.length === 0) return;
  const meant = [...tensors.keys()].flatMap((name) => {
    const own = isKnown(name) ? undefined : similarName(name, INPUT_NAMES);
    return own !== undefined && missing.includes(own) ? [`"${quoteText(name)}" may be meant as ${own}`] : [];
  });
  throw new FileContentError([`missing ${missing.join(', ')}`, ...meant].join('; '), {
    hint: 'the comparison needs the parameters and the batch',
  });
}

function expectShape(name: string, found: Shape, expected: Shape): void {
  if (!sameShape(found, expected)) {
    throw new FileContentError(`tensor "${name}" has shape ${showShape(found)}, expected ${showShape(expected)} to match C, Xb and W1`);
  }
}

function finite(name: string, data: FloatArray): FloatArray {
  const at = data.findIndex((x) => !Number.isFinite(x));
  if (at !== -1) throw new FileContentError(`tensor "${name}" holds ${data[at]} at entry ${at}, expected finite numbers`);
  return data;
}
