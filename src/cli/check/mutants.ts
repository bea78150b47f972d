import { defineCommand } from '../command.js';
import { EXIT_NO } from '../terminal/exitCodes.js';
import { mutantsCommand } from './mutantsCommand.js';

export const mutants = defineCommand({
  description: 'Plants every mistake of the bank, and shows which gradient checks notice it.',
  examples: [
    ['backprop-ninja mutants', 'the kill matrix: ours beside the usual checks'],
    ['backprop-ninja mutants --json', 'the same, with what the dojo says about each'],
  ],
  run: async ({ io, json, color }) => ((await mutantsCommand({ json, color }, io)) ? 0 : EXIT_NO),
});
