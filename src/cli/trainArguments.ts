import type { Command } from 'commander';
import { UsageError } from '../errors.js';
import type { IO } from './io.js';
import { createProgram } from './program.js';

/** What a sweep decides itself for each of its runs. */
const SWEEP_DECIDES = ['out', 'force', 'resume', 'mutant', 'json', 'debug'];

/** @throws CommanderError, or UsageError, if `train` would not take these arguments in a sweep */
export function checkTrainArguments(words: readonly string[]): void {
  const silent = { write: () => {}, isTTY: false, columns: 80 };
  const program = createProgram({ stdout: silent, stderr: silent, env: {} } as unknown as IO, () => {});
  const train = program.commands.find((command) => command.name() === 'train') as Command;
  train.action(() => {});
  program.parse(['train', ...words], { from: 'user' });
  const decided = SWEEP_DECIDES.find((option) => train.getOptionValueSource(option) === 'cli');
  if (decided) throw new UsageError(`--${decided} has no meaning for the runs of a sweep`);
}
