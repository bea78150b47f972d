/**
 * What a diagnosis costs, beside the steps of the same training: every second step is diagnosed. Prints the share of the training time at the
 * default interval.
 * Run: npm run bench:diagnostics, after npm run build. --seconds 4 is the time for each network.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createDataset, createExamples } from '../src/data/dataset.js';
import { parseNames } from '../src/data/parseNames.js';
import { allocateModel } from '../src/network/arrays.js';
import { createWasmBackend } from '../src/node/kernels.js';
import type { RecipeOptions } from '../src/training/options.js';
import type { PresetName } from '../src/training/presets.js';
import { recipe } from '../src/training/recipe.js';
import { modelConfig, trainingCapacity } from '../src/training/runConfig.js';
import { Training } from '../src/training/training.js';
import { inProject } from '../test/support/inProject.js';

const { values: options } = parseArgs({ options: { seconds: { type: 'string', default: '4' } } });

const NETWORKS: [name: string, preset: PresetName, given: RecipeOptions][] = [
  ['preset lesson, H 200, n 32', 'lesson', {}],
  ['preset fast', 'fast', {}],
  ['preset best', 'best', {}],
  ['H 64, n 32', 'lesson', { hidden: [64] }],
  ['H 1024, n 256', 'lesson', { hidden: [1024], batchSize: 256 }],
  ['H 200,200, n 32', 'lesson', { hidden: [200, 200] }],
];

const { names } = parseNames(readFileSync(inProject('data/names.txt')), 'names.txt');
const { vocabulary, parts } = createDataset(names, { splitSeed: 42, unique: false });

/** Microseconds of a step without a diagnosis, and of a diagnosis: medians over rounds of alternating steps. */
function costs(preset: PresetName, given: RecipeOptions) {
  const config = recipe(preset, given);
  const model = allocateModel(createWasmBackend, modelConfig(config, vocabulary), trainingCapacity(config));
  let records = 0;
  const hooks = { onDiagnostics: () => records++, diagnoseEvery: (step: number) => step % 2 === 0 };
  const training = new Training(model, createExamples(parts.train, vocabulary, config.context), { ...config, seed: 1 }, hooks);
  const rounds: { step: number; diagnosis: number }[] = [];
  const seconds = Number(options.seconds);
  for (const end = performance.now() + 1000 * seconds; performance.now() < end && !training.done; ) {
    const times = [0, 0];
    const pairs = 50;
    for (let i = 0; i < 2 * pairs; i++) {
      const start = performance.now();
      training.advance();
      times[i % 2] += performance.now() - start;
      if (training.done) break;
    }
    rounds.push({ step: (1000 * times[0]) / pairs, diagnosis: (1000 * (times[1] - times[0])) / pairs });
  }
  return { config, step: median(rounds.map(({ step }) => step)), diagnosis: median(rounds.map(({ diagnosis }) => diagnosis)), records };
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] as number;

for (const [name, preset, given] of NETWORKS) {
  const { step, diagnosis } = costs(preset, given);
  process.stdout.write(`${name} ${step.toFixed(1)} ${diagnosis.toFixed(1)} ${(diagnosis / step).toFixed(2)}\n`);
}
