import { expect, it } from 'vitest';
import { type OptionRow, readOption } from '../../src/core/optionRow.js';
import { TRAINING_OPTIONS } from '../../src/training/options.js';
import { runCli } from '../support/fakeIO.js';
import { tempDirectory } from '../support/tempDirectory.js';

const ROWS = (TRAINING_OPTIONS as readonly OptionRow[]).filter(
  ({ flag, kind, commands }) =>
    flag !== undefined && commands?.includes('train') && kind.read('no value') === undefined && kind.stored.type !== 'flag',
);

it.each(ROWS.map((row) => [row.flag as string, row] as const))('%s refuses a text in the words of the command line', async (flag, row) => {
  const { stderr } = await runCli(tempDirectory(), ['train', flag.split(' ')[0] as string, 'no value']);
  expect(() => readOption(row, 'no value')).toThrow(
    stderr
      .replace(/^error: /, '')
      .trim()
      .replaceAll('\n', ' '),
  );
});
