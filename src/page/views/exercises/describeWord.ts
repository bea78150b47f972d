/** What a word of a line is, in one sentence. */
import type { ScopeEntry } from '../../engine/exercises.js';
import { FUNCTIONS, TENSOR_METHODS, TENSOR_STATICS } from '../../learner/tensorReference.js';

/** undefined for a word that the lesson and the tensor do not have */
export function describeWord(word: string, scope: readonly ScopeEntry[]): string | undefined {
  const entry = scope.find(({ name }) => name === word);
  if (entry) return entry.shape === '' ? `${word}, the batch size: ${entry.here}` : `${word} ${entry.shape}, here ${entry.here}`;
  const row = [...TENSOR_METHODS, ...TENSOR_STATICS, ...FUNCTIONS].find(({ name }) => name === word);
  return row && `${row.call}: ${row.text}`;
}
