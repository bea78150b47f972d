import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { NumericalError } from '../../core/errors.js';
import { randomStream } from '../../core/random.js';
import { createExamples, type Dataset, type Examples, type Split } from '../../data/dataset.js';
import type { Evaluator } from '../../evaluation/evaluator.js';
import { NGram } from '../../evaluation/ngram.js';
import { Sampler } from '../../evaluation/sampler.js';
import type { Model } from '../../network/arrays.js';
import { BEST_FILE } from '../../node/runDirectory.js';
import type { BestEvaluation } from '../../run/checkpoint.js';
import type { RunConfig } from '../../training/runConfig.js';
import { paintFor } from '../terminal/colors.js';
import { formatCount, formatLoss, formatTable } from '../terminal/format.js';
import { commandName, type IO, shellPath, shortPath } from '../terminal/io.js';

const SAMPLES = 20;

type Losses = Record<Split, number>;
type Origin = 'new' | 'training' | 'held out';

/** A trained network's losses, with what a reader needs to judge them, and names it makes up. */
export interface Report {
  trainLoss: number;
  valLoss: number;
  testLoss: number;
  /** Validation names that also stand in the training part, and those that do not. */
  valSeen: { names: number; loss: number };
  valUnseen: { names: number; loss: number };
  baselines: { uniform: Losses; bigram: Losses; fourGram: Losses };
  samples: string[];
  /** Where each sample stands in the data. */
  origins: Origin[];
}

/** Evaluates a calibrated network over every example, and samples from it. */
export function createReport(model: Model, evaluator: Evaluator, dataset: Dataset, trainExamples: Examples, config: RunConfig): Report {
  const { vocabulary, parts } = dataset;
  const trainLoss = evaluator.loss(trainExamples);
  if (!Number.isFinite(trainLoss)) throw new NumericalError(`the training loss is ${trainLoss} after the last step; a lower --lr may help`);
  const lossOf = (names: readonly string[]) => evaluator.loss(createExamples(names, vocabulary, config.context));
  const inTraining = new Set(parts.train);
  const heldOut = new Set([...parts.val, ...parts.test]);
  const seen = parts.val.filter((name) => inTraining.has(name));
  const unseen = parts.val.filter((name) => !inTraining.has(name));
  const sampler = new Sampler(model, vocabulary, randomStream('sampling', config.seed));
  const samples = Array.from({ length: SAMPLES }, () => sampler.sample({ temperature: 1, prefix: '' }).name);
  return {
    trainLoss,
    valLoss: lossOf(parts.val),
    testLoss: lossOf(parts.test),
    valSeen: { names: seen.length, loss: lossOf(seen) },
    valUnseen: { names: unseen.length, loss: lossOf(unseen) },
    baselines: {
      uniform: eachSplit(() => Math.log(vocabulary.length)),
      bigram: ngramLosses(dataset, 2),
      fourGram: ngramLosses(dataset, 4),
    },
    samples,
    origins: samples.map((name) => (inTraining.has(name) ? 'training' : heldOut.has(name) ? 'held out' : 'new')),
  };
}

function ngramLosses({ parts, vocabulary }: Dataset, order: number): Losses {
  const table = new NGram(parts.train, vocabulary, order);
  return eachSplit((split) => table.loss(parts[split]));
}

function eachSplit(loss: (split: Split) => number): Losses {
  return { train: loss('train'), val: loss('val'), test: loss('test') };
}

const ORIGIN_TEXT: Record<Origin, string> = { new: 'new', training: 'in the training part', 'held out': 'in validation or test' };

export async function printReport(
  report: Report,
  best: BestEvaluation | null,
  { vocabulary }: Dataset,
  run: string,
  io: IO,
  color: boolean,
): Promise<void> {
  const { trainLoss, valLoss, testLoss, valSeen, valUnseen, baselines, samples, origins } = report;
  const paint = await paintFor(io.stdout, io.env, color);
  const row = (name: string, { train, val, test }: Losses) => [name, ...[train, val, test].map(formatLoss)];
  const [head, network, ...others] = formatTable(
    [
      ['loss in nats per character', 'train', 'validation', 'test'],
      row('this network', { train: trainLoss, val: valLoss, test: testLoss }),
      row('4-grams, +0.1', baselines.fourGram),
      row('bigrams, +0.1', baselines.bigram),
      row(`uniform, ln ${vocabulary.length}`, baselines.uniform),
    ],
    ['left', 'right', 'right', 'right'],
  );
  const seen = [
    valSeen.names > 0 ? `${formatLoss(valSeen.loss)} on the ${formatCount(valSeen.names)} also seen in training` : '',
    valUnseen.names > 0 ? `${formatLoss(valUnseen.loss)} on the ${formatCount(valUnseen.names)} not seen` : '',
  ].filter((text) => text !== '');
  const fresh = origins.filter((origin) => origin === 'new').length;
  const nameLines = formatTable(
    samples.map((name, i) => [name, ORIGIN_TEXT[origins[i]]]),
    ['left', 'left'],
  ).map((line, i) => (origins[i] === 'new' ? line : paint.dim(line)));
  const lines = [
    '',
    paint.dim(head),
    paint.bold(network),
    ...others,
    '',
    `validation names: ${seen.join(', ')}`,
    ...(best && best.valLoss < valLoss && existsSync(join(run, BEST_FILE))
      ? [
          `best validation loss: ${formatLoss(best.valLoss)} after step ${formatCount(best.step)}, kept in ${shortPath(join(run, BEST_FILE), io)}`,
        ]
      : []),
    '',
    `${samples.length} names sampled, ${fresh} of them new:`,
    ...nameLines.map((line) => `  ${line}`),
    '',
    `more names: ${commandName(io)} sample ${shellPath(run, io)}`,
  ];
  io.stdout.write(`${lines.join('\n')}\n`);
}
