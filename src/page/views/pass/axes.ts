/** What the indices of an entry mean. */
import { indicesMeaning } from '../../../dojo/entryMeaning.js';
import type { PassData } from '../../engine/pass.js';

/**
 * The meaning of indices, as text: `example 3 (.em → m), character 13 (m)`.
 * @param letters the shape in the lesson's letters
 * @param at one index per dimension
 */
export function meaningOf(letters: readonly (string | number)[], at: readonly number[], { batch, vocabulary }: PassData): string {
  return indicesMeaning(letters, at, { ...batch, vocabulary });
}
