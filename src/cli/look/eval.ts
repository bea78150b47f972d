import { choice, text } from '../../core/kinds.js';
import { createExamples, SPLITS, type Split } from '../../data/dataset.js';
import { EVALUATION_BATCH, Evaluator } from '../../evaluation/evaluator.js';
import { loadCheckpoint } from '../../node/checkpointFile.js';
import { createWasmBackend } from '../../node/kernels.js';
import { findCheckpoint } from '../../node/runDirectory.js';
import { restoreModel } from '../../run/checkpoint.js';
import { defineCommand } from '../command.js';
import { loadRunData } from '../data.js';
import { formatCount, formatLoss } from '../terminal/format.js';

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
  run({ io, json, options: { split, data: file }, printJson }, run?: string) {
    const path = findCheckpoint(io.cwd, run);
    const checkpoint = loadCheckpoint(path);
    const { dataset } = loadRunData(path, checkpoint, file, 'may be another', io);
    const names = dataset.parts[split];
    const examples = createExamples(names, checkpoint.vocabulary, checkpoint.config.context);
    const loss = new Evaluator(restoreModel(checkpoint, createWasmBackend, { inference: [EVALUATION_BATCH] })).loss(examples);
    if (json) return printJson({ checkpoint: path, split, loss, names: names.length, examples: examples.count });
    io.stdout.write(
      `${SPLIT_TEXT[split]} loss ${formatLoss(loss)} nats per character, over ${formatCount(names.length)} names (${formatCount(examples.count)} examples)\n`,
    );
  },
});
