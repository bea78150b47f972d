/** The configuration of a run, as it is stored. */
import * as v from 'valibot';
import { MAX_BLOCKS, SAMPLINGS } from '../core/choices.js';
import type { Work } from '../network/model.js';
import type { ModelConfig } from '../network/parameters.js';
import { OPTIMIZER_TENSORS, showDecay } from './updater.js';

export const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const positive = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
export const finite = v.pipe(v.number(), v.finite());

const share = v.pipe(v.number(), v.minValue(0), v.ltValue(1));
const aboveZero = v.pipe(finite, v.gtValue(0));
const adam = { beta1: share, beta2: share, epsilon: aboveZero };

const decay = v.pipe(finite, v.minValue(0));

/** An optimizer, with the settings that it has. */
const OptimizerSchema = v.variant('name', [
  v.strictObject({ name: v.literal('sgd') }),
  v.strictObject({ name: v.literal('momentum'), momentum: share }),
  v.strictObject({ name: v.literal('nesterov'), momentum: share }),
  v.strictObject({ name: v.literal('adam'), ...adam }),
  v.strictObject({ name: v.literal('adamw'), ...adam, weightDecay: v.union([decay, v.record(v.string(), decay)]) }),
]);

const ScheduleSchema = v.variant('name', [
  /** From the switch step on, the learning rate is a tenth. */
  v.strictObject({ name: v.literal('step'), switchStep: count }),
  v.strictObject({ name: v.picklist(['constant', 'linear', 'cosine']) }),
]);

/** What shapes a run's weights and metrics, and nothing else: no path, no clock, no host. */
export const RunConfigSchema = v.strictObject({
  context: positive,
  embedding: positive,
  /** Of each block. */
  hidden: v.pipe(v.array(positive), v.minLength(1), v.maxLength(MAX_BLOCKS), v.readonly()),
  batchSize: v.pipe(v.number(), v.safeInteger(), v.minValue(2)),
  steps: positive,
  learningRate: aboveZero,
  optimizer: OptimizerSchema,
  /** The largest norm of the gradients; without it, they are not clipped. */
  clip: v.exactOptional(aboveZero),
  schedule: ScheduleSchema,
  /** Steps over which the rate goes up. */
  warmup: count,
  sampling: v.picklist(SAMPLINGS),
  /** Steps between two evaluations on the validation part. */
  evalEvery: positive,
  seed: count,
  splitSeed: count,
  unique: v.boolean(),
});
export type RunConfig = v.InferOutput<typeof RunConfigSchema>;

/** A configuration by single values: optimizer and schedule by their names, beside the settings that they have. */
export function flatConfig({ optimizer, schedule, ...others }: RunConfig): Record<string, unknown> {
  const { name: optimizerName, ...settings } = optimizer;
  const { name: scheduleName, ...switching } = schedule;
  const named =
    'weightDecay' in settings && typeof settings.weightDecay === 'object' ? { weightDecay: showDecay(settings.weightDecay) } : {};
  return { ...others, optimizer: optimizerName, ...settings, ...named, schedule: scheduleName, ...switching };
}

export function modelConfig({ context, embedding, hidden }: RunConfig, vocabulary: readonly string[]): ModelConfig {
  return { context, embedding, hidden, vocabulary: vocabulary.length };
}

/** What a run's model needs room for, beside the sizes that it is evaluated and sampled with. */
export function trainingWork({ batchSize, optimizer }: RunConfig, inference: number[] = []): Work {
  return { training: batchSize, optimizerTensors: OPTIMIZER_TENSORS[optimizer.name].length, inference };
}
