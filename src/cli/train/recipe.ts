/** How a run is trained, from options to configuration, and in a line of text. */

import type { OptimizerName, Sampling } from '../../core/choices.js';
import { UsageError } from '../../core/errors.js';
import { showText } from '../../core/text.js';
import { parameterNames } from '../../network/parameters.js';
import type { RunConfig } from '../../training/runConfig.js';
import { defaultSwitchStep, type Schedule } from '../../training/schedule.js';
import { decayedNames, decayOf, type OptimizerConfig, type WeightDecay } from '../../training/updater.js';
import { formatCount } from '../terminal/format.js';

/** The sizes of a network, and of its batches. */
export interface NetworkOptions {
  context: number;
  embedding: number;
  hidden: readonly number[];
  batchSize: number;
}

/** Without a default here, an option's default depends on others. */
export interface OptimizerOptions {
  optimizer: OptimizerName;
  momentum?: number;
  beta1?: number;
  beta2?: number;
  weightDecay?: WeightDecay;
  clip?: number;
  sampling: Sampling;
}

export interface RecipeOptions extends OptimizerOptions {
  steps: number;
  lr?: number;
  schedule: Schedule['name'];
  warmup: number;
}

type Recipe = Pick<RunConfig, 'learningRate' | 'optimizer' | 'clip' | 'schedule' | 'warmup' | 'sampling'>;

const MOMENTUM = 0.9;
const BETAS = { beta1: 0.9, beta2: 0.999 };
const EPSILON = 1e-8;
const WEIGHT_DECAY = 0.01;

/** Adam's steps are of about the rate's size in every entry, whatever the gradient: 0.001 is PyTorch's default. */
const LEARNING_RATES: Readonly<Record<OptimizerName, number>> = { sgd: 0.1, momentum: 0.1, nesterov: 0.1, adam: 0.001, adamw: 0.001 };

/** Options that only some of the optimizers have. */
const SETTINGS: readonly (readonly [option: 'momentum' | 'beta1' | 'beta2' | 'weightDecay', flag: string, of: readonly OptimizerName[]])[] =
  [
    ['momentum', '--momentum', ['momentum', 'nesterov']],
    ['beta1', '--beta1', ['adam', 'adamw']],
    ['beta2', '--beta2', ['adam', 'adamw']],
    ['weightDecay', '--weight-decay', ['adamw']],
  ];

/** @throws UsageError if an option does not go with the others */
export function recipeOf(options: RecipeOptions & Pick<NetworkOptions, 'hidden'>): Recipe {
  const { steps, optimizer, lr = LEARNING_RATES[optimizer], clip, warmup, sampling } = options;
  if (warmup > steps) throw new UsageError(`--warmup is ${warmup}, and --steps ${steps}: the full rate would never be reached`);
  const schedule =
    options.schedule === 'step' ? { name: options.schedule, switchStep: defaultSwitchStep(steps) } : { name: options.schedule };
  return { learningRate: lr, optimizer: optimizerOf(options), ...(clip === undefined ? {} : { clip }), schedule, warmup, sampling };
}

/** @throws UsageError if an option is given that the optimizer does not have, or a parameter that the network does not */
export function optimizerOf(options: OptimizerOptions & Pick<NetworkOptions, 'hidden'>): OptimizerConfig {
  const { optimizer: name, momentum = MOMENTUM, beta1, beta2, weightDecay = WEIGHT_DECAY } = options;
  for (const [option, flag, names] of SETTINGS) {
    if (options[option] === undefined || names.includes(name)) continue;
    throw new UsageError(`${flag} goes with --optimizer ${names.join(' or ')}, not with ${name}`);
  }
  const parameters: readonly string[] = parameterNames(options);
  const strange = decayedNames(weightDecay).find((parameter) => !parameters.includes(parameter));
  if (strange !== undefined) {
    throw new UsageError(`--weight-decay names ${showText(strange)}; this network has ${parameters.join(', ')}`);
  }
  const adam = { beta1: beta1 ?? BETAS.beta1, beta2: beta2 ?? BETAS.beta2, epsilon: EPSILON };
  if (name === 'sgd') return { name };
  if (name === 'adam') return { name, ...adam };
  return name === 'adamw' ? { name, ...adam, weightDecay } : { name, momentum };
}

/**
 * The recipe in a line, if it is another than the lesson's but for the rate.
 * @param parameters the network's, by name: which of them decay is said
 */
export function describeRecipe(
  { learningRate, optimizer, clip, schedule, warmup, sampling }: Recipe,
  parameters: readonly string[],
): string | undefined {
  const parts = [
    warmup > 0 ? `warm-up ${formatCount(warmup)} steps` : '',
    clip === undefined ? '' : `clip ${clip}`,
    sampling === 'epochs' ? 'shuffled epochs' : '',
  ].filter((part) => part !== '');
  if (optimizer.name === 'sgd' && schedule.name === 'step' && parts.length === 0) return undefined;
  return [`${optimizer.name} ${learningRate}${describeSettings(optimizer, parameters)}`, describeSchedule(schedule), ...parts].join(', ');
}

function describeSchedule(schedule: Schedule): string {
  if (schedule.name === 'step') return `a tenth from step ${formatCount(schedule.switchStep)} on`;
  return schedule.name === 'constant' ? schedule.name : `${schedule.name} to 0`;
}

/** Settings other than the defaults, and decay in any case. */
function describeSettings(optimizer: OptimizerConfig, parameters: readonly string[]): string {
  const settings = [];
  if ('momentum' in optimizer && optimizer.momentum !== MOMENTUM) settings.push(`momentum ${optimizer.momentum}`);
  if ('beta1' in optimizer && optimizer.beta1 !== BETAS.beta1) settings.push(`beta1 ${optimizer.beta1}`);
  if ('beta2' in optimizer && optimizer.beta2 !== BETAS.beta2) settings.push(`beta2 ${optimizer.beta2}`);
  if ('weightDecay' in optimizer) {
    settings.push(describeDecay(optimizer.weightDecay, parameters));
  }
  return settings.length === 0 ? '' : ` (${settings.join(', ')})`;
}

/** Each decay with the parameters that it is of: `decay 1.2 on W1, 0.5 on C W2`. */
function describeDecay(decay: WeightDecay, parameters: readonly string[]): string {
  const decays = new Set(parameters.map((name) => decayOf(decay, name)).filter((value) => value > 0));
  const groups = [...decays].map((value) => `${value} on ${parameters.filter((name) => decayOf(decay, name) === value).join(' ')}`);
  return groups.length === 0 ? 'no decay' : `decay ${groups.join(', ')}`;
}
