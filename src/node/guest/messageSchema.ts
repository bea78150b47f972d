/** Validates what every guest's process may send: the parts of its own messages, and its notices. */
import * as v from 'valibot';
import { showText } from '../../core/text.js';
import type { LoadFault } from '../../dojo/findings.js';
import { MAX_THROWN } from '../../dojo/outcome.js';
import { MAX_NAME } from './protocol.js';

/** Text of the file, safe to print. */
export const text = (limit: number) => v.pipe(v.string(), v.maxLength(limit), v.transform(showText));
export const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** An error, and advice on it. */
export const thrown = v.object({
  text: text(MAX_THROWN),
  line: v.exactOptional(count),
  source: v.exactOptional(text(MAX_THROWN)),
  advice: v.exactOptional(text(MAX_THROWN)),
});

const LOAD_FAULTS: Record<LoadFault['id'], v.ObjectEntries> = {
  'calls-exit': { call: text(MAX_NAME) },
  'file-threw': { thrown },
  'no-default-export': { exercise: count },
  'wrong-default-export': { exercise: count, found: text(MAX_NAME) },
};

/** One of the faults. The table has every one, with its data. */
export function faultIn<Fault>(faults: Record<string, v.ObjectEntries>): v.GenericSchema<unknown, Fault> {
  const options = Object.entries(faults).map(([id, entries]) => v.object({ id: v.literal(id), ...entries }));
  return v.variant('id', options) as unknown as v.GenericSchema<unknown, Fault>;
}

export const NOTICES = [
  v.object({ kind: v.literal('uncaught'), thrown }),
  v.object({ kind: v.literal('stopped'), fault: faultIn<LoadFault>(LOAD_FAULTS) }),
] as const;
