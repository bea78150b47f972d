import { complete } from '../../src/core/job.js';
import { createDataset, createExamples } from '../../src/data/dataset.js';
import { EVALUATION_BATCH } from '../../src/evaluation/evaluator.js';
import { allocateModel, type Model } from '../../src/network/arrays.js';
import { initialise } from '../../src/network/initialise.js';
import { createWasmBackend } from '../../src/node/kernels.js';
import { sha256 } from '../../src/node/sha256.js';
import type { FindingFacts } from '../../src/run/findings/finding.js';
import { lookAtMany, lookSize } from '../../src/run/findings/lookAtMany.js';
import type { MetricsRecord } from '../../src/run/records.js';
import { RunTraining } from '../../src/run/runTraining.js';
import { TRAINING_OPTIONS, type TrainingOptionValues } from '../../src/training/options.js';
import type { PresetName } from '../../src/training/presets.js';
import { createRunConfig, sizesOf, withPreset } from '../../src/training/recipe.js';
import { modelConfig, trainingCapacity } from '../../src/training/runConfig.js';
import { NAMES } from './fakeIO.js';

export interface DiagnosedRun {
  preset?: PresetName;
  names?: Iterable<string>;
  /** Changes the parameters that the run begins with. */
  change?: ((model: Model) => void) | undefined;
}

/** Multiplies the entries of a parameter. */
export const times = (name: string, factor: number) => (model: Model) => {
  const values = model.parameters[name as keyof Model['parameters']];
  values.forEach((x, i) => {
    values[i] = x * factor;
  });
};

/** Trains a run in memory, diagnosed 20 times, and looks at its network before and after. */
export function diagnosedRun(given: TrainingOptionValues, { preset = 'lesson', names = NAMES, change }: DiagnosedRun = {}): FindingFacts {
  const asked = withPreset(TRAINING_OPTIONS, preset, given);
  const dataset = createDataset(names, { splitSeed: 42, unique: false });
  const drawn = createRunConfig(asked, sizesOf(dataset));
  const config = change ? { ...drawn, init: '0'.repeat(64) } : drawn;
  const shape = modelConfig(config, dataset.vocabulary);
  const examples = createExamples(dataset.parts.train, dataset.vocabulary, config.context);
  const begin = (model: Model) => {
    initialise(model, config.seed, config);
    change?.(model);
  };
  const look = (step: number, fill: (model: Model) => void) => {
    const model = allocateModel(createWasmBackend, shape, { training: lookSize(shape, examples) });
    fill(model);
    return { step, diagnostics: complete(lookAtMany(model, examples)) };
  };
  const model = allocateModel(createWasmBackend, shape, trainingCapacity(config, [EVALUATION_BATCH]));
  begin(model);
  const records: MetricsRecord[] = [];
  const diagnoseEvery = Math.max(1, Math.floor(config.steps / 20));
  const onRecord = (record: MetricsRecord) => void records.push(record);
  const run = new RunTraining({ model, dataset, dataSha256: '0'.repeat(64), config, program: 'test', sha256, onRecord, diagnoseEvery });
  while (!run.done) run.advance();
  const trained = model.flatParameters.slice();
  const fresh = look(config.steps, ({ flatParameters }) => flatParameters.set(trained));
  return { config, vocabulary: shape.vocabulary, records, initial: look(0, begin), fresh };
}
