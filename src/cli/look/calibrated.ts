import type { CreateBackend } from '../../backend/backend.js';
import { createExamples } from '../../data/dataset.js';
import { EVALUATION_BATCH, Evaluator } from '../../evaluation/evaluator.js';
import type { Model } from '../../network/arrays.js';
import { hasBatchNorm } from '../../network/parameters.js';
import { type Checkpoint, restoreModel } from '../../run/checkpoint.js';
import { loadRunData } from '../data.js';
import { formatCountOf } from '../terminal/format.js';
import type { IO } from '../terminal/io.js';
import type { Turns } from '../terminal/turns.js';

/**
 * A checkpoint's network, ready for evaluation and sampling. If its statistics are missing, they are computed first.
 * @param path the checkpoint's path
 * @param file the run's data set, if it is not where run.json says
 * @param inference the batch sizes it will be used with
 * @returns undefined if a signal came first
 */
export async function calibratedModel(
  { path, checkpoint, file }: { path: string; checkpoint: Checkpoint; file?: string | undefined },
  inference: number[],
  createBackend: CreateBackend,
  turns: Turns,
  io: IO,
): Promise<Model | undefined> {
  if (!checkpoint.statistics || !hasBatchNorm(checkpoint.config)) return restoreModel(checkpoint, createBackend, { inference });
  const { dataset } = loadRunData(path, checkpoint, file, 'must be the same', io);
  const model = restoreModel(checkpoint, createBackend, { inference: [EVALUATION_BATCH, ...inference] });
  const examples = createExamples(dataset.parts.train, checkpoint.vocabulary, checkpoint.config.context);
  io.stderr.write(
    `note: the run was stopped before the statistics of batch norm were computed; computing them from ${formatCountOf(examples.count, 'example')}\n`,
  );
  await turns.run(new Evaluator(model).calibrateInParts(examples));
  return turns.signal ? undefined : model;
}
