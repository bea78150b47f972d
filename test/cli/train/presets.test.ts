import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadCheckpoint } from '../../../src/node/checkpointFile.js';
import { ONE_ERROR_LINE, runCli, trainSmall, writeNames } from '../../support/fakeIO.js';
import { tempDirectory } from '../../support/tempDirectory.js';

/** The configuration of a run of one step, unless --steps is given. */
async function configOf(...argv: string[]) {
  const directory = tempDirectory();
  writeNames(directory);
  const { exitCode, stderr } = await runCli(directory, ['train', '--data', 'names.txt', '--steps', '1', '--out', 'run', ...argv]);
  expect(exitCode, stderr).toBe(0);
  return loadCheckpoint(join(directory, 'run', 'checkpoint.safetensors')).config;
}

const FAST = { context: 6, embedding: 32, hidden: [96], batchSize: 256, learningRate: 0.008, sampling: 'epochs' };

describe('train --preset', () => {
  it("is lesson by default, the lesson's recipe", async () => {
    const lesson = await configOf('--preset', 'lesson');
    expect(lesson).toEqual(await configOf());
    expect(lesson).toMatchObject({
      context: 3,
      embedding: 10,
      hidden: [200],
      batchSize: 32,
      learningRate: 0.1,
      optimizer: { name: 'sgd' },
    });
  });

  it('sets network and recipe', async () => {
    expect(await configOf('--preset', 'fast')).toMatchObject({
      ...FAST,
      optimizer: { name: 'adamw', beta1: 0.9, beta2: 0.99, weightDecay: 0.1 },
      schedule: { name: 'linear' },
    });
  });

  it('only changes defaults; explicit options win', async () => {
    const config = await configOf('--preset', 'fast', '--hidden', '8', '--lr', '0.1', '--context', '3');
    expect(config).toMatchObject({ ...FAST, hidden: [8], learningRate: 0.1, context: 3 });
  });

  it('leaves another optimizer its own defaults', async () => {
    const config = await configOf('--preset', 'fast', '--optimizer', 'nesterov');
    expect(config).toMatchObject({ ...FAST, learningRate: 0.1, optimizer: { name: 'nesterov', momentum: 0.9 } });
  });

  it('cannot be used with --resume', async () => {
    const directory = tempDirectory();
    await trainSmall(directory);
    const { exitCode, stderr } = await runCli(directory, ['train', '--resume', 'run', '--preset', 'fast']);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(ONE_ERROR_LINE);
    expect(stderr).toContain('--preset cannot be used with --resume');
  });

  it('lists the presets if the name is unknown', async () => {
    const { exitCode, stderr } = await runCli(tempDirectory(), ['train', '--preset', 'quick']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('Allowed choices are lesson, fast, best.');
  });
});
