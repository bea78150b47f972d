/** Compares the gradients in a file, for example PyTorch's, with ours in float64. */

import { FileContentError, NumericalError } from '../core/errors.js';
import { difference, indexAt, largestMagnitude, maxUlps } from '../core/numbers.js';
import { type FloatArray, type Indices, type Shape, sameShape, showShape, Tensor } from '../core/tensor.js';
import { quoteText } from '../core/text.js';
import { backward, GRADIENT_NAMES } from '../lesson/exercise1.js';
import { forward } from '../lesson/forward.js';
import { lessonName, similarName } from '../lesson/tensorNames.js';
import { INTERMEDIATE_NAMES, type LessonBatch, type LessonParameters } from '../lesson/values.js';
import { LESSON_PARAMETER_NAMES, parameterShapes } from '../network/parameters.js';
import { loadFloats, loadIndices, type Safetensors, type StoredTensor } from '../run/safetensors.js';

/** A tensor is close if |a-b| <= absolute + relative·max|ours| in every entry. */
const CLOSE = { F32: { absolute: 1e-7, relative: 1e-4 }, F64: { absolute: 1e-12, relative: 1e-9 } } as const;

/** The verdict on one tensor of the file. */
export interface AgainstRow {
  /** loss, an intermediate such as h, or a gradient such as dC. */
  name: string;
  /** Whether the tensor has the right shape and is close. */
  ok: boolean;
  /** Shape and data type in the file. */
  shape: Shape;
  dtype: string;
  /** Whether every entry equals ours, rounded to the file's precision. */
  exact: boolean;
  /** Whether maxAbsDiff is at most 1e-7 + 1e-4·max|ours| for F32, 1e-12 + 1e-9·max|ours| for F64. */
  close: boolean;
  /** max|theirs - ours|. */
  maxAbsDiff: number;
  /** Index of the largest difference. */
  at: number[];
  /** The file's value and ours at that index. */
  theirs: number;
  ours: number;
  /** Largest distance in ULPs of the file's precision. For information only: near 0, a tiny difference is many ULPs. */
  maxUlps: number;
  /** Set for a wrong shape; all figures are NaN then. */
  problem?: string;
}

/** A tensor of the file that cannot be judged. */
export interface UncomparedTensor {
  /** Its name in the file. */
  name: string;
  /** The lesson's name that was probably meant. */
  suggestion?: string;
  /** Set if the file also holds the tensor under this name: dembact for dembcat. */
  duplicateOf?: string;
}

/** The verdict on a file. */
export interface AgainstReport {
  /** Whether every row is ok and every tensor was compared. */
  ok: boolean;
  /** A row per tensor: the loss, the intermediates of the forward pass, then the gradients in backward order. */
  rows: AgainstRow[];
  /** The gradients that the file does not hold, in backward order. */
  absent: string[];
  /** Tensors with an unknown name or a second name. They are not compared, so the file fails. */
  notCompared: UncomparedTensor[];
}

/** The names under which a file may hold tensors. */
const INPUT_NAMES: readonly string[] = [...LESSON_PARAMETER_NAMES, 'Xb', 'Yb'];
const JUDGED_NAMES: readonly string[] = ['loss', ...INTERMEDIATE_NAMES, ...GRADIENT_NAMES];

/**
 * Compares every tensor in the file, apart from the parameters and the batch, with ours, computed in float64 from the file's parameters and
 * batch.
 * @param file holds C [V,E], W1 [T·E,H], b1 [H], bngain [1,H] or [H], bnbias [1,H] or [H], W2 [H,V], b2 [V], Xb [n,T], Yb [n] with
 * n at least 2, and at least one gradient as d + name. It may hold the loss and any intermediate. Floats are F32 or F64, indices I32 or I64.
 * @throws FileContentError if a needed tensor is missing, has a wrong shape or data type, or is not finite
 * @throws NumericalError if one of our tensors is not finite with these parameters
 */
export function checkAgainst(file: Safetensors): AgainstReport {
  const { parameters, batch } = readInputs(file);
  const { judged, notCompared } = sortNames(file);
  const named = notCompared.some(({ suggestion = '' }) => suggestion.startsWith('d'));
  if (!named && !GRADIENT_NAMES.some((name) => judged.has(name))) {
    throw new FileContentError(`no gradient found; expected at least one of ${GRADIENT_NAMES.join(', ')}`);
  }
  const values = forward(parameters, batch);
  const ours = { ...values, ...backward(values) } as unknown as Readonly<Record<string, Tensor>>;
  const rows = JUDGED_NAMES.flatMap((name) => {
    const stored = judged.get(name);
    return stored ? [compare(name, stored, finiteOurs(name, ours[name]))] : [];
  });
  return {
    ok: notCompared.length === 0 && rows.every((row) => row.ok),
    rows,
    absent: GRADIENT_NAMES.filter((name) => !judged.has(name)),
    notCompared,
  };
}

/** The tensors to judge, by the lesson's name, and those whose name says nothing or says it twice. */
function sortNames({ tensors }: Safetensors): { judged: Map<string, StoredTensor>; notCompared: UncomparedTensor[] } {
  const judged = new Map<string, StoredTensor>();
  const notCompared: UncomparedTensor[] = [];
  for (const [name, stored] of tensors) {
    const own = lessonName(name);
    if (own !== name && tensors.has(own)) notCompared.push({ name, duplicateOf: own });
    else if (JUDGED_NAMES.includes(own)) judged.set(own, stored);
    else if (!INPUT_NAMES.includes(own)) {
      const suggestion = similarName(name, [...GRADIENT_NAMES, ...INPUT_NAMES, ...INTERMEDIATE_NAMES, 'loss']);
      notCompared.push({ name, ...(suggestion !== undefined && { suggestion }) });
    }
  }
  return { judged, notCompared };
}

function finiteOurs(name: string, tensor: Tensor): Tensor {
  const at = tensor.data.findIndex((x) => !Number.isFinite(x));
  if (at === -1) return tensor;
  throw new NumericalError(
    `with these parameters, our ${name} is ${tensor.data[at]} at ${showShape(indexAt(at, tensor.shape))}, so nothing can be compared`,
    { hint: 'the parameters are too large for the network' },
  );
}

function readInputs(file: Safetensors): { parameters: LessonParameters; batch: LessonBatch } {
  const missing = [...LESSON_PARAMETER_NAMES, 'Xb', 'Yb'].filter((name) => !file.tensors.has(name));
  if (missing.length > 0) {
    const unknown = [...file.tensors.keys()].filter((name) => !INPUT_NAMES.includes(name) && !JUDGED_NAMES.includes(lessonName(name)));
    const meant = unknown.flatMap((name) => {
      const own = similarName(name, INPUT_NAMES);
      return own !== undefined && missing.includes(own) ? [`"${quoteText(name)}" may be meant as ${own}`] : [];
    });
    throw new FileContentError([`missing ${missing.join(', ')}`, ...meant].join('; '), {
      hint: 'the comparison needs the parameters and the batch',
    });
  }
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
  return { parameters, batch: { Xb: indices('Xb'), Yb: indices('Yb') } };
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
