import { choice, text } from '../../core/kinds.js';
import { createExamples, SPLITS, type Split } from '../../data/dataset.js';
import { EVALUATION_BATCH, Evaluator } from '../../evaluation/evaluator.js';
import { loadCheckpoint } from '../../node/checkpointFile.js';
import { findCheckpoint } from '../../node/runDirectory.js';
import { defineCommand } from '../command.js';
import { loadRunData } from '../data.js';
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
  ],
  examples: [
    ['backprop-ninja eval', "the newest run's validation loss"],
    ['backprop-ninja eval runs/0001 --split test', "another run's test loss"],
  ],
  async run({ io, json, options: { split, data: file }, printJson }, run?: string) {
    const path = findCheckpoint(io.cwd, run);
    const checkpoint = loadCheckpoint(path);
    const { dataset } = loadRunData(path, checkpoint, file, 'may be another', io);
    const names = dataset.parts[split];
    const examples = createExamples(names, checkpoint.vocabulary, checkpoint.config.context);
    const { loss, signal } = await inTurns(io, async (turns) => {
      const model = await calibratedModel({ path, checkpoint }, [EVALUATION_BATCH], turns, io);
      return { loss: model && (await turns.run(new Evaluator(model).lossInParts(examples))), signal: turns.signal };
    });
    if (loss === undefined) return EXIT_SIGNAL[signal as StopSignal];
    if (json) printJson({ checkpoint: path, split, loss, names: names.length, examples: examples.count });
    else
      io.stdout.write(
        `${SPLIT_TEXT[split]} loss ${formatLoss(loss)} nats per character, over ${formatCountOf(names.length, 'name')} (${formatCountOf(examples.count, 'example')})\n`,
      );
    return 0;
  },
});
