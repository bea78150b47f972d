/** The configuration of a run, as it is stored. */
import type { Sampling } from '../core/choices.js';
import type { Capacity } from '../network/arrays.js';
import type { ModelConfig } from '../network/parameters.js';
import type { Schedule } from './schedule.js';
import { OPTIMIZER_TENSORS, type OptimizerConfig, showDecay } from './updater.js';

/** Everything that determines a run's weights and metrics. It has no path, no clock and no host. */
export interface RunConfig {
  /** T, the context length. */
  context: number;
  /** E, the embedding width. */
  embedding: number;
  /** H of each block. */
  hidden: readonly number[];
  /** n, at least 2. */
  batchSize: number;
  steps: number;
  learningRate: number;
  optimizer: OptimizerConfig;
  /** The largest norm of all gradients together; without it, they are not clipped. */
  clip?: number;
  schedule: Schedule;
  /** Warm-up steps, in which the learning rate rises. */
  warmup: number;
  sampling: Sampling;
  /** Steps between two evaluations on the validation part. */
  evalEvery: number;
  seed: number;
  splitSeed: number;
  /** Whether repeated names are dropped before the split. */
  unique: boolean;
}

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
export function trainingCapacity({ batchSize, optimizer }: RunConfig, inference: number[] = []): Capacity {
  return { training: batchSize, optimizerTensors: OPTIMIZER_TENSORS[optimizer.name], inference };
}
