/** The records of a run, in the order of its steps. In metrics.jsonl, each is a line of JSON. */
import * as v from 'valibot';
import type { Sha256 } from '../core/sha256.js';
import type { FloatArray } from '../core/tensor.js';
import type { Model } from '../network/arrays.js';
import { isParameterName, LESSON_PARAMETER_NAMES, type ParameterArrays, type ParameterName } from '../network/parameters.js';
import type { LossRecord } from '../training/training.js';

/** The mean loss over the validation names, in nats, after a number of steps. */
export interface EvaluationRecord {
  step: number;
  valLoss: number;
}

/** Fingerprints of the parameters after a number of steps; two runs with equal hashes have equal parameters, bit for bit. */
export interface HashRecord {
  step: number;
  hashes: Hashes;
}
/** For each parameter, the first 16 hexadecimal digits of the SHA-256 of its bytes (float32, little-endian, row-major). */
export type Hashes = Record<ParameterName, string>;

/** A line of metrics.jsonl: `{step, loss, rate}`, `{step, valLoss}` or `{step, hashes}`. */
export type MetricsRecord = LossRecord | EvaluationRecord | HashRecord;

/** Steps between two hash records. A run also records hashes before its first step and after its last one. */
export const HASH_EVERY = 1000;

const hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/));
const step = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
/** Every network has the lesson's parameters, deeper ones have more. Keys keep the order of the line. */
const hashes = v.pipe(
  v.record(
    v.custom<ParameterName>((name) => typeof name === 'string' && isParameterName(name)),
    hash,
  ),
  v.guard((record): record is Hashes => LESSON_PARAMETER_NAMES.every((name) => name in record)),
);
/** Accepts a record of any kind and drops unknown keys. */
const RecordSchema = v.union([
  v.object({ step, loss: v.number(), rate: v.number() }),
  v.object({ step, valLoss: v.number() }),
  v.object({ step, hashes }),
]);

/** The record in the JSON value of a line, without unknown keys; undefined if it is not a record. */
export function parseRecord(value: unknown): MetricsRecord | undefined {
  const parsed = v.safeParse(RecordSchema, value);
  return parsed.success ? parsed.output : undefined;
}

/** Fingerprints of the parameters, in their order. */
export function parameterHashes(parameters: ParameterArrays, sha256: Sha256): Hashes {
  return Object.fromEntries(Object.entries(parameters).map(([name, data]) => [name, hashOf(data, sha256)])) as Hashes;
}

function hashOf({ buffer, byteOffset, byteLength }: FloatArray, sha256: Sha256): string {
  return sha256(new Uint8Array(buffer, byteOffset, byteLength)).slice(0, 16);
}

/** The hash record of a model after a number of steps. */
export function hashRecord(step: number, { parameters }: Model, sha256: Sha256): HashRecord {
  return { step, hashes: parameterHashes(parameters, sha256) };
}
