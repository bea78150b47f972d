import { createExamples, type Split } from '../../data/dataset.js';
import { EVALUATION_BATCH, Evaluator } from '../../evaluation/evaluator.js';
import { loadCheckpoint } from '../../node/checkpointFile.js';
import { createWasmBackend } from '../../node/kernels.js';
import { findCheckpoint } from '../../node/runDirectory.js';
import { restoreModel } from '../../run/checkpoint.js';
import { loadRunData } from '../data.js';
import { formatCount, formatLoss } from '../terminal/format.js';
import type { IO } from '../terminal/io.js';

export interface EvalCommandOptions {
  split: Split;
  data?: string;
  json?: boolean;
}

const SPLIT_TEXT: Record<Split, string> = { train: 'training', val: 'validation', test: 'test' };

export function evalCommand(run: string | undefined, { split, data: file, json }: EvalCommandOptions, io: IO): void {
  const path = findCheckpoint(io.cwd, run);
  const checkpoint = loadCheckpoint(path);
  const data = loadRunData(path, checkpoint, file, 'may be another', io);
  const names = data.dataset.parts[split];
  const examples = createExamples(names, checkpoint.vocabulary, checkpoint.config.context);
  const loss = new Evaluator(restoreModel(checkpoint, createWasmBackend, { inference: [EVALUATION_BATCH] })).loss(examples);
  if (json) io.stdout.write(`${JSON.stringify({ checkpoint: path, split, loss, names: names.length, examples: examples.count })}\n`);
  else
    io.stdout.write(
      `${SPLIT_TEXT[split]} loss ${formatLoss(loss)} nats per character, over ${formatCount(names.length)} names (${formatCount(examples.count)} examples)\n`,
    );
}
