/** What the indices of an entry are: an example, a character, a hidden unit. */
import { showCharacters } from '../core/text.js';
import { TENSOR_NAMES, type TensorName } from '../lesson/entry.js';
import type { LessonBatch } from '../lesson/values.js';
import type { Term } from '../lesson/why.js';
import { shapeLetters } from './exercises.js';

/** A batch of names, and the characters that its indices are. */
export interface NamedBatch extends LessonBatch {
  vocabulary: readonly string[];
}

/** An example: its context and its target, `.em → m`. */
function exampleText({ Xb, Yb, vocabulary }: NamedBatch, i: number): string {
  const [, T] = Xb.shape;
  const context = Array.from(Xb.data.subarray(i * T, (i + 1) * T), (v) => characterText(vocabulary, v));
  return `${context.join('')} → ${characterText(vocabulary, Yb.data[i])}`;
}

function characterText(vocabulary: readonly string[], v: number): string {
  return showCharacters([vocabulary[v]]);
}

/** What an entry is about: `example 3 (.em → m), character 5 (e)`. It is empty for the loss. */
export function entryMeaning(name: TensorName, at: readonly number[], batch: NamedBatch): string {
  const value = TENSOR_NAMES.find((one) => name === `d${one}`) ?? name;
  if (value === 'loss') return '';
  return indicesMeaning(shapeLetters(value as Exclude<TensorName, 'loss' | `d${string}`>), at, batch);
}

/** The same for any tensor, with its shape in the lesson's letters. */
export function indicesMeaning(letters: readonly (string | number)[], at: readonly number[], batch: NamedBatch): string {
  return letters.flatMap((letter, dim) => (letter === 1 ? [] : [indexMeaning(String(letter), at[dim], batch)])).join(', ');
}

function indexMeaning(letter: string, index: number, batch: NamedBatch): string {
  if (letter === 'n') return `example ${index} (${exampleText(batch, index)})`;
  if (letter === 'V') return `character ${index} (${characterText(batch.vocabulary, index)})`;
  return `${{ H: 'hidden unit', T: 'position', E: 'coordinate', T·E: 'input' }[letter]} ${index}`;
}

/** What each term is about: the step that it comes through, if there are several; its example or its character. */
export function termMeanings(terms: readonly Term[], batch: NamedBatch): string[] {
  const severalSteps = new Set(terms.map(({ through }) => through)).size > 1;
  return terms.map((term) => {
    const step = severalSteps && term.through !== undefined ? `through ${term.through}` : '';
    return [step, termMeaning(term, batch)].filter((part) => part !== '').join(', ');
  });
}

/** What a term of a sum is about: its example, or its character; empty for another one. */
function termMeaning({ index = {} }: Term, batch: NamedBatch): string {
  if (index.i !== undefined) return exampleText(batch, index.i);
  return index.v === undefined ? '' : characterText(batch.vocabulary, index.v);
}
