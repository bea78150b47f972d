import type { RunConfig } from '../../src/training/runConfig.js';

/** A small run by the lesson's recipe: 20 steps, the rate falls after 10. */
export const RUN_CONFIG: RunConfig = {
  context: 2,
  embedding: 2,
  hidden: [3],
  batchSize: 4,
  steps: 20,
  learningRate: 0.1,
  optimizer: { name: 'sgd' },
  schedule: { name: 'step', switchStep: 10 },
  warmup: 0,
  sampling: 'replacement',
  evalEvery: 5,
  seed: 7,
  splitSeed: 42,
  unique: false,
};
