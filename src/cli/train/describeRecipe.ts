import type { OptionRow } from '../../core/optionRow.js';
import { TRAINING_OPTIONS } from '../../training/options.js';
import type { Recipe } from '../../training/recipe.js';
import type { Schedule } from '../../training/schedule.js';
import { decayOf, type OptimizerConfig, type WeightDecay } from '../../training/updater.js';
import { formatCount, formatCountOf } from '../terminal/format.js';

/**
 * The recipe in one line; undefined for the lesson's, at any learning rate.
 * @param parameters names of the network's parameters, to say which of them decay
 */
export function describeRecipe(
  { learningRate, optimizer, clip, schedule, warmup, sampling }: Omit<Recipe, 'context' | 'embedding' | 'hidden' | 'batchSize' | 'steps'>,
  parameters: readonly string[],
): string | undefined {
  const parts = [
    ...(warmup > 0 ? [`warm-up ${formatCountOf(warmup, 'step')}`] : []),
    ...(clip === undefined ? [] : [`clip ${clip}`]),
    ...(sampling === 'epochs' ? ['shuffled epochs'] : []),
  ];
  if (optimizer.name === 'sgd' && schedule.name === 'step' && parts.length === 0) return undefined;
  return [`${optimizer.name} ${learningRate}${describeSettings(optimizer, parameters)}`, describeSchedule(schedule), ...parts].join(', ');
}

function describeSchedule(schedule: Schedule): string {
  if (schedule.name === 'step') return `a tenth from step ${formatCount(schedule.switchStep)} on`;
  return schedule.name === 'constant' ? schedule.name : `${schedule.name} to 0`;
}

/** The settings that differ from their defaults; the decay is always shown. */
function describeSettings(optimizer: OptimizerConfig, parameters: readonly string[]): string {
  const { name, ...settings } = optimizer;
  const shown = Object.entries(settings).flatMap(([key, value]: [string, number | WeightDecay]) => {
    if (key === 'weightDecay') return [describeDecay(value, parameters)];
    const row: OptionRow | undefined = TRAINING_OPTIONS.find((one) => one.key === key);
    return value === row?.default ? [] : [`${key} ${value}`];
  });
  return shown.length === 0 ? '' : ` (${shown.join(', ')})`;
}

/** Each decay with its parameters: `decay 1.2 on W1, 0.5 on C W2`. */
function describeDecay(decay: WeightDecay, parameters: readonly string[]): string {
  const decays = new Set(parameters.map((name) => decayOf(decay, name)).filter((value) => value > 0));
  const groups = [...decays].map((value) => `${value} on ${parameters.filter((name) => decayOf(decay, name) === value).join(' ')}`);
  return groups.length === 0 ? 'no decay' : `decay ${groups.join(', ')}`;
}
