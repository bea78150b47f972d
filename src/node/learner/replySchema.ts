/** Validates what a learner's process sends. Anything else than arrays and faults of its own lines ends the process. */
import * as v from 'valibot';
import { count, runFault, text } from '../../dojo/faultSchema.js';
import { MAX_DIMENSIONS, MAX_ENTRIES, MAX_NAME } from '../../dojo/outcome.js';
import { type ArrayHead, DTYPES, type Frame, sizeOfEntry } from '../guest/frames.js';
import { NOTICES } from '../guest/messageSchema.js';
import type { Notice } from '../guest/protocol.js';
import { MAX_KEYS, MAX_LINE_TEXT, type Reply } from './protocol.js';

const shape = v.pipe(v.array(count), v.maxLength(MAX_DIMENSIONS));

const lineText = v.pipe(v.string(), v.maxLength(MAX_LINE_TEXT));
const message = v.variant('kind', [
  v.object({ kind: v.literal('loaded'), id: count, keys: v.pipe(v.array(text(MAX_NAME)), v.maxLength(MAX_KEYS)) }),
  v.object({ kind: v.literal('settled'), id: count }),
  v.object({ kind: v.literal('returned'), id: count, text: lineText }),
  v.object({ kind: v.literal('too-large'), id: count, text: lineText, shape }),
  v.object({ kind: v.literal('failed'), id: count, text: lineText, fault: runFault }),
  v.object({ kind: v.literal('passed'), id: count }),
  v.object({ kind: v.literal('pass-failed'), id: count, name: text(MAX_NAME), fault: runFault }),
  ...NOTICES,
]);

/** The arrays of a result are floats: a line returns no indices. */
const arrayHead = v.object({ name: v.pipe(v.string(), v.maxLength(MAX_NAME)), dtype: v.picklist(DTYPES), shape });
const arrays = v.object({ arrays: v.optional(v.pipe(v.array(arrayHead), v.maxLength(MAX_KEYS)), []) });

/** @throws if the frame is not a message, or its arrays do not fit its body */
export function readMessage({ header, body }: Frame): { message: Reply | Notice; heads: ArrayHead[] } {
  const { arrays: heads } = v.parse(arrays, header);
  let bytes = 0;
  for (const head of heads) {
    const entries = head.shape.reduce((product, size) => product * size, 1);
    if (entries > MAX_ENTRIES) throw new RangeError('the array is too large');
    bytes += entries * sizeOfEntry(head.dtype);
  }
  if (bytes !== body.length) throw new RangeError('the arrays do not fit the body');
  return { message: v.parse(message, header), heads };
}
