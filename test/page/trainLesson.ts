import type * as Core from '../../src/index.js';

export interface TrainingResult {
  /** SHA-256 of the parameters' bytes, the first 16 hexadecimal digits of each. */
  hashes: Record<string, string>;
  /** The mean loss over the validation part, in nats per character. */
  valLoss: number;
}

const HIDDEN = 200;
const OPTIONS = { steps: 2_000, batchSize: 32, learningRate: 0.1, seed: 1 };

/**
 * Trains the lesson's network of 200 hidden units on the kernels for 2,000 steps and evaluates it.
 * @param core the core entry, from the sources or from a bundle
 * @param kernels dist/kernels.wasm, compiled
 * @param names the bytes of data/names.txt
 */
export function trainLesson(core: typeof Core, kernels: Core.WasmModule, names: Uint8Array, sha256: Core.Sha256): TrainingResult {
  const dataset = core.createDataset(core.parseNames(names, 'names.txt').names, { splitSeed: 42, unique: false });
  const { vocabulary, parts } = dataset;
  const config: Core.ModelConfig = { context: 3, embedding: 10, hidden: [HIDDEN], vocabulary: vocabulary.length };
  const examples = core.createExamples(parts.train, vocabulary, config.context);
  const capacity = { training: OPTIONS.batchSize, inference: [core.EVALUATION_BATCH] };
  const model = core.allocateModel(core.wasmBackend(kernels), config, capacity);
  const training = new core.Training(model, examples, OPTIONS);
  while (!training.done) training.advance();
  const evaluator = new core.Evaluator(model);
  evaluator.calibrate(examples);
  const valLoss = evaluator.loss(core.createExamples(parts.val, vocabulary, config.context));
  return { hashes: core.parameterHashes(model.parameters, sha256), valLoss };
}
