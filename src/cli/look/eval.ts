import { UsageError } from '../../core/errors.js';
import { choice, flag, text } from '../../core/kinds.js';
import { createExamples, SPLITS, type Split } from '../../data/dataset.js';
import { EVALUATION_BATCH, Evaluator } from '../../evaluation/evaluator.js';
import { loadCheckpoint } from '../../node/checkpointFile.js';
import { findCheckpoint } from '../../node/runDirectory.js';
import { defineCommand } from '../command.js';
import { loadRunData, loadWholeList } from '../data.js';
import { THREADS_OPTION, withKernels } from '../kernels.js';
import { EXIT_SIGNAL } from '../terminal/exitCodes.js';
import { formatCountOf, formatLoss } from '../terminal/format.js';
import type { StopSignal } from '../terminal/io.js';
import { inTurns } from '../terminal/turns.js';
import { calibratedModel } from './calibrated.js';

const SPLIT_TEXT: Record<Split, string> = { train: 'training', val: 'validation', test: 'test' };

export const evaluate = defineCommand({
  description: "Prints a run's mean loss over every example of a part of its data.",
  arguments: [{ name: '[run]', description: 'run directory or checkpoint', defaultText: 'runs/latest' }],
  options: [
    { key: 'split', flag: '--split <part>', description: 'part of the data', kind: choice(SPLITS), default: 'val' as Split },
    { key: 'data', flag: '--data <file>', description: 'data set', defaultText: "the run's own", kind: text },
    { key: 'whole', flag: '--whole', description: 'judge the whole list as it is, without splitting it', kind: flag },
    { key: 'column', flag: '--column <column>', description: 'with --whole: column of the file that holds the names', kind: text },
    THREADS_OPTION,
  ],
  examples: [
    ['backprop-ninja eval', "the newest run's validation loss"],
    ['backprop-ninja eval runs/0001 --split test', "another run's test loss"],
    ['backprop-ninja eval --data val.txt --whole', 'the loss over every name of a list'],
  ],
  async run({ io, json, options: { split, data: file, whole = false, column, threads }, given, printJson }, run?: string) {
    checkOptions(given);
    const path = findCheckpoint(io.cwd, run);
    const checkpoint = loadCheckpoint(path);
    const names = whole
      ? loadWholeList(path, checkpoint, { file, column }, io)
      : loadRunData(path, checkpoint, file, 'may be another', io).dataset.parts[split];
    const examples = createExamples(names, checkpoint.vocabulary, checkpoint.config.context);
    const { loss, signal } = await withKernels(threads, io, (createBackend) =>
      inTurns(io, async (turns) => {
        const model = await calibratedModel({ path, checkpoint }, [EVALUATION_BATCH], createBackend, turns, io);
        return { loss: model && (await turns.run(new Evaluator(model).lossInParts(examples))), signal: turns.signal };
      }),
    );
    if (loss === undefined) return EXIT_SIGNAL[signal as StopSignal];
    if (json) printJson({ checkpoint: path, split: whole ? 'whole' : split, loss, names: names.length, examples: examples.count });
    else
      io.stdout.write(
        `${whole ? 'loss' : `${SPLIT_TEXT[split]} loss`} ${formatLoss(loss)} nats per character, over ${formatCountOf(names.length, 'name')} (${formatCountOf(examples.count, 'example')})\n`,
      );
    return 0;
  },
});

/** @throws UsageError for options that contradict each other */
function checkOptions(given: { split?: Split; data?: string; whole?: boolean; column?: string }): void {
  if (given.whole && given.split !== undefined) {
    throw new UsageError(`--whole judges the whole list, --split ${given.split} a part of it`, { hint: 'leave one of them out' });
  }
  if (given.column === undefined || (given.whole && given.data !== undefined)) return;
  throw new UsageError('--column goes with --data and --whole: the parts of a data set are read as the run read it');
}
