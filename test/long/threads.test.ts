import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { LIBRARY } from '../../src/node/paths.js';
import type { PresetName } from '../../src/training/presets.js';

/** The presets, cut short. */
const STEPS: Record<PresetName, number> = { lesson: 400, fast: 60, best: 4 };

/** Prints the SHA-256 of the checkpoint and of the metrics of a run, and how many threads computed it. */
const PROGRAM = `
const [preset, steps, count] = [process.argv[1], Number(process.argv[2]), Number(process.argv[3])];
const core = await import(${JSON.stringify(LIBRARY['backprop-ninja'])});
const { BUNDLED_NAMES, createThreadedBackend, readNamesFile, sha256 } = await import(${JSON.stringify(LIBRARY['backprop-ninja/node'])});
const { names, sha256: dataSha256 } = readNamesFile(BUNDLED_NAMES);
const dataset = core.createDataset(names, { splitSeed: 42, unique: false });
const run = { evalEvery: steps / 2, seed: 5, splitSeed: 42, unique: false };
const config = { ...core.recipe(preset, { steps, clip: 0.5 }), ...run };
const { createBackend } = createThreadedBackend({ threads: count });
const shape = core.modelConfig(config, dataset.vocabulary);
const model = core.allocateModel(createBackend, shape, core.trainingCapacity(config, [core.EVALUATION_BATCH]));
const { backend, flatGradients } = model;
const working = () => backend.threads?.working ?? 1;
while (working() < count) {
  await new Promise((resolve) => setTimeout(resolve, 5));
  backend.scale(flatGradients, 0, 1);
}
const records = [];
const training = new core.RunTraining({
  model, dataset, dataSha256, config, sha256, program: 'test', onRecord: (record) => records.push(record),
});
training.recordStart();
while (!training.done) training.advance();
const checkpoint = sha256(training.checkpoint());
console.log(JSON.stringify({ threads: working(), checkpoint, metrics: sha256(Buffer.from(JSON.stringify(records))) }));
process.exit();
`;

async function trained(node: string, preset: PresetName, threads: number): Promise<Record<string, unknown>> {
  const words = ['-y', '-p', `node@${node}`, 'node', '--input-type=module', '-e', PROGRAM, preset, String(STEPS[preset]), String(threads)];
  return JSON.parse((await promisify(execFile)('npx', words, { timeout: 300_000 })).stdout);
}

describe.each(Object.keys(STEPS) as PresetName[])('the preset %s on 1, 2, 3, 4 and 7 threads', (preset) => {
  const expected = trained('20', preset, 1);
  it.each(['20', '22', '24'])('has the same checkpoint and metrics on Node %s', async (node) => {
    for (const threads of [1, 2, 3, 4, 7]) expect(await trained(node, preset, threads)).toEqual({ ...(await expected), threads });
  });
});

/** Makes networks of 8 MiB, one after the other, each for a few layers, and prints the most memory of the process in MiB. */
const NETWORKS = `
const { createThreadedBackend } = await import(${JSON.stringify(LIBRARY['backprop-ninja/node'])});
const [networks, way] = [Number(process.argv[1]), process.argv[2]];
const { createBackend } = createThreadedBackend({ threads: 3 });
const entries = 2 ** 21;
let [most, helped] = [0, 0];
for (let i = 0; i < networks; i++) {
  const { floats, scale, threads } = createBackend({ arrays: 1, entries, workspace: 0 });
  const x = floats(entries).fill(1);
  for (let k = 0; k < 5; k++) {
    if (way === 'yielding') await new Promise((resolve) => setTimeout(resolve, 1));
    scale(x, 1, entries);
    if (threads.working > 1) helped++;
  }
  most = Math.max(most, process.memoryUsage.rss() / 2 ** 20);
}
console.log(JSON.stringify({ most, helped }));
process.exit();
`;

describe('200 networks of 8 MiB, one after the other, on 3 threads', () => {
  describe.each(['20', '22', '24'])('on Node %s', (node) => {
    it.each([
      ['take less than 700 MiB if the program yields between them', 'yielding', 700],
      ['take less than 1200 MiB if it does not', 'busy', 1200],
    ])('%s', async (_, way, limit) => {
      const words = ['-y', '-p', `node@${node}`, 'node', '--input-type=module', '-e', NETWORKS, '200', way];
      const { most, helped } = JSON.parse((await promisify(execFile)('npx', words, { timeout: 300_000 })).stdout);
      expect(helped).toBeGreaterThan(0);
      expect(most).toBeLessThan(limit);
    });
  });
});
