import { wholeNumber } from '../../core/kinds.js';
import { MAX_SEED } from '../../training/options.js';
import { defineCommand } from '../command.js';
import { EXIT_NO } from '../terminal/exitCodes.js';
import { huntCommand } from './huntCommand.js';

export const hunt = defineCommand({
  description: 'Find the one wrong line in a backward pass, with as few probes as you can.',
  options: [
    {
      key: 'seed',
      flag: '--seed <number>',
      description: 'seed of the mistake',
      defaultText: 'a new one each time',
      kind: wholeNumber(0, MAX_SEED),
    },
  ],
  examples: [
    ['backprop-ninja hunt', 'a mistake you have not seen'],
    ['backprop-ninja hunt --seed 7', 'the same mistake for everybody'],
  ],
  run: async ({ io, json, color, options }) => ((await huntCommand({ ...options, json, color }, io)) ? 0 : EXIT_NO),
});
