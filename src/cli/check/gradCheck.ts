import { choice, decimalNumber, text, wholeNumber, wholeNumberOrAll } from '../../core/kinds.js';
import type { OptionRow } from '../../core/optionRow.js';
import { CHECK_DEFAULTS, PARTS } from '../../gradCheck/options.js';
import { DEFAULT_SEED, MAX_SEED } from '../../training/options.js';
import { defineCommand } from '../command.js';
import { EXIT_NO } from '../terminal/exitCodes.js';
import { gradCheckCommand } from './gradCheckCommand.js';

const OPTIONS = [
  { key: 'part', flag: '--part <name...>', description: 'parts to check', defaultText: 'all', kind: choice(PARTS), repeatable: true },
  {
    key: 'eps',
    flag: '--eps <h>',
    description: 'step of the differences, relative to the scale on which the network bends',
    kind: decimalNumber(0, 0.1, 'open'),
    default: CHECK_DEFAULTS.eps,
  },
  {
    key: 'tolerance',
    flag: '--tolerance <t>',
    description: 'largest relative difference of a tensor',
    kind: decimalNumber(0, 1, 'open'),
    default: CHECK_DEFAULTS.tolerance,
  },
  {
    key: 'entries',
    flag: '--entries <count>',
    description: 'entries to check per tensor, or all',
    kind: wholeNumberOrAll(1, 1_000_000_000),
    default: CHECK_DEFAULTS.entries as number | 'all',
  },
  {
    key: 'seed',
    flag: '--seed <number>',
    description: 'seed of parameters, batches and entries',
    kind: wholeNumber(0, MAX_SEED),
    default: DEFAULT_SEED,
  },
  {
    key: 'against',
    flag: '--against <file>',
    description: 'check gradients from elsewhere: a safetensors file with parameters, Xb, Yb and d… tensors',
    kind: text,
  },
] as const satisfies readonly OptionRow[];

export const gradCheck = defineCommand({
  description: 'Compares every hand-written gradient with finite differences.',
  options: OPTIONS,
  examples: [
    ['backprop-ninja grad-check', 'all parts, in a few seconds'],
    ['backprop-ninja grad-check --part atomic --entries all', 'every entry of the 26 gradients'],
    ['backprop-ninja grad-check --against mine.safetensors', "for example PyTorch's gradients, against ours"],
  ],
  async run({ io, json, color, options, given }) {
    const passed = await gradCheckCommand({ ...options, json, color }, (name) => name in given, io);
    return passed ? 0 : EXIT_NO;
  },
});
