/** A run's network without its training state, and the bytes of the formats in which other programs read it. */
import type { Job } from '../core/job.js';
import type { FloatArray, Shape } from '../core/tensor.js';
import { BOUNDARY } from '../data/vocabulary.js';
import { BATCH_NORM_EPSILON } from '../layers/batchNorm.js';
import type { Model } from '../network/arrays.js';
import { hasBatchNorm, type ModelConfig, parameterShapes, statisticShapes } from '../network/parameters.js';
import type { Checkpoint } from './checkpoint.js';
import { writeNpz } from './npz.js';
import { type Safetensors, storeFloats, writeSafetensors } from './safetensors.js';

/** An array of the network, row-major. */
export interface ExportedArray {
  readonly shape: Shape;
  readonly data: FloatArray;
}

/** A network ready for use elsewhere. */
export interface ExportedModel {
  readonly program: string;
  readonly config: ModelConfig;
  /** The boundary, then the characters, in the order of the rows of C. */
  readonly vocabulary: readonly string[];
  /** Steps of training. */
  readonly steps: number;
  /** SHA-256 of the data file. */
  readonly dataSha256: string;
  /** By the lesson's names, in the order of files. */
  readonly parameters: ReadonlyMap<string, ExportedArray>;
  /** bnmean and bnvar of each block; none without batch norm. */
  readonly statistics: ReadonlyMap<string, ExportedArray>;
}

const NORMED_BLOCKS: readonly string[] = [
  'block 1: hprebn = embact @ W1 + b1; h = tanh(bngain * (hprebn - bnmean) / sqrt(bnvar + epsilon) + bnbias)',
  'block K, from 2: the same with blocks.K.W, blocks.K.b, blocks.K.bngain, blocks.K.bnbias, blocks.K.bnmean and blocks.K.bnvar on the h below',
];
const LINEAR_BLOCKS: readonly string[] = [
  'block 1: h = tanh(embact @ W1 + b1)',
  'block K, from 2: the same with blocks.K.W and blocks.K.b on the h below',
];

/** How to compute logits from the arrays, block by block. */
export function forwardPass(config: ModelConfig): string[] {
  return [
    'context: the indices of the last T characters in the vocabulary; index 0, the boundary, before the start of a name',
    'embact = the rows of C at the context, concatenated [n, T*E]',
    ...(hasBatchNorm(config) ? NORMED_BLOCKS : LINEAR_BLOCKS),
    'logits = h @ W2 + b2',
  ];
}

/** What bnmean and bnvar are. */
const STATISTICS = 'mean and unbiased variance (divided by count - 1) of hprebn over all training examples';

/**
 * A checkpoint's network.
 * @param model restored from the checkpoint, with calibrated statistics
 */
export function exportedModel({ program, vocabulary, state, dataSha256 }: Checkpoint, model: Model): ExportedModel {
  const { config, parameters, statistics } = model;
  return {
    program,
    config,
    vocabulary,
    steps: state.step,
    dataSha256,
    parameters: withShapes(parameterShapes(config), parameters),
    statistics: withShapes(statisticShapes(config), statistics),
  };
}

/** The arrays with their shapes, in the order of the shapes. */
function withShapes(shapes: Readonly<Record<string, Shape>>, arrays: Readonly<Record<string, FloatArray>>): Map<string, ExportedArray> {
  return new Map(Object.entries(shapes).map(([name, shape]) => [name, { shape, data: arrays[name] }]));
}

/** What a reader needs beside the arrays, as text. */
export function exportedMetadata({ program, config, vocabulary, steps, dataSha256 }: ExportedModel): Record<string, string> {
  return {
    format: 'backprop-ninja model',
    program,
    vocabulary: JSON.stringify(vocabulary),
    boundary: BOUNDARY,
    context: String(config.context),
    embedding: String(config.embedding),
    hidden: JSON.stringify(config.hidden),
    ...(hasBatchNorm(config) ? { epsilon: String(BATCH_NORM_EPSILON), statistics: STATISTICS } : { norm: 'none' }),
    forward: forwardPass(config).join('\n'),
    steps: String(steps),
    dataSha256,
  };
}

/** A safetensors file with parameters and statistics in float32, and the metadata. */
export function modelSafetensors(model: ExportedModel): Uint8Array {
  return writeSafetensors({ metadata: exportedMetadata(model), tensors: storedArrays(model) });
}

/** A .npz file with parameters and statistics in float32. It has no place for the vocabulary. */
export function modelNpz(model: ExportedModel): Uint8Array {
  return writeNpz(storedArrays(model));
}

function storedArrays({ parameters, statistics }: ExportedModel): Safetensors['tensors'] {
  return new Map([...parameters, ...statistics].map(([name, { data, shape }]) => [name, storeFloats(data, shape)]));
}

/**
 * A JSON document with parameters and statistics as nested lists, in the fewest digits from which each float32 can be read back; in parts, a
 * row at a time.
 */
export function* modelJson(model: ExportedModel): Job<Uint8Array> {
  const { config, vocabulary, steps, program, dataSha256, parameters, statistics } = model;
  const facts = {
    format: 'backprop-ninja model',
    program,
    steps,
    dataSha256,
    forward: forwardPass(config),
    ...(hasBatchNorm(config) ? { statisticsAre: STATISTICS, epsilon: BATCH_NORM_EPSILON } : { norm: 'none' }),
    context: config.context,
    embedding: config.embedding,
    hidden: config.hidden,
    boundary: BOUNDARY,
    vocabulary,
  };
  const encoder = new TextEncoder();
  const parts = Object.entries(facts).map(([key, value], i) =>
    encoder.encode(`${i === 0 ? '{' : ','}\n  "${key}": ${JSON.stringify(value)}`),
  );
  for (const [key, arrays] of Object.entries({ parameters, statistics })) {
    for (const line of arrayLines(key, arrays)) {
      parts.push(encoder.encode(line));
      yield;
    }
  }
  parts.push(encoder.encode('\n}\n'));
  return joined(parts);
}

/** A member with the arrays as nested lists, in pieces: a line per row. */
function* arrayLines(key: string, arrays: ReadonlyMap<string, ExportedArray>): Generator<string> {
  yield `,\n  "${key}": {`;
  let separator = '\n';
  for (const [name, { data, shape }] of arrays) {
    yield `${separator}    ${JSON.stringify(name)}: `;
    separator = ',\n';
    if (shape.length === 1) {
      yield jsonRow(data);
      continue;
    }
    const [rows, columns] = shape;
    for (let row = 0; row < rows; row++) {
      yield `${row === 0 ? '[' : ','}\n      ${jsonRow(data.subarray(row * columns, (row + 1) * columns))}`;
    }
    yield '\n    ]';
  }
  yield '\n  }';
}

function jsonRow(row: FloatArray): string {
  return `[${Array.from(row, shortest).join(', ')}]`;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Below it, a float32 has fewer than 24 bits. */
const SMALLEST_NORMAL = 2 ** -126;

/** The shortest decimal that gives this float32 again. Six digits or fewer survive in any normal float32, so the search begins there. */
function shortest(x: number): string {
  if (Object.is(x, -0)) return '-0.0';
  for (let digits = Math.abs(x) < SMALLEST_NORMAL ? 1 : 6; digits < 9; digits++) {
    const rounded = Number(x.toPrecision(digits));
    if (Math.fround(rounded) === x) return String(rounded);
  }
  return String(Number(x.toPrecision(9)));
}
