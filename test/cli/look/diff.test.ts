import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { randomStream } from '../../../src/core/random.js';
import type { FloatArray } from '../../../src/core/tensor.js';
import { loadCheckpoint, saveCheckpoint } from '../../../src/node/checkpointFile.js';
import { createWasmBackend } from '../../../src/node/kernels.js';
import { type Checkpoint, restoreModel } from '../../../src/run/checkpoint.js';
import { NAMES, ONE_ERROR_LINE, type Outcome, runCli, writeNames } from '../../support/fakeIO.js';
import { makeDirectory, put, removeDirectory, snapshot, tempDirectory } from '../../support/tempDirectory.js';

const TRAIN = ['train', '--data', 'names.txt', '--hidden', '8', '--embedding', '4', '--eval-every', '500', '--steps', '1200'];

/** Trains the runs of the tests, by name. */
let cwd: string;

async function train(out: string, ...more: string[]): Promise<void> {
  const { exitCode, stderr } = await runCli(cwd, [...TRAIN, '--out', out, ...more]);
  if (exitCode !== 0) throw new Error(stderr);
}

beforeAll(async () => {
  cwd = makeDirectory();
  writeNames(cwd);
  writeNames(cwd, [...NAMES, 'mina'], 'more.txt');
  await train('run');
  await train('again');
  await train('other-seed', '--seed', '1');
  await train('other-rate', '--lr', '0.2');
  await train('by-adam', '--optimizer', 'adam', '--schedule', 'linear', '--clip', '2');
  await train('wider', '--hidden', '9', '--unique');
  await train('deep', '--hidden', '8,6');
  await train('deeper', '--hidden', '8,6,8');
  await train('other-data', '--data', 'more.txt');
  await train('extended');
  const { exitCode } = await runCli(cwd, ['train', '--resume', 'extended', '--steps', '2300']);
  expect(exitCode).toBe(0);
  await train('long', '--steps', '2300');
  return () => removeDirectory(cwd);
});

function diff(...argv: string[]): Promise<Outcome> {
  return runCli(cwd, ['diff', ...argv]);
}

const ALL = 'C, W1, b1, bngain, bnbias, W2, b2';

describe('two runs', () => {
  it('with the same configuration are the same (0)', async () => {
    expect(await diff('run', 'again')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(
        /^the same up to step 1,200\ncompared:\n {2}settings and data\n {2}12 losses, 3 validation losses, 3 hash records, 4 diagnoses\n {2}checkpoints after step 1,200: parameters, statistics, random state, running losses, best evaluation\n {2}best checkpoints, after step [\d,]+: the same parts\n {2}reports in run\.json\nnot compared:\n {2}optimizer state: sgd has none\n$/,
      ),
      stderr: '',
    });
  });

  it.each([
    ['another loss in the report', /"testLoss": [\d.]+/, '"testLoss": 1.5', /^reports in run\.json: testLoss differs\nthe runs differ\n/],
    ['other samples in the report', /"samples": \[/, '"samples": ["zzz",', /^reports in run\.json: samples differs\n/],
    [
      'another setting in run.json',
      /"seed": \d+/,
      '"seed": 7',
      /^edited\/run\.json: --seed is 7, but 2147483647 in the checkpoint\nthe runs differ\n/,
    ],
    ['a misspelt setting in run.json', /"seed"/, '"sead": 1, "seed"', /^edited\/run\.json: unknown setting sead; did you mean seed\?\n/],
    ['a damaged run.json', /\{/, '[', /^edited\/run\.json is damaged\n/],
  ])('differ by %s (1)', async (_, from, to, problem) => {
    cpSync(join(cwd, 'run'), join(cwd, 'edited'), { recursive: true });
    put(cwd, 'edited/run.json', readFileSync(join(cwd, 'run', 'run.json'), 'utf8').replace(from, to));
    expect(await diff('run', 'edited')).toMatchObject({ exitCode: 1, stdout: expect.stringMatching(problem), stderr: '' });
    rmSync(join(cwd, 'edited'), { recursive: true });
  });

  it('are the same if both are one run', async () => {
    expect((await diff('run', 'run')).exitCode).toBe(0);
  });

  it('with different seeds differ from the start (1)', async () => {
    const { exitCode, stdout } = await diff('run', 'other-seed');
    expect(exitCode).toBe(1);
    // All parameters are random, so all differ from the start.
    expect(stdout).toMatch(/^--seed: 2147483647 and 1\n/);
    expect(stdout).toMatch(/\nthe runs differ from the start: after step 0, C, W1, [\w, ]*W2[\w, ]* differ\ncompared:\n/);
  });

  it('with different rates diverge after the common start', async () => {
    const { exitCode, stdout } = await diff('run', 'other-rate');
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(
      /^--lr: 0\.1 and 0\.2\n12 of 12 losses differ, first that of step 100: [\d.]+ and [\d.]+\n3 of 3 validation losses differ, /,
    );
    expect(stdout).toContain(`\n2 of 3 hash records differ, first that of step 1,000: ${ALL}\n`);
    expect(stdout).toMatch(/\ncheckpoints after step 1,200: parameters: C, .* differ, first C\[0, 0\]: [-\d.]+ and [-\d.]+\n/);
    expect(stdout).toMatch(/\ncheckpoints after step 1,200: statistics: bnmean, bnvar differ, first bnmean\[0, 0\]: /);
    expect(stdout).toContain(`\nthe runs diverge after step 0: after step 1,000, ${ALL} differ\n`);
  });

  it('with different optimizers diverge after the common start, and every different setting is shown', async () => {
    const { exitCode, stdout } = await diff('run', 'by-adam');
    expect(exitCode).toBe(1);
    expect(stdout.split('\n').slice(0, 8)).toEqual([
      '--lr: 0.1 and 0.001',
      '--optimizer: sgd and adam',
      '--schedule: step and linear',
      'step from which the rate is a tenth: 600 and none',
      '--beta1: none and 0.9',
      '--beta2: none and 0.999',
      "Adam's constant that keeps the denominator above 0: none and 1e-8",
      '--clip: none and 2',
    ]);
    expect(stdout).toMatch(/\ncheckpoints after step 1,200: optimizer state: m of C, .* differ, first m of C: none and \[\d+, 4\]\n/);
    const json = JSON.parse((await diff('by-adam', 'run', '--json')).stdout);
    expect(json.config).toContainEqual({ key: 'optimizer', option: '--optimizer', values: ['adam', 'sgd'] });
    expect(json.config).toContainEqual({ key: 'beta1', option: '--beta1', values: [0.9, null] });
    expect(json.config).toContainEqual({ key: 'switchStep', option: 'step from which the rate is a tenth', values: [null, 600] });
  });

  it('of different sizes differ from the start, and every different option is shown', async () => {
    const { exitCode, stdout } = await diff('wider', 'run');
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(
      /^--hidden: 9 and 8\n--unique: true and false\n(.*\n)+the runs differ from the start: after step 0, .*\bW1\b.* differ\n/,
    );
  });

  it('of different depths differ from the start: in the blocks that only one has, and in W2', async () => {
    const { exitCode, stdout } = await diff('run', 'deep');
    expect(exitCode).toBe(1);
    const above = ['W', 'b', 'bngain', 'bnbias'].map((tensor) => `blocks.2.${tensor}`).join(', ');
    expect(stdout).toMatch(
      new RegExp(`^--hidden: 8 and 8,6\n(.*\n)+the runs differ from the start: after step 0, ([\\w, ]+, )?${above}, W2.* differ\n`),
    );
    const [verdict] = /^the runs differ from .*$/m.exec(stdout) ?? [];
    expect((await diff('deep', 'run')).stdout).toContain(`${verdict}\n`);
  });

  it('of different depths have the same lesson parameters at the start if the last blocks are equally wide', async () => {
    const { stdout } = await diff('run', 'deeper');
    const above = [2, 3].flatMap((K) => ['W', 'b', 'bngain', 'bnbias'].map((tensor) => `blocks.${K}.${tensor}`)).join(', ');
    expect(stdout).toContain(`\nthe runs differ from the start: after step 0, ${above} differ\n`);
  });

  it('of several blocks are the same if both are one run', async () => {
    expect((await diff('deeper', 'deeper')).exitCode).toBe(0);
  });

  it('on different data show both SHA-256', async () => {
    const { exitCode, stdout } = await diff('run', 'other-data');
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^SHA-256 of the data: [0-9a-f]{64} and [0-9a-f]{64}\n(.*\n)+the runs diverge after step 0: after step 1,000, /);
  });

  it('are the same up to the end of the shorter one if the longer one extends it', async () => {
    const { exitCode, stdout } = await diff('run', 'extended');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^--steps: 1200 and 2300\nthe same up to step 1,200\n/);
    expect(stdout).toContain('\n  checkpoints: one is of step 1,200, the other of step 2,300\n');
  });

  it('diverge with their rates if one was extended and the other was as long from the start', async () => {
    const { exitCode, stdout } = await diff('extended', 'long');
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^step from which the rate is a tenth: 600 and 1150\n(.*\n)+the runs diverge after step 0: after step 1,000, /);
  });

  it('of which one has lost its records are not the same (1)', async () => {
    const other = tempDirectory();
    cpSync(join(cwd, 'run'), join(other, 'run'), { recursive: true });
    rmSync(join(other, 'run', 'metrics.jsonl'));
    const { exitCode, stdout } = await diff('run', join(other, 'run'));
    expect([exitCode, stdout]).toEqual([
      1,
      expect.stringContaining(`12 of 12 losses differ, first that of step 100, which ${join(other, 'run')} does not hold\n`),
    ]);
  });

  it('can be named by their checkpoints, and nothing is written', async () => {
    const before = snapshot(cwd);
    const { exitCode } = await diff(join('run', 'checkpoint.safetensors'), 'again');
    expect(exitCode).toBe(0);
    expect(snapshot(cwd)).toEqual(before);
  });

  it('may have an incomplete line in their metrics', async () => {
    const other = tempDirectory();
    cpSync(join(cwd, 'run'), join(other, 'run'), { recursive: true });
    const metrics = snapshot(join(cwd, 'run'))['metrics.jsonl'];
    put(other, join('run', 'metrics.jsonl'), `${metrics}{"step":13`);
    expect((await diff('run', join(other, 'run'))).exitCode).toBe(0);
  });
});

describe('diff --json', () => {
  it('describes equal runs', async () => {
    const { exitCode, stdout } = await diff('run', 'again', '--json');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^[^\n]+\n$/);
    expect(JSON.parse(stdout)).toMatchObject({
      same: true,
      upTo: 1200,
      compared: 3,
      divergence: null,
      config: [],
      records: { loss: { compared: 12, differing: 0 }, valLoss: { compared: 3, differing: 0 }, hashes: { compared: 3, differing: 0 } },
      checkpoint: { step: 1200, differences: [] },
      best: { differences: [] },
      flaws: [],
      notCompared: [{ what: 'optimizer state', reason: 'sgd has none' }],
    });
  });

  it('describes runs that diverge', async () => {
    const { exitCode, stdout } = await diff('run', 'other-rate', '--json');
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^[^\n]+\n$/);
    expect(JSON.parse(stdout)).toMatchObject({
      same: false,
      compared: 3,
      divergence: { step: 1000, tensors: ALL.split(', ') },
      config: [{ key: 'learningRate', option: '--lr', values: [0.1, 0.2] }],
      records: { loss: { compared: 12, differing: 12, first: { kind: 'loss', step: 100 } } },
    });
  });
});

/** A copy of the run that a test may change. */
function copyOfRun(name = 'run'): string {
  const other = tempDirectory();
  cpSync(join(cwd, name), join(other, 'run'), { recursive: true });
  return join(other, 'run');
}

describe('a run that was changed is found, with the first difference:', () => {
  it.each<[string, string, (checkpoint: Checkpoint) => Partial<Checkpoint> | undefined, string]>([
    ['a weight', 'run', ({ tensors }) => void (tensors.get('W1') as FloatArray).fill(7, 9, 10), 'parameters: W1 differs, first W1[1, 1]: '],
    [
      'an entry that becomes -0',
      'run',
      ({ tensors }) => void (tensors.get('bnmean') as FloatArray).fill(-0, 0, 1),
      'statistics: bnmean differs, first bnmean[0, 0]: ',
    ],
    [
      'a statistic',
      'run',
      ({ tensors }) => void (tensors.get('bnvar') as FloatArray).fill(2, 3, 4),
      'statistics: bnvar differs, first bnvar[0, 3]: ',
    ],
    [
      'optimizer state',
      'by-adam',
      ({ state }) => void state.optimizer.tensors.v.fill(1, -1),
      'optimizer state: v of b2 differs, first v of b2[',
    ],
    [
      'powers of the optimizer',
      'by-adam',
      ({ state }) => ({ state: { ...state, optimizer: { ...state.optimizer, powers: { beta1: 0.5, beta2: 0.25 } } } }),
      'optimizer state: beta1, beta2 differ, first beta1: ',
    ],
    ['the random state', 'run', ({ state }) => ({ state: { ...state, batches: randomStream('batches', 99).state() } }), 'random state: '],
    [
      'a running loss',
      'run',
      ({ state }) => ({ state: { ...state, smoothed: state.smoothed + 1e-9 } }),
      'running losses: smoothed differs, first smoothed: ',
    ],
    ['the best evaluation', 'run', ({ best }) => ({ best: { step: 500, valLoss: (best?.valLoss ?? 0) + 1 } }), 'best evaluation: '],
  ])('%s in the checkpoint', async (_, name, change, problem) => {
    for (const [file, what] of [
      ['checkpoint.safetensors', 'checkpoints after step 1,200: '],
      ['best.safetensors', 'best checkpoints, after step '],
    ]) {
      const other = copyOfRun(name);
      const path = join(other, file);
      const checkpoint = loadCheckpoint(path);
      const changed = { ...checkpoint, ...change(checkpoint) };
      saveCheckpoint(path, restoreModel(changed, createWasmBackend, { inference: [1] }), changed);
      const { exitCode, stdout } = await diff(name, other);
      if (file === 'best.safetensors' && problem === 'best evaluation: ' && exitCode === 0) continue;
      expect([exitCode, stdout]).toEqual([1, expect.stringContaining(what)]);
      expect(stdout).toContain(problem);
      expect(JSON.parse((await diff(name, other, '--json')).stdout).same).toBe(false);
    }
  });

  it.each([
    ['loss', /"step":100,"loss":[\d.]+/, '"step":100,"loss":2.5', /\nthe loss of step 100: [\d.]+ and 2\.5\n/],
    ['rate', /"rate":0\.1/, '"rate":0.3', /\nthe loss of step 100: rate 0\.1 and 0\.3\n/],
    ['validation loss', /"valLoss":[\d.]+/, '"valLoss":2.5', /\nthe validation loss of step 500: [\d.]+ and 2\.5\n/],
    ['diagnosis', /"clipped":false/, '"clipped":true', /\nthe diagnosis of step 1: clipped: false and true\n/],
    [
      'number in a diagnosis',
      /("W1":\{"value":\{"mean":)[-\d.e]+/,
      '$10.5',
      /\nthe diagnosis of step 1: parameters W1 value mean: [-\d.e]+ and 0\.5\n/,
    ],
    ['hash', /"W2":"[0-9a-f]{4}/, '"W2":"0000', /\nthe hash record of step 0: W2\n/],
    ['record that is missing', /\{"step":300,"loss".*\n/, '', /\nthe loss of step 300, which .* does not hold\n/],
    ['record that is there twice', /(\{"step":300,"loss".*\n)/, '$1$1', /\nthe loss of step 300, which run does not hold\n/],
    ['record of another step', /"step":300,"loss"/, '"step":350,"loss"', /\n2 of 13 losses differ, first that of step 300, which /],
    ['misspelt key', /"valLoss"/, '"valloss"', /\n.*metrics\.jsonl, line \d+: it has the unknown key valloss; did you mean valLoss\?\n/],
    ['additional key', /"step":300,/, '"step":300,"extra":1,', /line 5: it has the unknown key extra\n/],
    ['key that is there twice', /"step":300,/, '"step":300,"step":300,', /line 5: it has a key twice\n/],
    ['line that is no record', /\{"step":300,"loss".*\n/, 'hello\n', /line 5: it is not a JSON object\n/],
  ])('a %s', async (_, from, to, problem) => {
    const other = copyOfRun();
    const path = join(other, 'metrics.jsonl');
    writeFileSync(path, readFileSync(path, 'utf8').replace(from, to));
    const { exitCode, stdout } = await diff('run', other);
    expect([exitCode, `\n${stdout}`]).toEqual([1, expect.stringMatching(problem)]);
    expect(stdout).not.toContain('the same up to');
  });
});

describe('runs that were stopped before a hash was recorded', () => {
  const STOP = { tick: 50, stop: { signal: 'SIGINT', at: 50 + 150 * 30 } } as const;

  it('with other weights differ, and with the same weights are the same up to their last step', async () => {
    const other = tempDirectory();
    writeNames(other);
    const argv = [...TRAIN, '--save-every', '1000', '--out'];
    expect((await runCli(other, [...argv, 'a'], STOP)).exitCode).toBe(130);
    cpSync(join(other, 'a'), join(other, 'b'), { recursive: true });
    expect((await runCli(other, ['diff', 'a', 'b'])).stdout).toMatch(/^the same up to step 30\n/);
    const path = join(other, 'b', 'checkpoint.safetensors');
    const checkpoint = loadCheckpoint(path);
    (checkpoint.tensors.get('W1') as FloatArray).fill(0.5);
    saveCheckpoint(path, restoreModel(checkpoint, createWasmBackend, { inference: [1] }), checkpoint);
    const { exitCode, stdout } = await runCli(other, ['diff', 'a', 'b']);
    expect([exitCode, stdout]).toEqual([1, expect.stringContaining('\nthe runs diverge after step 0: after step 30, W1 differs\n')]);
    expect(JSON.parse((await runCli(other, ['diff', 'a', 'b', '--json'])).stdout)).toMatchObject({
      same: false,
      divergence: { step: 30, tensors: ['W1'] },
    });
  });

  it('with other settings alone are the same except for the settings (1)', async () => {
    const other = tempDirectory();
    writeNames(other);
    for (const [out, every] of [
      ['a', '400'],
      ['b', '500'],
    ])
      await runCli(other, [...TRAIN, '--eval-every', every, '--out', out], STOP);
    const { exitCode, stdout } = await runCli(other, ['diff', 'a', 'b']);
    expect([exitCode, stdout]).toEqual([
      1,
      expect.stringMatching(/^--eval-every: 400 and 500\nthe same up to step 30, except for the settings\n/),
    ]);
  });
});

describe('diff refuses', () => {
  it.each([
    ['a run that does not exist', ['run', 'nowhere'], 4, 'nowhere: no such run'],
    ['a directory that is not a run', ['.', 'run'], 4, 'no checkpoint in'],
    ['a file', ['run', 'names.txt'], 2, "names.txt is a file; name the run's directory"],
    ['one run alone', ['run'], 2, "missing required argument 'run-b'"],
  ])('%s', async (_, argv, exitCode, reason) => {
    const outcome = await diff(...argv);
    expect(outcome).toMatchObject({ exitCode, stdout: '' });
    expect(outcome.stderr).toMatch(ONE_ERROR_LINE);
    expect(outcome.stderr).toContain(reason);
  });
});
