/** The report on a trained network: its losses, baselines to compare them with, and sampled names. */
import { randomStream } from '../core/random.js';
import { createExamples, type Dataset, type Examples, type Split } from '../data/dataset.js';
import type { Model } from '../network/arrays.js';
import type { Evaluator } from './evaluator.js';
import { NGram } from './ngram.js';
import { Sampler } from './sampler.js';

const SAMPLES = 20;

/** The mean loss of each split, in nats per character. */
export type Losses = Record<Split, number>;
/** Whether a sampled name occurs in the training split, only in the validation or test split, or nowhere in the data. */
export type SampleOrigin = 'new' | 'training' | 'held out';

/** All losses are means in nats per character. */
export interface Report {
  trainLoss: number;
  valLoss: number;
  testLoss: number;
  /** Validation names that are also in the training split, and those that are not. */
  valSeen: { names: number; loss: number };
  valUnseen: { names: number; loss: number };
  baselines: { uniform: Losses; bigram: Losses; fourGram: Losses };
  samples: string[];
  /** The origin of each sample. */
  origins: SampleOrigin[];
}

export interface ReportInput {
  model: Model;
  /** The evaluator of this model, calibrated. */
  evaluator: Evaluator;
  dataset: Dataset;
  trainExamples: Examples;
  /** The seed of the samples. */
  seed: number;
}

/**
 * Evaluates a network over every example, and samples from it.
 * @throws NumericalError if a number is not finite; the message names the tensor
 */
export function createReport({ model, evaluator, dataset, trainExamples, seed }: ReportInput): Report {
  const { vocabulary, parts } = dataset;
  const trainLoss = evaluator.loss(trainExamples);
  const lossOf = (names: readonly string[]) => evaluator.loss(createExamples(names, vocabulary, model.config.context));
  const inTraining = new Set(parts.train);
  const heldOut = new Set([...parts.val, ...parts.test]);
  const seen = parts.val.filter((name) => inTraining.has(name));
  const unseen = parts.val.filter((name) => !inTraining.has(name));
  const sampler = new Sampler(model, vocabulary, randomStream('sampling', seed));
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
