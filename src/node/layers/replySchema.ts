/** Validates what the process of a file of layers sends. */
import * as v from 'valibot';
import { count, text } from '../../dojo/faultSchema.js';
import { MAX_NAME } from '../../dojo/outcome.js';
import { KINK_SIDES, type LayerReport, PROPERTIES, REFUSALS } from '../../gradCheck/anyLayer/report.js';
import type { ArrayHead, Frame } from '../guest/frames.js';
import { NOTICES } from '../guest/messageSchema.js';
import type { Notice } from '../guest/protocol.js';
import { MAX_LAYERS, MAX_NUMBERS, MAX_OTHERS, type Reply } from './protocol.js';

/** Characters of a sentence. */
const MAX_TEXT = 10_000;
const MAX_ROWS = 100_000;

const name = v.pipe(v.string(), v.maxLength(MAX_NAME));
/** null in JSON where a number is not finite. */
const number = v.nullable(v.number());
const sizes = v.record(v.string(), v.number());

const inputRow = v.object({
  name: v.pipe(v.string(), v.maxLength(MAX_TEXT)),
  ok: v.boolean(),
  sizes,
  train: v.boolean(),
  error: number,
  limit: number,
  at: v.array(count),
  found: number,
  expected: number,
  wrongEntries: count,
  entries: count,
  mistake: v.nullable(v.objectWithRest({ id: name, text: text(MAX_TEXT) }, v.unknown())),
});

const report = v.object({
  name,
  ok: v.boolean(),
  precision: v.picklist(['float64', 'float32']),
  refused: v.nullable(v.object({ id: v.picklist(REFUSALS), text: text(MAX_TEXT) })),
  inputs: v.pipe(v.array(inputRow), v.maxLength(MAX_ROWS)),
  properties: v.array(v.object({ name: v.picklist(PROPERTIES), ok: v.nullable(v.boolean()), detail: text(MAX_TEXT) })),
  tried: v.object({
    points: count,
    dropped: count,
    kinks: count,
    taken: v.exactOptional(v.picklist([...KINK_SIDES, 'several'])),
    undecided: count,
  }),
}) as unknown as v.GenericSchema<unknown, LayerReport>;

const other = v.object({ name, kind: text(MAX_NAME), functions: v.exactOptional(v.array(name)) });

const message = v.variant('kind', [
  v.object({
    kind: v.literal('loaded'),
    id: count,
    layers: v.pipe(v.array(name), v.maxLength(MAX_LAYERS)),
    others: v.pipe(v.array(other), v.maxLength(MAX_OTHERS)),
  }),
  v.object({ kind: v.literal('checked'), id: count, report }),
  v.object({ kind: v.literal('probed'), id: count, numbers: v.nullable(v.pipe(v.array(number), v.maxLength(MAX_NUMBERS))) }),
  ...NOTICES,
]);

/** @throws if the frame is not a message */
export function readMessage({ header }: Frame): { message: Reply | Notice; heads: ArrayHead[] } {
  return { message: v.parse(message, header), heads: [] };
}
