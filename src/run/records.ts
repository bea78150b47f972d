/** The records of a run, in the order of its steps: a line each in metrics.jsonl. */
import * as v from 'valibot';
import type { Sha256 } from '../core/sha256.js';
import type { FloatArray } from '../core/tensor.js';
import type { Model } from '../network/arrays.js';
import { isParameterName, LESSON_PARAMETER_NAMES, type ParameterArrays, type ParameterName } from '../network/parameters.js';
import type { LossRecord } from '../training/training.js';

/** The mean loss over the validation part after so many steps. */
export interface EvaluationRecord {
  step: number;
  valLoss: number;
}

/** What the parameters were after so many steps, each by the beginning of the SHA-256 of its bytes. */
export interface HashRecord {
  step: number;
  hashes: Hashes;
}
export type Hashes = Record<ParameterName, string>;

export type MetricsRecord = LossRecord | EvaluationRecord | HashRecord;

/** Steps between two hash records; the first and the last step of a run have one, too. */
export const HASH_EVERY = 1000;

const hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/));
const step = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
/** Every network has the lesson's, deeper ones have more. The order is that of the line. */
const hashes = v.pipe(
  v.record(
    v.custom<ParameterName>((name) => typeof name === 'string' && isParameterName(name)),
    hash,
  ),
  v.guard((record): record is Hashes => LESSON_PARAMETER_NAMES.every((name) => name in record)),
);
const RecordSchema = v.union([
  v.object({ step, loss: v.number(), rate: v.number() }),
  v.object({ step, valLoss: v.number() }),
  v.object({ step, hashes }),
]);

/** The record that a line's JSON value is; undefined if it is none. */
export function parseRecord(value: unknown): MetricsRecord | undefined {
  const parsed = v.safeParse(RecordSchema, value);
  return parsed.success ? parsed.output : undefined;
}

export function parameterHashes(parameters: ParameterArrays, sha256: Sha256): Hashes {
  return Object.fromEntries(Object.entries(parameters).map(([name, data]) => [name, hashOf(data, sha256)])) as Hashes;
}

function hashOf({ buffer, byteOffset, byteLength }: FloatArray, sha256: Sha256): string {
  return sha256(new Uint8Array(buffer, byteOffset, byteLength)).slice(0, 16);
}

export function hashRecord(step: number, { parameters }: Model, sha256: Sha256): HashRecord {
  return { step, hashes: parameterHashes(parameters, sha256) };
}
