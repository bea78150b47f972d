import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createReferenceBackend } from '../../src/backend/reference.js';
import type { FloatArray } from '../../src/core/tensor.js';
import { createDataset, createExamples } from '../../src/data/dataset.js';
import { createModel } from '../../src/network/arrays.js';
import { toBase64Tensor } from '../../src/run/base64Tensor.js';
import { fillReport, type ReportData, type ReportRun } from '../../src/run/reportData.js';
import { reportText } from '../../src/run/reportSummary.js';
import type { DiagnosticsRecord } from '../../src/training/diagnostics.js';
import type { RunConfig } from '../../src/training/runConfig.js';
import { modelConfig } from '../../src/training/runConfig.js';
import { Training } from '../../src/training/training.js';
import { NAMES } from './fakeIO.js';
import { inProject } from './inProject.js';
import { RUN_CONFIG } from './runConfig.js';
import { tempDirectory } from './tempDirectory.js';

/** A small run in a report, as if it had been trained to its end. */
export function reportRun(changed: Partial<ReportRun> = {}): ReportRun {
  return { ...trainedRun(RUN_CONFIG, NAMES), diagnostics: [], ...changed };
}

/** Such a run with its diagnostics, trained with other options on other names; it may diverge. */
export function diagnosedRun(
  config: Partial<RunConfig> = {},
  changed: Partial<ReportRun> = {},
  names: readonly string[] = NAMES,
): ReportRun {
  return { ...trainedRun({ ...RUN_CONFIG, ...config }, names), ...changed };
}

function trainedRun(config: RunConfig, names: readonly string[]): ReportRun {
  const { vocabulary, parts } = createDataset(names, config);
  const model = createModel(createReferenceBackend('float32'), modelConfig(config, vocabulary));
  const diagnostics: DiagnosticsRecord[] = [];
  const hooks = { onDiagnostics: (record: DiagnosticsRecord) => diagnostics.push(record), diagnoseEvery: 5 };
  const training = new Training(model, createExamples(parts.train, vocabulary, config.context), config, hooks);
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
    step: config.steps,
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
    diagnostics,
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
    looked: true,
    findings: [],
    hashes: { checkpoint: '0'.repeat(64), data: '1'.repeat(64), C: '0123456789abcdef' },
    parameters: stored(model.parameters),
    statistics: stored(model.statistics),
    notes: [],
  };
}

/** A report of these runs. */
export function reportOf(...runs: ReportRun[]): ReportData {
  return { runs, sweep: null, live: false };
}

/** Writes a report as the command does. @returns its path */
export function writeReport(data: ReportData, path = join(tempDirectory(), 'report.html')): string {
  writeFileSync(path, fillReport(readFileSync(inProject('dist/report.html'), 'utf8'), data, reportText(data)));
  return path;
}
