/** A network that is not trained yet, from train's options. */
import type { CreateBackend } from '../../backend/backend.js';
import type { Job } from '../../core/job.js';
import { withDefaults } from '../../core/optionRow.js';
import { createExamples } from '../../data/dataset.js';
import { allocateModel, type Model } from '../../network/arrays.js';
import { initialise } from '../../network/initialise.js';
import type { FindingFacts } from '../../run/findings/finding.js';
import { lookAtMany, lookSize } from '../../run/findings/lookAtMany.js';
import { limitedBackend } from '../../run/limitedBackend.js';
import { NonFiniteError } from '../../training/diagnose.js';
import type { DiagnosticsRecord } from '../../training/diagnostics.js';
import { TRAINING_OPTIONS, type TrainingOptionValues } from '../../training/options.js';
import type { PresetName } from '../../training/presets.js';
import { createRunConfig, sizesOf, withPreset } from '../../training/recipe.js';
import { modelConfig, type RunConfig, trainingCapacity } from '../../training/runConfig.js';
import { Training } from '../../training/training.js';
import { loadData } from '../data.js';
import type { IO } from '../terminal/io.js';

import { initialWeights, openWeights } from '../weights.js';

/** The options of a training as they were given. */
export type GivenNetwork = TrainingOptionValues & { preset?: PresetName; data?: string };

/** Draws the network, looks at it on many examples, and tries its first step at the full rate, in memory. */
export function* beginningFacts(
  { preset = 'lesson', data: file, ...given }: GivenNetwork,
  createBackend: CreateBackend,
  io: IO,
): Job<FindingFacts> {
  const asked = withPreset(TRAINING_OPTIONS, preset, given);
  const source = given.init === undefined ? undefined : openWeights(given.init, io);
  const data = loadData(file, withDefaults(TRAINING_OPTIONS, asked), io);
  const { vocabulary, parts } = data.dataset;
  const init = source && initialWeights(source, data, given, io);
  const asStored = createRunConfig({ ...asked, ...init?.settings }, sizesOf(data.dataset));
  // Without warm-up and decay, the first step shows the rate as it is.
  const config: RunConfig = { ...asStored, warmup: 0, schedule: { name: 'constant' } };
  const shape = modelConfig(config, vocabulary);
  const examples = createExamples(parts.train, vocabulary, config.context);
  const looked = allocateModel(createBackend, shape, { training: lookSize(shape, examples) });
  const begin = (model: Model) => (init ? init.copyTo(model) : initialise(model, config.seed, config));
  begin(looked);
  const initial = { step: 0, diagnostics: yield* lookAtMany(looked, examples) };
  const tried = allocateModel(
    limitedBackend(createBackend, config, { shownAs: data.shownAs, vocabulary }),
    shape,
    trainingCapacity(config),
  );
  begin(tried);
  const records: DiagnosticsRecord[] = [];
  const hooks = { onDiagnostics: (record: DiagnosticsRecord) => void records.push(record), diagnoseEvery: 1 };
  const facts = { config, vocabulary: vocabulary.length, records, initial };
  try {
    yield* new Training(tried, examples, config, hooks, 'parameters').advanceInParts();
  } catch (error) {
    if (!(error instanceof NonFiniteError)) throw error;
    return { ...facts, diverged: { step: error.step, message: error.message } };
  }
  return facts;
}
