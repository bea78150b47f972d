import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
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
      stdout: 'the same at all 3 recorded steps, up to step 1,200\n',
      stderr: '',
    });
  });

  it('are the same if both are one run', async () => {
    expect((await diff('run', 'run')).exitCode).toBe(0);
  });

  it('with different seeds differ from the start (1)', async () => {
    const { exitCode, stdout } = await diff('run', 'other-seed');
    expect(exitCode).toBe(1);
    // All parameters are random, so all differ from the start.
    expect(stdout).toMatch(/^seed: 2147483647 and 1\nthe runs differ from the start: after step 0, C, W1, [\w, ]*W2[\w, ]* differ\n$/);
  });

  it('with different rates diverge after the common start', async () => {
    const { exitCode, stdout } = await diff('run', 'other-rate');
    expect(exitCode).toBe(1);
    expect(stdout).toBe(`learningRate: 0.1 and 0.2\nthe runs diverge after step 0: after step 1,000, ${ALL} differ\n`);
  });

  it('with different optimizers diverge after the common start, and every different setting is shown', async () => {
    const { exitCode, stdout } = await diff('run', 'by-adam');
    expect(exitCode).toBe(1);
    expect(stdout).toBe(
      'learningRate: 0.1 and 0.001\noptimizer: sgd and adam\nschedule: step and linear\nswitchStep: 600 and none\n' +
        'beta1: none and 0.9\nbeta2: none and 0.999\nepsilon: none and 1e-8\nclip: none and 2\n' +
        `the runs diverge after step 0: after step 1,000, ${ALL} differ\n`,
    );
    const json = JSON.parse((await diff('by-adam', 'run', '--json')).stdout);
    expect(json.config).toContainEqual({ key: 'optimizer', values: ['adam', 'sgd'] });
    expect(json.config).toContainEqual({ key: 'beta1', values: [0.9, null] });
    expect(json.config).toContainEqual({ key: 'switchStep', values: [null, 600] });
  });

  it('of different sizes differ from the start, and every different option is shown', async () => {
    const { exitCode, stdout } = await diff('wider', 'run');
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^hidden: 9 and 8\nunique: true and false\nthe runs differ from the start: after step 0, .*\bW1\b.* differ\n$/);
  });

  it('of different depths differ from the start: in the blocks that only one has, and in W2', async () => {
    const { exitCode, stdout } = await diff('run', 'deep');
    expect(exitCode).toBe(1);
    const above = ['W', 'b', 'bngain', 'bnbias'].map((tensor) => `blocks.2.${tensor}`).join(', ');
    expect(stdout).toMatch(
      new RegExp(`^hidden: 8 and 8,6\nthe runs differ from the start: after step 0, ([\\w, ]+, )?${above}, W2.* differ\n$`),
    );
    expect((await diff('deep', 'run')).stdout).toBe(stdout.replace('8 and 8,6', '8,6 and 8'));
  });

  it('of different depths have the same lesson parameters at the start if the last blocks are equally wide', async () => {
    const { stdout } = await diff('run', 'deeper');
    const above = [2, 3].flatMap((K) => ['W', 'b', 'bngain', 'bnbias'].map((tensor) => `blocks.${K}.${tensor}`)).join(', ');
    expect(stdout).toBe(`hidden: 8 and 8,6,8\nthe runs differ from the start: after step 0, ${above} differ\n`);
  });

  it('of several blocks are the same if both are one run', async () => {
    expect((await diff('deeper', 'deeper')).exitCode).toBe(0);
  });

  it('on different data show both SHA-256', async () => {
    const { exitCode, stdout } = await diff('run', 'other-data');
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^SHA-256 of the data: [0-9a-f]{64} and [0-9a-f]{64}\nthe runs diverge after step 0: after step 1,000, /);
  });

  it('are the same up to the end of the shorter one if the longer one extends it', async () => {
    const { exitCode, stdout } = await diff('run', 'extended');
    expect(exitCode).toBe(0);
    expect(stdout).toBe('steps: 1200 and 2300\nthe same at all 3 recorded steps, up to step 1,200\n');
  });

  it('diverge with their rates if one was extended and the other was as long from the start', async () => {
    const { exitCode, stdout } = await diff('extended', 'long');
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^switchStep: 600 and 1150\nthe runs diverge after step 0: after step 1,000, /);
  });

  it('without a common recorded step cannot be compared (1)', async () => {
    const other = tempDirectory();
    cpSync(join(cwd, 'run'), join(other, 'run'), { recursive: true });
    rmSync(join(other, 'run', 'metrics.jsonl'));
    const { exitCode, stdout } = await diff('run', join(other, 'run'));
    expect([exitCode, stdout]).toEqual([1, 'the runs have no recorded step in common\n']);
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
    expect(stdout).toBe('{"same":true,"compared":3,"parting":null,"config":[]}\n');
  });

  it('describes runs that diverge', async () => {
    const { exitCode, stdout } = await diff('run', 'other-rate', '--json');
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^[^\n]+\n$/);
    expect(JSON.parse(stdout)).toEqual({
      same: false,
      compared: 3,
      parting: { step: 1000, tensors: ALL.split(', ') },
      config: [{ key: 'learningRate', values: [0.1, 0.2] }],
    });
  });

  it('describes runs without a common step', async () => {
    const other = tempDirectory();
    cpSync(join(cwd, 'run'), join(other, 'run'), { recursive: true });
    rmSync(join(other, 'run', 'metrics.jsonl'));
    const { exitCode, stdout } = await diff(join(other, 'run'), 'run', '--json');
    expect([exitCode, JSON.parse(stdout)]).toEqual([1, { same: false, compared: 0, parting: null, config: [] }]);
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
