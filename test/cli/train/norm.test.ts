// A network without batch norm, and other scales of the initialisation, in every command that meets them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createDataset } from '../../../src/data/dataset.js';
import { allocateModel } from '../../../src/network/arrays.js';
import { initialise } from '../../../src/network/initialise.js';
import { loadCheckpoint } from '../../../src/node/checkpointFile.js';
import { createWasmBackend } from '../../../src/node/kernels.js';
import { readSafetensors } from '../../../src/run/safetensors.js';
import { modelConfig } from '../../../src/training/runConfig.js';
import { NAMES, runCli, writeNames } from '../../support/fakeIO.js';
import { expectRefusal } from '../../support/faults.js';
import { makeDirectory, removeDirectory } from '../../support/tempDirectory.js';

const TRAIN = ['train', '--data', 'names.txt', '--hidden', '8,6', '--embedding', '4', '--norm', 'none'];

let cwd: string;

async function done(...argv: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runCli(cwd, argv);
  expect({ argv, stderr, exitCode }).toMatchObject({ exitCode: 0 });
  return stdout;
}

const checkpointOf = (run: string) => loadCheckpoint(join(cwd, run, 'checkpoint.safetensors'));
const metricsOf = (run: string) => readFileSync(join(cwd, run, 'metrics.jsonl'), 'utf8');

beforeAll(async () => {
  cwd = makeDirectory();
  writeNames(cwd);
  await done(...TRAIN, '--steps', '30', '--out', 'run');
  return () => removeDirectory(cwd);
});

describe('a run without batch norm', () => {
  it('has weights and biases only, in a checkpoint of format 6', () => {
    const { config, tensors } = checkpointOf('run');
    expect(config).toMatchObject({ norm: 'none', hidden: [8, 6] });
    expect([...tensors.keys()]).toEqual(['C', 'W1', 'b1', 'blocks.2.W', 'blocks.2.b', 'W2', 'b2']);
    expect(readSafetensors(readFileSync(join(cwd, 'run', 'checkpoint.safetensors'))).metadata.formatVersion).toBe('6');
  });

  it('is resumed and extended to the bytes of an uninterrupted run', async () => {
    const train = [...TRAIN, '--steps', '30', '--optimizer', 'adam', '--schedule', 'constant'];
    await done(...train, '--out', 'whole');
    const stopped = await runCli(cwd, [...train, '--out', 'stopped'], { tick: 50, stop: { signal: 'SIGINT', at: 50 + 150 * 7 } });
    expect(stopped.exitCode).toBe(130);
    await done('train', '--resume', 'stopped');
    expect(await done('diff', 'whole', 'stopped')).toMatch(/the same.*statistics: the network has no batch norm\n/s);
    expect(metricsOf('stopped')).toBe(metricsOf('whole'));
    await done('train', '--resume', 'stopped', '--steps', '40');
    expect(await done('replay', 'stopped')).toContain('the same: 40 steps repeated');
  });

  it('can be replayed, evaluated and sampled; two evaluations agree', async () => {
    expect(await done('replay', 'run')).toContain('the same: 30 steps repeated');
    expect(JSON.parse(await done('eval', 'run', '--json')).loss).toBe(JSON.parse(await done('eval', 'run', '--json')).loss);
    expect((await done('sample', 'run', '--count', '3')).trim().split('\n')).toHaveLength(3);
  });

  it('is exported, and imported again to the same validation loss', async () => {
    const { loss } = JSON.parse(await done('eval', 'run', '--json'));
    for (const extension of ['safetensors', 'npz']) {
      await done('export', 'run', '--to', `m.${extension}`);
      const found = JSON.parse(await done('import', `m.${extension}`, '--data', 'names.txt', '--out', extension, '--json'));
      expect([found.valLoss, found.norm, found.statistics]).toEqual([loss, 'none', 'none']);
    }
    await done('export', 'run', '--to', 'm.onnx');
    await done('export', 'run', '--trace', '5', '--to', 'trace.safetensors');
    expect(readSafetensors(readFileSync(join(cwd, 'trace.safetensors'))).metadata).toMatchObject({ norm: 'none' });
  });

  it('may be what another run begins with, which then has no batch norm either', async () => {
    await done('train', '--data', 'names.txt', '--steps', '20', '--init', 'run', '--out', 'from');
    expect(checkpointOf('from').config).toMatchObject({ norm: 'none', hidden: [8, 6] });
    expect(await done('replay', 'from')).toContain('the same: 20 steps repeated');
    const train = ['train', '--data', 'names.txt', '--steps', '20', '--init', 'run', '--norm', 'batch', '--out', 'other'];
    expectRefusal(await runCli(cwd, train), 2, '--norm is batch, but none in run');
  });

  it('differs from one with batch norm, as diff says', async () => {
    await done(...TRAIN, '--norm', 'batch', '--steps', '30', '--out', 'batch');
    expect(checkpointOf('batch').config).not.toHaveProperty('norm');
    const { exitCode, stdout } = await runCli(cwd, ['diff', 'run', 'batch']);
    expect([exitCode, stdout]).toEqual([1, expect.stringMatching(/^--norm: none and batch$/m)]);
  });

  it.each([
    ['why', ['why', 'W1', '--run', 'run']],
    ['open', ['open', '--run', 'run']],
  ])('is refused by %s, whose pass has batch norm (2)', async (_, argv) => {
    await done(...TRAIN, '--hidden', '8', '--steps', '5', '--out', 'run1', '--force');
    const one = argv.map((word) => (word === 'run' ? 'run1' : word));
    expectRefusal(await runCli(cwd, one), 2, 'has no batch norm (--norm none)');
  });
});

describe('--norm and the scales of the initialisation', () => {
  it('can be varied in a sweep', async () => {
    const rest = ['--', '--data', 'names.txt', '--hidden', '8', '--steps', '20'];
    const vary = ['--vary', 'norm=batch/none', '--vary', 'init-gain=1/5', '--vary', 'init-output=1'];
    const { ranked, differing } = JSON.parse(await done('sweep', ...vary, '--json', ...rest));
    expect([ranked.length, differing]).toEqual([4, []]);
    const configs = ['0001', '0004'].map((run) => checkpointOf(join('sweep', run)).config);
    expect(configs).toMatchObject([
      { initGain: 1, initOutput: 1 },
      { norm: 'none', initGain: 5 },
    ]);
  });

  it.each([[['--norm', 'none']], [['--init-gain', '1']], [['--init-output', '1']]])('change what lr-find scans: %j', async (options) => {
    const scan = async (...argv: string[]) =>
      JSON.parse(await done('lr-find', '--data', 'names.txt', '--hidden', '8', '--steps', '100', '--json', ...argv)).points[0].loss;
    expect(await scan(...options)).not.toBe(await scan());
  });

  it.each([
    [[], { initGain: 5 / 3, initOutput: 0.1 }],
    [['--init-gain', '5'], { initGain: 5 }],
    [['--init-gain', '5/3', '--init-output', '0'], { initOutput: 0 }],
  ])('are those that a run begins with: %j', async (options, scales) => {
    await done(...TRAIN, ...options, '--steps', '1', '--out', 'one', '--force');
    const { config, vocabulary } = checkpointOf('one');
    expect(vocabulary).toEqual(createDataset(NAMES, config).vocabulary);
    const model = allocateModel(createWasmBackend, modelConfig(config, vocabulary), {});
    initialise(model, config.seed, scales);
    await done('export', 'one', '--trace', '1', '--to', 'one.safetensors', '--force');
    const { tensors } = readSafetensors(readFileSync(join(cwd, 'one.safetensors')));
    for (const [name, values] of Object.entries(model.parameters)) {
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      expect(Buffer.compare(tensors.get(`initial.${name}`)?.bytes as Uint8Array, bytes), name).toBe(0);
    }
  });
});
