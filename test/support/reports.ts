import { createReferenceBackend } from '../../src/backend/reference.js';
import type { FloatArray } from '../../src/core/tensor.js';
import { createDataset, createExamples } from '../../src/data/dataset.js';
import { createModel } from '../../src/network/arrays.js';
import { toBase64Tensor } from '../../src/run/base64Tensor.js';
import type { ReportData, ReportRun } from '../../src/run/reportData.js';
import { modelConfig } from '../../src/training/runConfig.js';
import { Training } from '../../src/training/training.js';
import { NAMES } from './fakeIO.js';
import { RUN_CONFIG } from './runConfig.js';

/** A small run in a report, as if it had been trained to its end. */
export function reportRun(changed: Partial<ReportRun> = {}): ReportRun {
  const config = RUN_CONFIG;
  const { vocabulary, parts } = createDataset(NAMES, config);
  const model = createModel(createReferenceBackend('float32'), modelConfig(config, vocabulary));
  const training = new Training(model, createExamples(parts.train, vocabulary, config.context), config);
  while (!training.done) training.advance();
  const stored = (arrays: Readonly<Record<string, FloatArray>>) =>
    Object.fromEntries(Object.entries(arrays).map(([name, data]) => [name, toBase64Tensor(data)]));
  const losses = (loss: number) => ({ train: loss, val: loss, test: loss });
  return {
    name: '0007',
    command: 'backprop-ninja train --steps 20',
    program: 'backprop-ninja 1.2.3',
    config,
    vocabulary: [...vocabulary],
    dataNames: 40,
    step: 20,
    seconds: 1.5,
    best: { step: 20, valLoss: 2.12 },
    losses: [
      [10, 2.9, 0.1],
      [20, 2.2, 0.01],
    ],
    valLosses: [
      [10, 2.5],
      [20, 2.12],
    ],
    diagnostics: [],
    result: {
      trainLoss: 2.06,
      valLoss: 2.12,
      testLoss: 2.13,
      valSeen: { names: 1, loss: 2 },
      valUnseen: { names: 3, loss: 2.2 },
      baselines: { uniform: losses(3.2958), bigram: losses(2.45), fourGram: losses(2.2) },
      samples: ['mora', 'ana', 'ell'],
      origins: ['new', 'training', 'held out'],
    },
    gradCheck: { ok: true, tensors: 7, largest: 1e-9 },
    findings: [],
    hashes: { checkpoint: '0'.repeat(64), data: '1'.repeat(64), C: '0123456789abcdef' },
    parameters: stored(model.parameters),
    statistics: stored(model.statistics),
    notes: [],
    ...changed,
  };
}

/** A report of these runs. */
export function reportOf(...runs: ReportRun[]): ReportData {
  return { runs, sweep: null, live: false };
}
