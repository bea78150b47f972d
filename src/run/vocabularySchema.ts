/** Validates a stored vocabulary. Its own file, so that a user's compiler does not read the types of valibot. */
import * as v from 'valibot';
import { UNPRINTABLE } from '../core/text.js';
import { BOUNDARY } from '../data/vocabulary.js';

/** The boundary, then different single characters. */
export const VocabularySchema = v.pipe(
  v.array(v.string()),
  v.minLength(2),
  v.check((list) => list[0] === BOUNDARY && !list.slice(1).includes(BOUNDARY), `Expected '${BOUNDARY}' first, and only there`),
  v.check(
    (list) => list.every((entry) => [...entry].length === 1 && entry.search(UNPRINTABLE) === -1),
    'Expected single printable characters',
  ),
  v.check((list) => new Set(list).size === list.length, 'Expected different characters'),
);
