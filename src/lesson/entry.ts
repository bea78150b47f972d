/** Entries of a pass as people write them: `dW1[3,17]`, `dW1 3,17`, `[3, 17]`. */
import { UsageError } from '../core/errors.js';
import { type Shape, showShape } from '../core/tensor.js';
import { quoteName, quoteText } from '../core/text.js';
import { lessonName, similarName } from './tensorNames.js';
import { type GradientName, VALUE_NAMES, type ValueName } from './values.js';

/** The 53 tensors of a pass: 7 parameters, 19 intermediates, the loss, 26 gradients. */
export type TensorName = ValueName | 'loss' | GradientName;
/** The shape of every tensor: a pass has them, too. */
export type Shapes = Readonly<Record<TensorName, { readonly shape: Shape }>>;

export const TENSOR_NAMES: readonly TensorName[] = [...VALUE_NAMES, 'loss', ...VALUE_NAMES.map((name): GradientName => `d${name}`)];

/** Whether a name, such as that of a factor, is one of a tensor. */
export function isTensorName(name: string): name is TensorName {
  return (TENSOR_NAMES as readonly string[]).includes(name);
}

/** An entry as it is written: `dW1[3,17]`; a single number has no index. */
export function entryText(name: string, at: readonly (number | string)[]): string {
  return at.length === 0 ? name : `${name}[${at.join(',')}]`;
}

/** Also as other keyboards have them: `，` and `［`. */
const SEPARATORS = /[\s,;()[\]{}、，；（）［］【】]+/;

/**
 * Reads the name of a tensor and an entry of it, with or without brackets: `dW1[3,17]`, `dW1 3 17`, `dW1`, and, where the tensor is known,
 * `3,17` or `[3, 17]`. The index of a dimension of size 1 may be left out: bngain 17 is bngain[0,17].
 * @param known the tensor, if the text does not name one
 * @returns no `at` if the text has no index, unless the tensor is a single number
 * @throws UsageError for an unknown tensor, or an entry that it does not have
 */
export function readEntry(text: string, shapes: Shapes, known?: TensorName): { name: TensorName; at?: number[] } {
  const words = text.split(SEPARATORS).filter((word) => word !== '');
  const isNamed = known === undefined || /^[\p{L}_∂]/u.test(text.trim());
  const name = isNamed ? tensorNamed(words[0] ?? '') : known;
  const written = isNamed ? words.slice(1) : words;
  const { shape } = shapes[name];
  if (written.length === 0) return shape.length === 0 ? { name, at: [] } : { name };
  const at = withOnes(
    written.map((word) => wholeIndex(word, name, written, shape)),
    shape,
  );
  checkEntry(shapes, name, at);
  return { name, at };
}

/** @throws UsageError unless the tensor has that entry */
export function checkEntry(shapes: Shapes, name: TensorName, at: readonly number[]): void {
  const { shape } = shapes[tensorNamed(name)];
  if (at.length !== shape.length) throw new UsageError(...wrongCount(name, at, shape));
  for (const [dim, index] of at.entries()) {
    if (!Number.isInteger(index)) throw notWhole(String(index), name, at, shape);
    if (index >= 0 && index < shape[dim]) continue;
    throw new UsageError(
      `${entryText(name, at)} is outside of ${name}, whose shape is ${showShape(shape)}: ${nth(dim, shape)} is ${index}, expected 0 to ${shape[dim] - 1}`,
      { hint: index < 0 ? `indices count from 0: the last one is ${shape[dim] - 1}` : 'indices count from 0' },
    );
  }
}

function nth(dim: number, shape: Shape): string {
  return shape.length === 1 ? 'the index' : `the ${['first', 'second', 'third'][dim]} index`;
}

function tensorNamed(word: string): TensorName {
  const name = lessonName(word);
  if (isTensorName(name)) return name;
  if (word === 'dloss') throw new UsageError('dloss is 1: the gradient of the loss by itself', { hint: 'dlogprobs is the first below it' });
  if (word === 'Xb' || word === 'Yb') {
    throw new UsageError(`${word} is the batch, which no step computes and which has no gradient`, { hint: 'name a tensor, such as emb' });
  }
  const similar = similarName(word, TENSOR_NAMES);
  throw new UsageError(word === '' ? 'the name of a tensor is missing' : `there is no tensor ${quoteName(word, "'")}`, {
    hint:
      similar === undefined
        ? `the tensors are ${VALUE_NAMES.join(', ')} and loss; d in front, as in dlogits, is the gradient, which all but loss have`
        : `did you mean ${similar}`,
  });
}

/** @throws UsageError for -1.5, 1e3, :, x */
function wholeIndex(word: string, name: TensorName, written: readonly string[], shape: Shape): number {
  if (!/^[+-]?\d+$/.test(word)) throw notWhole(word, name, written, shape);
  return Number(word);
}

function notWhole(word: string, name: TensorName, written: readonly (number | string)[], shape: Shape): UsageError {
  return new UsageError(`${quoteText(entryText(name, written))}: '${quoteText(word)}' is not a whole number`, {
    hint: exampleOf(name, shape),
  });
}

function wrongCount(name: TensorName, at: readonly number[], shape: Shape): [message: string, details: { hint: string }] {
  if (shape.length === 0) return [`${name} is a single number, but an index was given: ${at.join(',')}`, { hint: 'leave it out' }];
  const expected = `${shape.length} ${shape.length === 1 ? 'index' : 'indices'}`;
  return [`${name} has shape ${showShape(shape)}: expected ${expected}, found ${at.length}`, { hint: exampleOf(name, shape) }];
}

function exampleOf(name: TensorName, shape: Shape): string {
  if (shape.length === 0) return `${name} is a single number: leave the index out`;
  const [first, last] = [shape.map(() => 0), shape.map((size) => size - 1)].map((at) => entryText(name, at));
  return first === last ? `name ${first}` : `name an entry from ${first} to ${last}`;
}

/** The index with a 0 for each dimension of size 1 that was left out. */
function withOnes(written: readonly number[], shape: Shape): number[] {
  const at = [...written];
  for (let dim = 0; dim < shape.length && at.length < shape.length; dim++) if (shape[dim] === 1) at.splice(dim, 0, 0);
  return at;
}
