/** The options of `train`: those of the training, and those of its files. */
import { choice, flag, text } from '../../core/kinds.js';
import type { GivenValues, OptionRow } from '../../core/optionRow.js';
import { TRAINING_OPTIONS } from '../../training/options.js';
import { PRESET_NAMES, PRESET_TEXTS } from '../../training/presets.js';
import { THREADS_OPTION } from '../kernels.js';
import { DATA_OPTION } from '../options.js';

export const TRAIN_OPTIONS = [
  {
    key: 'preset',
    flag: '--preset <name>',
    description: PRESET_NAMES.map((name) => `${name}: ${PRESET_TEXTS[name]}`).join('; '),
    kind: choice(PRESET_NAMES),
    default: 'lesson',
    commands: ['train', 'sweep'],
  },
  DATA_OPTION,
  {
    key: 'out',
    flag: '--out <dir>',
    description: 'run directory',
    defaultText: 'a new runs/NNNN',
    kind: text,
    commands: ['train'],
  },
  { key: 'force', flag: '--force', description: 'replace the run in an existing directory', kind: flag, commands: ['train'] },
  {
    key: 'resume',
    flag: '--resume [run]',
    description: 'resume a stopped run (default: runs/latest); with more --steps, extend it',
    kind: text,
    commands: ['train'],
  },
  {
    key: 'continue',
    flag: '--continue',
    description: 'begin the run in --out, or resume it; if it is done, or in use by another process, say so and end with 0',
    kind: flag,
    commands: ['train'],
  },
  {
    key: 'open',
    flag: '--open',
    description: 'show the run in the browser while it trains: report.html in its directory, rewritten at evaluations',
    kind: flag,
    commands: ['train'],
  },
  {
    key: 'plot',
    flag: '--no-plot',
    description: 'draw no loss curves above the progress in a terminal',
    kind: flag,
    commands: ['train'],
  },
  {
    key: 'mutant',
    flag: '--mutant <name>',
    description: 'train with one wrong gradient and with the right ones (then, by default, --hidden 64 --steps 5000)',
    kind: text,
    commands: ['train', 'train --mutant'],
  },
  THREADS_OPTION,
  ...TRAINING_OPTIONS,
] as const satisfies readonly OptionRow[];

export type TrainRow = (typeof TRAIN_OPTIONS)[number];

/** The options on the command line. Without a run, --resume means the newest. */
export type GivenTrainOptions = Omit<GivenValues<TrainRow>, 'resume'> & { resume?: string | true };
