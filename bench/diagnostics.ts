/**
 * What a diagnosis costs, beside the steps of the same training: every second step is diagnosed. Prints the share of the training time at the
 * default interval, as a table. Times are CPU times of the process, so that others on the machine matter little.
 * Run: npm run bench:diagnostics, after npm run build. --seconds 4 is the time for each network.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createDataset, createExamples } from '../src/data/dataset.js';
import { parseNames } from '../src/data/parseNames.js';
import { allocateModel } from '../src/network/arrays.js';
import { createWasmBackend } from '../src/node/kernels.js';
import { defaultDiagnoseEvery } from '../src/training/evaluationCost.js';
import type { RecipeOptions } from '../src/training/options.js';
import type { PresetName } from '../src/training/presets.js';
import { type Recipe, recipe } from '../src/training/recipe.js';
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
function costsOf(config: Recipe) {
  const model = allocateModel(createWasmBackend, modelConfig(config, vocabulary), trainingCapacity(config));
  const hooks = { onDiagnostics: () => {}, diagnoseEvery: (step: number) => step % 2 === 0 };
  const training = new Training(model, createExamples(parts.train, vocabulary, config.context), { ...config, seed: 1 }, hooks);
  const rounds: [step: number, diagnosis: number][] = [];
  const pairs = 20;
  const end = performance.now() + 1000 * Number(options.seconds);
  while (performance.now() < end && training.step + 2 * pairs <= config.steps) {
    const times = [0, 0];
    for (let i = 0; i < 2 * pairs; i++) {
      const start = process.cpuUsage();
      training.advance();
      const { user, system } = process.cpuUsage(start);
      times[i % 2] += (user + system) / pairs;
    }
    rounds.push([times[0], times[1] - times[0]]);
  }
  return { step: median(rounds.map(([step]) => step)), diagnosis: median(rounds.map(([, diagnosis]) => diagnosis)) };
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] as number;

const rows = NETWORKS.map(([name, preset, given]) => {
  const config = recipe(preset, given);
  const { steps, batchSize } = config;
  const { step, diagnosis } = costsOf(config);
  const every = defaultDiagnoseEvery(steps, batchSize);
  // The first and the last step are diagnosed, too.
  const records = Math.floor(steps / every) + 1 + (steps % every === 0 ? 0 : 1);
  const share = (100 * records * diagnosis) / (steps * step);
  return [name, step.toFixed(0), diagnosis.toFixed(0), (diagnosis / step).toFixed(1), `${every}`, `${records}`, `${share.toFixed(2)} %`];
});
const table = [
  ['network', 'step, us', 'diagnosis, us', 'in steps', 'interval', 'records', 'share of the time'],
  rows[0].map(() => '---'),
  ...rows,
];
process.stdout.write(table.map((row) => `| ${row.join(' | ')} |\n`).join(''));
