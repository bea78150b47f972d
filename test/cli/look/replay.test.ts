import { appendFileSync, cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { randomStream } from '../../../src/core/random.js';
import type { FloatArray } from '../../../src/core/tensor.js';
import { LESSON_PARAMETER_NAMES, type ParameterName } from '../../../src/network/parameters.js';
import { loadCheckpoint, saveCheckpoint } from '../../../src/node/checkpointFile.js';
import { createWasmBackend } from '../../../src/node/kernels.js';
import { type Checkpoint, restoreModel } from '../../../src/run/checkpoint.js';
import { NAMES, ONE_ERROR_LINE, runCli, trainSmall, writeNames } from '../../support/fakeIO.js';
import { makeDirectory, put, removeDirectory, snapshot, tempDirectory } from '../../support/tempDirectory.js';

const STEPS = 2100;

let trained: string;

beforeAll(async () => {
  trained = makeDirectory();
  await trainSmall(trained, '--steps', `${STEPS}`, '--eval-every', '700');
  return () => {
    removeDirectory(trained);
    if (byAdam !== undefined) removeDirectory(byAdam);
  };
});

/** A copy of the run and its data that a test may change. */
function copyOfRun(): string {
  const cwd = tempDirectory();
  cpSync(trained, cwd, { recursive: true });
  return cwd;
}

/** The copy, with one changed hash in metrics.jsonl. */
function withOtherHash(step: number, tensor: ParameterName, cwd = copyOfRun()): string {
  const path = join(cwd, 'run', 'metrics.jsonl');
  const lines = readFileSync(path, 'utf8').split('\n');
  const at = lines.findIndex((line) => line.startsWith(`{"step":${step},"hashes":`));
  expect(at).not.toBe(-1);
  const record = JSON.parse(lines[at]);
  record.hashes[tensor] = '0123456789abcdef';
  lines[at] = JSON.stringify(record);
  put(cwd, join('run', 'metrics.jsonl'), lines.join('\n'));
  return cwd;
}

/** Changes the last bit of one entry of a parameter; the checkpoint stays valid. */
function moveLastBit(cwd: string, tensor: ParameterName): void {
  const path = join(cwd, 'run', 'checkpoint.safetensors');
  const checkpoint = loadCheckpoint(path);
  const model = restoreModel(checkpoint, createWasmBackend, { inference: [1] });
  const data = model.parameters[tensor];
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
  bits[data.length - 1] ^= 1;
  saveCheckpoint(path, model, checkpoint);
}

let byAdam: string | undefined;

/** The directory of a run whose best evaluation is not its last one. */
async function trainedByAdam(): Promise<string> {
  if (byAdam === undefined) {
    byAdam = makeDirectory();
    await trainSmall(byAdam, '--steps', '250', '--optimizer', 'adam', '--lr', '0.03', '--eval-every', '40');
    expect(loadCheckpoint(join(byAdam, 'run', 'best.safetensors')).state.step).toBeLessThan(250);
  }
  return byAdam;
}

function editRunFile(cwd: string, edit: (text: string) => string): void {
  const path = join(cwd, 'run', 'run.json');
  put(cwd, join('run', 'run.json'), edit(readFileSync(path, 'utf8')));
}

const HASHES = Object.fromEntries(LESSON_PARAMETER_NAMES.map((name) => [name, '0123456789abcdef']));

describe('an unchanged run', () => {
  it('is the same at every recorded step, and nothing is written (0)', async () => {
    const before = snapshot(trained);
    const { exitCode, stdout, stderr } = await runCli(trained, ['replay', 'run']);
    expect(exitCode).toBe(0);
    expect(stdout.split('\n')).toEqual([
      'the same: 2,100 steps repeated, bit-identical at each of 4 recorded ones',
      'compared:',
      '  21 losses, 3 validation losses, 4 hash records, 6 diagnoses',
      '  checkpoint: parameters, statistics, random state, running losses, best evaluation',
      '  best checkpoint: the same parts',
      'not compared:',
      '  optimizer state: sgd has none',
      '  report in run.json: eval and sample compute its parts again',
      '',
    ]);
    expect(stderr).toBe('');
    expect(snapshot(trained)).toEqual(before);
  });

  it('is described as a JSON document', async () => {
    const { exitCode, stdout } = await runCli(trained, ['replay', 'run', '--json']);
    expect(exitCode).toBe(0);
    const checkpoint = join(trained, 'run', 'checkpoint.safetensors');
    expect(JSON.parse(stdout)).toMatchObject({
      checkpoint,
      ok: true,
      steps: STEPS,
      compared: 4,
      divergence: null,
      problems: [],
      checkpointParts: { differences: [] },
      best: { differences: [] },
    });
  });

  it('of several blocks is the same, and a changed bit in one of them is found', async () => {
    const cwd = tempDirectory();
    await trainSmall(cwd, '--steps', '1100', '--hidden', '8,6,5', '--eval-every', '500');
    expect((await runCli(cwd, ['replay', 'run'])).stdout).toContain(
      'the same: 1,100 steps repeated, bit-identical at each of 3 recorded ones',
    );
    withOtherHash(1000, 'blocks.3.bngain', cwd);
    expect(await runCli(cwd, ['replay', 'run'])).toMatchObject({
      exitCode: 1,
      stdout: expect.stringMatching(
        /^not the same: after step 1,000, blocks\.3\.bngain differs from the run of run\/checkpoint\.safetensors\n/,
      ),
    });
    await trainSmall(cwd, '--steps', '1100', '--hidden', '8,6,5', '--eval-every', '500', '--force');
    moveLastBit(cwd, 'blocks.2.W');
    const { exitCode, stdout } = await runCli(cwd, ['replay', 'run']);
    expect([exitCode, stdout]).toEqual([1, expect.stringContaining('after step 1,100, blocks.2.W differs from the run of ')]);
  });

  it('is the newest unless another one is named', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    await runCli(cwd, ['train', '--data', 'names.txt', '--steps', '30', '--hidden', '8']);
    await runCli(cwd, ['train', '--data', 'names.txt', '--steps', '40', '--hidden', '8']);
    expect((await runCli(cwd, ['replay'])).stdout).toContain('the same: 40 steps repeated, bit-identical at each of 2 recorded');
    expect((await runCli(cwd, ['replay', join('runs', '0001')])).stdout).toContain('the same: 30 steps repeated');
  });

  it('is compared up to its best checkpoint if that is named', async () => {
    const best = join('run', 'best.safetensors');
    const { step } = loadCheckpoint(join(trained, best)).state;
    const { exitCode, stdout } = await runCli(trained, ['replay', best, '--json']);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, steps: step });
  });

  it('is compared up to its checkpoint if it was stopped, and to its end later', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    const argv = ['train', '--data', 'names.txt', '--steps', '20', '--hidden', '8', '--out', 'run'];
    expect((await runCli(cwd, argv, { tick: 50, stop: { signal: 'SIGTERM', at: 50 + 150 * 7 } })).exitCode).toBe(143);
    const first = await runCli(cwd, ['replay', 'run']);
    expect(first).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('the same: 7 steps repeated, bit-identical at each of 2 recorded'),
    });
    expect((await runCli(cwd, ['train', '--resume', 'run'])).exitCode).toBe(0);
    const second = await runCli(cwd, ['replay', 'run']);
    expect(second).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('the same: 20 steps repeated') });
  });

  it('is the same if it was stopped before its first step', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    const argv = ['train', '--data', 'names.txt', '--steps', '20', '--hidden', '8', '--out', 'run'];
    await runCli(cwd, argv, { tick: 50, stop: { signal: 'SIGINT', at: 50 } });
    expect(await runCli(cwd, ['replay', 'run', '--json'])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('"ok":true,"steps":0,"compared":1,'),
    });
  });

  it('is replayed with --data if its data set was moved', async () => {
    const cwd = copyOfRun();
    put(cwd, 'moved.txt', readFileSync(join(cwd, 'names.txt')));
    expect((await runCli(cwd, ['replay', 'run', '--data', 'moved.txt'])).exitCode).toBe(0);
  });

  it('shows its progress on a terminal, and clears it', async () => {
    const { stdout, stderr } = await runCli(trained, ['replay', 'run'], { tty: true, tick: 20, env: { NO_COLOR: '1' } });
    expect(stderr).toContain('/ 2,100');
    expect(stderr.endsWith('\r\x1b[2K')).toBe(true);
    expect(stdout).toMatch(/^the same: /);
  });
});

describe('a changed run', () => {
  it.each([
    [0, 'C'],
    [1000, 'W1'],
    [2000, 'b2'],
    [STEPS, 'bngain'],
  ] as const)('in the hash of step %i: exit code 1, with the step and the tensor %s', async (step, tensor) => {
    const { exitCode, stdout } = await runCli(withOtherHash(step, tensor), ['replay', 'run']);
    expect(exitCode).toBe(1);
    const shown = step < 1000 ? `${step}` : `${step}`.replace(/^(\d)/, '$1,');
    expect(stdout).toContain(
      `not the same: after step ${shown}, ${tensor} differs from the run of ${join('run', 'checkpoint.safetensors')}\n`,
    );
  });

  it('is reported at the first step if the hashes of two steps were changed', async () => {
    const cwd = withOtherHash(2000, 'C', withOtherHash(1000, 'W1'));
    // The clock is so slow that all steps are in one turn.
    const { exitCode, stdout } = await runCli(cwd, ['replay', 'run'], { tick: 0.001 });
    expect([exitCode, stdout]).toEqual([1, expect.stringMatching(/^not the same: after step 1,000, W1 differs from the run of /)]);
  });

  it('is described as a JSON document that ends at the first differing step', async () => {
    const { exitCode, stdout } = await runCli(withOtherHash(1000, 'W1'), ['replay', 'run', '--json']);
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, steps: 1000, compared: 2, divergence: { step: 1000, tensors: ['W1'] } });
  });

  it.each(LESSON_PARAMETER_NAMES)('is reported with the last step and the tensor if one bit of %s was changed (1)', async (tensor) => {
    const cwd = copyOfRun();
    moveLastBit(cwd, tensor);
    const { exitCode, stdout } = await runCli(cwd, ['replay', 'run', '--json']);
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, divergence: { step: STEPS, tensors: [tensor] } });
  });

  it('is reported with all tensors that were changed', async () => {
    const cwd = copyOfRun();
    for (const tensor of ['W2', 'C', 'bnbias'] as const) moveLastBit(cwd, tensor);
    const { exitCode, stdout } = await runCli(cwd, ['replay', 'run']);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^not the same: after step 2,100, C, bnbias, W2 differ from the run of /);
  });

  it('differs at the first recorded step after a change of its configuration', async () => {
    const cwd = copyOfRun();
    const path = join(cwd, 'run', 'checkpoint.safetensors');
    const checkpoint = loadCheckpoint(path);
    const model = restoreModel(checkpoint, createWasmBackend, { inference: [1] });
    saveCheckpoint(path, model, { ...checkpoint, config: { ...checkpoint.config, schedule: { name: 'step', switchStep: 1500 } } });
    const { exitCode, stdout } = await runCli(cwd, ['replay', 'run', '--json']);
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout).divergence.step).toBe(2000);
  });
});

describe('everything else that a run holds is compared:', () => {
  it.each<[string, (checkpoint: Checkpoint) => Partial<Checkpoint> | undefined, string]>([
    [
      'statistics',
      ({ tensors }) => void (tensors.get('bnvar') as FloatArray).fill(2, 3, 4),
      'statistics: bnvar differs, first bnvar[0, 3]: 2 and ',
    ],
    ['optimizer state', ({ state }) => void state.optimizer.tensors.m.fill(1, -1), 'optimizer state: m of b2 differs, first m of b2['],
    ['random state', ({ state }) => ({ state: { ...state, batches: randomStream('batches', 99).state() } }), 'random state: c, s0'],
    ['running losses', ({ state }) => ({ state: { ...state, weight: 0.5 } }), 'running losses: weight differs, first weight: 0.5 and '],
    [
      'best evaluation',
      ({ best }) => ({ best: best && { ...best, valLoss: best.valLoss - 1 } }),
      'best evaluation: valLoss differs, first valLoss: ',
    ],
  ])('%s, in the checkpoint and in the best one', async (_, change, problem) => {
    const adam = await trainedByAdam();
    for (const [file, what] of [
      ['checkpoint.safetensors', '\ncheckpoint: '],
      ['best.safetensors', '\nbest checkpoint: '],
    ]) {
      const cwd = tempDirectory();
      cpSync(adam, cwd, { recursive: true });
      const path = join(cwd, 'run', file);
      const checkpoint = loadCheckpoint(path);
      const changed = { ...checkpoint, ...change(checkpoint) };
      saveCheckpoint(path, restoreModel(changed, createWasmBackend, { inference: [1] }), changed);
      const { exitCode, stdout } = await runCli(cwd, ['replay', 'run']);
      expect([exitCode, stdout]).toEqual([1, expect.stringContaining(`${what}${problem}`)]);
      expect(stdout).toMatch(
        /^not the same: 250 steps repeated, but not everything in the run of run\/checkpoint\.safetensors is what they give\n/,
      );
    }
  });

  it.each([
    ['loss', /"step":100,"loss":[\d.]+/, '"step":100,"loss":2.5', /\nthe loss of step 100: 2\.5 and [\d.]+\n/],
    ['rate', /"rate":0\.1/, '"rate":0.3', /\nthe loss of step 100: rate 0\.3 and 0\.1\n/],
    ['validation loss', /"valLoss":[\d.]+/, '"valLoss":2.5', /\nthe validation loss of step 700: 2\.5 and [\d.]+\n/],
    ['record that is missing', /\{"step":300,"loss".*\n/, '', /\nthe loss of step 300, which metrics\.jsonl does not hold\n/],
    ['record that is there twice', /(\{"step":300,"loss".*\n)/, '$1$1', /\nthe loss of step 300, which the repeated run does not hold\n/],
    [
      'record of a step without one',
      /(?=\{"step":300,"loss")/,
      '{"step":250,"loss":2,"rate":0.1}\n',
      /\nthe loss of step 250, which the repeated run does not hold\n/,
    ],
    [
      'record out of order',
      /({"step":300,.*\n)((?:.*\n)*)/,
      '$2$1',
      /\n2 of 22 losses differ, first that of step 300, which metrics\.jsonl does not hold\n/,
    ],
    [
      'hash record of a made-up end',
      /(?=\{"step":300,"loss")/,
      `{"step":250,"hashes":${JSON.stringify(HASHES)}}\n`,
      /^not the same: after step 250, C, W1, .* differ/,
    ],
    ['misspelt key', /"valLoss"/, '"valloss"', /\nrun\/metrics\.jsonl, line \d+: it has the unknown key valloss; did you mean valLoss\?\n/],
  ])('a changed %s', async (_, from, to, problem) => {
    const cwd = copyOfRun();
    const path = join(cwd, 'run', 'metrics.jsonl');
    put(cwd, join('run', 'metrics.jsonl'), readFileSync(path, 'utf8').replace(from, to));
    const { exitCode, stdout } = await runCli(cwd, ['replay', 'run']);
    expect([exitCode, stdout]).toEqual([1, expect.stringMatching(problem)]);
  });

  it.each([
    [
      'another best checkpoint',
      (cwd: string) => cpSync(join(cwd, 'run', 'checkpoint.safetensors'), join(cwd, 'run', 'best.safetensors')),
      /best\.safetensors is of step 250, but the validation loss of that step is not the best so far/,
    ],
    [
      'a misspelt key in run.json',
      (cwd: string) => editRunFile(cwd, (text) => text.replace('"startedAt"', '"startdAt"')),
      /run\.json: unknown key startdAt; did you mean startedAt\?/,
    ],
    [
      'an unknown setting in run.json',
      (cwd: string) => editRunFile(cwd, (text) => text.replace('"config": {', '"config": {"evaEvery": 1,')),
      /run\.json: unknown setting evaEvery; did you mean evalEvery\?/,
    ],
    [
      'an unknown setting of the optimizer in run.json',
      (cwd: string) => editRunFile(cwd, (text) => text.replace('"name": "adam"', '"name": "adam", "momentun": 1')),
      /run\.json: unknown setting momentun; did you mean momentum\?/,
    ],
    [
      'no settings in run.json',
      (cwd: string) => editRunFile(cwd, (text) => text.replace('"config"', '"settings"')),
      /run\.json: config is missing/,
    ],
    [
      'another setting in run.json',
      (cwd: string) => editRunFile(cwd, (text) => text.replace('"seed": 2147483647', '"seed": 3')),
      /run\.json: --seed is 3, but 2147483647 in the checkpoint/,
    ],
  ])('%s', async (_, change, problem) => {
    const cwd = tempDirectory();
    cpSync(await trainedByAdam(), cwd, { recursive: true });
    change(cwd);
    const { exitCode, stdout } = await runCli(cwd, ['replay', 'run']);
    expect([exitCode, stdout]).toEqual([1, expect.stringMatching(problem)]);
  });

  it('what is not there is named, and nothing is called the same that was not looked at', async () => {
    const cwd = copyOfRun();
    rmSync(join(cwd, 'run', 'best.safetensors'));
    const path = join(cwd, 'run', 'metrics.jsonl');
    appendFileSync(path, '{"step":2200,"loss":1,"rate":0.01}\n');
    const { exitCode, stdout } = await runCli(cwd, ['replay', 'run']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(
      '\nnot compared:\n  best checkpoint: there is no best.safetensors\n  1 record: later than the checkpoint\n  optimizer state: sgd has none\n',
    );
  });

  it('a run that was extended three times, each time from an end between two records', async () => {
    const cwd = tempDirectory();
    await trainSmall(
      cwd,
      '--steps',
      '130',
      '--eval-every',
      '70',
      '--schedule',
      'constant',
      '--sampling',
      'epochs',
      '--optimizer',
      'nesterov',
    );
    for (const steps of ['250', '333', '400']) {
      expect((await runCli(cwd, ['train', '--resume', 'run', '--steps', steps])).exitCode).toBe(0);
      const { exitCode, stdout } = await runCli(cwd, ['replay', 'run']);
      expect([exitCode, stdout]).toEqual([0, expect.stringContaining(`the same: ${steps} steps repeated`)]);
    }
  });
});

describe('replay', () => {
  it('skips incomplete lines of metrics.jsonl with a note, and leaves them there', async () => {
    const cwd = copyOfRun();
    const path = join(cwd, 'run', 'metrics.jsonl');
    const lines = readFileSync(path, 'utf8').split('\n').length - 1;
    appendFileSync(path, '{"step":2100,"lo');
    const before = snapshot(cwd);
    const { exitCode, stderr } = await runCli(cwd, ['replay', 'run']);
    expect([exitCode, stderr]).toEqual([0, `note: ${join('run', 'metrics.jsonl')}: skipped incomplete line ${lines + 1}\n`]);
    expect(snapshot(cwd)).toEqual(before);
  });

  it('compares only the checkpoint if there is no metrics.jsonl', async () => {
    const cwd = copyOfRun();
    rmSync(join(cwd, 'run', 'metrics.jsonl'));
    expect((await runCli(cwd, ['replay', 'run'])).stdout).toContain('bit-identical at the one recorded\ncompared:\n  checkpoint: ');
    moveLastBit(cwd, 'b1');
    expect((await runCli(cwd, ['replay', 'run'])).exitCode).toBe(1);
  });

  it.each([
    ['changed data', (cwd: string) => writeNames(cwd, [...NAMES, 'mina'], 'other.txt'), ['run', '--data', 'other.txt'], 3, 'SHA-256'],
    [
      'data with other letters',
      (cwd: string) => writeNames(cwd, [...NAMES, 'quax'], 'o.txt'),
      ['run', '--data', 'o.txt'],
      3,
      'new characters q x',
    ],
    ['no such run', () => {}, ['nowhere'], 4, 'nowhere: no such run'],
    ['no run yet', () => {}, [], 4, 'no run yet'],
  ])('%s', async (_, prepare, argv, exitCode, reason) => {
    const cwd = copyOfRun();
    prepare(cwd);
    const outcome = await runCli(cwd, ['replay', ...argv]);
    expect(outcome).toMatchObject({ exitCode, stdout: '' });
    expect(outcome.stderr).toMatch(ONE_ERROR_LINE);
    expect(outcome.stderr).toContain(reason);
  });

  it('refuses a damaged checkpoint (3)', async () => {
    const cwd = copyOfRun();
    const bytes = readFileSync(join(cwd, 'run', 'checkpoint.safetensors'));
    bytes[bytes.length - 1] ^= 1;
    put(cwd, join('run', 'checkpoint.safetensors'), bytes);
    expect(await runCli(cwd, ['replay', 'run'])).toMatchObject({ exitCode: 3, stdout: '', stderr: expect.stringContaining('damaged') });
  });
});
