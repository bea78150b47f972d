import { createReferenceBackend } from '../../src/backend/reference.js';
import { createDataset, createExamples, type Examples } from '../../src/data/dataset.js';
import { Evaluator } from '../../src/evaluation/evaluator.js';
import { createActivations, createModel, type Model } from '../../src/network/arrays.js';
import type { Norm } from '../../src/network/parameters.js';
import { inferCalls, runCalls } from '../../src/network/passes.js';
import { type ExportedModel, exportedModel } from '../../src/run/exportedModel.js';
import { modelConfig } from '../../src/training/runConfig.js';
import { Training } from '../../src/training/training.js';
import { DATA_SHA256 } from './checkpoints.js';
import { NAMES } from './fakeIO.js';
import { RUN_CONFIG } from './runConfig.js';

/** A network after a few steps of training, calibrated; as it is, and exported. */
export function trainedExport(
  hidden: readonly number[],
  norm: Norm = 'batch',
): { model: Model; exported: ExportedModel; examples: Examples } {
  const config = { ...RUN_CONFIG, hidden, norm };
  const { vocabulary, parts } = createDataset(NAMES, config);
  const model = createModel(createReferenceBackend('float32'), modelConfig(config, vocabulary));
  const examples = createExamples(parts.train, vocabulary, config.context);
  const training = new Training(model, examples, config);
  while (!training.done) training.advance();
  new Evaluator(model).calibrate(examples);
  const tensors = new Map(Object.entries({ ...model.parameters, ...model.statistics }));
  const checkpoint = {
    program: 'backprop-ninja 1.2.3',
    config,
    vocabulary,
    state: training.state,
    best: null,
    dataSha256: DATA_SHA256,
    tensors,
  };
  return { model, exported: exportedModel(checkpoint, model), examples };
}

/** The network's own logits of contexts [n,T]. */
export function logitsOf(model: Model, contexts: readonly number[]): number[] {
  const n = contexts.length / model.config.context;
  const a = createActivations(model, n);
  a.Xb.set(contexts);
  runCalls(inferCalls(model, a, n));
  return [...a.logits.subarray(0, n * model.config.vocabulary)];
}
