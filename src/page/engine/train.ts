/** Trains on the kernels, as the command line does. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { createExamples } from '../../data/dataset.js';
import { LESSON_CONFIG } from '../../lesson/case.js';
import { allocateModel } from '../../network/arrays.js';
import type { ModelConfig } from '../../network/parameters.js';
import { parameterHashes } from '../../run/records.js';
import { Training } from '../../training/training.js';
import { kernelsBackend } from './kernels.js';
import { datasetOf, type NamesId } from './names.js';

export interface TrainRequest {
  steps: number;
  batchSize: number;
  learningRate: number;
  seed: number;
  hidden: number;
  names: NamesId;
}

export interface TrainResult {
  /** SHA-256 of each parameter's bytes, the first 16 hexadecimal digits. */
  hashes: Record<string, string>;
  /** Training steps per second. */
  stepsPerSecond: number;
}

/** Steps between two reports. */
const REPORT_EVERY = 500;

export const trainMethods = {
  *train({ names, hidden, ...options }: TrainRequest): Generator<{ step: number }, TrainResult> {
    const { vocabulary, parts } = datasetOf(names);
    const config: ModelConfig = { ...LESSON_CONFIG, hidden: [hidden], vocabulary: vocabulary.length };
    const examples = createExamples(parts.train, vocabulary, config.context);
    const model = allocateModel(kernelsBackend(), config, { training: options.batchSize, inference: [] });
    const training = new Training(model, examples, options);
    let seconds = 0;
    while (!training.done) {
      const start = performance.now();
      for (let k = 0; k < REPORT_EVERY && !training.done; k++) training.advance();
      seconds += (performance.now() - start) / 1000;
      yield { step: training.step };
    }
    return { hashes: parameterHashes(model.parameters, (bytes) => bytesToHex(sha256(bytes))), stepsPerSecond: options.steps / seconds };
  },
};
