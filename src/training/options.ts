/**
 * The options of training, one row each, in the order in which a checkpoint stores them. Help, parsing, checks, presets, the stored
 * configuration, --resume, sweeps, lr-find and docs/cli.md all follow from this table: to add an option, add a row, and use its value in
 * the trainer. A new row needs a default and `since`, the checkpoint format that it introduces.
 */
import { choice, decimalNumber, flag, type Kind, text, wholeNumber, wholeNumbers } from '../core/kinds.js';
import type { GivenValues, OptionRow } from '../core/optionRow.js';
import { SAMPLINGS } from '../data/batch.js';
import { DEFAULT_SPLIT } from '../data/dataset.js';
import { normalization } from '../data/parseNames.js';
import { LESSON_SCALES, MAX_BLOCKS, NORMS, type Norm } from '../network/parameters.js';
import { defaultDiagnoseEvery, defaultEvalEvery } from './evaluationCost.js';
import { defaultSwitchStep, SCHEDULES } from './schedule.js';
import { OPTIMIZERS, type OptimizerName, showDecay, type WeightDecay } from './updater.js';

const NETWORK = 'Network and batch:';
const RECIPE = 'Training:';
const RUN = 'Seeds, saves and checks:';

const EVERYWHERE = ['train', 'train --mutant', 'sweep', 'lr-find', 'bench'] as const;
const UNLESS_MUTANT = ['train', 'sweep', 'lr-find', 'bench'] as const;
const TRAININGS = ['train', 'train --mutant', 'sweep', 'lr-find'] as const;
const BOTH_TRAINS = ['train', 'train --mutant', 'sweep'] as const;
const OPTIMIZING = ['train', 'sweep', 'lr-find'] as const;
const TRAIN = ['train', 'sweep'] as const;

const MAX_STEPS = 1_000_000_000;
export const MAX_SEED = Number.MAX_SAFE_INTEGER;
export const DEFAULT_SEED = 2_147_483_647;

/** The default rates. Adam changes each entry by about the rate, whatever the gradient; 0.001 is PyTorch's default. */
export const LEARNING_RATES: Readonly<Record<OptimizerName, number>> = {
  sgd: 0.1,
  momentum: 0.1,
  nesterov: 0.1,
  adam: 0.001,
  adamw: 0.001,
};

const ADAMS = { key: 'optimizer', values: ['adam', 'adamw'] } as const;

/** One decay for all weight matrices, or one per named parameter, sorted by name. */
const weightDecay: Kind<WeightDecay> = {
  expected: 'a number from 0 to 1000, or one per parameter, such as W1=1.2,C=0.5',
  read: (text) => {
    const { read } = decimalNumber(0, 1000);
    if (!text.includes('=')) return read(text);
    const entries = text.split(',').map((part): [name: string, decay: number | undefined] => {
      const [, name, decay] = /^([\w.]+)=(.*)$/.exec(part) ?? ['', '', ''];
      return [name, read(decay)];
    });
    const valid = entries.filter((entry): entry is [string, number] => entry[1] !== undefined);
    const names = new Set(valid.map(([name]) => name));
    return names.size === entries.length ? Object.fromEntries(valid.sort(([a], [b]) => (a < b ? -1 : 1))) : undefined;
  },
  show: showDecay,
  stored: { type: 'decay' },
};

/** A factor of initial weights, as a decimal number or, as the lesson writes its gain, as a fraction. */
const factor: Kind<number> = {
  expected: 'a number from 0 to 1000, or a fraction such as 5/3',
  read: (text) => {
    const { read } = decimalNumber(0, 1000);
    const [over, under, ...more] = text.split('/').map(read);
    if (under === undefined) return text.includes('/') ? undefined : over;
    return over !== undefined && more.length === 0 ? read(String(over / under)) : undefined;
  },
  show: (value) => (value === LESSON_SCALES.initGain ? '5/3' : String(value)),
  stored: { type: 'decimal', min: 0, open: false },
};

/** The network and its training: every option that a preset may set. */
export const RECIPE_OPTIONS = [
  {
    key: 'context',
    flag: '--context <T>',
    description: 'context length: characters that predict the next one',
    group: NETWORK,
    kind: wholeNumber(1, 64),
    default: 3,
    commands: EVERYWHERE,
    stored: ['context'],
  },
  {
    key: 'embedding',
    flag: '--embedding <E>',
    description: 'numbers per character',
    group: NETWORK,
    kind: wholeNumber(1, 65_536),
    default: 10,
    commands: EVERYWHERE,
    stored: ['embedding'],
  },
  {
    key: 'hidden',
    flag: '--hidden <H,...>',
    description: 'hidden units per block, e.g. 300,200',
    group: NETWORK,
    kind: wholeNumbers(1, 1_048_576, MAX_BLOCKS),
    default: [200] as readonly number[],
    commands: EVERYWHERE,
    stored: ['hidden'],
  },
  {
    key: 'norm',
    flag: '--norm <kind>',
    description: 'batch: each block is linear, batch norm and tanh; none: linear and tanh',
    group: NETWORK,
    kind: choice(NORMS),
    default: 'batch',
    commands: UNLESS_MUTANT,
    stored: ['norm'],
    since: 6,
  },
  {
    key: 'initGain',
    flag: '--init-gain <gain>',
    description: 'initial weights of a block with I inputs: N(0,1) * gain / sqrt(I)',
    group: NETWORK,
    kind: factor,
    default: LESSON_SCALES.initGain as number,
    commands: OPTIMIZING,
    stored: ['initGain'],
    since: 6,
  },
  {
    key: 'initOutput',
    flag: '--init-output <scale>',
    description: 'initial weights of the output layer, W2: N(0,1) * scale',
    group: NETWORK,
    kind: factor,
    default: LESSON_SCALES.initOutput as number,
    commands: OPTIMIZING,
    stored: ['initOutput'],
    since: 6,
  },
  {
    key: 'batchSize',
    flag: '--batch-size <n>',
    description: 'examples per step',
    group: NETWORK,
    kind: wholeNumber(2, 1_048_576),
    default: 32,
    commands: EVERYWHERE,
    stored: ['batchSize'],
  },
  {
    key: 'steps',
    flag: '--steps <count>',
    description: 'training steps',
    group: RECIPE,
    // An imported run has 0.
    kind: { ...wholeNumber(1, MAX_STEPS), stored: { type: 'whole', min: 0 } } as Kind<number>,
    default: 200_000,
    commands: BOTH_TRAINS,
    stored: ['steps'],
  },
  {
    key: 'lr',
    flag: '--lr <rate>',
    description: 'learning rate',
    group: RECIPE,
    kind: decimalNumber(0, 1000, 'open'),
    defaultText: '0.1; 0.001 with adam and adamw',
    defaultFrom: {
      keys: ['optimizer'],
      of: ({ optimizer }: { optimizer: OptimizerName }) => LEARNING_RATES[optimizer],
    },
    commands: BOTH_TRAINS,
    stored: ['learningRate'],
  },
  {
    key: 'optimizer',
    flag: '--optimizer <name>',
    description: 'optimizer',
    group: RECIPE,
    kind: choice(OPTIMIZERS),
    default: 'sgd',
    commands: OPTIMIZING,
    stored: ['optimizer', 'name'],
  },
  {
    key: 'momentum',
    flag: '--momentum <m>',
    description: 'momentum coefficient, for momentum and nesterov',
    group: RECIPE,
    kind: decimalNumber(0, 1, 'below'),
    default: 0.9,
    goesWith: { key: 'optimizer', values: ['momentum', 'nesterov'] },
    commands: OPTIMIZING,
    stored: ['optimizer', 'momentum'],
  },
  {
    key: 'beta1',
    flag: '--beta1 <b>',
    description: 'decay rate of the mean gradient, for adam and adamw',
    group: RECIPE,
    kind: decimalNumber(0, 1, 'below'),
    default: 0.9,
    goesWith: ADAMS,
    commands: OPTIMIZING,
    stored: ['optimizer', 'beta1'],
  },
  {
    key: 'beta2',
    flag: '--beta2 <b>',
    description: 'decay rate of the mean squared gradient, for adam and adamw',
    group: RECIPE,
    kind: decimalNumber(0, 1, 'below'),
    default: 0.999,
    goesWith: ADAMS,
    commands: OPTIMIZING,
    stored: ['optimizer', 'beta2'],
  },
  {
    key: 'epsilon',
    description: "Adam's constant that keeps the denominator above 0",
    kind: decimalNumber(0, Number.POSITIVE_INFINITY, 'open'),
    default: 1e-8,
    goesWith: ADAMS,
    commands: OPTIMIZING,
    stored: ['optimizer', 'epsilon'],
  },
  {
    key: 'weightDecay',
    flag: '--weight-decay <d>',
    description: 'decay of the weight matrices, or per parameter, e.g. W1=1.2,C=0.5; for adamw',
    group: RECIPE,
    kind: weightDecay,
    default: 0.01 as WeightDecay,
    goesWith: { key: 'optimizer', values: ['adamw'] },
    commands: OPTIMIZING,
    stored: ['optimizer', 'weightDecay'],
  },
  {
    key: 'clip',
    flag: '--clip <norm>',
    description: 'clip the gradient to this norm, over all parameters',
    defaultText: 'none',
    group: RECIPE,
    kind: decimalNumber(0, 1_000_000, 'open'),
    commands: OPTIMIZING,
    stored: ['clip'],
  },
  {
    key: 'schedule',
    flag: '--schedule <name>',
    description: 'learning rate over time; step: drops to a tenth halfway; linear, cosine: falls to 0',
    group: RECIPE,
    kind: choice(SCHEDULES),
    default: 'step',
    commands: TRAIN,
    stored: ['schedule', 'name'],
  },
  {
    key: 'switchStep',
    description: 'step from which the rate is a tenth',
    kind: wholeNumber(0, Number.POSITIVE_INFINITY),
    defaultFrom: { keys: ['steps'], of: ({ steps }: { steps: number }) => defaultSwitchStep(steps) },
    goesWith: { key: 'schedule', values: ['step'] },
    commands: TRAIN,
    stored: ['schedule', 'switchStep'],
  },
  {
    key: 'warmup',
    flag: '--warmup <steps>',
    description: 'warm-up steps, over which the learning rate rises to its full size',
    group: RECIPE,
    kind: wholeNumber(0, MAX_STEPS),
    default: 0,
    commands: TRAIN,
    stored: ['warmup'],
  },
  {
    key: 'sampling',
    flag: '--sampling <way>',
    description: 'how batches are drawn; epochs: every example once per epoch',
    group: RECIPE,
    kind: choice(SAMPLINGS),
    default: 'replacement',
    commands: OPTIMIZING,
    stored: ['sampling'],
  },
] as const satisfies readonly OptionRow[];

/** Options of a run that are not part of its recipe. */
const RUN_OPTIONS = [
  {
    key: 'evalEvery',
    flag: '--eval-every <steps>',
    description: 'steps between evaluations',
    group: RUN,
    kind: wholeNumber(1, MAX_STEPS),
    defaultText: 'at most 2 % of the time',
    defaultFrom: {
      keys: ['trainExamples', 'valExamples'],
      of: (sizes: { trainExamples: number; valExamples: number; batchSize: number; hidden: readonly number[]; norm: Norm }) =>
        defaultEvalEvery(sizes.trainExamples, sizes.valExamples, sizes.batchSize, sizes.hidden.length, sizes.norm),
    },
    commands: TRAIN,
    stored: ['evalEvery'],
  },
  {
    key: 'seed',
    flag: '--seed <number>',
    description: 'seed of weights, batches and samples',
    group: RUN,
    kind: wholeNumber(0, MAX_SEED),
    default: DEFAULT_SEED,
    commands: TRAININGS,
    stored: ['seed'],
  },
  {
    key: 'splitSeed',
    flag: '--split-seed <number>',
    description: 'seed that decides which names are held out',
    group: RUN,
    kind: wholeNumber(0, MAX_SEED),
    default: DEFAULT_SPLIT.splitSeed,
    commands: TRAININGS,
    stored: ['splitSeed'],
  },
  {
    key: 'unique',
    flag: '--unique',
    description: 'drop repeated names before the split',
    group: RUN,
    kind: flag,
    default: false,
    commands: TRAININGS,
    stored: ['unique'],
  },
  {
    key: 'saveEvery',
    flag: '--save-every <steps>',
    description: 'steps between saves',
    group: RUN,
    kind: wholeNumber(1, MAX_STEPS),
    defaultText: 'same as --eval-every',
    defaultFrom: {
      keys: ['evalEvery'],
      of: ({ evalEvery }: { evalEvery: number }) => evalEvery,
    },
    commands: TRAIN,
    files: true,
  },
  {
    key: 'checkEvery',
    flag: '--check-every <steps>',
    description: 'steps between checks that every number is finite',
    group: RUN,
    kind: wholeNumber(1, MAX_STEPS),
    default: 1000,
    commands: TRAIN,
  },
  {
    key: 'diagnoseEvery',
    flag: '--diagnose-every <steps>',
    description: 'steps between records of activations, gradients and updates; 0: never',
    group: RUN,
    kind: wholeNumber(0, MAX_STEPS),
    defaultText: 'less than 1 % of the time',
    defaultFrom: {
      keys: ['steps', 'batchSize'],
      of: ({ steps, batchSize }: { steps: number; batchSize: number }) => defaultDiagnoseEvery(steps, batchSize),
    },
    commands: TRAIN,
  },
] as const satisfies readonly OptionRow[];

const column: Kind<string> = {
  expected: 'the number or the name of a column',
  read: (text) => (text.trim() === '' ? undefined : text.trim()),
  show: String,
  stored: { type: 'text' },
};

/** How the names are read from the data file. */
export const NAMES_OPTIONS = [
  {
    key: 'column',
    flag: '--column <column>',
    description: 'column of a table that holds the names: its number, or its name in the first line',
    defaultText: 'the whole line',
    kind: column,
    commands: EVERYWHERE,
    stored: ['column'],
    since: 4,
  },
  {
    key: 'normalize',
    flag: '--normalize <form>',
    description: 'nfc: make a letter and its marks one character, where Unicode has one',
    kind: normalization,
    default: 'none',
    commands: EVERYWHERE,
    stored: ['normalize'],
    since: 4,
  },
] as const satisfies readonly OptionRow[];

/** Where the parameters come from, if they are not drawn. */
const ORIGIN_OPTIONS = [
  {
    key: 'init',
    flag: '--init <file>',
    description: 'begin with the parameters of a run, a .safetensors or a .npz file, which decide the sizes of the network',
    defaultText: 'drawn by --seed',
    group: NETWORK,
    // A run stores the SHA-256 of its init.safetensors.
    kind: { ...text, stored: { type: 'sha256' } } as Kind<string>,
    commands: OPTIMIZING,
    files: true,
    stored: ['init'],
    since: 5,
  },
  {
    key: 'imported',
    description: 'imported weights',
    kind: flag,
    default: false,
    commands: [],
    stored: ['imported'],
    since: 5,
  },
] as const satisfies readonly OptionRow[];

export const TRAINING_OPTIONS = [...RECIPE_OPTIONS, ...RUN_OPTIONS, ...NAMES_OPTIONS, ...ORIGIN_OPTIONS] as const;

/** The options that decide what the names are and which are held out. */
export const DATA_OPTIONS = TRAINING_OPTIONS.filter((row) => ['splitSeed', 'unique', 'column', 'normalize'].includes(row.key));

export type RecipeRow = (typeof RECIPE_OPTIONS)[number];
export type TrainingRow = (typeof TRAINING_OPTIONS)[number];

/** Options of a recipe as a user gives them: each may be missing. */
export type RecipeOptions = GivenValues<RecipeRow>;
/** Options of a run as a user gives them: each may be missing. */
export type TrainingOptionValues = GivenValues<TrainingRow>;
