/** The records of a run, in the order of its steps. In metrics.jsonl, each is a line of JSON. */
import * as v from 'valibot';
import type { Sha256 } from '../core/sha256.js';
import { closest } from '../core/spelling.js';
import type { FloatArray } from '../core/tensor.js';
import { quoteText } from '../core/text.js';
import type { Model } from '../network/arrays.js';
import { isParameterName, type ModelConfig, type ParameterArrays, type ParameterName, parameterNames } from '../network/parameters.js';
import type { DiagnosticsRecord } from '../training/diagnostics.js';
import { count } from '../training/runConfigSchema.js';
import type { LossRecord } from '../training/training.js';
import { DiagnosticsRecordSchema } from './diagnosticsSchema.js';

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

/** A line of metrics.jsonl: `{step, loss, rate}`, `{step, valLoss}`, `{step, hashes}` or `{step, diagnostics}`. */
export type MetricsRecord = LossRecord | EvaluationRecord | HashRecord | DiagnosticsRecord;

/** Steps between two hash records. A run also records hashes before its first step and after its last one. */
export const HASH_EVERY = 1000;

/** The first and the last step of a stretch of which the records are missing. */
export type MissingSteps = readonly [first: number, last: number];

/** Finds where records are missing: one is due before the first step, and at every hash and every evaluation. */
export class RecordGaps {
  readonly #evalEvery: number;
  readonly #missing: MissingSteps[] = [];
  #last = -1;

  /** @param evalEvery steps between two evaluations */
  constructor(evalEvery: number) {
    this.#evalEvery = evalEvery;
  }

  /** Takes the step of the next record. */
  add(step: number): void {
    this.#closeGap(step - 1);
    this.#last = Math.max(this.#last, step);
  }

  /** The gaps between the records, and after the last one up to a step. */
  upTo(step: number): MissingSteps[] {
    this.#closeGap(step);
    return this.#missing;
  }

  #closeGap(last: number): void {
    const after = (interval: number) => (Math.floor(this.#last / interval) + 1) * interval;
    const due = this.#last < 0 ? 0 : Math.min(after(HASH_EVERY), after(this.#evalEvery));
    if (due <= last) this.#missing.push([due, last]);
  }
}

/** A network of one block, with batch norm if the record has a parameter of it. */
function oneBlock(record: object): Pick<ModelConfig, 'hidden' | 'norm'> {
  return { hidden: [1], norm: 'bngain' in record || 'bnbias' in record ? 'batch' : 'none' };
}

const hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/));
/** Every network has the parameters of one block, deeper ones have more. Keys keep the order of the line. */
const hashes = v.pipe(
  v.record(
    v.custom<ParameterName>((name) => typeof name === 'string' && isParameterName(name)),
    hash,
  ),
  v.guard((record): record is Hashes => parameterNames(oneBlock(record)).every((name) => name in record)),
);

/** Accepts a record of any kind and drops unknown keys. */
const RecordSchema = v.union([
  v.object({ step: count, loss: v.number(), rate: v.number() }),
  v.object({ step: count, valLoss: v.number() }),
  v.object({ step: count, hashes }),
  DiagnosticsRecordSchema,
]);

/** The record in the JSON value of a line, without unknown keys; undefined if it is not a record. */
export function parseRecord(value: unknown): MetricsRecord | undefined {
  const parsed = v.safeParse(RecordSchema, value);
  return parsed.success ? parsed.output : undefined;
}

/** The keys of each kind of record, apart from its step. */
const RECORD_KEYS = [['loss', 'rate'], ['valLoss'], ['hashes'], ['diagnostics']] as const;

/**
 * Reads a line for a comparison, which must not pass over anything: a line that is no record, or has a key that no record has, or a key twice,
 * is flawed.
 * @param text the line
 */
export function readRecord(text: string): { record: MetricsRecord } | { flaw: string } {
  const value = parseJson(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { flaw: 'it is not a JSON object' };
  const kind = RECORD_KEYS.find(([first]) => first in value) ?? [];
  const known: readonly string[] = ['step', ...kind];
  const keys = Object.keys(value);
  const unknown = keys.find((key) => !known.includes(key));
  if (unknown !== undefined) {
    const similar = closest(unknown, kind.length > 0 ? known : ['step', ...RECORD_KEYS.flat()]);
    return { flaw: `it has the unknown key ${quoteText(unknown)}${similar === undefined ? '' : `; did you mean ${similar}?`}` };
  }
  const record = parseRecord(value);
  if (!record) return { flaw: 'a key is missing, or has a wrong value' };
  if (isDeeper(value, DEEPEST)) return { flaw: `it is nested too deeply in ${kind[0]}` };
  const parsed = countKeys(value);
  if (parsed > countKeys(record)) return { flaw: `it has an unknown key in ${kind[0]}` };
  const written = text.match(/"(?:[^"\\]|\\.)*"\s*:/g)?.length ?? 0;
  return written > parsed ? { flaw: 'it has a key twice' } : { record };
}

/** Levels of objects and arrays in a record: itself, diagnostics, parameters, C, value, histogram, counts. */
const DEEPEST = 7;

/** Whether there are objects or arrays below these levels. JSON.parse reads more levels than a recursion can follow. */
function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((one) => isDeeper(one, levels - 1));
}

/** The keys of an object and of all objects in it. */
function countKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const inside = Object.values(value).reduce((sum, one) => sum + countKeys(one), 0);
  return inside + (Array.isArray(value) ? 0 : Object.keys(value).length);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Fingerprints of the parameters, in their order. */
export function parameterHashes(parameters: ParameterArrays, sha256: Sha256): Hashes {
  return Object.fromEntries(Object.entries(parameters).map(([name, data]) => [name, tensorHash(data, sha256)])) as Hashes;
}

/** The first 16 hexadecimal digits of the SHA-256 of a tensor's bytes. */
export function tensorHash({ buffer, byteOffset, byteLength }: FloatArray, sha256: Sha256): string {
  return sha256(new Uint8Array(buffer, byteOffset, byteLength)).slice(0, 16);
}

/** The hash record of a model after a number of steps. */
export function hashRecord(step: number, { parameters }: Model, sha256: Sha256): HashRecord {
  return { step, hashes: parameterHashes(parameters, sha256) };
}
