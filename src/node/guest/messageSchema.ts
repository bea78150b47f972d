/** Validates the notices that every guest's process may send. */
import * as v from 'valibot';
import { count, faultIn, text, thrown } from '../../dojo/faultSchema.js';
import type { LoadFault } from '../../dojo/findings.js';
import { MAX_NAME } from '../../dojo/outcome.js';

const LOAD_FAULTS: Record<LoadFault['id'], v.ObjectEntries> = {
  'calls-exit': { call: text(MAX_NAME) },
  'file-threw': { thrown },
  'no-default-export': { exercise: count },
  'wrong-default-export': { exercise: count, found: text(MAX_NAME) },
};

export const NOTICES = [
  v.object({ kind: v.literal('uncaught'), thrown }),
  v.object({ kind: v.literal('stopped'), fault: faultIn<LoadFault>(LOAD_FAULTS) }),
] as const;
