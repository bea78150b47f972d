/** Validates the faults that a place sends in which somebody else's code runs. */
import * as v from 'valibot';
import { showText } from '../core/text.js';
import type { RunFault } from './findings.js';
import { MAX_NAME, MAX_THROWN } from './outcome.js';

/** Text of somebody else's code, safe to print. */
export const text = (limit: number) => v.pipe(v.string(), v.maxLength(limit), v.transform(showText));
export const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** An error, and advice on it. */
export const thrown = v.object({
  text: text(MAX_THROWN),
  line: v.exactOptional(count),
  source: v.exactOptional(text(MAX_THROWN)),
  advice: v.exactOptional(text(MAX_THROWN)),
});

/** One of the faults. The table has every one, with its data. */
export function faultIn<Fault>(faults: Record<string, v.ObjectEntries>): v.GenericSchema<unknown, Fault> {
  const options = Object.entries(faults).map(([id, entries]) => v.object({ id: v.literal(id), ...entries }));
  return v.variant('id', options) as unknown as v.GenericSchema<unknown, Fault>;
}

const found = text(MAX_NAME);

const RUN_FAULTS: Record<RunFault['id'], v.ObjectEntries> = {
  'line-missing': {},
  'not-a-function': { found },
  todo: {},
  threw: { thrown },
  'input-changed': { value: text(MAX_NAME) },
  'returns-nothing': {},
  'returns-promise': {},
  'returns-other': { found },
  'invalid-tensor': { thrown },
  'no-answer': {},
};

/** A fault of a learner's line. */
export const runFault = faultIn<RunFault>(RUN_FAULTS);
