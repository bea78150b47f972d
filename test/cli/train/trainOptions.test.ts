import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadCheckpoint } from '../../../src/node/checkpointFile.js';
import { type fakeIO, runCli, SMALL, trainSmall, writeNames } from '../../support/fakeIO.js';
import { tempDirectory } from '../../support/tempDirectory.js';

interface MetricsLine {
  step: number;
  loss: number;
  rate: number;
  valLoss: number;
  hashes: Record<string, string>;
}

describe('an option of train', () => {
  it('reaches the run', async () => {
    const cwd = tempDirectory();
    const options =
      '--context 2 --embedding 3 --hidden 5 --batch-size 7 --steps 11 --lr 0.25 --seed 13 --split-seed 17 --unique --eval-every 4';
    await trainSmall(cwd, ...options.split(' '));
    expect(JSON.parse(readFileSync(join(cwd, 'run', 'run.json'), 'utf8')).config).toEqual({
      context: 2,
      embedding: 3,
      hidden: [5],
      batchSize: 7,
      steps: 11,
      learningRate: 0.25,
      optimizer: { name: 'sgd' },
      schedule: { name: 'step', switchStep: 5 },
      warmup: 0,
      sampling: 'replacement',
      evalEvery: 4,
      seed: 13,
      splitSeed: 17,
      unique: true,
    });
  });

  it('reaches the recipe, which stderr shows in one line with the decayed parameters', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    const recipe =
      '--optimizer adamw --lr 0.002 --beta1 0.8 --beta2 0.99 --weight-decay 0.05 --schedule cosine --warmup 20 --clip 1.5 --sampling epochs';
    const { exitCode, stderr } = await runCli(cwd, ['train', ...SMALL, '--out', 'run', ...recipe.split(' ')]);
    expect(exitCode).toBe(0);
    expect(stderr).toContain(
      '; writing run\nadamw 0.002 (beta1 0.8, beta2 0.99, decay 0.05 on W1 W2), cosine to 0, warm-up 20 steps, clip 1.5, shuffled epochs\n',
    );
    const { config } = loadCheckpoint(join(cwd, 'run', 'checkpoint.safetensors'));
    expect(config).toMatchObject({
      learningRate: 0.002,
      optimizer: { name: 'adamw', beta1: 0.8, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.05 },
      clip: 1.5,
      schedule: { name: 'cosine' },
      warmup: 20,
      sampling: 'epochs',
    });
    expect(JSON.parse(readFileSync(join(cwd, 'run', 'run.json'), 'utf8')).config).toEqual(config);
  });

  it.each([
    ['linear', 1],
    ['cosine', 0.5],
  ])('lets the recorded rates fall to almost 0: --schedule %s', async (schedule) => {
    const cwd = tempDirectory();
    await trainSmall(cwd, '--steps', '300', '--schedule', schedule, '--warmup', '150');
    const lines = readFileSync(join(cwd, 'run', 'metrics.jsonl'), 'utf8').split('\n');
    const rates = lines.flatMap((line) => (line.includes('"rate"') ? (JSON.parse(line) as MetricsLine).rate : []));
    const gone = [49 / 150, 149 / 150];
    const expected = schedule === 'linear' ? gone.map((x) => 0.1 * (1 - x)) : gone.map((x) => 0.05 * (1 + Math.cos(Math.PI * x)));
    [(0.1 * 100) / 150, ...expected].forEach((rate, i) => {
      expect(rates[i]).toBeCloseTo(rate, 12);
    });
    expect(rates).toHaveLength(3);
  });

  it.each([
    ['one step', ['--steps', '1']],
    ['one hidden unit', ['--hidden', '1']],
    ['one hidden unit in each of many blocks', ['--hidden', Array(16).fill('1').join(',')]],
    ['the most blocks', ['--hidden', Array(16).fill('8').join(',')]],
    ['one number per character', ['--embedding', '1']],
    ['the shortest context', ['--context', '1']],
    ['the longest context', ['--context', '64']],
    ['the smallest batch', ['--batch-size', '2']],
    ['a batch larger than the data', ['--batch-size', '1000', '--steps', '2']],
    ['the largest learning rate', ['--lr', '1000']],
    ['the largest clip and decay', ['--clip', '1000000', '--optimizer', 'adamw', '--weight-decay', '1000']],
    ['no momentum', ['--optimizer', 'momentum', '--momentum', '0']],
    ['betas of 0', ['--optimizer', 'adam', '--beta1', '0', '--beta2', '0']],
    ['a run of warm-up alone', ['--warmup', '50']],
    ['a batch of several epochs', ['--batch-size', '1000', '--steps', '2', '--sampling', 'epochs']],
    ['everything after every step', ['--eval-every', '1', '--save-every', '1', '--check-every', '1', '--diagnose-every', '1']],
    ['nothing before the last step', ['--eval-every', '1000000000', '--save-every', '1000000000', '--check-every', '1000000000']],
    ['the largest seed', ['--seed', '9007199254740991', '--split-seed', '9007199254740991']],
  ])('may be at its limit: %s', async (_, options) => {
    const report = await trainSmall(tempDirectory(), ...options);
    expect(Number.isFinite(report.valLoss)).toBe(true);
  });
});

describe('the same options', () => {
  const bytesOf = (directory: string) =>
    ['checkpoint.safetensors', 'metrics.jsonl', 'best.safetensors'].map((name) => readFileSync(join(directory, 'run', name), 'latin1'));

  async function train(surroundings: Parameters<typeof fakeIO>[1], ...options: string[]) {
    const cwd = tempDirectory();
    writeNames(cwd);
    const { exitCode } = await runCli(cwd, ['train', ...SMALL, '--steps', '250', '--out', 'run', ...options], surroundings);
    expect(exitCode).toBe(0);
    return bytesOf(cwd);
  }

  it('give the same bytes in another directory, at another time, however often progress is shown', async () => {
    const first = await train({});
    const slow = await train({ tick: 24, date: '2031-01-01T00:00:00.000Z' });
    const drawn = await train({ tick: 7, tty: true, columns: 20, env: { FORCE_COLOR: '1', HOME: '/elsewhere' } });
    expect(slow).toEqual(first);
    expect(drawn).toEqual(first);
  });

  it.each([[['--json']], [['--save-every', '7']], [['--check-every', '1']]])('give the same bytes with %j', async (options) => {
    expect(await train({}, ...options)).toEqual(await train({}));
  });

  it('give the same parameters with another --eval-every', async () => {
    const parametersOf = async (...options: string[]) => {
      const cwd = tempDirectory();
      await trainSmall(cwd, ...options);
      return loadCheckpoint(join(cwd, 'run', 'checkpoint.safetensors')).tensors;
    };
    expect(await parametersOf('--eval-every', '7')).toEqual(await parametersOf('--eval-every', '50'));
  });

  it.each([
    ['--seed', '1'],
    ['--split-seed', '1'],
    ['--lr', '0.05'],
    ['--batch-size', '16'],
  ])('give another network with another %s', async (option, value) => {
    const [checkpoint, metrics] = await train({});
    const [otherCheckpoint, otherMetrics] = await train({}, option, value);
    expect(otherCheckpoint).not.toBe(checkpoint);
    expect(otherMetrics).not.toBe(metrics);
  });

  it('give different weights, losses and samples with neighbouring seeds', async () => {
    const [one, two] = await Promise.all([trainSmall(tempDirectory(), '--seed', '1'), trainSmall(tempDirectory(), '--seed', '2')]);
    expect(one.valLoss).not.toBe(two.valLoss);
    expect(one.samples).not.toEqual(two.samples);
    expect(one.baselines).toEqual(two.baselines);
  });
});
