/** Validates answers.json, which another program wrote: what is known about its lines besides their tensors. */
import * as v from 'valibot';
import { showText } from '../../core/text.js';
import { count, faultIn } from '../../dojo/faultSchema.js';
import type { Fault, LoadFault, RunFault } from '../../dojo/findings.js';
import { MAX_NAME, MAX_THROWN } from '../../dojo/outcome.js';
import { MAX_LINE_TEXT } from '../learner/protocol.js';

/** Names that are read: far more than there are lines. */
export const MAX_NAMES = 1_000;

/** The beginning of a text of the file, safe to print. */
const text = (limit: number) =>
  v.pipe(
    v.string(),
    v.transform((whole) => showText(whole.slice(0, limit))),
  );

const thrown = v.object({
  text: text(MAX_THROWN),
  line: v.exactOptional(count),
  source: v.exactOptional(text(MAX_NAME)),
  advice: v.exactOptional(text(MAX_THROWN)),
});

type AnswerFault = Exclude<RunFault, { id: 'line-missing' | 'no-answer' }> | (Fault & { id: 'timeout'; seconds: number });

const ANSWER_FAULTS: Record<AnswerFault['id'], v.ObjectEntries> = {
  todo: {},
  threw: { thrown },
  'returns-nothing': {},
  'returns-promise': {},
  'returns-other': { found: text(MAX_NAME) },
  'not-a-function': { found: text(MAX_NAME) },
  'input-changed': { value: text(MAX_NAME) },
  'invalid-tensor': { thrown },
  timeout: { seconds: count },
};

type FileFault = Extract<LoadFault, { id: 'file-threw' | 'calls-exit' }>;

const FILE_FAULTS: Record<FileFault['id'], v.ObjectEntries> = {
  'file-threw': { thrown },
  'calls-exit': { call: text(MAX_NAME) },
};

const line = v.object({
  text: v.exactOptional(
    v.pipe(
      v.string(),
      v.transform((source) => source.slice(0, MAX_LINE_TEXT)),
    ),
  ),
  fault: v.exactOptional(faultIn<AnswerFault>(ANSWER_FAULTS)),
});

const names = v.pipe(v.array(v.pipe(v.string(), v.maxLength(MAX_LINE_TEXT))), v.maxLength(MAX_NAMES));

export const AnswersSchema = v.object({
  lines: v.exactOptional(v.record(v.pipe(v.string(), v.maxLength(MAX_LINE_TEXT)), line), {}),
  strays: v.exactOptional(names, []),
  fault: v.exactOptional(faultIn<FileFault>(FILE_FAULTS)),
  dropped: v.exactOptional(v.pipe(v.array(count), v.maxLength(MAX_NAMES)), []),
  others: v.exactOptional(v.record(v.picklist(['1', '2', '3', '4']), names), {}),
});
