/** Checks a stored configuration. It is apart from the type, so that a user's compiler never reads the types of valibot. */
import * as v from 'valibot';
import { MAX_BLOCKS, SAMPLINGS } from '../core/choices.js';
import type { RunConfig } from './runConfig.js';

export const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const positive = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
export const finite = v.pipe(v.number(), v.finite());

const share = v.pipe(v.number(), v.minValue(0), v.ltValue(1));
const aboveZero = v.pipe(finite, v.gtValue(0));
const adam = { beta1: share, beta2: share, epsilon: aboveZero };

const decay = v.pipe(finite, v.minValue(0));

/** Each optimizer with its own settings. */
const OptimizerSchema = v.variant('name', [
  v.strictObject({ name: v.literal('sgd') }),
  v.strictObject({ name: v.literal('momentum'), momentum: share }),
  v.strictObject({ name: v.literal('nesterov'), momentum: share }),
  v.strictObject({ name: v.literal('adam'), ...adam }),
  v.strictObject({ name: v.literal('adamw'), ...adam, weightDecay: v.union([decay, v.record(v.string(), decay)]) }),
]);

const ScheduleSchema = v.variant('name', [
  v.strictObject({ name: v.literal('step'), switchStep: count }),
  v.strictObject({ name: v.picklist(['constant', 'linear', 'cosine']) }),
]);

export const RunConfigSchema = v.strictObject({
  context: positive,
  embedding: positive,
  hidden: v.pipe(v.array(positive), v.minLength(1), v.maxLength(MAX_BLOCKS), v.readonly()),
  batchSize: v.pipe(v.number(), v.safeInteger(), v.minValue(2)),
  steps: positive,
  learningRate: aboveZero,
  optimizer: OptimizerSchema,
  clip: v.exactOptional(aboveZero),
  schedule: ScheduleSchema,
  warmup: count,
  sampling: v.picklist(SAMPLINGS),
  evalEvery: positive,
  seed: count,
  splitSeed: count,
  unique: v.boolean(),
}) satisfies v.GenericSchema<unknown, RunConfig>;
