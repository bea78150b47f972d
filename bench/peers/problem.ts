/** The problem that every peer gets: the lesson's network, its initial parameters, and the examples of the names as a file. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createReferenceBackend } from '../../src/backend/reference.js';
import { type Batch, copyExample, createDataset, createExamples, DEFAULT_SPLIT } from '../../src/data/dataset.js';
import { parseNames } from '../../src/data/parseNames.js';
import { createModel } from '../../src/network/arrays.js';
import { initialise } from '../../src/network/initialise.js';
import { LESSON_PARAMETER_NAMES } from '../../src/network/parameters.js';
import { inProject } from '../../test/support/inProject.js';

/** Hidden units and batch size. */
export type Size = readonly [H: number, n: number];

const T = 3;
const E = 10;

/**
 * Writes the problem: H, n, V, E, T and the number of examples as int32; C, W1, b1, bngain, bnbias, W2 and b2 as float32; the examples
 * [count,T+1] of the training split as bytes, each context followed by its target.
 */
export function writeProblem(path: string, [H, n]: Size): void {
  const { names } = parseNames(readFileSync(inProject('data/names.txt')), 'names.txt');
  const { vocabulary, parts } = createDataset(names, DEFAULT_SPLIT);
  const V = vocabulary.length;
  const examples = createExamples(parts.train, vocabulary, T);
  const model = createModel(createReferenceBackend('float32'), { context: T, embedding: E, hidden: [H], vocabulary: V });
  initialise(model, 1);
  const rows = new Uint8Array(examples.count * (T + 1));
  const one: Batch = { n: 1, Xb: new Int32Array(T), Yb: new Int32Array(1) };
  for (let i = 0; i < examples.count; i++) {
    copyExample(one, 0, examples, i);
    rows.set([...one.Xb, ...one.Yb], i * (T + 1));
  }
  const bytes = (array: Int32Array | Float32Array) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  const parameters = LESSON_PARAMETER_NAMES.map((name) => bytes(Float32Array.from(model.parameters[name])));
  writeFileSync(path, Buffer.concat([bytes(Int32Array.of(H, n, V, E, T, examples.count)), ...parameters, rows]));
}
