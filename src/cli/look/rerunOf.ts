import type { CreateBackend } from '../../backend/backend.js';
import { createExamples } from '../../data/dataset.js';
import type { NameList } from '../../data/nameList.js';
import { EVALUATION_BATCH } from '../../evaluation/evaluator.js';
import { allocateModel } from '../../network/arrays.js';
import { sha256 } from '../../node/sha256.js';
import { Rerun, type RerunOptions } from '../../run/rerun.js';
import { modelConfig, trainingCapacity } from '../../training/runConfig.js';
import type { LoadedData } from '../data.js';
import type { StoredRun } from './storedRun.js';

/**
 * Repeats a stored run.
 * @param options `history` as {@link runHistory} finds it, and the last step
 */
export function rerunOf(
  stored: StoredRun,
  { dataset }: LoadedData,
  options: Pick<RerunOptions, 'history' | 'until' | 'onStep'>,
  createBackend: CreateBackend,
): Rerun {
  const { config, vocabulary } = stored.checkpoint;
  const init = config.init === undefined ? undefined : stored.initialParameters();
  const shape = modelConfig(config, vocabulary);
  const examplesOf = (names: NameList) => createExamples(names, vocabulary, config.context);
  return new Rerun({
    createModel: () => {
      const model = allocateModel(createBackend, shape, trainingCapacity(config, [EVALUATION_BATCH]));
      if (init) for (const [name, values] of init) model.parameters[name].set(values);
      return model;
    },
    trainExamples: examplesOf(dataset.parts.train),
    valExamples: examplesOf(dataset.parts.val),
    config,
    vocabulary,
    sha256,
    ...options,
  });
}
