/**
 * Reads a network's weights from the tensors of any file: under the lesson's names, in the lesson's layout or in PyTorch's. The shapes give
 * the sizes of the network.
 */
import { FileContentError, UsageError } from '../core/errors.js';
import { indexAt } from '../core/numbers.js';
import type { OptionRow } from '../core/optionRow.js';
import { type FloatArray, type Shape, showShape } from '../core/tensor.js';
import { countOf, showCharacters } from '../core/text.js';
import {
  blockName,
  isWeightMatrix,
  type ModelConfig,
  type Norm,
  type ParameterName,
  parameterNames,
  parameterShapes,
  type StatisticName,
  statisticNames,
} from '../network/parameters.js';
import { RECIPE_OPTIONS } from '../training/options.js';
import { loadFloats, type Safetensors, type StoredTensor, storeFloats, writeSafetensors } from './safetensors.js';
import { nameTensors, suggestionsFor } from './weightNames.js';

/** How a file keeps weight matrices: as the lesson does, [in, out], or as PyTorch's nn.Linear does, [out, in]. */
export const LAYOUTS = ['lesson', 'linear'] as const;
export type Layout = (typeof LAYOUTS)[number];

/** The weights of a network, in the lesson's layout and in float32. */
export interface Weights {
  /** Without batch norm if the file has no tensor of batch norm, but all others. */
  shape: ModelConfig;
  /** Row-major, in the order of memory and files. */
  parameters: ReadonlyMap<ParameterName, Float32Array>;
  /** Mean and unbiased variance of each block; undefined unless the file has them all. */
  statistics: ReadonlyMap<StatisticName, Float32Array> | undefined;
  reading: WeightsReading;
}

/** How the weights were read: what a user should know. */
export interface WeightsReading {
  /** What precedes each name in the file, such as `model.`; mostly nothing. */
  prefix: string;
  layout: Layout;
  /** Whether all matrices are square, so that their shapes do not show the layout. */
  ambiguous: boolean;
  /** Numbers in float64 that float32 cannot hold exactly, and all numbers in float64. */
  rounded: number;
  wide: number;
  /** Statistics that are missing, if others are there. */
  missingStatistics: readonly string[];
  /** Tensors of the file that were not used. */
  unused: readonly string[];
}

/** What {@link readWeights} is given beside the file. */
export interface ReadWeightsOptions {
  /** The vocabulary of the data. */
  vocabulary: readonly string[];
  /** The layout of the matrices where their shapes do not show it. Default: the lesson's. */
  layout?: Layout | undefined;
}

/**
 * The weights in a file. Vectors may be [H] or [1,H].
 * @throws FileContentError that lists every problem: missing tensors, wrong shapes and types, numbers that are not finite, another vocabulary
 * @throws UsageError if the shapes contradict `layout`
 */
export function readWeights({ tensors, metadata }: Safetensors, { vocabulary, layout: asked }: ReadWeightsOptions): Weights {
  const named = nameTensors(tensors);
  const problems: string[] = [];
  const missing = parameterNames(named).filter((name) => !named.tensors.has(name));
  if (missing.length > 0) problems.push(`missing ${missing.join(', ')}`, ...suggestionsFor(missing, named.unused, tensors));
  const sizes = sizesOf(named.tensors, named.hidden.length, vocabulary.length);
  const matrices = matricesOf(named.tensors, sizes);
  const layout = layoutOf(matrices, asked, problems);
  const shape = layout && shapeOf(named.tensors, sizes, layout.layout, problems, named.norm);
  const others = vocabularyProblems(sizes, vocabulary, metadata);
  problems.push(
    ...shapeProblems(named.tensors, matrices, sizes),
    ...others,
    ...(problems.length === 0 && shape ? limitProblems(shape) : []),
  );
  const values = new Values(problems);
  const parameters = new Map<ParameterName, Float32Array>();
  for (const [name, stored] of named.tensors) {
    if (!isStatistic(name)) parameters.set(name as ParameterName, values.read(name, stored));
  }
  const found = statisticNames(named).filter((name) => named.tensors.has(name));
  const statistics = new Map(found.map((name) => [name, values.read(name, stored(named.tensors, name))] as const));
  if (problems.length > 0 || !layout || !shape) throw refusal(problems, missing, others.length > 0);
  const isLinear = layout.layout === 'linear';
  return {
    shape,
    parameters: new Map(
      parameterNames(shape).map((name) => {
        const data = parameters.get(name) as Float32Array;
        return [name, isLinear && isWeightMatrix(name) ? transposed(data, parameterShapes(shape)[name]) : data];
      }),
    ),
    statistics: found.length > 0 ? statistics : undefined,
    reading: {
      prefix: named.prefix,
      ...layout,
      rounded: values.rounded,
      wide: values.wide,
      missingStatistics: named.missingStatistics,
      unused: named.unused,
    },
  };
}

/**
 * Parameters as a file of their own, as a run keeps those that it began with. The same parameters always give the same bytes.
 * @param parameters in the lesson's layout
 */
export function weightsBytes(shape: ModelConfig, parameters: Weights['parameters']): Uint8Array {
  const shapes = parameterShapes(shape);
  const tensors = parameterNames(shape).map((name) => [name, storeFloats(parameters.get(name) as Float32Array, shapes[name])] as const);
  return writeSafetensors({ metadata: {}, tensors: new Map(tensors) });
}

type Tensors = ReadonlyMap<string, StoredTensor>;

/** Sizes as the tensors give them; undefined where none does. */
interface Sizes {
  V: number;
  E: number | undefined;
  /** H of each block. */
  hidden: (number | undefined)[];
}

/** V from C and b2 if they agree, otherwise that of the data; each H from the vectors of its block, whose most frequent length counts. */
function sizesOf(tensors: Tensors, blocks: number, V: number): Sizes {
  const [rows, E] = tensors.get('C')?.shape.length === 2 ? stored(tensors, 'C').shape : [];
  const outputs = lengthOf(tensors.get('b2'));
  const hidden = Array.from({ length: blocks }, (_, k) => {
    const lengths = (['b', 'bngain', 'bnbias'] as const).map((tensor) => lengthOf(tensors.get(blockName(k + 1, tensor))));
    const known = lengths.filter((length) => length !== undefined);
    return known.find((length, i) => known.indexOf(length) < i) ?? known[0];
  });
  return { V: rows !== undefined && rows === outputs ? rows : V, E, hidden };
}

/** The length of a vector [H] or a row [1,H]; undefined for other shapes. */
function lengthOf(tensor: StoredTensor | undefined): number | undefined {
  const { shape = [] } = tensor ?? {};
  return shape.length === 1 || (shape.length === 2 && shape[0] === 1) ? shape[shape.length - 1] : undefined;
}

/** A weight matrix of the file, and its sizes as far as other tensors give them. */
interface Matrix {
  name: ParameterName;
  shape: Shape;
  /** undefined for T·E, of which only E is known. */
  inputs: number | undefined;
  outputs: number | undefined;
}

function matricesOf(tensors: Tensors, { V, hidden }: Sizes): Matrix[] {
  const all = [
    ...hidden.map((H, k) => ({ name: blockName(k + 1, 'W'), inputs: k === 0 ? undefined : hidden[k - 1], outputs: H })),
    { name: 'W2' as const, inputs: hidden[hidden.length - 1], outputs: V },
  ];
  return all.flatMap((matrix) => {
    const found = tensors.get(matrix.name);
    return found ? [{ ...matrix, shape: found.shape }] : [];
  });
}

function fits({ shape, inputs, outputs }: Matrix, layout: Layout): boolean {
  const [rows, columns] = layout === 'lesson' ? [inputs, outputs] : [outputs, inputs];
  return shape.length === 2 && (rows ?? shape[0]) === shape[0] && (columns ?? shape[1]) === shape[1];
}

/** The layout that the matrices show: all follow those whose shape tells. Undefined if they contradict each other. */
function layoutOf(
  matrices: readonly Matrix[],
  asked: Layout | undefined,
  problems: string[],
): { layout: Layout; ambiguous: boolean } | undefined {
  const telling = (layout: Layout, other: Layout) => matrices.find((matrix) => fits(matrix, layout) && !fits(matrix, other));
  const [lesson, linear] = [telling('lesson', 'linear'), telling('linear', 'lesson')];
  if (lesson && linear) {
    problems.push(
      `${describe(lesson)} is in the lesson's layout, [in, out], but ${describe(linear)} in that of nn.Linear, [out, in]: save both in the same`,
    );
    return undefined;
  }
  const shown = lesson ? 'lesson' : linear ? 'linear' : undefined;
  const matrix = lesson ?? linear;
  if (asked !== undefined && shown !== undefined && matrix && shown !== asked && problems.length === 0) {
    throw new UsageError(`--layout is ${asked}, but the shape of ${describe(matrix)} shows the layout ${shown}`, {
      hint: 'leave --layout out',
    });
  }
  return { layout: shown ?? asked ?? 'lesson', ambiguous: shown === undefined };
}

function describe({ name, shape }: Matrix): string {
  return `${name} ${showShape(shape)}`;
}

/** The network's sizes; undefined if they cannot be known. */
function shapeOf(
  tensors: Tensors,
  { V, E, hidden }: Sizes,
  layout: Layout,
  problems: string[],
  norm: Norm | undefined,
): ModelConfig | undefined {
  const W1 = tensors.get('W1')?.shape;
  if (E === undefined || W1?.length !== 2 || hidden.includes(undefined)) return undefined;
  const inputs = layout === 'lesson' ? W1[0] : W1[1];
  const context = inputs / E;
  if (!Number.isInteger(context)) {
    problems.push(
      `W1 has ${inputs} inputs, not a multiple of the ${countOf(E, 'number')} per character of C, so there is no context length T`,
    );
  }
  return { context, embedding: E, hidden: hidden as number[], vocabulary: V, ...(norm && { norm }) };
}

function shapeProblems(tensors: Tensors, matrices: readonly Matrix[], { V, E, hidden }: Sizes): string[] {
  const wrong = (name: string, expected: string) => `${name} has shape ${showShape(stored(tensors, name).shape)}, expected ${expected}`;
  const C = tensors.get('C')?.shape;
  const vectors = hidden.flatMap((H, k) =>
    (['b', 'bngain', 'bnbias', 'bnmean', 'bnvar'] as const).map((tensor) => [blockName(k + 1, tensor), H] as const),
  );
  const empty = [...tensors].filter(([, { shape }]) => shape.includes(0)).map(([name]) => wrong(name, 'sizes of at least 1'));
  if (empty.length > 0) return empty;
  return [
    ...(C && (C.length !== 2 || C[0] !== V) ? [wrong('C', `[${V}, E]${C.length === 2 && C[1] === V ? ', its transpose' : ''}`)] : []),
    ...matrices
      .filter((matrix) => !fits(matrix, 'lesson') && !fits(matrix, 'linear'))
      .map(({ name, inputs, outputs }) => {
        const [from, to] = [inputs ?? (name === 'W1' ? `a multiple of ${E ?? 'E'}` : 'H'), outputs ?? 'H'];
        return wrong(name, `[${from}, ${to}], or its transpose as nn.Linear keeps it`);
      }),
    ...[...vectors, ['b2', V] as const]
      .filter(([name, H]) => tensors.has(name) && (lengthOf(tensors.get(name)) === undefined || lengthOf(tensors.get(name)) !== H))
      .map(([name, H]) => wrong(name, `[${H ?? 'H'}] or [1, ${H ?? 'H'}]`)),
  ];
}

/** The rows of C are the characters of the data, in order. */
function vocabularyProblems({ V }: Sizes, vocabulary: readonly string[], metadata: Safetensors['metadata']): string[] {
  const order = `${showCharacters(vocabulary)} (row 0 of C is the boundary '.', the others are sorted by code point)`;
  if (V !== vocabulary.length) {
    return [`the network has ${countOf(V, 'character')}, the rows of C, but the data has ${vocabulary.length}: ${order}`];
  }
  const own = vocabularyIn(metadata);
  if (own === undefined || (own.length === vocabulary.length && own.every((character, i) => character === vocabulary[i]))) return [];
  return [`its vocabulary is ${showCharacters(own)}, but that of the data is ${order}`];
}

/** The vocabulary that this program's own files name in their metadata. */
function vocabularyIn({ vocabulary }: Safetensors['metadata']): string[] | undefined {
  try {
    const list: unknown = JSON.parse(vocabulary);
    return Array.isArray(list) && list.every((entry) => typeof entry === 'string') ? list : undefined;
  } catch {
    return undefined;
  }
}

/** Sizes beyond those that train accepts. */
function limitProblems(shape: ModelConfig): string[] {
  const named = { context: 'the context length T', embedding: 'the embedding width E', hidden: 'H' } as const;
  return Object.entries(named).flatMap(([key, what]) => {
    const { kind }: OptionRow = RECIPE_OPTIONS.find((row) => row.key === key) as OptionRow;
    const shown = kind.show(shape[key as keyof typeof named]);
    return kind.read(shown) === undefined ? [`${what} is ${shown}, expected ${kind.expected}`] : [];
  });
}

/** Reads numbers as float32, and collects what is wrong with them. */
class Values {
  rounded = 0;
  wide = 0;
  readonly #problems: string[];

  constructor(problems: string[]) {
    this.#problems = problems;
  }

  read(name: string, tensor: StoredTensor): Float32Array {
    if (tensor.dtype !== 'F32' && tensor.dtype !== 'F64') {
      this.#problems.push(`${name} has dtype ${tensor.dtype}, expected F32 or F64`);
      return new Float32Array();
    }
    const data = loadFloats(name, tensor);
    const values = Float32Array.from(data);
    const at = values.findIndex((x) => !Number.isFinite(x));
    if (at !== -1) {
      const place = `${name} holds ${data[at]} at ${showShape(indexAt(at, tensor.shape))}`;
      this.#problems.push(Number.isFinite(data[at]) ? `${place}, too large for float32` : `${place}, expected finite numbers`);
    }
    const negative = name.endsWith('bnvar') ? values.findIndex((x) => x < 0) : -1;
    if (negative !== -1) this.#problems.push(`${name} holds the negative variance ${data[negative]}`);
    this.#count(data, values);
    return values;
  }

  #count(data: FloatArray, values: Float32Array): void {
    if (data instanceof Float32Array) return;
    this.wide += data.length;
    for (let i = 0; i < data.length; i++) if (data[i] !== values[i]) this.rounded++;
  }
}

function refusal(problems: readonly string[], missing: readonly string[], isOtherVocabulary: boolean): FileContentError {
  const rename = "save the tensors under the lesson's names: C, W1, b1, bngain, bnbias, W2, b2";
  const hints = [
    ...(missing.length === 0 ? [] : [missing.every((name) => /(^|\.)b1?$/.test(name)) ? 'for a layer without bias, save zeros' : rename]),
    ...(isOtherVocabulary ? ['name the list that the weights were trained on with --data'] : []),
  ];
  return new FileContentError(problems.join('; '), hints.length > 0 ? { hint: hints.join('; ') } : {});
}

function isStatistic(name: string): boolean {
  return /(^|\.)(bnmean|bnvar)$/.test(name);
}

function stored(tensors: Tensors, name: string): StoredTensor {
  return tensors.get(name) as StoredTensor;
}

/** The transpose of [columns, rows]: a matrix of the given shape. */
function transposed(data: Float32Array, [rows, columns]: Shape): Float32Array {
  const out = new Float32Array(data.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[i * columns + j] = data[j * rows + i];
  return out;
}
