/** The report on a trained network: its losses, baselines to compare them with, and sampled names. */
import type { Job } from '../core/job.js';
import { randomStream } from '../core/random.js';
import { createExamples, type Dataset, type Examples, type Split } from '../data/dataset.js';
import { NameIndex } from '../data/nameIndex.js';
import type { NameList } from '../data/nameList.js';
import type { Model } from '../network/arrays.js';
import type { Evaluator } from './evaluator.js';
import { NGram } from './ngram.js';
import { Sampler } from './sampler.js';

/** Names that a report samples. */
export const SAMPLES = 20;

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
  /** The probability that a sampled name would be empty. Such names are drawn again. */
  emptyNameProbability: number;
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
 * Evaluates a network over every example, and samples from it, in parts.
 * @throws NumericalError if a number is not finite; the message names the tensor
 */
export function* reportInParts({ model, evaluator, dataset, trainExamples, seed }: ReportInput): Job<Report> {
  const { vocabulary, parts } = dataset;
  const trainLoss = yield* evaluator.lossInParts(trainExamples);
  const lossOf = (names: NameList) => evaluator.lossInParts(createExamples(names, vocabulary, model.config.context));
  const originOf = yield* originsInParts(dataset);
  const seen = yield* parts.val.filterInParts((name) => originOf(name) === 'training');
  const unseen = yield* parts.val.filterInParts((name) => originOf(name) !== 'training');
  const sampler = new Sampler(model, vocabulary, randomStream('sampling', seed));
  const sampling = { temperature: 1, prefix: '' };
  const samples: string[] = [];
  for (; samples.length < SAMPLES; yield) samples.push(sampler.sample(sampling).name);
  return {
    trainLoss,
    valLoss: yield* lossOf(parts.val),
    testLoss: yield* lossOf(parts.test),
    valSeen: { names: seen.length, loss: yield* lossOf(seen) },
    valUnseen: { names: unseen.length, loss: yield* lossOf(unseen) },
    baselines: yield* baselinesInParts(dataset),
    samples,
    emptyNameProbability: sampler.emptyProbability(sampling),
    origins: samples.map(originOf),
  };
}

/** The losses of models that learn nothing, or count, in parts. */
export function* baselinesInParts(dataset: Dataset): Job<Report['baselines']> {
  return {
    uniform: eachSplit(() => Math.log(dataset.vocabulary.length)),
    bigram: yield* ngramLosses(dataset, 2),
    fourGram: yield* ngramLosses(dataset, 4),
  };
}

/** Tells where the names of a data set occur, in parts. */
export function* originsInParts({ parts }: Dataset): Job<(name: string) => SampleOrigin> {
  const training = yield* NameIndex.inParts(parts.train);
  const validation = yield* NameIndex.inParts(parts.val);
  const test = yield* NameIndex.inParts(parts.test);
  return (name) => (training.has(name) ? 'training' : validation.has(name) || test.has(name) ? 'held out' : 'new');
}

function* ngramLosses({ parts, vocabulary }: Dataset, order: number): Job<Losses> {
  const model = yield* NGram.inParts(parts.train, vocabulary, order);
  const lossOf = (split: Split) => model.lossInParts(parts[split]);
  return { train: yield* lossOf('train'), val: yield* lossOf('val'), test: yield* lossOf('test') };
}

function eachSplit(loss: (split: Split) => number): Losses {
  return { train: loss('train'), val: loss('val'), test: loss('test') };
}
