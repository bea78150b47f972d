/** Validates what a learner's process sends. Anything else than arrays and faults of its own lines ends the process. */
import * as v from 'valibot';
import { showText } from '../../core/text.js';
import type { LoadFault, RunFault } from '../../dojo/findings.js';
import { MAX_DIMENSIONS, MAX_ENTRIES, MAX_THROWN } from '../../dojo/outcome.js';
import { type ArrayHead, DTYPES, type Frame, sizeOfEntry } from './frames.js';
import { MAX_KEY, MAX_KEYS, MAX_LINE_TEXT, type Notice, type Reply } from './protocol.js';

/** Text of the file, safe to print. */
const text = (limit: number) => v.pipe(v.string(), v.maxLength(limit), v.transform(showText));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const shape = v.pipe(v.array(count), v.maxLength(MAX_DIMENSIONS));

/** An error, and advice on it. */
const thrown = v.object({
  text: text(MAX_THROWN),
  line: v.exactOptional(count),
  source: v.exactOptional(text(MAX_THROWN)),
  advice: v.exactOptional(text(MAX_THROWN)),
});

const found = text(MAX_KEY);

const RUN_FAULTS: Record<RunFault['id'], v.ObjectEntries> = {
  'line-missing': {},
  'not-a-function': { found },
  todo: {},
  threw: { thrown },
  'input-changed': { value: text(MAX_KEY) },
  'returns-nothing': {},
  'returns-promise': {},
  'returns-other': { found },
  'invalid-tensor': { thrown },
};

const LOAD_FAULTS: Record<LoadFault['id'], v.ObjectEntries> = {
  'calls-exit': { call: text(MAX_KEY) },
  'file-threw': { thrown },
  'no-default-export': { exercise: count },
  'wrong-default-export': { exercise: count, found },
};

/** One of the faults. The tables have every one, with its data. */
function faultIn<Fault>(faults: Record<string, v.ObjectEntries>): v.GenericSchema<unknown, Fault> {
  const options = Object.entries(faults).map(([id, entries]) => v.object({ id: v.literal(id), ...entries }));
  return v.variant('id', options) as unknown as v.GenericSchema<unknown, Fault>;
}

const lineFault = faultIn<RunFault>(RUN_FAULTS);
const fileFault = faultIn<LoadFault>(LOAD_FAULTS);

const lineText = v.pipe(v.string(), v.maxLength(MAX_LINE_TEXT));
const message = v.variant('kind', [
  v.object({ kind: v.literal('loaded'), id: count, keys: v.pipe(v.array(text(MAX_KEY)), v.maxLength(MAX_KEYS)) }),
  v.object({ kind: v.literal('settled'), id: count }),
  v.object({ kind: v.literal('returned'), id: count, text: lineText }),
  v.object({ kind: v.literal('too-large'), id: count, text: lineText, shape }),
  v.object({ kind: v.literal('failed'), id: count, text: lineText, fault: lineFault }),
  v.object({ kind: v.literal('passed'), id: count }),
  v.object({ kind: v.literal('pass-failed'), id: count, name: text(MAX_KEY), fault: lineFault }),
  v.object({ kind: v.literal('uncaught'), thrown }),
  v.object({ kind: v.literal('stopped'), fault: fileFault }),
]);

/** The arrays of a result are floats: a line returns no indices. */
const arrayHead = v.object({ name: v.pipe(v.string(), v.maxLength(MAX_KEY)), dtype: v.picklist(DTYPES), shape });
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
