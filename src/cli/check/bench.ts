import { choice, decimalNumber } from '../../core/kinds.js';
import { rowsOf } from '../../core/optionRow.js';
import { RECIPE_OPTIONS } from '../../training/options.js';
import { defineCommand } from '../command.js';
import { DATA_OPTION } from '../options.js';
import { EXIT_NO } from '../terminal/exitCodes.js';
import { benchCommand } from './benchCommand.js';

export const bench = defineCommand({
  description: 'Times the training loop and each layer, after comparing the results of the backends.',
  options: [
    DATA_OPTION,
    {
      key: 'backend',
      flag: '--backend <name>',
      description: 'backend to time',
      kind: choice(['wasm', 'reference', 'both']),
      default: 'both' as 'wasm' | 'reference' | 'both',
    },
    {
      key: 'seconds',
      flag: '--seconds <s>',
      description: 'time to spend on each backend',
      kind: decimalNumber(0, 3600, 'open'),
      default: 3,
    },
    ...rowsOf(RECIPE_OPTIONS, 'bench'),
  ],
  examples: [
    ['backprop-ninja bench', "the lesson's network, both backends"],
    ['backprop-ninja bench --hidden 1024 --batch-size 256 --backend wasm', 'a large network, kernels only'],
    ['backprop-ninja bench --hidden 300,200', 'a network of two blocks'],
  ],
  run: async ({ io, json, color, options }) => ((await benchCommand({ ...options, json, color }, io)) ? 0 : EXIT_NO),
});
