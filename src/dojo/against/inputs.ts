/** Reads the parameters and the batch of a file. */
import { FileContentError } from '../../core/errors.js';
import { type FloatArray, type Indices, type Shape, sameShape, showShape, sizeOf, Tensor } from '../../core/tensor.js';
import { quoteText } from '../../core/text.js';
import { similarName } from '../../lesson/tensorNames.js';
import { INTERMEDIATE_NAMES, type LessonBatch, type LessonParameters } from '../../lesson/values.js';
import { LESSON_PARAMETER_NAMES, type LessonParameterName, parameterShapes } from '../../network/parameters.js';
import { loadFloats, loadIndices, type Safetensors, type StoredTensor } from '../../run/safetensors.js';
import { shapeText } from '../exercises.js';
import { INPUT_NAMES, isKnown } from './names.js';
import type { FileRemark } from './remarks.js';

/** What the gradients of a file are computed from. */
export interface FileInputs {
  parameters: LessonParameters;
  batch: LessonBatch;
  /** Something to know about them. */
  remarks: readonly FileRemark[];
}

/**
 * The parameters in float64, and the batch. Xb and Yb may be integers of any width, whole numbers as floats, or one-hot rows; Yb may be [n,1].
 * @throws FileContentError if one is missing, has a wrong shape or data type, or is not finite
 */
export function readInputs(file: Safetensors): FileInputs {
  refuseDeep(file);
  refuseMissing(file);
  refuseDTypes(file);
  const stored = (name: string) => file.tensors.get(name) as StoredTensor;
  const [V, E] = dimensions('C', stored('C'), 2);
  const remarks: FileRemark[] = [];
  const Xb = readIndices('Xb', stored('Xb'), V, remarks);
  const Yb = readIndices('Yb', stored('Yb'), V, remarks);
  const [n, T] = contextShape(Xb.shape, Yb.shape, stored('W1').shape, E);
  if (n < 2) throw new FileContentError(`tensor "Xb" has ${n} example; the variance over the batch needs at least 2`);
  const parameters = readParameters(stored, { V, E, T });
  expectShape('Yb', Yb.shape, [n], 'Xb');
  refuseOtherBatch(file, n);
  return { parameters, batch: { Xb, Yb }, remarks };
}

/** The tensors with a row per example. */
const PER_EXAMPLE = INTERMEDIATE_NAMES.filter((name) => shapeText(name).startsWith('[n,'));

/** Nothing can be said of values of another batch, such as those beside all training examples. One tensor of another length may be a mistake. */
function refuseOtherBatch({ tensors }: Safetensors, n: number): void {
  const names = PER_EXAMPLE.flatMap((name) => [name, `d${name}`]).filter((name) => (tensors.get(name)?.shape.length ?? 0) >= 2);
  const lengths = new Set(names.map((name) => tensors.get(name)?.shape[0]));
  const [length] = lengths;
  if (names.length < 2 || lengths.size > 1 || length === n) return;
  const listed = names.slice(0, 3).join(', ') + (names.length > 3 ? ', …' : '');
  throw new FileContentError(`Xb has ${n} examples, but ${listed} have ${length}`, {
    hint: 'save the Xb and Yb from which they were computed: those of one batch',
  });
}

function readParameters(stored: (name: string) => StoredTensor, { V, E, T }: { V: number; E: number; T: number }): LessonParameters {
  const W1 = dimensions('W1', stored('W1'), 2);
  // nn.Linear keeps its weight as [H,T·E].
  const H = W1[0] !== T * E && W1[1] === T * E ? W1[0] : W1[1];
  const shapes = parameterShapes({ context: T, embedding: E, hidden: [H], vocabulary: V });
  refuseTransposed(LESSON_PARAMETER_NAMES.map((name) => ({ name, found: stored(name).shape, expected: shapes[name] })));
  const read = (name: LessonParameterName) => {
    const { shape } = stored(name);
    const asVector = (name === 'bngain' || name === 'bnbias') && sameShape(shape, [H]);
    if (!asVector) expectShape(name, shape, shapes[name], 'C, Xb and W1');
    return Tensor.of(finite(name, loadFloats(name, stored(name))), shapes[name], 'float64');
  };
  return Object.fromEntries(LESSON_PARAMETER_NAMES.map((name) => [name, read(name)])) as LessonParameters;
}

function refuseTransposed(parameters: readonly { name: string; found: Shape; expected: Shape }[]): void {
  const transposed = parameters.filter(
    ({ found, expected }) =>
      expected.length === 2 && found.length === 2 && !sameShape(found, expected) && sameShape([...found].reverse(), expected),
  );
  const matrices = transposed.filter(({ name }) => name.startsWith('W') || name === 'C');
  if (matrices.length === 0) return;
  const are = matrices.map(({ name, found, expected }) => `${name} is ${showShape(found)}, the transpose of ${showShape(expected)}`);
  const save = matrices.map(({ name }) => `${name}.T`).join(' and ');
  throw new FileContentError(are.join(', and '), { hint: `nn.Linear stores the transpose; save ${save}` });
}

function dimensions(name: string, { shape }: StoredTensor, rank: number): Shape {
  if (shape.length !== rank || shape.includes(0)) {
    throw new FileContentError(`tensor "${name}" has shape ${showShape(shape)}, expected ${rank} dimensions of at least 1`);
  }
  return shape;
}

/** n and T. A column or a transpose is refused with the way out, because another view would give other contexts. */
function contextShape(Xb: Shape, Yb: Shape, W1: Shape, E: number): Shape {
  if (Xb.length !== 2 || Xb.includes(0)) {
    const hint = Xb.length === 1 ? { hint: 'save Xb as [n,T], one row per example: Xb.view(n, T)' } : {};
    throw new FileContentError(`tensor "Xb" has shape ${showShape(Xb)}, expected 2 dimensions of at least 1`, hint);
  }
  const [a, b] = Xb;
  if (Yb[0] === b && Yb[0] !== a && W1.includes(a * E) && !W1.includes(b * E)) {
    throw new FileContentError(`Xb is ${showShape(Xb)}, the transpose of ${showShape([b, a])}`, {
      hint: 'it has one row per example: save Xb.T',
    });
  }
  return Xb;
}

/** Indices of any kind. A remark says what was made of them. */
function readIndices(name: 'Xb' | 'Yb', stored: StoredTensor, V: number, remarks: FileRemark[]): Indices {
  const rank = name === 'Xb' ? 2 : 1;
  const isFloat = FLOATS.includes(stored.dtype);
  const { shape } = stored;
  if (shape.length === rank + 1 && shape[rank] === V && V > 1) {
    const oneHot = readOneHot(name, stored);
    if (oneHot !== undefined) {
      remarks.push({ id: 'one-hot', name });
      return oneHot;
    }
  }
  const data = isFloat ? wholeNumbers(name, stored, V) : loadIndices(name, stored, V);
  if (isFloat) remarks.push({ id: 'float-indices', name, dtype: stored.dtype });
  if (name === 'Yb' && shape.length === 2 && shape.includes(1)) {
    remarks.push({ id: 'targets-flattened', found: shape, expected: [data.length] });
    return { data, shape: [data.length] };
  }
  return { data, shape };
}

/** The place of the 1 in each row; undefined if a row is something else. */
function readOneHot(name: string, stored: StoredTensor): Indices | undefined {
  const entries = FLOATS.includes(stored.dtype) ? loadFloats(name, stored) : loadIndices(name, stored, 2 ** 31);
  const shape = stored.shape.slice(0, -1);
  const V = stored.shape[shape.length];
  const data = new Int32Array(sizeOf(shape));
  for (let row = 0; row < data.length; row++) {
    const cells = Array.from(entries.subarray(row * V, (row + 1) * V));
    data[row] = cells.indexOf(1);
    if (data[row] === -1 || cells.some((x, i) => x !== Number(i === data[row]))) return undefined;
  }
  return { data, shape };
}

function wholeNumbers(name: string, stored: StoredTensor, V: number): Int32Array {
  const data = loadFloats(name, stored);
  const at = data.findIndex((x) => !(Number.isInteger(x) && x >= 0 && x < V));
  if (at !== -1) {
    throw new FileContentError(`tensor "${name}" holds ${data[at]} at entry ${at}, expected an index from 0 to ${V - 1}`, {
      hint: `save the indices: ${name}.long()`,
    });
  }
  return Int32Array.from(data);
}

const FLOATS: readonly string[] = ['F32', 'F64'];
const NOT_READ: readonly string[] = ['F16', 'BF16', 'BOOL'];

function refuseDTypes({ tensors }: Safetensors): void {
  for (const [name, { dtype }] of tensors) {
    if (!isKnown(name)) continue;
    const isIndex = name === 'Xb' || name === 'Yb';
    if (isIndex ? !NOT_READ.includes(dtype) : FLOATS.includes(dtype)) continue;
    throw new FileContentError(`tensor "${name}" has dtype ${dtype}, expected ${isIndex ? 'I64 or I32' : 'F32 or F64'}`, {
      hint: isIndex ? `save ${name}.long()` : `compute in float32 or float64: ${name}.float()`,
    });
  }
}

function refuseDeep({ tensors }: Safetensors): void {
  const deep = [...tensors.keys()].find((name) => /^d?blocks\.\d+\./.test(name));
  if (deep === undefined) return;
  throw new FileContentError(`"${quoteText(deep)}" belongs to a network with several blocks`, {
    hint: "--against compares the lesson's network, with one block: C, W1, b1, bngain, bnbias, W2, b2",
  });
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

function expectShape(name: string, found: Shape, expected: Shape, toMatch: string): void {
  if (sameShape(found, expected)) return;
  const view =
    sizeOf(found) === sizeOf(expected) ? { hint: `save ${name}.view(${expected.length === 1 ? '-1' : expected.join(', ')})` } : {};
  throw new FileContentError(
    `tensor "${name}" has shape ${showShape(found)}, expected ${showShape(expected)} to match ${toMatch}`,
    expected.length === 2 && expected[0] > 1 ? {} : view,
  );
}

function finite(name: string, data: FloatArray): FloatArray {
  const at = data.findIndex((x) => !Number.isFinite(x));
  if (at !== -1) throw new FileContentError(`tensor "${name}" holds ${data[at]} at entry ${at}, expected finite numbers`);
  return data;
}
